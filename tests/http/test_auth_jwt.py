"""mod_auth_jwt: who may pass with which token, and what a refusal looks like."""
import concurrent.futures
import json
import re
import time

import jwt
import pytest

from jwt_support import OTHER_SECRET, SECRET, b64, bearer, claims, httpd, keys, pem, signed, token  # noqa: F401

INSUFFICIENT = 'Bearer realm="shop", error="insufficient_scope"'
@pytest.fixture(scope="module")
def server(keys):
    path, _ = keys
    config = f"""
LogLevel auth_jwt:info
ProblemDetails On
LimitRequestFieldSize 32768
Header always set X-User-Id "%{{CALLER_SUBJECT}}e" env=CALLER_SUBJECT
<Location />
    AuthType JWT
    AuthName shop
</Location>
AuthJWTKey HS256 {path}/secret
AuthJWTIssuer https://shop.example
AuthJWTAudience shop
AuthJWTTokenType session access
AuthJWTCredential bearer cookie:session header:X-Token
AuthJWTRole shop_user
<Location /private>
    SetHandler jwttest-caller
</Location>
<Location /optional>
    SetHandler jwttest-caller
    AuthJWTAnonymous shop_anonymous
</Location>
<Location /user>
    SetHandler jwttest-caller
    AuthJWTAnonymous shop_anonymous
    Require valid-user
</Location>
<Location /admin>
    SetHandler jwttest-caller
    AuthJWTRolesClaim groups
    Require role admin owner
</Location>
<Location /admin403>
    SetHandler jwttest-caller
    AuthJWTRolesClaim groups
    AuthzSendForbiddenOnFailure On
    Require role admin
</Location>
<Location /somebody>
    SetHandler jwttest-caller
    Require user 8
</Location>
<Location /nobody>
    SetHandler jwttest-caller
    AuthJWTAnonymous shop_anonymous
    <RequireAll>
        Require valid-user
        Require not user 7
    </RequireAll>
</Location>
<Location /mixed>
    SetHandler jwttest-caller
    AuthJWTRolesClaim groups
    <RequireAll>
        Require role admin
        Require user 8
    </RequireAll>
</Location>
<Location /basic>
    AuthType Basic
    AuthUserFile /dev/null
    Require valid-user
</Location>
<Location /staff>
    SetHandler jwttest-caller
    AuthJWTRoleClaim role
    AuthJWTRoleAllow shop_staff shop_boss
</Location>
<Location /cleared>
    SetHandler jwttest-caller
    AuthJWTClearCookie On SameSite=None
</Location>
<Location /contract>
    SetHandler jwttest-caller
    AuthJWTAnonymous shop_anonymous
    AuthJWTMalformedStatus 401
</Location>
<Location /contract/not>
    AuthJWTMalformedStatus 400
</Location>
<Location /short>
    SetHandler jwttest-caller
    AuthJWTMaxAge 1min
    AuthJWTMaxLength 512
    AuthJWTLeeway 0
</Location>
<Location /many>
    SetHandler jwttest-caller
    AuthJWTKey HS256 {path}/secret 1
    AuthJWTKey RS256 {path}/rsa.pem 2
    AuthJWTKey PS256 {path}/rsa.pem 3
    AuthJWTKey ES256 {path}/p256.pem 4
    AuthJWTKey ES384 {path}/p384.pem 5
    AuthJWTKey ES512 {path}/p521.pem 6
    AuthJWTKey EdDSA {path}/ed.pem 7
</Location>
<Location /sign>
    SetHandler jwttest-sign
    AuthJWTAnonymous shop_anonymous
    AuthJWTSigningKey ES256 {path}/p256.private 4
</Location>
<Location /nosign>
    SetHandler jwttest-sign
    AuthJWTAnonymous shop_anonymous
</Location>
<Location /open>
    AuthType None
    SetHandler jwttest-caller
</Location>
<Location /redirect>
    SetHandler jwttest-redirect
    AuthJWTAnonymous shop_anonymous
</Location>
<Location /redirect-open>
    AuthType None
    SetHandler jwttest-redirect
</Location>
"""
    # httpd itself logs a refused Require, and a token sent where Basic is wanted, as an error.
    with httpd(config, tests=("jwttest",), expected=("AH01631", "AH01614")) as running:
        yield running


