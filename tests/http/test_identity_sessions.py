"""mod_identity: refresh tokens, the end of sessions, who the caller is, whether a token is good."""
import concurrent.futures
import subprocess
import threading
import time

import jwt
import pytest

from harness import Postgres, free_port, until
from harness.pgproxy import PgProxy
from identity_support import (APP, PASSWORD, SECRET, argon2, database, httpd, is_refused, keyfile, login, migrate,  # noqa: F401
                              post, same_but_for_the_request, sessions)


def more(keys, grace="10s 100"):
    """Locations with refresh tokens, whose keys stand beside that of tokens."""
    return f"""
IdentityRefreshKey {keys.with_name("refresh")} 2
IdentityRefreshKey {keys.with_name("refresh2")} 1
IdentityRefreshGrace {grace}
<Location /session>
    SetHandler identity-login
    IdentityClaimsFunction idshop.person_claims
</Location>
<Location /refresh>
    SetHandler identity-refresh
    IdentityClaimsFunction idshop.person_claims
</Location>
<Location /refresh/shaped>
    IdentityAnswerFunction idshop.person_answer
    IdentityStatus 201
</Location>
<Location /refresh/once>
    IdentityRefreshGrace 0
</Location>
<Location /refresh/mobile>
    IdentityClient mobile
</Location>
<Location /refresh/closed>
    IdentityClaimsFunction idshop.closed
</Location>
<Location /refresh/closed-answer>
    IdentityAnswerFunction idshop.closed_answer
</Location>
<Location /session/mobile>
    IdentityClient mobile
</Location>
<Location /session/old>
    IdentityRefreshKey {keys.with_name("refresh2")} 1
</Location>
<Location /session/short>
    IdentityRefreshLifetime 1s 2s
</Location>
<Location /session/minute>
    IdentityRefreshLifetime 30s 60s
</Location>
<Location /logout>
    SetHandler identity-logout
</Location>
<Location /logout/said>
    IdentityAnswerFunction idshop.person_answer
</Location>
<Location /me>
    SetHandler identity-me
</Location>
<Location /me/shaped>
    AuthType JWT
    Require valid-user
    IdentityAnswerFunction idshop.person_answer
</Location>
<Location /check>
    SetHandler identity-check
</Location>
<Location /browser>
    AuthJWTCredential bearer cookie:shop_session
    IdentityCookie shop_session
    IdentityRefreshCookie __Secure-rt Path=/browser
    IdentityOrigin https://app.example
</Location>
<Location /browser/login>
    SetHandler identity-login
</Location>
<Location /browser/refresh>
    SetHandler identity-refresh
</Location>
<Location /browser/logout>
    SetHandler identity-logout
</Location>
"""


@pytest.fixture(scope="module")
def server(database, keyfile):
    with httpd(database, keyfile, more(keyfile)) as running:
        yield running


def sign_in(server, path="/session"):
    answer = login(server, path)
    assert answer.status == 200, answer.body
    return answer.json()


def refresh(server, token, path="/refresh", **fields):
    return post(server, path, {"refresh_token": token, **fields} if token is not ... else fields)


def claims_of(answer):
    return jwt.decode(answer["access_token"], SECRET, ["HS256"], audience=APP, issuer="https://shop.example")


def state(database, sid):
    """head, reason of the end, tokens, idle and absolute seconds from now."""
    return database.sql("""select head_seq, revoke_reason, (select count(*) from trestle.refresh_token t where t.sid = s.sid),
                                  round(extract(epoch from idle_expires_at - now()))::integer, round(extract(epoch from abs_expires_at - now()))::integer
                           from trestle.session s where sid = %s""", sid, dbname=APP)[0]


def is_dead(answer):
    assert is_refused(answer, 401, "INVALID_REFRESH_TOKEN")
    assert answer.headers["www-authenticate"] == f'Bearer realm="{APP}", error="invalid_token"'
    return True


def test_a_sign_in_gives_a_refresh_token(server, database):
    body = sign_in(server)
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in"}
    assert body["expires_in"] == 900 and body["refresh_expires_in"] == 14 * 86400
    head, reason, tokens, idle, absolute = state(database, claims_of(body)["sid"])
    assert (head, reason, tokens) == (0, None, 1) and abs(idle - 14 * 86400) < 60 and abs(absolute - 60 * 86400) < 60
    stored = database.sql("select string_agg(t::text, ' ') from trestle.refresh_token t", dbname=APP)[0][0]
    assert body["refresh_token"] not in stored


