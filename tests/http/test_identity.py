"""mod_identity: sign-in, against sql/core with a small application of its own."""
import concurrent.futures
import json
import os
import signal
import threading
import time

import jwt
import pytest

from harness import Postgres
from identity_support import (APP, PASSWORD, SECRET, argon2, configuration, database, httpd, is_refused, keyfile, login,  # noqa: F401
                              migrate, sessions, status)

MORE = """
<Location /no-claims>
    SetHandler identity-login
    IdentityClaimsFunction idshop.no_claims
</Location>
<Location /null-answer>
    SetHandler identity-login
    IdentityAnswerFunction idshop.null_answer
</Location>
<Location /refused-claims>
    SetHandler identity-login
    IdentityClaimsFunction idshop.refused_claims
</Location>
<Location /hidden-claims>
    SetHandler identity-login
    IdentityClaimsFunction idshop.hidden_claims
</Location>
<Location /refused-answer>
    SetHandler identity-login
    IdentityAnswerFunction idshop.refused_answer
</Location>
<Location /plain>
    SetHandler identity-login
    IdentityCookie shop_session SameSite=None
    IdentityPlainCookies On
</Location>
IdentityOrigin https://app.example
<Location /shop/login/any>
    IdentityContentType any
</Location>
<Location /shop/login/any/json>
    IdentityContentType json
</Location>
<Location /no-function>
    SetHandler identity-login
    IdentityClaimsFunction idshop.missing
</Location>
"""


@pytest.fixture(scope="module")
def server(database, keyfile):
    # Each of these is provoked by a test below.
    expected = ("TRSID04", "TRSID09", "TRSID10", "TRSID18", r"\[pg:.*idshop.missing")
    with httpd(database, keyfile, MORE, expected=expected) as running:
        yield running


def test_a_sign_in_is_answered_with_token_cookie_and_the_applications_body(server, database):
    before = time.time()
    answer = login(server, headers={"User-Agent": "tests/1"})
    assert answer.status == 201 and answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["name"] == "한"
    claims = jwt.decode(body["token"], SECRET, ["HS256"], audience=APP, issuer="https://shop.example")
    assert claims["sub"] == str(body["user"]) and claims["user_id"] == body["user"]
    assert claims["token_type"] == "session"
    assert claims["exp"] - claims["iat"] == 28 * 86400 and before - 2 <= claims["iat"] <= time.time() + 1
    assert set(claims) == {"sub", "sid", "jti", "iat", "exp", "iss", "aud", "user_id", "token_type"}
    assert answer.headers["set-cookie"] == (f"shop_session={body['token']}; Max-Age=2419200; Path=/; SameSite=None; "
                                            "Secure; HttpOnly")
    sid, jti, address, agent, expires = sessions(database)[0]
    assert (sid, jti, address, agent, expires) == (claims["sid"], claims["jti"], "127.0.0.1", "tests/1", claims["exp"])
    assert database.sql("select last_login > now() - interval '1 min' from trestle.account where email = "
                        "'owner@shop.test'", dbname=APP) == [(True,)]


def test_the_token_is_a_credential_in_every_place(server):
    token = login(server).json()["token"]
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"shop_session={token}"}, {"X-Token": token}):
        answer = server.get("/private", headers=headers)
        assert answer.status == 200 and answer.json()["role"] == APP + "_user"
        assert answer.json()["session"]
    assert server.get("/private").status == 401
    refresh = jwt.encode({**jwt.decode(token, options={"verify_signature": False}), "token_type": "refresh"}, SECRET)
    assert server.get("/private", headers={"Authorization": f"Bearer {refresh}"}).status == 401


def test_without_functions_the_body_is_that_of_oauth(server):
    answer = login(server, "/login")
    assert answer.status == 200 and "set-cookie" not in answer.headers
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in"}
    assert body["token_type"] == "Bearer" and body["expires_in"] == 900
    claims = jwt.decode(body["access_token"], SECRET, ["HS256"], audience=APP)
    assert set(claims) == {"sub", "sid", "jti", "iat", "exp", "iss", "aud"}


@pytest.mark.parametrize("email", ["owner@shop.test", "OWNER@Shop.Test"])
def test_addresses_differ_in_letters_only(server, email):
    assert login(server, email=email).status == 201


def test_forms_are_read_as_well(server):
    body = "email=owner%40shop.test&password=p%C3%A4ssw%C3%B6rd-%CE%B2+1&remember"
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert server.post("/shop/login", body, headers=form).status == 201
    for bad in ("email=%zz", "email=a&email=b", "email=%00", "email=%ff", "email=%4", "%=%"):
        assert is_refused(server.post("/shop/login", bad, headers=form), 400, "INVALID_JSON"), bad
    assert is_refused(server.post("/shop/login", "", headers=form), 400, "REQUIRED_FIELD_MISSING")


