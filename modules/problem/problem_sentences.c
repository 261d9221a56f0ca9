#include "problem_sentences.h"

#include <apr_strings.h>
#include <string.h>

enum { NUMBERS_MAX = 2 };

/* In the order of the English sentences; # stands for a whole number, which is the same in every language. */
static const char *const sentences[][PROBLEM_LANGUAGES] = {
    { "A GET request must not have a body.", "GET 요청에는 본문이 없어야 합니다." },
    { "A field's name holds a NUL.", "항목 이름에 NUL 문자가 있습니다." },
    { "A field's name is not percent-encoded UTF-8 without NUL.",
      "항목 이름이 퍼센트 인코딩된 UTF-8이 아니거나 NUL 문자가 있습니다." },
    { "A line in the header of a part does not end in CR LF.",
      "본문 한 부분의 헤더에 CR LF로 끝나지 않는 줄이 있습니다." },
    { "A part of the body has a Content-Transfer-Encoding; send it as it is.",
      "본문의 한 부분에 Content-Transfer-Encoding이 있습니다. 변환하지 말고 보내 주십시오." },
    { "A part of the body has a malformed Content-Disposition.",
      "본문의 한 부분에 올바르지 않은 Content-Disposition이 있습니다." },
    { "A part of the body has a malformed Content-Type, or more than one.",
      "본문의 한 부분에 Content-Type이 올바르지 않거나 둘 이상 있습니다." },
    { "A part of the body has a malformed header.", "본문의 한 부분에 올바르지 않은 헤더가 있습니다." },
    { "A part of the body has a malformed name or filename.",
      "본문의 한 부분에 올바르지 않은 name 또는 filename이 있습니다." },
    { "A part of the body has a parameter such as filename*, which form-data must not have.",
      "본문의 한 부분에 form-data에 쓸 수 없는 filename*과 같은 매개변수가 있습니다." },
    { "A part of the body has more than one Content-Disposition.",
      "본문의 한 부분에 Content-Disposition이 둘 이상 있습니다." },
    { "A part of the body has no Content-Disposition.", "본문의 한 부분에 Content-Disposition이 없습니다." },
    { "A part of the body has no name.", "본문의 한 부분에 이름이 없습니다." },
    { "A part of the body is not form-data.", "본문의 한 부분이 form-data가 아닙니다." },
    { "A record with this value exists already.", "같은 값이 이미 존재합니다." },
    { "Another request changed the same records; repeat this one.",
      "다른 요청이 같은 데이터를 변경했습니다. 다시 시도해 주십시오." },
    { "Another request holds the same records; repeat this one.",
      "다른 요청이 같은 데이터를 처리하고 있습니다. 다시 시도해 주십시오." },
    { "Confirm your address first.", "먼저 이메일 주소를 인증해 주십시오." },
    { "Files are not accepted here.", "이곳에서는 파일을 받지 않습니다." },
    { "Nothing can be searched here.", "이 목록은 검색할 수 없습니다." },
    { "Requests with this cookie must come from the site itself.",
      "이 쿠키를 사용하는 요청은 해당 사이트에서만 보낼 수 있습니다." },
    { "Rows are not counted here.", "이 목록은 전체 개수를 제공하지 않습니다." },
    { "Send JSON or application/x-www-form-urlencoded.",
      "JSON 또는 application/x-www-form-urlencoded 형식으로 보내 주십시오." },
    { "Send the body as application/json, application/x-www-form-urlencoded or multipart/form-data.",
      "요청 본문을 application/json, application/x-www-form-urlencoded, multipart/form-data 가운데 하나로 보내 "
      "주십시오." },
    { "Send the body as application/json.", "요청 본문을 application/json 형식으로 보내 주십시오." },
    { "Send the body in UTF-8.", "요청 본문을 UTF-8로 보내 주십시오." },
    { "Send the body without a Content-Encoding.", "요청 본문을 Content-Encoding 없이 보내 주십시오." },
    { "Send the field as text.", "이 항목은 텍스트로 보내 주십시오." },
    { "Sign in to do this.", "로그인이 필요합니다." },
    { "Something follows a boundary on its line.", "본문의 boundary 줄에 다른 내용이 있습니다." },
    { "Something follows the last boundary.", "본문의 마지막 boundary 뒤에 다른 내용이 있습니다." },
    { "The Content-Type has no boundary.", "Content-Type에 boundary가 없습니다." },
    { "The Content-Type is malformed, or there is more than one.", "Content-Type이 올바르지 않거나 둘 이상입니다." },
    { "The address or the password is wrong.", "이메일 또는 비밀번호가 올바르지 않습니다." },
    { "The body does not begin with its boundary.", "본문이 boundary로 시작하지 않습니다." },
    { "The body ends before its last boundary.", "본문이 마지막 boundary 전에 끝났습니다." },
    { "The body holds a NUL, which cannot be stored.", "요청 본문에 저장할 수 없는 NUL 문자가 있습니다." },
    { "The body is not a JSON object.", "요청 본문이 JSON 객체가 아닙니다." },
    { "The body is not valid JSON: a colon is missing (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 콜론이 없습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: a comma or a closing bracket is missing (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 쉼표 또는 닫는 괄호가 없습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: a number is malformed (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 숫자의 형식이 틀렸습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: a string has an unknown escape (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 문자열에 알 수 없는 이스케이프가 있습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: a string has half of a surrogate pair (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 문자열에 서로게이트 쌍의 절반만 있습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: a string has no end (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 문자열이 끝나지 않았습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: a string holds a control character (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 문자열에 제어 문자가 있습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: a value is missing (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 값이 없습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: an escape in a string is cut off (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 문자열의 이스케이프가 잘렸습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: an escape in a string is malformed (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 문자열의 이스케이프가 틀렸습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: an object's member has no name (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 객체에 이름 없는 항목이 있습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: it begins with a byte order mark, which JSON must not have (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. JSON에 쓸 수 없는 바이트 순서 표시(BOM)로 시작합니다(#번째 줄, #번째 "
      "글자)." },
    { "The body is not valid JSON: it is nested deeper than 64 levels (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 64단계보다 깊습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: something follows the value (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 값 뒤에 다른 내용이 있습니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: this is no value (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. 올바른 값이 아닙니다(#번째 줄, #번째 글자)." },
    { "The body is not valid JSON: this is not UTF-8 (line #, column #).",
      "요청 본문이 올바른 JSON이 아닙니다. UTF-8이 아닙니다(#번째 줄, #번째 글자)." },
    { "The body must be a JSON object.", "요청 본문은 JSON 객체여야 합니다." },
    { "The boundary of the body is malformed.", "요청 본문의 boundary가 올바르지 않습니다." },
    { "The change contradicts another record.", "다른 데이터와 모순되는 변경입니다." },
    { "The code is wrong or has expired.", "인증 코드가 올바르지 않거나 만료되었습니다." },
    { "The credential is not valid or has expired.", "로그인 정보가 올바르지 않거나 만료되었습니다." },
    { "The cursor is not one of this list and order.", "이 목록과 정렬 순서에 맞지 않는 커서입니다." },
    { "The date or time is malformed.", "날짜 또는 시각의 형식이 올바르지 않습니다." },
    { "The date or time is out of range.", "날짜 또는 시각이 범위를 벗어났습니다." },
    { "The field cannot be set here.", "이 항목은 지정할 수 없습니다." },
    { "The field is given more than once.", "같은 항목이 두 번 이상 있습니다." },
    { "The field is not known here.", "알 수 없는 항목입니다." },
    { "The field is required.", "필수 항목입니다." },
    { "The field is set by the server.", "서버가 정하는 항목입니다." },
    { "The header of a part is too large.", "본문 한 부분의 헤더가 너무 큽니다." },
    { "The number has more than # digits before the point.", "소수점 앞의 숫자가 #자리를 넘었습니다." },
    { "The parameter is given more than once.", "같은 매개변수가 두 번 이상 있습니다." },
    { "The parameter is not known here.", "알 수 없는 매개변수입니다." },
    { "The query is too long.", "쿼리가 너무 깁니다." },
    { "The refresh token is not valid or has expired; sign in again.",
      "갱신 토큰이 올바르지 않거나 만료되었습니다. 다시 로그인해 주십시오." },
    { "The regular expression is malformed.", "정규식이 올바르지 않습니다." },
    { "The request carries no single well-formed credential.",
      "요청에 올바른 형식의 인증 정보가 하나만 있어야 합니다." },
    { "The request has more than # fields.", "요청의 항목이 #개를 넘었습니다." },
    { "The request must have a body.", "요청 본문이 필요합니다." },
    { "The request took too long.", "요청을 처리하는 데 시간이 너무 오래 걸렸습니다." },
    { "The text has fewer than # characters.", "#자 이상이어야 합니다." },
    { "The text has more than # characters.", "#자를 넘을 수 없습니다." },
    { "The text holds a character that cannot be stored.", "저장할 수 없는 문자가 있습니다." },
    { "The text is not valid UTF-8.", "올바른 UTF-8 텍스트가 아닙니다." },
    { "The text is too long.", "텍스트가 너무 깁니다." },
    { "The value breaks a rule of this resource.", "이 자원의 규칙에 맞지 않는 값입니다." },
    { "The value holds a NUL, which cannot be stored.", "저장할 수 없는 NUL 문자가 있습니다." },
    { "The value is malformed.", "값의 형식이 올바르지 않습니다." },
    { "The value is not UTF-8.", "값이 UTF-8이 아닙니다." },
    { "The value is not an e-mail address.", "올바른 이메일 주소가 아닙니다." },
    { "The value is not percent-encoded UTF-8 without NUL.",
      "값이 퍼센트 인코딩된 UTF-8이 아니거나 NUL 문자가 있습니다." },
    { "The value is not the same as the password.", "비밀번호와 일치하지 않습니다." },
    { "The value is not valid JSON: a colon is missing (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 콜론이 없습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: a comma or a closing bracket is missing (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 쉼표 또는 닫는 괄호가 없습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: a number is malformed (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 숫자의 형식이 틀렸습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: a string has an unknown escape (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 문자열에 알 수 없는 이스케이프가 있습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: a string has half of a surrogate pair (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 문자열에 서로게이트 쌍의 절반만 있습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: a string has no end (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 문자열이 끝나지 않았습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: a string holds a control character (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 문자열에 제어 문자가 있습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: a value is missing (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 값이 없습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: an escape in a string is cut off (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 문자열의 이스케이프가 잘렸습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: an escape in a string is malformed (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 문자열의 이스케이프가 틀렸습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: an object's member has no name (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 객체에 이름 없는 항목이 있습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: it begins with a byte order mark, which JSON must not have (line #, column #).",
      "값이 올바른 JSON이 아닙니다. JSON에 쓸 수 없는 바이트 순서 표시(BOM)로 시작합니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: it is nested deeper than 64 levels (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 64단계보다 깊습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: something follows the value (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 값 뒤에 다른 내용이 있습니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: this is no value (line #, column #).",
      "값이 올바른 JSON이 아닙니다. 올바른 값이 아닙니다(#번째 줄, #번째 글자)." },
    { "The value is not valid JSON: this is not UTF-8 (line #, column #).",
      "값이 올바른 JSON이 아닙니다. UTF-8이 아닙니다(#번째 줄, #번째 글자)." },
    { "The value is not valid.", "올바르지 않은 값입니다." },
    { "The value is out of range.", "값이 범위를 벗어났습니다." },
    { "The value is too large.", "값이 너무 큽니다." },
    { "The value must be JSON.", "JSON이어야 합니다." },
    { "The value must be a UUID.", "UUID여야 합니다." },
    { "The value must be a number.", "숫자여야 합니다." },
    { "The value must be a whole number from # to #.", "#에서 # 사이의 정수여야 합니다." },
    { "The value must be a whole number of at most # bits.", "#비트 이내의 정수여야 합니다." },
    { "The value must be an array.", "배열이어야 합니다." },
    { "The value must be an object.", "객체여야 합니다." },
    { "The value must be exact or none.", "exact 또는 none이어야 합니다." },
    { "The value must be text.", "텍스트여야 합니다." },
    { "The value must be true or false.", "true 또는 false여야 합니다." },
    { "The value must not hold blanks or @.", "공백이나 @를 쓸 수 없습니다." },
    { "There are more than # conditions.", "조건이 #개를 넘었습니다." },
    { "There are more than # words.", "검색어가 #개를 넘었습니다." },
    { "There is no such page.", "없는 페이지입니다." },
    { "These values have no fields to order by.", "이 값에는 정렬할 항목이 없습니다." },
    { "These values have no fields.", "이 값에는 항목이 없습니다." },
    { "This address has an account already.", "이미 가입된 이메일 주소입니다." },
    { "This list has no key that a cursor could go by.", "이 목록에는 커서로 쓸 키가 없습니다." },
    { "This lookup does not fit the field.", "이 항목에 쓸 수 없는 조건입니다." },
    { "This method cannot change anything.", "이 메서드로는 아무것도 변경할 수 없습니다." },
    { "This name is taken.", "이미 사용 중인 이름입니다." },
    { "This resource needs a sign-in.", "로그인이 필요합니다." },
    { "Too many mails were sent to this address; try again later.",
      "이 주소로 메일을 너무 많이 보냈습니다. 나중에 다시 시도해 주십시오." },
    { "Too many sign-ins at once.", "동시에 처리 중인 로그인이 너무 많습니다. 잠시 후 다시 시도해 주십시오." },
    { "Values of this field cannot be compared.", "이 항목의 값은 비교할 수 없습니다." },
    { "You may not do this.", "이 작업을 할 권한이 없습니다." },
};