def test_a_refresh_rotates(server, database):
    first = sign_in(server)
    second = refresh(server, first["refresh_token"])
    assert second.status == 200 and second.headers["cache-control"] == "no-store"
    second = second.json()
    assert set(second) == set(first) and second["refresh_token"] != first["refresh_token"]
    old, new = claims_of(first), claims_of(second)
    assert old["sid"] == new["sid"] and old["sub"] == new["sub"] and old["jti"] != new["jti"] and new["nickname"] == old["nickname"] == "boss"
    third = post(server, "/refresh", {"refresh": second["refresh_token"]}).json()
    assert len({t["refresh_token"] for t in (first, second, third)}) == 3
    assert state(database, old["sid"])[:3] == (2, None, 2)
    form = server.post("/refresh", "refresh_token=" + third["refresh_token"], headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert form.status == 200


def test_within_grace_the_predecessor_has_the_same_successor(server, database):
    first = sign_in(server)
    answers = [refresh(server, first["refresh_token"]) for _ in range(3)]
    assert [a.status for a in answers] == [200] * 3
    assert len({a.json()["refresh_token"] for a in answers}) == 1 and len({a.json()["access_token"] for a in answers}) == 3
    assert state(database, claims_of(first)["sid"])[:3] == (1, None, 2)


@pytest.mark.parametrize("count", [2, 64])
def test_many_at_once_have_one_successor(server, database, count):
    first = sign_in(server)
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(lambda _: refresh(server, first["refresh_token"]), range(count)))
    assert {a.status for a in answers} == {200}
    successor, = {a.json()["refresh_token"] for a in answers}
    assert state(database, claims_of(first)["sid"])[:3] == (1, None, 2)
    assert refresh(server, successor).status == 200


def test_without_grace_one_of_many_wins_and_the_session_ends(server, database):
    first = sign_in(server)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(server, first["refresh_token"], "/refresh/once"), range(8)))
    good = [a for a in answers if a.status == 200]
    assert len(good) == 1 and all(is_dead(a) for a in answers if a.status != 200)
    assert is_dead(refresh(server, good[0].json()["refresh_token"]))
    assert state(database, claims_of(first)["sid"])[1] == "refresh: reused"


def test_an_older_token_ends_the_session_and_its_tokens_at_once(server, database):
    first = sign_in(server)
    second = refresh(server, first["refresh_token"]).json()
    third = refresh(server, second["refresh_token"]).json()
    assert server.get("/me", headers={"Authorization": "Bearer " + third["access_token"]}).status == 200
    assert is_dead(refresh(server, first["refresh_token"]))
    assert f"of session {claims_of(first)['sid']} refused: reused; the session is ended" in server.log()
    for body in (first, second, third):
        assert is_dead(refresh(server, body["refresh_token"]))
        answer = server.get("/me", headers={"Authorization": "Bearer " + body["access_token"]})
        assert is_refused(answer, 401, "INVALID_TOKEN") and 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert first["refresh_token"] not in server.log()


def test_what_is_no_token_is_refused_alike(server, database):
    good = sign_in(server)
    forged = good["refresh_token"][:-1] + ("A" if good["refresh_token"][-1] != "A" else "B")
    bad = [forged, "x", "rt1_", "rt1_" + "A" * 70, good["access_token"], "rt1_" + "é" * 20, good["refresh_token"] + "=", "x" * 8000, 7, ["a"]]
    answers = [refresh(server, token) for token in bad]
    assert is_refused(answers[-2], 400, "VALIDATION_ERROR") and is_refused(answers[-1], 400, "VALIDATION_ERROR")
    assert all(is_dead(a) and same_but_for_the_request(a, answers[0]) for a in answers[:-2])
    assert all(token not in a.body.decode() for token, a in zip(bad[:4], answers) if len(token) > 6)
    assert is_refused(refresh(server, ...), 400, "REQUIRED_FIELD_MISSING")
    assert is_refused(server.post("/refresh"), 400, "REQUIRED_FIELD_MISSING")
    assert is_refused(server.post("/refresh", "{", headers={"Content-Type": "application/json"}), 400, "INVALID_JSON")
    assert server.get("/refresh").status == 405
    assert state(database, claims_of(good)["sid"])[:3] == (0, None, 1)
    # A refresh token is no credential.
    assert is_refused(server.get("/me", headers={"Authorization": "Bearer " + good["refresh_token"]}), 401, "INVALID_TOKEN")