def is_problem(answer, status, code):
    assert answer.status == status
    assert answer.json()["code"] == code
    assert answer.headers["cache-control"] == "no-store"
    return True


def test_a_good_token_makes_the_caller(server):
    answer = server.get("/private", headers=bearer(token(roles=["x"], name="한")))
    assert answer.status == 200
    caller = answer.json()
    assert caller["subject"] == caller["user"] == "7"
    assert caller["role"] == "shop_user" and caller["session"] == "s-1" and caller["proof"] == "bearer"
    assert caller["claims"]["name"] == "한" and caller["claims"]["aud"] == "shop" and caller["roles"] == []
    assert answer.headers["x-user-id"] == "7"


@pytest.mark.parametrize("headers,proof", [
    (lambda t: {"Authorization": f"bearer  {t}"}, "bearer"),
    (lambda t: {"Cookie": f"a=b; session={t}; c=d"}, "cookie"),
    (lambda t: {"X-Token": t}, "header"),
    (lambda t: {"X-Token": "junk", "Cookie": f"session={t}"}, "cookie"),
    (lambda t: {"Cookie": "session=junk", "Authorization": f"Bearer {t}"}, "bearer"),
])
def test_tokens_are_found_in_the_configured_order(server, headers, proof):
    answer = server.get("/private", headers=headers(token()))
    assert answer.status == 200 and answer.json()["proof"] == proof


def test_no_credential_is_401_without_an_error_attribute(server):
    answer = server.get("/private")
    assert is_problem(answer, 401, "AUTHENTICATION_REQUIRED")
    assert answer.headers["www-authenticate"] == 'Bearer realm="shop"'
    assert "x-user-id" not in answer.headers and "set-cookie" not in answer.headers


def test_anonymous_callers_pass_only_where_they_are_allowed(server):
    answer = server.get("/optional")
    assert answer.status == 200
    assert answer.json() == {"subject": None, "role": "shop_anonymous", "session": None, "proof": "anonymous",
                             "user": None, "claims": {}, "roles": []}
    assert "x-user-id" not in answer.headers
    assert server.get("/optional", headers=bearer(token())).json()["role"] == "shop_user"
    assert is_problem(server.get("/user"), 401, "AUTHENTICATION_REQUIRED")
    assert server.get("/user", headers=bearer(token())).status == 200


def unsigned(algorithm, signature):
    return ".".join((b64(json.dumps({"alg": algorithm})), b64(json.dumps(claims())), signature))


def bad_tokens():
    now = int(time.time())
    good = json.dumps(claims())
    header = '{"alg":"HS256"}'
    return {
        "junk": "junk", "dots": "..", "empty parts": "a..b",
        "none": unsigned("none", ""), "none with a signature": unsigned("none", "AAAA"),
        "None": unsigned("None", "AAAA"),
        "another secret": token(OTHER_SECRET), "empty secret": token(""), "HS512": token(algorithm="HS512"),
        "cut": token()[:-1], "longer": token() + "A", "padding": token() + "=",
        "expired": token(exp=now - 31), "no exp": token(exp=None),
        "exp text": signed(header, json.dumps({**claims(), "exp": str(now + 600)})),
        "exp 1e300": signed(header, good.replace(str(json.loads(good)["exp"]), "1e300")),
        "not yet": token(nbf=now + 120), "issued tomorrow": token(iat=now + 86400),
        "other issuer": token(iss="https://shop.example/"), "no issuer": token(iss=None),
        "other audience": token(aud="mentoring"), "no audience": token(aud=None), "audiences": token(aud=["a", "b"]),
        "refresh": token(token_type="refresh"), "no type": token(token_type=None),
        "no sub": token(sub=None), "empty sub": token(sub=""), "header in sub": token(sub="a\r\nX-Evil: 1"),
        "number sub": signed(header, json.dumps({**claims(), "sub": 7})),
        "crit": signed('{"alg":"HS256","crit":["exp"]}', good),
        "jwk": signed('{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}', good),
        "jku": signed('{"alg":"HS256","jku":"http://127.0.0.1/"}', good),
        "unknown kid": token(headers={"kid": "9"}), "path kid": token(headers={"kid": "../../../dev/null"}),
        "double alg": signed('{"alg":"HS256","alg":"HS256"}', good),
        "double sub": signed(header, good[:-1] + ',"sub":"1"}'),
        "array": signed(header, "[1]"), "NUL": signed(header, good + "\0"), "deep": signed(header, "[" * 4000),
        "longer than 8 KiB": token(filler="x" * 9000),
    }