@pytest.mark.parametrize("path,taken", [
    ("/shop/login", {"application/json", "application/vnd.shop+json; charset=utf-8"}),
    ("/shop/login/any", {"application/json", "application/vnd.shop+json; charset=utf-8", "text/plain", "application/json, text/plain", None}),
    ("/shop/login/any/json", {"application/json", "application/vnd.shop+json; charset=utf-8"}),
])
def test_media_types_are_taken_as_configured(server, path, taken):
    body = json.dumps({"email": "owner@shop.test", "password": PASSWORD, "unknown": [1]})
    for media in ("application/json", "application/vnd.shop+json; charset=utf-8", "text/plain", "application/json, text/plain", None):
        answer = server.post(path, body, headers={"Content-Type": media} if media else {})
        if media in taken:
            assert answer.status == 201, media
        else:
            assert is_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE"), media
            assert answer.headers["accept"].startswith("application/json")
    form = server.post(path, "email=owner%40shop.test&password=x", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert form.status == (415 if path.endswith("json") else 403)


@pytest.mark.parametrize("headers,good", [
    ({}, True),
    ({"Origin": "https://shop.example"}, True),
    ({"Origin": "http://desk.example:8081", "Host": "desk.example:8081", "Sec-Fetch-Site": "same-origin"}, True),
    ({"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
    ({"Origin": "null"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Referer": "https://evil.example/"}, False),
])
def test_another_site_signs_nobody_in(server, database, headers, good):  # noqa: F811
    before, hashed = len(sessions(database)), status(server)["IdentityHashed"]
    answer = login(server, headers=headers)
    if good:
        assert answer.status == 201 and "set-cookie" in answer.headers
    else:
        assert is_refused(answer, 403, "CSRF_FAILED")
        assert {"origin", "sec-fetch-site"} <= {name.strip().lower() for name in answer.headers["vary"].split(",")}
        assert len(sessions(database)) == before and status(server)["IdentityHashed"] == hashed
    assert login(server, "/login", headers=headers).status == 200, "no cookie is set there"


@pytest.mark.parametrize("who", ["owner", "unknown", "nobody", "disabled", "legacy", "lanes", "huge"])
def test_wrong_credentials_have_one_answer_and_cost_one_hash(server, who):
    hashed = status(server)["IdentityHashed"]
    answer = login(server, email=f"{who}@shop.test", password="wrong")
    assert is_refused(answer)
    wrong = login(server, password="wrong").json()
    mine = answer.json()
    for member in ("instance", "request_id"):
        wrong.pop(member, None)
        mine.pop(member, None)
    assert mine == wrong
    assert status(server)["IdentityHashed"] == hashed + 2


def test_accounts_without_a_usable_hash_cannot_sign_in(server):
    for who in ("nobody", "disabled", "legacy", "huge"):
        assert is_refused(login(server, email=f"{who}@shop.test"))
    assert "TRSID04: the password hash of account" in server.log()


def test_argon2i_and_several_lanes_verify(server):
    assert login(server, email="argon2i@shop.test").status == 201
    assert login(server, email="lanes@shop.test", password="correct horse").status == 201


def test_default_refusal_is_401_with_a_challenge(server):
    answer = login(server, "/login", password="wrong")
    assert is_refused(answer, 401)
    assert answer.headers["www-authenticate"] == f'Bearer realm="{APP}"'


@pytest.mark.parametrize("fields,code,field", [
    ({"email": ...}, "REQUIRED_FIELD_MISSING", "email"),
    ({"password": ...}, "REQUIRED_FIELD_MISSING", "password"),
    ({"email": ""}, "REQUIRED_FIELD_MISSING", "email"),
    ({"password": None}, "REQUIRED_FIELD_MISSING", "password"),
    ({"email": 7}, "VALIDATION_ERROR", "email"),
    ({"email": ["a@b"]}, "VALIDATION_ERROR", "email"),
    ({"password": {"$ne": ""}}, "VALIDATION_ERROR", "password"),
    ({"password": "x" * 257}, "VALIDATION_ERROR", "password"),
    ({"email": "x" * 255}, "VALIDATION_ERROR", "email"),
])
def test_fields_are_checked_by_name(server, fields, code, field):
    answer = login(server, **fields)
    assert is_refused(answer, 400, code)
    assert answer.json()["errors"][0]["field"] == field
    assert "x" * 40 not in answer.body.decode()


def test_boundaries_of_fields(server):
    assert is_refused(login(server, password="한" * 256))
    assert is_refused(login(server, email="한" * 254))
    answer = login(server, email=..., password=...)
    assert [e["field"] for e in answer.json()["errors"]] == ["email", "password"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"a"', '{"email":"a","email":"b"}', '{"a":"\\u0000"}', "{}x",
                                  b'{"email":"\xff"}', "[" * 60000])
def test_malformed_bodies_are_400(server, body):
    assert is_refused(server.post("/shop/login", body, headers={"Content-Type": "application/json"}), 400, "INVALID_JSON")


def test_large_bodies_are_413_and_other_media_415(server):
    assert server.post("/shop/login", "x" * 65537).status == 413
    answer = server.post("/shop/login", iter([b"x" * 40000] * 2))
    assert answer.status == 413
    assert server.post("/shop/login", "--a--", headers={"Content-Type": "multipart/form-data; boundary=a"}).status == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO"])
def test_other_methods_are_405(server, method):
    answer = server.request(method, "/shop/login")
    assert answer.status == 405 and answer.headers["allow"] == "POST"


def test_sql_text_in_fields_is_only_text(server, database):
    before = len(sessions(database))
    for text in ("' or 1=1 --", "owner@shop.test'; drop table trestle.account; --", "%", "owner@shop.test\\"):
        assert is_refused(login(server, email=text))
    assert len(sessions(database)) == before


def test_refusals_of_the_applications_functions(server, database):
    before = len(sessions(database))
    answer = login(server, "/refused-claims")
    assert is_refused(answer, 403, "EMAIL_NOT_VERIFIED")
    assert answer.json()["detail"] == "Confirm your address first."
    assert is_refused(login(server, "/refused-answer"), 409, "CLOSED")
    assert len(sessions(database)) == before


def test_only_who_has_proved_himself_learns_what_the_claims_function_says(server):
    for path in ("/refused-claims", "/no-claims", "/no-function", "/hidden-claims"):
        answers = [login(server, path, email=f"{who}@shop.test", password="wrong") for who in ("owner", "unknown")]
        assert all(is_refused(answer, 401) for answer in answers), path
        known, unknown = [{k: v for k, v in a.json().items() if k not in ("instance", "request_id")} for a in answers]
        assert known == unknown
    answer = login(server, "/hidden-claims")
    assert is_refused(answer, 401) and answer.headers["www-authenticate"] == f'Bearer realm="{APP}"'


def test_faults_of_the_applications_functions_are_500_with_a_cause_in_the_log(server):
    for path, tag in (("/no-claims", "TRSID10"), ("/null-answer", "TRSID09"), ("/no-function", "idshop.missing")):
        answer = login(server, path)
        assert answer.status == 500 and b"idshop" not in answer.body
        assert tag in server.log()


def test_plain_cookies_on_loopback(server):
    cookie = login(server, "/plain").headers["set-cookie"]
    assert cookie.endswith("; Max-Age=900; Path=/; SameSite=Lax; HttpOnly")


def test_nothing_secret_is_logged(server):
    login(server, password="find-me-in-the-log")
    token = login(server).json()["token"]
    assert "find-me-in-the-log" not in server.log() and token not in server.log()
    assert "pässwörd" not in server.log() and "owner@shop.test" not in server.log()


def test_user_agents_that_are_no_text_are_left_out(server, database):
    with server.raw_connect() as raw:
        body = json.dumps({"email": "owner@shop.test", "password": PASSWORD}).encode()
        raw.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: \xff\xfe\r\n"
                    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert raw.makefile("rb").readline().startswith(b"HTTP/1.1 200 ")
    assert sessions(database)[0][3] is None


def test_zones_of_link_local_addresses_are_left_out(database, keyfile):
    with httpd(database, keyfile, everywhere="RemoteIPHeader X-From\nRemoteIPInternalProxy 127.0.0.1") as server:
        for sent, stored in (("fe80::1%lo", "fe80::1"), ("fe80::2", "fe80::2")):
            assert login(server, headers={"X-From": sent}).status == 201
            assert sessions(database)[0][2] == stored


def test_parallel_sign_ins_stay_within_the_gate(database, keyfile):
    with httpd(database, keyfile, everywhere="IdentityHashGate 3\nIdentityHashQueue 64\nIdentityHashWait 60s",
               workers="StartServers 3") as server:
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda n: login(server, headers={"X-Request-ID": f"n{n}"}), range(64)))
        assert {a.status for a in answers} == {201}
        assert len({jwt.decode(a.json()["token"], options={"verify_signature": False})["sid"] for a in answers}) == 64
        now = status(server)
        assert now["IdentityHashGate"] == 3 and now["IdentityHashingMost"] <= 3
        assert now["IdentityHashed"] == 64 and now["IdentityHashing"] == 0


# Costs a long hash, each time: a right password would be hashed anew at the usual cost.
SLOW = {"email": "slow@shop.test", "password": "wrong"}


def busy(server):
    """Waits until somebody hashes."""
    deadline = time.monotonic() + 20
    while status(server)["IdentityHashing"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_finds_no_turn_is_told_when_to_come_again(database, keyfile):
    with httpd(database, keyfile, everywhere="IdentityHashGate 1\nIdentityHashWait 50ms") as server:
        slow = threading.Thread(target=login, args=(server,), kwargs=SLOW)
        slow.start()
        busy(server)
        answer = login(server)
        assert is_refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
        slow.join()
        assert login(server).status == 201
        assert status(server)["IdentityHashLate"] == 1 and status(server)["IdentityHashQueueFull"] == 0


def test_a_flood_of_sign_ins_leaves_workers_for_the_others(database, keyfile):
    few = "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8"
    if os.environ.get("MPM") == "prefork":
        few = "StartServers 8\nServerLimit 8\nMaxRequestWorkers 8"
    with httpd(database, keyfile, everywhere="IdentityHashGate 1\nIdentityHashQueue 2\nIdentityHashWait 60s",
               workers=few, expected=("AH10159", "AH00161", "AH00287", "AH00484")) as server:
        stop = threading.Event()
        seen = []

        def watch():
            while not stop.is_set():
                seen.append(status(server))

        watcher = threading.Thread(target=watch)
        watcher.start()
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda n: login(server, **SLOW), range(24)))
        stop.set()
        watcher.join()
        refused = [a for a in answers if a.status == 503]
        assert {a.status for a in answers} == {403, 503}
        assert refused and all(is_refused(a, 503, "SERVICE_UNAVAILABLE") for a in refused)
        assert all(int(a.headers["retry-after"]) >= 1 for a in refused)
        # Strangers were answered while somebody hashed and the queue was full.
        assert [s for s in seen if s["IdentityHashing"] == 1 and s["IdentityHashWaiting"] == 2]
        now = status(server)
        assert now["IdentityHashQueue"] == now["IdentityHashWaitingMost"] == 2
        assert now["IdentityHashQueueFull"] == len(refused) and now["IdentityHashLate"] == 0
        assert now["IdentityHashed"] == 24 - len(refused) and now["IdentityHashWaiting"] == 0


def test_the_queue_is_four_to_a_place_unless_it_is_said(database, keyfile):
    with httpd(database, keyfile, everywhere="IdentityHashGate 3") as server:
        assert status(server)["IdentityHashQueue"] == 12
    with httpd(database, keyfile, everywhere="IdentityHashGate 3\nIdentityHashQueue 0") as server:
        assert status(server)["IdentityHashQueue"] == 0
        assert login(server).status == 201


def test_a_killed_child_gives_its_turn_back(database, keyfile):
    def try_slow():
        try:
            login(server, **SLOW)
        except OSError:
            pass

    with httpd(database, keyfile, everywhere="IdentityHashGate 1\nIdentityHashWait 5s",
               expected=("exit signal Killed", "children are killed successively")) as server:
        for _ in range(3):
            slow = threading.Thread(target=try_slow)
            slow.start()
            busy(server)
            for child in server.children():
                os.kill(child, signal.SIGKILL)
            slow.join()
            deadline = time.monotonic() + 20
            while True:
                try:
                    assert login(server).status == 201
                    break
                except OSError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
        assert status(server)["IdentityHashing"] == 0


def test_the_gate_lives_through_graceful_restarts(database, keyfile):
    with httpd(database, keyfile, everywhere="IdentityHashGate 1\nIdentityHashWait 50ms") as server:
        slow = threading.Thread(target=login, args=(server,), kwargs=SLOW)
        slow.start()
        busy(server)
        old = set(server.children())
        server.graceful()
        deadline = time.monotonic() + 20
        while set(server.children()) <= old:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        answers = [login(server)]
        while slow.is_alive() and answers[-1].status == 503:
            answers.append(login(server))
        slow.join()
        assert status(server)["IdentityHashingMost"] == 1
        assert login(server).status == 201


def test_without_a_database_sign_ins_are_503_and_come_back(keyfile):
    with Postgres() as own:
        migrate(own)
        own.sql("insert into trestle.account (email, password_hash) values ('owner@shop.test', %s)", argon2(PASSWORD),
                dbname=APP)
        with httpd(own, keyfile, expected=(r"\[pg:",)) as server:
            assert login(server).status == 201
            own.stop("immediate")
            answer = login(server)
            assert is_refused(answer, 503, "SERVICE_UNAVAILABLE")
            assert int(answer.headers["retry-after"]) >= 1
            own.start()
            deadline = time.monotonic() + 20
            while login(server).status != 201:
                assert time.monotonic() < deadline