def test_keys_are_told_apart(server, database):
    old = sign_in(server, "/session/old")
    assert database.sql("select family_key_id from trestle.session where sid = %s", claims_of(old)["sid"], dbname=APP) == [(1,)]
    renewed = refresh(server, old["refresh_token"]).json()
    again = refresh(server, old["refresh_token"]).json()
    assert renewed["refresh_token"] == again["refresh_token"]
    new = sign_in(server)
    assert database.sql("select family_key_id from trestle.session where sid = %s", claims_of(new)["sid"], dbname=APP) == [(2,)]


def test_a_session_idles_and_ends(server, database):
    short = sign_in(server, "/session/short")
    assert short["expires_in"] == 2 and short["refresh_expires_in"] == 1
    sid = claims_of(short)["sid"]
    until(lambda: state(database, sid)[3] < 0)
    assert is_dead(refresh(server, short["refresh_token"])) and state(database, sid)[1] == "refresh: expired"
    minute = sign_in(server, "/session/minute")
    assert minute["expires_in"] == 60
    renewed = refresh(server, minute["refresh_token"]).json()
    assert 0 < renewed["expires_in"] <= 60 and 0 < renewed["refresh_expires_in"] <= 60
    assert all(50 < seconds <= 60 for seconds in state(database, claims_of(minute)["sid"])[3:])


def test_other_clients_tokens_end_the_session(server, database):
    mobile = sign_in(server, "/session/mobile")
    renewed = refresh(server, mobile["refresh_token"], "/refresh/mobile").json()
    assert is_dead(refresh(server, renewed["refresh_token"]))
    assert is_dead(refresh(server, renewed["refresh_token"], "/refresh/mobile"))
    assert state(database, claims_of(mobile)["sid"])[1] == "refresh: mismatch"


def test_disabled_accounts_and_new_passwords_end_sessions(server, database):
    account = "select id from trestle.account where email = 'owner@shop.test'"
    for change, back in (("disabled_at = now()", "disabled_at = null"), ("tokens_not_before = now() + interval '1 s'", "tokens_not_before = null")):
        body = sign_in(server)
        try:
            database.sql(f"update trestle.account set {change} where id = ({account})", dbname=APP)
            assert is_dead(refresh(server, body["refresh_token"]))
            assert is_refused(server.get("/me", headers={"Authorization": "Bearer " + body["access_token"]}), 401, "INVALID_TOKEN")
        finally:
            database.sql(f"update trestle.account set {back} where id = ({account})", dbname=APP)
        assert is_dead(refresh(server, body["refresh_token"]))


def test_functions_of_the_application_shape_and_refuse(server, database):
    body = sign_in(server)
    shaped = refresh(server, body["refresh_token"], "/refresh/shaped")
    assert shaped.status == 201 and shaped.json()["account"] == int(claims_of(body)["sub"])
    token = shaped.json()["refresh_token"]
    assert is_refused(refresh(server, token, "/refresh/closed"), 403, "CLOSED")
    assert state(database, claims_of(body)["sid"])[0] == 1
    assert is_refused(refresh(server, token, "/refresh/closed-answer"), 409, "CLOSED")
    assert refresh(server, token).status == 200  # the answer that was lost comes again


def test_a_locked_session_is_503(server, database):
    body = sign_in(server)
    connection = database.connect(APP)
    try:
        with connection.cursor() as cursor:
            cursor.execute("begin")
            cursor.execute("select from trestle.session where sid = %s for update", (claims_of(body)["sid"],))
            answer = refresh(server, body["refresh_token"])
            assert is_refused(answer, 503, "SERVICE_UNAVAILABLE") and int(answer.headers["retry-after"]) >= 1
    finally:
        connection.close()
    assert refresh(server, body["refresh_token"]).status == 200


def browser(server, path, cookies=None, **headers):
    cookie = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    return server.post(path, headers={**({"Cookie": cookie} if cookie else {}), **{k.replace("_", "-"): v for k, v in headers.items()}})


def cookies_of(answer):
    """{name: (value, attributes)} of the Set-Cookie headers."""
    return {line.split("=", 1)[0]: tuple(line.split("=", 1)[1].split("; ", 1)) for name, line in answer.pairs if name.lower() == "set-cookie"}