@pytest.mark.parametrize("name", list(bad_tokens()))
def test_bad_tokens_are_refused_wherever_they_come(server, name):
    bad = bad_tokens()[name]
    for path in ("/private", "/optional", "/user"):
        for headers in (bearer(bad), {"X-Token": bad}, {"Cookie": f"session={bad}"}):
            answer = server.get(path, headers=headers)
            assert is_problem(answer, 401, "INVALID_TOKEN"), (path, headers)
            assert answer.headers["www-authenticate"] == 'Bearer realm="shop", error="invalid_token"'
            assert b"junk" not in answer.body and b"expired" not in answer.json().get("title", "").encode()


def test_a_cookie_that_is_empty_is_bad(server):
    assert is_problem(server.get("/optional", headers={"Cookie": "session="}), 401, "INVALID_TOKEN")


def test_a_bad_credential_does_not_fall_back_to_a_good_one(server):
    good = token()
    for headers in ({"Authorization": "Bearer junk", "Cookie": f"session={good}"},
                    {"Authorization": "Basic YTpi", "Cookie": f"session={good}"},
                    {"Cookie": "session=junk", "X-Token": good},
                    {"Cookie": f"session={good}; session={good}"}):
        assert is_problem(server.get("/optional", headers=headers), 401, "INVALID_TOKEN"), headers


def test_malformed_requests_are_400(server):
    good = token()
    for value in (f"Bearer {good}, Bearer {good}", "Bearer", "Bearer a b", f"Bearer {good},"):
        answer = server.get("/private", headers={"Authorization": value})
        assert is_problem(answer, 400, "INVALID_REQUEST"), value
        assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_two_authorization_headers_are_400(server):
    with server.raw_connect() as raw:
        raw.sendall(f"GET /optional HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token()}\r\n"
                    f"Authorization: Bearer {token()}\r\n\r\n".encode())
        assert raw.makefile("rb").readline().startswith(b"HTTP/1.1 400 ")


def test_malformed_requests_are_401_where_a_contract_wants_it(server):
    for value in ("Bearer", f"Bearer {token()}, Bearer {token()}", "Bearer a b"):
        answer = server.get("/contract", headers={"Authorization": value})
        assert is_problem(answer, 401, "INVALID_TOKEN"), value
        assert answer.headers["www-authenticate"] == 'Bearer realm="shop", error="invalid_token"'
    with server.raw_connect() as raw:
        raw.sendall(f"GET /contract HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token()}\r\n"
                    f"Authorization: Bearer {token()}\r\n\r\n".encode())
        assert raw.makefile("rb").readline().startswith(b"HTTP/1.1 401 ")
    assert is_problem(server.get("/contract/not", headers={"Authorization": "Bearer"}), 400, "INVALID_REQUEST")
    assert server.get("/contract", headers=bearer(token())).status == 200


