"""mod_auth_jwt: what changes something by the power of a cookie must come from the site itself."""
import pytest

from jwt_support import bearer, httpd, keys, token  # noqa: F401  pylint: disable=unused-import

CONFIG = """
ProblemDetails On
LogLevel auth_jwt:info
TrestleApplication shop
TrestlePublicURL https://shop.example
AuthJWTKey HS256 {path}/secret
AuthJWTIssuer https://shop.example
AuthJWTAudience shop
AuthJWTCredential bearer cookie:session header:X-Token
AuthJWTClearCookie On
AuthJWTOrigin https://app.example http://localhost:3000
<Location />
    AuthType JWT
    AuthName shop
    Require valid-user
    SetHandler jwttest-caller
</Location>
<Location /open>
    AuthJWTAnonymous shop_anonymous
    Require all granted
</Location>
<Location /lax>
    AuthJWTOriginMissing allow
</Location>
<Location /lax/strict>
    AuthJWTOriginMissing refuse
    AuthJWTOrigin https://desk.example
</Location>
"""
UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "PROPFIND", "FROBNICATE")
FOREIGN = {"Origin": "https://evil.example"}


@pytest.fixture(scope="module")
def server(keys):  # noqa: F811  pylint: disable=redefined-outer-name
    with httpd(CONFIG.format(path=keys[0]), tests=("jwttest",)) as running:
        yield running


def ask(server, method, headers, path="/"):
    return server.request(method, path, headers={"Cookie": f"session={token()}", **headers})


def passes(answer):
    return answer.status not in (401, 403)


def is_forged(server, answer):
    assert answer.status == 403 and answer.json()["code"] == "CSRF_FAILED", answer.body
    assert {"origin", "sec-fetch-site"} <= {name.strip().lower() for name in answer.headers["vary"].split(",")}
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers and "www-authenticate" not in answer.headers
    return True


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("path", ["/", "/open", "/lax", "/lax/strict"])
def test_another_site_writes_nothing(server, method, path):
    for headers in (FOREIGN, {**FOREIGN, "Content-Type": "text/plain"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Referer": "https://evil.example/https://shop.example"}):
        assert is_forged(server, ask(server, method, headers, path))
    assert passes(ask(server, method, {"Origin": "https://shop.example"}, path))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_free(server, method):
    assert passes(ask(server, method, FOREIGN))


@pytest.mark.parametrize("credential", [bearer, lambda t: {"X-Token": t}, lambda t: {"Cookie": "session=junk", **bearer(t)}])
def test_other_credentials_are_sent_by_nobody_unasked(server, credential):
    for headers in (FOREIGN, {"Sec-Fetch-Site": "cross-site"}, {}):
        assert passes(server.request("POST", "/", headers={**credential(token()), **headers}))


def test_anonymous_callers_have_no_cookie_to_lend(server):
    assert passes(server.request("POST", "/open", headers=FOREIGN))


@pytest.mark.parametrize("headers,good", [
    ({"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}, True),
    ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, True),
    ({"Origin": "http://localhost:3001", "Sec-Fetch-Site": "same-site"}, False),
    ({"Origin": "http://desk.example:8081", "Host": "desk.example:8081"}, True),
    ({"Origin": "http://desk.example", "Host": "Desk.Example:80"}, True),
    ({"Origin": "http://[::1]:8081", "Host": "[::1]:8081"}, True),
    ({"Origin": "https://desk.example:8081", "Host": "desk.example:8081"}, False),
    ({"Origin": "http://desk.example:8082", "Host": "desk.example:8081"}, False),
    ({"Origin": "https://shop.example, https://shop.example"}, False),
    ({"Origin": "https://shop.example:444"}, False),
    ({"Origin": "https://shop.example.evil"}, False),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "same-origin", **FOREIGN}, False),
    ({"Referer": "https://shop.example/page"}, True),
    ({"Referer": "https://shop.example@evil.example/"}, False),
])
def test_where_a_write_comes_from(server, headers, good):
    for path in ("/", "/lax"):
        answer = ask(server, "POST", headers, path)
        assert passes(answer) if good else is_forged(server, answer)


def test_a_request_that_says_nothing(server):
    assert is_forged(server, ask(server, "POST", {}))
    assert is_forged(server, ask(server, "POST", {"Sec-Fetch-Site": "odd"}))
    assert passes(ask(server, "POST", {}, "/lax"))
    assert is_forged(server, ask(server, "POST", {}, "/lax/strict"))


def test_origins_of_an_inner_section_replace_those_of_an_outer_one(server):
    assert passes(ask(server, "POST", {"Origin": "https://desk.example"}, "/lax/strict"))
    assert is_forged(server, ask(server, "POST", {"Origin": "https://app.example"}, "/lax/strict"))
    assert is_forged(server, ask(server, "POST", {"Origin": "https://desk.example"}, "/lax"))


def test_a_bad_cookie_is_a_bad_cookie_wherever_it_comes_from(server):
    answer = server.request("POST", "/", headers={"Cookie": "session=junk", **FOREIGN})
    assert answer.status == 401 and answer.json()["code"] == "INVALID_TOKEN"


def test_the_log_tells_the_origin(server):
    ask(server, "POST", {"Origin": "https://evil.example/in-the-log"})
    assert "TRSAJ21" in server.log() and "origin https://evil.example/in-the-log" in server.log()