OURS = {"Origin": "https://shop.example"}


def test_browsers_carry_tokens_in_cookies(server, database):
    answer = login(server, "/browser/login")
    body, cookies = answer.json(), cookies_of(answer)
    assert "refresh_token" not in body and body["refresh_expires_in"] == 14 * 86400
    assert cookies["shop_session"] == (body["access_token"], "Max-Age=900; Path=/; SameSite=Lax; Secure; HttpOnly")
    token, attributes = cookies["__Secure-rt"]
    assert attributes == "Max-Age=1209600; Path=/browser; SameSite=Strict; Secure; HttpOnly"
    renewed = browser(server, "/browser/refresh", {"__Secure-rt": token}, **OURS)
    assert renewed.status == 200 and "refresh_token" not in renewed.json()
    assert cookies_of(renewed)["__Secure-rt"][0] != token
    assert cookies_of(renewed)["shop_session"][0] == renewed.json()["access_token"]
    assert is_refused_by_cookie(browser(server, "/browser/refresh", **OURS))
    twice = server.post("/browser/refresh", headers={"Cookie": f"__Secure-rt={token}; __Secure-rt={token}", **OURS})
    assert twice.status == 401 and twice.json()["code"] == "INVALID_REFRESH_TOKEN"
    dead = browser(server, "/browser/refresh", {"__Secure-rt": "x"}, **OURS)
    assert dead.status == 401
    assert cookies_of(dead) == {"shop_session": ("", "Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly"),
                                "__Secure-rt": ("", "Max-Age=0; Path=/browser; SameSite=Strict; Secure; HttpOnly")}


def is_refused_by_cookie(answer):
    assert answer.status == 401 and answer.json()["code"] == "INVALID_REFRESH_TOKEN" and "set-cookie" not in answer.headers
    return True