def test_access_tokens_of_rfc_9068_are_whole(server):
    good = {"client_id": "c", "jti": "1"}
    for kind in ("at+jwt", "application/AT+JWT"):
        assert server.get("/private", headers=bearer(token(headers={"typ": kind}, **good))).status == 200
        for lacking in ("client_id", "jti", "iat"):
            assert server.get("/private", headers=bearer(token(headers={"typ": kind}, **{**good, lacking: None}))).status == 401


def test_the_log_says_what_the_answer_does_not(server):
    answer = server.get("/private", headers={**bearer(token(exp=1)), "X-Request-ID": "expired-one"})
    assert b"expire" not in answer.body.replace(b"has expired", b"").replace(b"expired-one", b"")
    line = next(l for l in server.log().splitlines() if "expired-one" in l)
    assert "TRSAJ03" in line and "it has expired" in line and ":info]" in line
    assert token()[:20] not in server.log()


def test_roles_of_the_application_decide(server):
    assert is_problem_status(server.get("/admin"), 401, 'Bearer realm="shop"')
    assert server.get("/admin", headers=bearer(token(groups=["owner", "x"]))).json()["roles"] == ["owner", "x"]
    assert server.get("/admin", headers=bearer(token(groups="admin"))).status == 200
    refused = server.get("/admin", headers=bearer(token(groups=["administrator"])))
    assert is_problem_status(refused, 403, INSUFFICIENT) and refused.json()["status"] == 403
    assert is_problem_status(server.get("/admin403", headers=bearer(token(groups=["owner"]))), 403, INSUFFICIENT)
    assert is_problem_status(server.get("/admin403"), 401, 'Bearer realm="shop"')
    assert server.get("/admin403", headers=bearer(token(groups=["admin"]))).status == 200


def test_every_require_that_a_caller_does_not_meet_is_403(server):
    for path in ("/somebody", "/nobody", "/mixed"):
        assert is_problem_status(server.get(path), 401, 'Bearer realm="shop"'), path
        assert is_problem_status(server.get(path, headers=bearer(token())), 403, INSUFFICIENT), path
        assert is_problem(server.get(path, headers=bearer("junk")), 401, "INVALID_TOKEN"), path
    assert server.get("/somebody", headers=bearer(token(sub="8"))).status == 200
    assert server.get("/mixed", headers=bearer(token(groups="admin", sub="8"))).status == 200
    assert is_problem_status(server.get("/redirect?/somebody", headers=bearer(token())), 403, INSUFFICIENT)
    # Another AuthType's answers are its own.
    answer = server.get("/basic", headers=bearer(token()))
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic ")


def is_problem_status(answer, status, challenge):
    return answer.status == status and answer.headers["www-authenticate"] == challenge


def test_a_database_role_counts_only_if_allowed(server):
    def role(named):
        return server.get("/staff", headers=bearer(token(role=named))).json()["role"]

    assert role("shop_staff") == "shop_staff"
    assert role("shop_boss") == "shop_boss"
    assert role("postgres") == role(["shop_boss"]) == role(None) == "shop_user"
    assert server.get("/private", headers=bearer(token(role="shop_boss"))).json()["role"] == "shop_user"


def test_a_bad_cookie_is_cleared_with_its_attributes(server):
    answer = server.get("/cleared", headers={"Cookie": "session=junk"})
    assert answer.status == 401
    assert answer.headers["set-cookie"] == "session=; Max-Age=0; Path=/; SameSite=Lax; HttpOnly"
    assert "set-cookie" not in server.get("/cleared").headers
    assert "set-cookie" not in server.get("/cleared", headers=bearer("junk")).headers
    assert "set-cookie" not in server.get("/private", headers={"Cookie": "session=junk"}).headers


def test_limits_of_a_location(server):
    now = int(time.time())
    assert server.get("/short", headers=bearer(token(exp=now + 50))).status == 200
    assert server.get("/short", headers=bearer(token(exp=now + 70))).status == 401
    assert server.get("/short", headers=bearer(token(exp=now + 50, iat=None))).status == 401
    assert server.get("/short", headers=bearer(token(exp=now + 50, filler="x" * 400))).status == 401
    assert server.get("/short", headers=bearer(token(exp=now - 1))).status == 401
    assert server.get("/private", headers=bearer(token(exp=now - 1))).status == 200


