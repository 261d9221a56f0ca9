"""mod_problem: which words an error is told in: languages, sections within sections, details of modules."""
import pytest

from harness import Httpd

OURS = ("trestle", "problem")
MODULES = dict(ours=OURS, tests=("problemtest",))

# Everything is set on the server, something else in the host and in a location inside it.
NESTED = """
ProblemDetails On
ProblemMediaType application/outer+json
ProblemTemplate '{"outer": "{detail}", "title": "{title}", "code": "{code}"}'
ProblemLanguage ko
ProblemTypeBase https://outer.example/
ProblemCode 404 OUTER
ProblemCode 409 OUTER_CONFLICT
ProblemText 404 en "outer en" "Outer en"
ProblemText 404 ko "outer ko" "Outer ko"
ProblemText 409 ko "outer conflict"
<VirtualHost *:*>
    ServerName a
    ProblemText 404 en "host en"
    <Location /star>
        ProblemText 404 * "inner"
    </Location>
    <Location /star/title>
        ProblemText 404 * "innermost" "Innermost"
    </Location>
    <Location /en>
        ProblemLanguage en
    </Location>
    <Location /standard>
        ProblemMediaType application/problem+json
        ProblemTemplate default
        ProblemTypeBase about:blank
        ProblemCode 404 NOT_FOUND
    </Location>
    <Location /off>
        ProblemDetails Off
    </Location>
</VirtualHost>
<VirtualHost *:*>
    ServerName b
</VirtualHost>
"""


def test_the_inner_section_s_texts_win():
    with Httpd(NESTED, ours=OURS) as server:
        def told(path, host="a"):
            answer = server.get(path, headers={"Host": host}).json()
            return answer["title"], answer["outer"]

        assert told("/x", "b") == ("Outer ko", "outer ko")
        assert told("/x") == ("Outer ko", "outer ko"), "the host words English only"
        assert told("/en/x") == ("Outer en", "host en"), "a title that the host does not word is the server's"
        assert told("/star/x") == ("Outer ko", "inner"), "* inside goes before ko outside"
        assert told("/star/title/x") == ("Innermost", "innermost")
        standard = server.get("/standard/x", headers={"Host": "a"})
        assert standard.headers["content-type"] == "application/problem+json"
        assert standard.json()["type"] == "about:blank" and standard.json()["code"] == "NOT_FOUND"
        assert standard.json()["detail"] == "outer ko"
        assert server.get("/off/x", headers={"Host": "a"}).headers["content-type"].startswith("text/html")
        other = server.get("/x", headers={"Host": "b"})
        assert other.headers["content-type"] == "application/outer+json" and other.json()["code"] == "OUTER"
        assert "content-language" in other.headers
        assert "content-language" not in server.get("/star/x", headers={"Host": "a"}).headers


WORDS = """
ProblemDetails On
ProblemLanguage auto ko
ProblemText CONFIGURED ko "설정된 문장입니다."
<Location /test>
    SetHandler problemtest
</Location>
"""


@pytest.mark.parametrize("query,korean", [
    ("refuse=422", "요청 본문의 내용이 유효하지 않습니다."),
    ("refuse=401&code=INVALID_TOKEN", "로그인 정보가 올바르지 않거나 만료되었습니다."),
    ("refuse=400&code=CONFIGURED", "설정된 문장입니다."),
])
def test_modules_say_nothing_english_to_readers_of_korean(query, korean):
    with Httpd(WORDS, **MODULES) as server:
        answer = server.get(f"/test?{query}")
        assert answer.headers["content-language"] == "ko" and answer.json()["detail"] == korean
        assert answer.json()["errors"][0]["detail"] == korean
        english = server.get(f"/test?{query}", headers={"Accept-Language": "en"})
        assert english.json()["detail"] == 'A hook "refused".' and english.headers["content-language"] == "en"


def test_the_application_s_own_words_are_told_as_they_are():
    with Httpd(WORDS, **MODULES) as server:
        for language in ("ko", "en"):
            answer = server.get("/test?refuse=409&verbatim", headers={"Accept-Language": language})
            assert answer.json()["detail"] == 'A hook "refused".' and "content-language" not in answer.headers


def test_details_of_fields_are_in_the_language():
    with Httpd(WORDS, **MODULES) as server:
        korean, english = (server.get("/test?send=400", headers={"Accept-Language": language}).json()["errors"]
                           for language in ("ko", "en"))
        assert korean == [{"field": "a.b", "code": "REQUIRED_FIELD_MISSING", "detail": "필수 항목이 빠졌습니다."}, {"field": "c"}]
        assert english == [{"field": "a.b", "code": "REQUIRED_FIELD_MISSING", "detail": "A field that is required is missing."},
                           {"field": "c", "detail": "It is too long."}]