@pytest.mark.parametrize("headers,good", [
    ({"Origin": "https://shop.example"}, True),
    ({"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}, True),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Referer": "https://shop.example/page?x"}, True),
    ({}, False),
    ({"Origin": "null"}, False),
    ({"Origin": "https://shop.example.evil"}, False),
    ({"Origin": "https://evil.shop.example"}, False),
    ({"Origin": "http://shop.example"}, False),
    ({"Origin": "https://shop.example:444"}, False),
    ({"Origin": "https://SHOP.example"}, False),
    ({"Origin": "https://shop.example/"}, False),
    ({"Origin": "https://shop.example, https://shop.example"}, False),
    ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
    ({"Origin": "https://evil.example", "Referer": "https://shop.example/"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Referer": "https://shop.example/"}, False),
    ({"Referer": "https://shop.example.evil/"}, False),
    ({"Referer": "https://evil.example/https://shop.example"}, False),
    ({"Referer": "shop.example"}, False),
])
def test_cookies_count_from_our_pages_only(server, database, headers, good):
    answer = login(server, "/browser/login")
    sid = claims_of(answer.json())["sid"]
    token = cookies_of(answer)["__Secure-rt"][0]
    for path, cookie in (("/browser/refresh", {"__Secure-rt": token}), ("/browser/logout", {"shop_session": answer.json()["access_token"]})):
        reply = server.post(path, headers={"Cookie": "; ".join(f"{n}={v}" for n, v in cookie.items()), **headers})
        if good:
            assert reply.status in (200, 204), (path, reply.body)
        else:
            assert reply.status == 403 and reply.json()["code"] == "CSRF_FAILED" and "set-cookie" not in reply.headers
    assert state(database, sid)[:2] == ((1, "logout") if good else (0, None))


def test_logout_ends_the_session_at_once(server, database):
    body = sign_in(server)
    other = sign_in(server)
    answer = post(server, "/logout", token=body["access_token"])
    assert answer.status == 204 and answer.body == b"" and answer.headers["cache-control"] == "no-store"
    assert is_refused(server.get("/me", headers={"Authorization": "Bearer " + body["access_token"]}), 401, "INVALID_TOKEN")
    assert is_dead(refresh(server, body["refresh_token"]))
    assert state(database, claims_of(body)["sid"])[1] == "logout"
    assert refresh(server, other["refresh_token"]).status == 200


def test_logout_never_fails(server, database):
    body = sign_in(server)
    expired = jwt.encode({**claims_of(body), "exp": int(time.time()) - 3600}, SECRET)
    for _ in range(2):
        assert post(server, "/logout", {"refresh": body["refresh_token"]}).status == 204
    assert state(database, claims_of(body)["sid"])[1] == "logout"
    assert post(server, "/logout", token=body["access_token"]).status == 204
    assert post(server, "/logout", token=expired).status == 204
    assert post(server, "/logout", token="x").status == 204
    assert post(server, "/logout", {"refresh_token": "x"}).status == 204
    assert post(server, "/logout", {}).status == 204
    assert server.post("/logout").status == 204
    assert post(server, "/logout", token=jwt.encode({**claims_of(sign_in(server)), "sid": "x"}, SECRET)).status == 204
    assert server.get("/logout").status == 405
    said = post(server, "/logout/said", token=sign_in(server)["access_token"])
    assert said.status == 200 and said.json()["account"]
    assert post(server, "/logout/said").json()["account"] is None


def test_a_rotated_refresh_token_logs_out_as_well(server, database):
    body = sign_in(server)
    refresh(server, body["refresh_token"])
    assert post(server, "/logout", {"refresh_token": body["refresh_token"]}).status == 204
    assert state(database, claims_of(body)["sid"])[1] == "logout"


def test_logout_clears_the_cookies(server):
    answer = login(server, "/browser/login")
    out = browser(server, "/browser/logout", {"shop_session": answer.json()["access_token"]}, **OURS)
    assert out.status == 204
    assert cookies_of(out) == {"shop_session": ("", "Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly"),
                               "__Secure-rt": ("", "Max-Age=0; Path=/browser; SameSite=Strict; Secure; HttpOnly")}


def test_me(server):
    body = sign_in(server)
    bearer = {"Authorization": "Bearer " + body["access_token"]}
    answer = server.get("/me", headers=bearer)
    assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
    me = answer.json()
    assert me["id"] == int(claims_of(body)["sub"]) and me["email"] == "owner@shop.test" and me["email_verified"] is False
    assert set(me) == {"id", "email", "username", "email_verified", "created", "last_login"}
    assert server.request("HEAD", "/me", headers=bearer).status == 200
    shaped = server.get("/me/shaped", headers=bearer).json()
    assert shaped["account"] == me["id"] and shaped["email"] == "owner@shop.test"
    for path in ("/me", "/me/shaped"):
        assert is_refused(server.get(path), 401, "AUTHENTICATION_REQUIRED")
        assert is_refused(server.get(path, headers={"Authorization": "Bearer x"}), 401, "INVALID_TOKEN")
    assert server.post("/me", headers=bearer).status == 405


def test_check(server):
    body = sign_in(server)
    claims = claims_of(body)
    for answer in (server.get("/check", headers={"Authorization": "Bearer " + body["access_token"]}),
                   post(server, "/check", token=body["access_token"]), post(server, "/check", {"token": body["access_token"]})):
        assert answer.status == 200 and answer.json() == {"valid": True, "claims": claims}
    assert is_refused(server.get("/check"), 401, "AUTHENTICATION_REQUIRED")
    bad = [{"token": t} for t in ("x", body["refresh_token"], body["access_token"] + "x", jwt.encode({**claims, "exp": 1}, SECRET),
                                  jwt.encode({**claims, "sub": "999999"}, SECRET), jwt.encode(claims, "another secret" * 4))]
    answers = [post(server, "/check", fields) for fields in bad]
    assert all(is_refused(a, 401, "INVALID_TOKEN") and same_but_for_the_request(a, answers[0]) for a in answers)
    # A token in the body decides, not the one beside it.
    assert is_refused(post(server, "/check", {"token": "x"}, token=body["access_token"]), 401, "INVALID_TOKEN")
    post(server, "/logout", token=body["access_token"])
    assert is_refused(post(server, "/check", {"token": body["access_token"]}), 401, "INVALID_TOKEN")


def test_a_password_that_changes_meanwhile_opens_no_session(server, database):
    """The password is set anew while its old one is being verified."""
    old = argon2(PASSWORD, memory=131072, passes=6)
    account, = database.sql("insert into trestle.account (email, password_hash) values ('racer@shop.test', %s) returning id", old, dbname=APP)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(login(server, "/session", email="racer@shop.test")))
    waiting.start()
    until(lambda: b"IdentityHashing: 1" in server.get("/status?auto").body)
    database.sql("update trestle.account set password_hash = 'another', tokens_not_before = now() where id = %s", account[0], dbname=APP)
    waiting.join()
    assert is_refused(answers[0], 401) and not sessions(database, "racer@shop.test")


def test_each_step_is_one_round_trip(database, keyfile):
    with PgProxy(database) as proxy:
        config = more(keyfile) + """
<Location /register>
    SetHandler identity-register
    IdentityConfirm Off
    IdentityValidateFunction idshop.validate
    IdentityProfileFunction idshop.profile
    IdentityClaimsFunction idshop.person_claims
</Location>
"""
        config = config + f"""
<PgPool counted>
    PgConnect "{proxy.conninfo(APP, APP + '_login')}"
    PgReset Off
</PgPool>
PgUse counted
"""
        with httpd(database, keyfile, config) as server:
            def trips(call):
                """How many batches a call costs; each is one flight."""
                before = len(proxy.flights)
                answer = call()
                flights = proxy.flights[before:]
                assert set(flights) == {1}, flights
                return len(flights), answer

            sign_in(server)
            count, body = trips(lambda: sign_in(server))
            assert count == 3  # account, claims, session
            count, renewed = trips(lambda: refresh(server, body["refresh_token"]).json())
            assert count == 1
            assert trips(lambda: refresh(server, renewed["refresh_token"], "/refresh/shaped"))[0] == 2  # and the answer's shape
            bearer = {"Authorization": "Bearer " + body["access_token"]}
            assert trips(lambda: server.get("/me/shaped", headers=bearer))[0] == 1
            assert trips(lambda: server.get("/check", headers=bearer))[0] == 1
            assert trips(lambda: post(server, "/logout", token=body["access_token"]))[0] == 1
            count, answer = trips(lambda: post(server, "/register", {"email": "trips@shop.test", "password": PASSWORD, "nickname": "n"}))
            assert count == 3 and answer.status == 201  # judged, made, signed in


def test_over_https_a_logout_clears_the_site(database, keyfile):
    port, path = free_port(), keyfile.parent
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                    "-addext", "basicConstraints=critical,CA:FALSE", "-days", "2",
                    "-keyout", path / "tls.pem", "-out", path / "certificate.pem"], check=True, capture_output=True)
    (path / "tls.pem").write_bytes((path / "tls.pem").read_bytes() + (path / "certificate.pem").read_bytes())
    (path / "tls.pem").chmod(0o644)
    config = more(keyfile) + f"""
Listen 127.0.0.1:{port} https
<VirtualHost 127.0.0.1:{port}>
    SSLEngine On
    SSLCertificateFile {path}/tls.pem
</VirtualHost>
"""
    with httpd(database, keyfile, config, modules=("ssl", "socache_shmcb"), expected=("AH01873",)) as server:
        out = server.post("/browser/logout", headers=OURS, port=port, tls=True)
        assert out.status == 204 and out.headers["clear-site-data"] == '"cookies", "storage"'
        assert "clear-site-data" not in server.post("/logout", port=port, tls=True).headers
        assert "clear-site-data" not in server.post("/browser/logout", headers=OURS).headers


def test_without_a_database_all_operations_are_503_and_come_back(keyfile):
    with Postgres() as own:
        migrate(own)
        own.sql("insert into trestle.account (email, password_hash) values ('owner@shop.test', %s)", argon2(PASSWORD), dbname=APP)
        with httpd(own, keyfile, more(keyfile) + "<Location /register>\nSetHandler identity-register\n</Location>", expected=(r"\[pg:",)) as server:
            body = sign_in(server)
            own.stop("immediate")
            answers = [refresh(server, body["refresh_token"]), post(server, "/logout", token=body["access_token"]),
                       server.get("/me", headers={"Authorization": "Bearer " + body["access_token"]}),
                       post(server, "/check", {"token": body["access_token"]}),
                       post(server, "/register", {"email": "a@shop.test", "password": "x" * 12})]
            assert all(is_refused(a, 503, "SERVICE_UNAVAILABLE") and int(a.headers["retry-after"]) >= 1 for a in answers)
            own.start()
            until(lambda: refresh(server, body["refresh_token"]).status == 200)
            until(lambda: server.get("/me", headers={"Authorization": "Bearer " + body["access_token"]}).status == 200)