def test_every_algorithm(server, keys):
    _, made = keys
    cases = [("HS256", SECRET, "1"), ("RS256", made["rsa"], "2"), ("PS256", made["rsa"], "3"),
             ("ES256", made["p256"], "4"), ("ES384", made["p384"], "5"), ("ES512", made["p521"], "6"),
             ("EdDSA", made["ed"], "7")]
    for algorithm, key, kid in cases:
        secret = key if isinstance(key, str) else pem(key, True)
        assert server.get("/many", headers=bearer(token(secret, algorithm))).status == 200, algorithm
        assert server.get("/many", headers=bearer(token(secret, algorithm, {"kid": kid}))).status == 200, algorithm
        for other in "1234567":
            if other != kid:
                assert server.get("/many", headers=bearer(token(secret, algorithm, {"kid": other}))).status == 401
    # The public key as HMAC secret: PyJWT refuses to make it, so by hand.
    forged = signed('{"alg":"HS256","kid":"2"}', json.dumps(claims()), pem(made["rsa"]))
    assert server.get("/many", headers=bearer(forged)).status == 401
    # The outer location's key is not the inner one's.
    assert server.get("/private", headers=bearer(token(pem(made["p256"], True), "ES256"))).status == 401


def test_signing(server, keys):
    _, made = keys
    made_token = server.post("/sign", json.dumps(claims(name="한"))).body.decode()
    assert jwt.get_unverified_header(made_token) == {"alg": "ES256", "typ": "JWT", "kid": "4"}
    assert jwt.decode(made_token, pem(made["p256"]), ["ES256"], audience="shop")["name"] == "한"
    assert server.get("/many", headers=bearer(made_token)).status == 200
    assert server.post("/sign", "[]").status == 400
    assert server.post("/sign", "").status == 400
    assert server.post("/nosign", "{}").status == 501


def test_a_virtual_host_knows_whether_it_can_sign(keys):
    path, _ = keys
    hosts = "".join(f"<VirtualHost *:1>\nServerName {name}\n<Location /x>\n{lines}\n</Location>\n</VirtualHost>\n" for name, lines in (
        ("signs", f"AuthJWTSigningKey HS256 {path}/secret"), ("verifies", f"AuthJWTKey HS256 {path}/secret"), ("neither", "")))
    for main, inherited in (("", 501), (f"AuthJWTSigningKey HS256 {path}/secret", 200)):
        with httpd("", tests=("jwttest",)) as server:
            server.stop()
            server.config = f"<Location />\nSetHandler jwttest-signer\n</Location>\n{main}\n" + hosts.replace("*:1", f"*:{server.port}")
            server.start()
            for host, status in (("signs", 200), ("verifies", inherited), ("neither", inherited)):
                assert server.get("/", headers={"Host": host}).status == status, (main, host)


def test_internal_redirects_keep_and_ask_the_caller(server):
    good = bearer(token())
    assert server.get("/redirect?/private", headers=good).json()["subject"] == "7"
    assert server.get("/redirect?/private").status == 401
    assert server.get("/redirect?/open", headers=good).json()["subject"] == "7"
    assert server.get("/redirect-open?/private").status == 401
    assert server.get("/redirect-open?/private", headers=bearer("junk")).status == 401
    assert server.get("/redirect-open?/private", headers=good).json()["subject"] == "7"
    assert server.get("/open").status == 204


def test_many_at_once_are_told_apart(server):
    def ask(n):
        answer = server.get("/optional", headers=bearer(token(sub=str(n))) if n % 3 else {})
        return answer.status == 200 and answer.json()["subject"] == (str(n) if n % 3 else None)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(300)))


