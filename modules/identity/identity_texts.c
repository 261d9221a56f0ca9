#include "identity_texts.h"

#include <apr_strings.h>
#include <string.h>

enum { ENGLISH, KOREAN, LANGUAGES };

/* {field} and {number} are replaced. */
static const char *const texts[IDENTITY_TEXTS][LANGUAGES] = {
    [IDENTITY_WRONG_CREDENTIALS] = { "The address or the password is wrong.",
                                     "이메일 주소 또는 비밀번호가 올바르지 않습니다." },
    [IDENTITY_NOT_CONFIRMED] = { "Confirm your address first.", "먼저 이메일 주소를 인증해 주십시오." },
    [IDENTITY_TOO_MANY_HASHES] = { "Too many sign-ins at once.",
                                   "동시에 처리 중인 로그인이 너무 많습니다. 잠시 후 다시 시도해 주십시오." },
    [IDENTITY_TOO_MANY_MAILS] = { "Too many mails were sent to this address; try again later.",
                                  "이 주소로 메일을 너무 많이 보냈습니다. 나중에 다시 시도해 주십시오." },
    [IDENTITY_UNSUPPORTED_MEDIA] = { "Send JSON or application/x-www-form-urlencoded.",
                                     "JSON 또는 application/x-www-form-urlencoded 형식으로 보내 주십시오." },
    [IDENTITY_NO_OBJECT] = { "The body is not a JSON object.", "요청 본문이 JSON 객체가 아닙니다." },
    [IDENTITY_REQUIRED] = { "The field {field} is required.", "{field} 항목은 필수입니다." },
    [IDENTITY_NO_TEXT] = { "The field {field} must be a text.", "{field} 항목은 문자열이어야 합니다." },
    [IDENTITY_TOO_LONG] = { "The field {field} has more than {number} characters.",
                            "{field} 항목은 {number}자를 넘을 수 없습니다." },
    [IDENTITY_TOO_SHORT] = { "The field {field} has less than {number} characters.",
                             "{field} 항목은 {number}자 이상이어야 합니다." },
    [IDENTITY_NO_ADDRESS] = { "The field {field} is no e-mail address.",
                              "{field} 항목이 올바른 이메일 주소가 아닙니다." },
    [IDENTITY_NO_USERNAME] = { "The field {field} must not hold blanks or @.",
                               "{field} 항목에는 공백이나 @를 쓸 수 없습니다." },
    [IDENTITY_NOT_THE_SAME] = { "The field {field} is not the same as the password.",
                                "{field} 항목이 비밀번호와 일치하지 않습니다." },
    [IDENTITY_ADDRESS_TAKEN] = { "This address has an account already.", "이미 가입된 이메일 주소입니다." },
    [IDENTITY_USERNAME_TAKEN] = { "This name is taken.", "이미 사용 중인 이름입니다." },
    [IDENTITY_WRONG_CODE] = { "The code is wrong or has expired.", "인증 코드가 올바르지 않거나 만료되었습니다." },
    [IDENTITY_SIGN_IN_NEEDED] = { "This resource needs a sign-in.", "로그인이 필요합니다." },
    [IDENTITY_INVALID_TOKEN] = { "The credential is not valid or has expired.",
                                 "인증 정보가 올바르지 않거나 만료되었습니다." },
    [IDENTITY_INVALID_REFRESH_TOKEN] = { "The refresh token is not valid or has expired; sign in again.",
                                         "갱신 토큰이 올바르지 않거나 만료되었습니다. 다시 로그인해 주십시오." },
    [IDENTITY_FOREIGN_ORIGIN] = { "Requests with this cookie must come from the site itself.",
                                  "이 쿠키를 사용하는 요청은 해당 사이트에서만 보낼 수 있습니다." },
};

const char *identity_text(apr_pool_t *pool, const char *language, identity_text_e text, const char *field, int number)
{
    const char *rest = texts[text][strcmp(language, "ko") ? ENGLISH : KOREAN], *brace;
    const char *written = "";

    while ((brace = strchr(rest, '{'))) {
        const char *value = !strncmp(brace, "{field}", 7) ? field : apr_itoa(pool, number);

        written = apr_pstrcat(pool, written, apr_pstrmemdup(pool, rest, (apr_size_t)(brace - rest)), value, NULL);
        rest = strchr(brace, '}') + 1;
    }
    return apr_pstrcat(pool, written, rest, NULL);
}