typedef struct {
    const char *start;
    apr_size_t length;
} number_t;

/* 1 if said is pattern with a number in the place of each #; numbers receives them. */
static int matches(const char *pattern, const char *said, number_t *numbers)
{
    for (; *pattern; pattern++)
        if (*pattern == '#') {
            numbers->start = said;
            said += *said == '-';
            numbers->length = (apr_size_t)(said - numbers->start) + strspn(said, "0123456789");
            if (!strspn(said, "0123456789"))
                return 0;
            said = numbers->start + numbers->length;
            numbers++;
        } else if (*pattern != *said++) {
            return 0;
        }
    return !*said;
}

/* pattern with numbers in the places of its #. */
static const char *fill(apr_pool_t *pool, const char *pattern, const number_t *numbers)
{
    const char *hole, *text = "";

    if (!strchr(pattern, '#'))
        return pattern;
    for (; (hole = strchr(pattern, '#')); pattern = hole + 1, numbers++)
        text = apr_psprintf(pool, "%s%.*s%.*s", text, (int)(hole - pattern), pattern, (int)numbers->length,
                            numbers->start);
    return apr_pstrcat(pool, text, pattern, NULL);
}

const char *problem_sentence_in(apr_pool_t *pool, const char *english, problem_language_e language)
{
    number_t numbers[NUMBERS_MAX];

    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
        if (matches(sentences[i][PROBLEM_ENGLISH], english, numbers))
            return fill(pool, sentences[i][language], numbers);
    return NULL;
}