@pytest.mark.parametrize("lines,mend", [
    ("AuthJWTKey HS257 {k}/secret", "write one of HS256, HS384"),
    ("AuthJWTKey none {k}/secret", "write one of HS256, HS384"),
    ("AuthJWTKey HS256 {k}/nothing", "name a readable key file"),
    ("AuthJWTKey HS256 {k}", "name a key file"),
    ("AuthJWTKey HS256 {k}/empty", "is empty; write a key into it"),
    ("AuthJWTKey HS256 {k}/short", "make one with openssl rand"),
    ("AuthJWTKey HS256 {k}/rsa.pem", "name the algorithm of that key"),
    ("AuthJWTKey RS256 {k}/secret", "is not a PEM public key"),
    ("AuthJWTKey ES256 {k}/p384.pem", "ec_paramgen_curve:prime256v1"),
    ("AuthJWTKey RS256 {k}/ed.pem", "is not an RSA key"),
    ("AuthJWTKey HS256 {k}/secret a,b", "is no kid; use 1-128"),
    ("AuthJWTKey HS256 {k}/secret a\nAuthJWTKey HS256 {k}/other a", "give each its own"),
    ("AuthJWTKey HS256 {k}/secret\nAuthJWTKey HS256 {k}/other", "give one of them a kid"),
    ("AuthJWTSigningKey RS256 {k}/rsa.pem", "PEM private key, which signing needs"),
    ("AuthJWTSigningKey PS256 {k}/rsa.private", "is only verified"),
    ("AuthJWTLeeway 121s", "from 0ms to 2min"),
    ("AuthJWTMaxAge 0", "is not a duration"),
    ("AuthJWTMaxLength 1M", "is not a size from 256"),
    ("AuthJWTCredential query:token", "write bearer, cookie:name or header:name"),
    ("AuthJWTCredential cookie:a;b", "no name of a cookie"),
    ("AuthJWTCredential header:", "write bearer, cookie:name or header:name"),
    ("AuthJWTAnonymous Anyone", "no name of a database role"),
    ("AuthJWTRole \"a;b\"", "no name of a database role"),
    ("AuthJWTAnonymous none", "write Off"),
    ("AuthJWTAnonymous public", "write Off"),
    ("AuthJWTAnonymous \"\"", "or Off to refuse them"),
    ("AuthJWTRole none", "name another role"),
    ("AuthJWTRole public", "name another role"),
    ("AuthJWTRole \"\"", "takes one argument, database role"),
    ("AuthJWTRoleClaim role\nAuthJWTRoleAllow staff none", "name another role"),
    ("AuthJWTRoleClaim role\nAuthJWTRoleAllow public", "name another role"),
    ("AuthJWTRoleClaim role\nAuthJWTRoleAllow \"\"", "at least one argument, database roles"),
    ("AuthJWTOrigin app.example.org", "AuthJWTOrigin: 'app.example.org' is no origin"),
    ("AuthJWTOrigin https://app.example.org https://App.example.org", "write for example https://app.example.org"),
    ("AuthJWTOrigin https://app.example.org/", "write for example https://app.example.org"),
    ("AuthJWTOrigin https://app.example.org:443", "a port if it is not the usual one"),
    ("AuthJWTOrigin https://*.example.org", "write for example https://app.example.org"),
    ("AuthJWTOrigin null", "write for example https://app.example.org"),
    ("AuthJWTOriginMissing Off", "write refuse or allow"),
    ("AuthJWTClearCookie Maybe", "write On or Off"),
    ("AuthJWTClearCookie On Expires=1", "write SameSite=Lax"),
    ("AuthJWTCredential cookie:__Host-s\nAuthJWTClearCookie On Path=/api", "leave Path and Domain away"),
    ("AuthJWTClearCookie On Domain=example.org\nAuthJWTCredential cookie:__Host-s", "leave Path and Domain away"),
    ("AuthJWTRoleClaim role", "add AuthJWTRoleAllow"),
    ("AuthJWTRoleAllow staff", "add AuthJWTRoleClaim"),
    ("<Location /a>\nAuthType JWT\n</Location>", "add AuthJWTKey"),
    ("<VirtualHost *:1>\nAuthJWTKey HS256 {k}/secret\n</VirtualHost>\n<Location /a>\nAuthType JWT\n</Location>",
     "add AuthJWTKey"),
    ("<Location /a>\nRequire role\n</Location>", "name at least one role"),
])
def test_configtest_names_the_mend(keys, lines, mend):
    code, output = httpd(lines.replace("{k}", str(keys[0]))).configtest()
    assert code != 0 and mend in output


def without_authn_core(config, **more):
    """A server that does not load mod_authn_core and what needs it."""
    server = httpd(config, **more)
    whole = server.configuration
    server.configuration = lambda: "\n".join(line for line in whole().splitlines() if not re.match(
        "LoadModule (authn_core|auth_basic|authn_file)_module", line))
    return server


def test_configtest_wants_the_module_that_has_auth_type(keys):
    key = f"AuthJWTKey HS256 {keys[0]}/secret"
    code, output = without_authn_core(f"{key}\n<Location /a>\nAuthType JWT\n</Location>").configtest()
    assert code != 0 and "load mod_authn_core" in output
    assert without_authn_core(key).configtest()[0] == 0
    with without_authn_core(key, expected=("load mod_authn_core",)) as server:
        server.stop()
        root = server.path / "htdocs"
        server.config = f"{key}\n<Directory {root}>\nAllowOverride AuthConfig\n</Directory>"
        (root / ".htaccess").write_text("AuthType JWT\nRequire all granted\n")
        server.start()
        assert server.get("/").status == 500
        assert "load mod_authn_core" in server.log()


def test_a_location_that_no_key_reaches_is_500_with_the_mend_in_the_log(keys):
    config = f"""
<Location /a>
    AuthType JWT
    SetHandler jwttest-caller
    AuthJWTAnonymous shop_anonymous
    Require valid-user
</Location>
<Location /b>
    AuthJWTKey HS256 {keys[0]}/secret
</Location>
"""
    with httpd(config, tests=("jwttest",), expected=("TRSAJ04",)) as server:
        for headers in ({}, bearer(token()), bearer("junk")):
            assert server.get("/a", headers=headers).status == 500
        assert "TRSAJ04: AuthType JWT without a key for /a: add AuthJWTKey to its section" in server.log()


def test_configtest_looks_at_the_rights_of_key_files(keys):
    path, _ = keys
    for mode, mend in ((0o644, "run chmod o-r on it"), (0o602, "run chmod o-w on it")):
        (path / "secret").chmod(mode)
        code, output = httpd(f"AuthJWTKey HS256 {path}/secret").configtest()
        assert code != 0 and mend in output
    (path / "secret").chmod(0o600)
    (path / "rsa.private").chmod(0o644)
    assert "run chmod o-r on it" in httpd(f"AuthJWTKey RS256 {path}/rsa.private").configtest()[1]
    (path / "rsa.private").chmod(0o600)
    (path / "rsa.pem").chmod(0o644)
    assert httpd(f"AuthJWTKey RS256 {path}/rsa.pem").configtest()[0] == 0


def test_configtest_accepts_keys_of_the_main_server_in_a_virtual_host(keys):
    path, _ = keys
    code, output = httpd(f"AuthJWTKey HS256 {path}/secret\n<VirtualHost *:1>\n<Location /a>\nAuthType JWT\n</Location>\n"
                         "</VirtualHost>").configtest()
    assert code == 0, output


def test_htaccess_may_not_name_keys_or_roles(keys):
    path, _ = keys
    with httpd(expected=("not allowed here",)) as server:
        server.stop()
        root = server.path / "htdocs"
        server.config = f"<Directory {root}>\nAllowOverride All\n</Directory>"
        for line in (f"AuthJWTKey HS256 {path}/secret", "AuthJWTRole postgres", "AuthJWTAnonymous postgres"):
            (root / ".htaccess").write_text(line + "\n")
            server.start()
            assert server.get("/").status == 500
            server.stop()
