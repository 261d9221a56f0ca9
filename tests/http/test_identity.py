"""mod_identity: sign-in, against sql/core with a small application of its own."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import jwt
import pytest

from harness import ROOT, SERVER_USER, Postgres, free_port, scratch
from harness import Httpd as Server

APP = "idshop"
SECRET = "the token key of the shop in these tests, which is long enough"
PASSWORD = "pässwörd-β 1"
SCHEMA = """
create schema idshop;
create function idshop.login_claims(account bigint) returns jsonb language sql stable
    return jsonb_build_object('user_id', account, 'token_type', 'session', 'sub', 'forged');
create function idshop.login_answer(account bigint, token text) returns jsonb language sql stable
    return jsonb_build_object('token', token, 'user', account, 'name', '한');
create function idshop.no_claims(account bigint) returns jsonb language sql stable return '[1]'::jsonb;
create function idshop.null_answer(account bigint, token text) returns jsonb language sql stable return null::jsonb;
create function idshop.refused_claims(account bigint) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(403, 'EMAIL_NOT_VERIFIED', 'Confirm your address first.', 'email');
    return null;
end $$;
create function idshop.hidden_claims(account bigint) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(403, 'INVALID_CREDENTIALS', 'Not you.');
    return null;
end $$;
create function idshop.refused_answer(account bigint, token text) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(409, 'CLOSED', 'The shop is closed.');
    return null;
end $$;
grant usage on schema idshop to :"login";
grant execute on all functions in schema idshop to :"login";
"""


def argon2(password, memory=8192, passes=1, lanes=1, kind="argon2id", salt=b"0123456789abcdef"):
    """A PHC string, by libsodium through ctypes."""
    import base64
    import ctypes
    import ctypes.util
    sodium = ctypes.CDLL("libsodium.so.23")
    raw = password.encode()
    out = ctypes.create_string_buffer(32)
    algorithm = {"argon2i": 1, "argon2id": 2}[kind]
    assert lanes == 1
    assert sodium.crypto_pwhash(out, ctypes.c_ulonglong(32), raw, ctypes.c_ulonglong(len(raw)), salt,
                                ctypes.c_ulonglong(passes), ctypes.c_size_t(memory * 1024), algorithm) == 0

    def b64(data):
        return base64.b64encode(data).rstrip(b"=").decode()

    return f"${kind}$v=19$m={memory},t={passes},p=1${b64(salt)}${b64(out.raw)}"


def migrate(cluster):
    """Makes the application's database as an operator makes it, from sql/core and SCHEMA."""
    tree = scratch("sql")
    shutil.copytree(ROOT / "sql" / "core", tree / "core")
    (tree / "apps" / APP).mkdir(parents=True)
    (tree / "apps" / APP / "0001_shop.sql").write_text(SCHEMA)
    subprocess.run([ROOT / "bin" / "trestle-migrate", APP], check=True, stdout=subprocess.DEVNULL, env={
        **os.environ, "TRESTLE_SQL": str(tree), "PGHOST": str(cluster.path), "PGUSER": cluster.superuser})
    shutil.rmtree(tree)


@pytest.fixture(scope="module")
def database(postgres):
    """The application's database with accounts, named after what is the matter with them."""
    migrate(postgres)
    for name, stored in {
            "owner": argon2(PASSWORD), "legacy": "pbkdf2_sha256$1000$salt$AAAA", "nobody": None,
            "argon2i": argon2(PASSWORD, passes=3, kind="argon2i"), "slow": argon2(PASSWORD, memory=131072, passes=6),
            "lanes": "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$L1b1NjppUoj/KIEORq1pof4waLxklM0mqKZzt9nCsKI",
            "huge": "$argon2id$v=19$m=4194304,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$L1b1NjppUoj/KIEORq1pof4waLxklM0mqKZzt9nCsKI",
            "disabled": argon2(PASSWORD)}.items():
        postgres.sql("insert into trestle.account (email, password_hash, disabled_at) values (%s, %s, "
                     "case when %s = 'disabled' then now() end)", f"{name}@shop.test", stored, name, dbname=APP)
    return postgres


@pytest.fixture(scope="module")
def keyfile():
    path = scratch("keys") / "token"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(path, SERVER_USER, SERVER_USER)
    yield path
    shutil.rmtree(path.parent)


def configuration(database, keyfile, more="", everywhere=""):
    return f"""
ProblemDetails On
LogLevel identity:debug
TrestleApplication {APP}
TrestlePublicURL https://shop.example
<PgPool shop>
    PgConnect "{database.conninfo(APP, APP + '_login')}"
    PgWait 1s
</PgPool>
PgUse shop
AuthJWTSigningKey HS256 {keyfile}
AuthJWTKey HS256 {keyfile}
AuthJWTIssuer https://shop.example
AuthJWTAudience {APP}
AuthJWTRole {APP}_user
IdentityHashCost 8M 1
{everywhere}
<Location /login>
    SetHandler identity-login
</Location>
<Location /shop/login>
    SetHandler identity-login
    IdentityClaimsFunction idshop.login_claims
    IdentityAnswerFunction idshop.login_answer
    IdentityTokenLifetime 672h
    IdentityStatus 201
    IdentityRefusal 403
    IdentityCookie shop_session SameSite=None
</Location>
<Location /private>
    AuthType JWT
    AuthJWTTokenType session
    AuthJWTCredential bearer cookie:shop_session header:X-Token
    SetHandler jwttest-caller
</Location>
<Location /status>
    SetHandler server-status
</Location>
{more}
"""


def httpd(database, keyfile, more="", everywhere="", **options):
    return Server(configuration(database, keyfile, more, everywhere),
                  ours=("trestle", "problem", "pg", "auth_jwt", "identity"), tests=("jwttest",), **options)


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
<Location /no-function>
    SetHandler identity-login
    IdentityClaimsFunction idshop.missing
</Location>
"""


@pytest.fixture(scope="module")
def server(database, keyfile):
    # Each of these is provoked by a test below.
    expected = ("TRSID04", "TRSID09", "TRSID10", r"\[pg:.*idshop.missing")
    with httpd(database, keyfile, MORE, expected=expected) as running:
        yield running


def login(server, path="/shop/login", email="owner@shop.test", password=PASSWORD, headers=None, **more):
    body = {k: v for k, v in {"email": email, "password": password, **more}.items() if v is not ...}
    return server.post(path, json.dumps(body), headers={"Content-Type": "application/json", **(headers or {})}, timeout=120)


def is_refused(answer, status=403, code="INVALID_CREDENTIALS"):
    assert answer.status == status, answer.body
    assert answer.json()["code"] == code
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    return True


def sessions(database, email="owner@shop.test"):
    return database.sql("select s.sid, s.jti, s.address, s.user_agent, extract(epoch from s.abs_expires_at)::bigint "
                        "from trestle.session s join trestle.account a on a.id = s.account_id where a.email = %s "
                        "order by s.created_at desc", email, dbname=APP)


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


def test_bodies_without_a_media_type_are_json(server):
    body = json.dumps({"email": "owner@shop.test", "password": PASSWORD, "unknown": [1]})
    assert server.post("/shop/login", body, headers={"Content-Type": "text/plain"}).status == 201
    assert server.post("/shop/login", body).status == 201


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
    assert is_refused(server.post("/shop/login", body), 400, "INVALID_JSON")


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
                    b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert raw.makefile("rb").readline().startswith(b"HTTP/1.1 200 ")
    assert sessions(database)[0][3] is None


def test_zones_of_link_local_addresses_are_left_out(database, keyfile):
    with httpd(database, keyfile, everywhere="RemoteIPHeader X-From\nRemoteIPInternalProxy 127.0.0.1") as server:
        for sent, stored in (("fe80::1%lo", "fe80::1"), ("fe80::2", "fe80::2")):
            assert login(server, headers={"X-From": sent}).status == 201
            assert sessions(database)[0][2] == stored


def status(server):
    text = server.get("/status?auto").body.decode()
    return {name: int(value) for name, value in re.findall(r"^(Identity\w+): (\d+)$", text, re.M)}


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


def busy(server):
    """Waits until somebody hashes."""
    deadline = time.monotonic() + 20
    while status(server)["IdentityHashing"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_finds_no_turn_is_told_when_to_come_again(database, keyfile):
    with httpd(database, keyfile, everywhere="IdentityHashGate 1\nIdentityHashWait 50ms") as server:
        slow = threading.Thread(target=login, args=(server,), kwargs={"email": "slow@shop.test"})
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
               workers=few, expected=("AH10159", "AH00161", "AH00484")) as server:
        stop = threading.Event()
        seen = []

        def watch():
            while not stop.is_set():
                seen.append(status(server))

        watcher = threading.Thread(target=watch)
        watcher.start()
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda n: login(server, email="slow@shop.test"), range(24)))
        stop.set()
        watcher.join()
        refused = [a for a in answers if a.status != 201]
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
            login(server, email="slow@shop.test")
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
        slow = threading.Thread(target=login, args=(server,), kwargs={"email": "slow@shop.test"})
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


def test_a_location_without_pool_or_key_is_500_with_the_mend_in_the_log(database, keyfile):
    config = configuration(database, keyfile).replace("PgUse shop\n", "")
    with Server(config, ours=("trestle", "problem", "pg", "auth_jwt", "identity"), tests=("jwttest",),
                expected=("TRSID08",)) as server:
        assert login(server).status == 500
        assert "add PgUse" in server.log()
    config = configuration(database, keyfile).replace("AuthJWTSigningKey", "# AuthJWTSigningKey")
    with Server(config, ours=("trestle", "problem", "pg", "auth_jwt", "identity"), tests=("jwttest",),
                expected=("TRSID10",)) as server:
        assert login(server).status == 500
        assert "add AuthJWTSigningKey" in server.log()


@pytest.mark.parametrize("line,mend", [
    ("IdentityClaimsFunction login_claims", "write for example shop.login_claims"),
    ("IdentityAnswerFunction shop.\"x;y\"", "write for example shop.login_claims"),
    ("IdentityAnswerFunction a.b.c", "write for example shop.login_claims"),
    ("IdentityTokenLifetime 9s", "is not a duration"),
    ("IdentityTokenLifetime 9601h", "from 10s to 9600h"),
    ("IdentityStatus 204", "write 200 or 201"),
    ("IdentityRefusal 400", "write 401 or 403"),
    ("IdentityCookie", "write the name of a cookie"),
    ("IdentityCookie a;b", "no name of a cookie"),
    ("IdentityCookie session Secure", "write SameSite=Lax"),
    ("IdentityCookie session SameSite=Some", "write SameSite=Lax"),
    ("IdentityCookie session \"Path=/;x\"", "write SameSite=Lax"),
    ("IdentityCookie __Host-x Path=/api", "leave Path and Domain away"),
    ("IdentityCookie __Host-x Domain=example.org", "leave Path and Domain away"),
    ("IdentityCookie __host-x Path=/api", "leave Path and Domain away"),
    ("IdentityPlainCookies On\nIdentityCookie __Host-x", "write IdentityPlainCookies Off or take another name"),
    ("<Location /a>\nIdentityCookie __Secure-x Path=/a\nIdentityPlainCookies On\n</Location>",
     "write IdentityPlainCookies Off or take another name"),
    ("IdentityPlainCookies On\n<Location /a>\nIdentityCookie __Secure-x\n</Location>",
     "write IdentityPlainCookies Off or take another name"),
    ("IdentityPlainCookies On\n<VirtualHost *:1>\n<Location /a>\nIdentityCookie __Secure-x\n</Location>\n</VirtualHost>",
     "write IdentityPlainCookies Off or take another name"),
    ("<Location /a>\nSetHandler identity-logn\n</Location>", "write SetHandler identity-login"),
    ("SetHandler Identity-Login", "write SetHandler identity-login"),
    ("IdentityHashGate 0", "from 1 to 1024"),
    ("IdentityHashQueue -1", "from 0 to 4096"),
    ("IdentityHashQueue 4097", "from 0 to 4096"),
    ("<VirtualHost *:1>\nIdentityHashQueue 2\n</VirtualHost>", "cannot occur within <VirtualHost>"),
    ("IdentityHashWait 61s", "is not a duration"),
    ("IdentityHashCost 4K 1", "is not a size"),
    ("IdentityHashCost 19M 11", "from 1 to 10"),
    ("<VirtualHost *:1>\nIdentityHashGate 2\n</VirtualHost>", "cannot occur within <VirtualHost>"),
])
def test_configtest_names_the_mend(line, mend):
    code, output = Server(line, ours=("trestle", "identity")).configtest()
    assert code != 0 and mend in output


@pytest.mark.parametrize("lines", [
    "IdentityCookie __Host-x SameSite=Strict",
    "IdentityCookie __Host-x Path=/",
    "IdentityCookie __Secure-x Path=/api Domain=example.org",
    "IdentityPlainCookies On\n<Location /a>\nIdentityCookie __Host-x\nIdentityPlainCookies Off\n</Location>",
    "IdentityPlainCookies On\n<Location /a>\nIdentityCookie x\n</Location>",
    "IdentityCookie __Host-x\n<VirtualHost *:1>\nIdentityPlainCookies On\nIdentityCookie x\n</VirtualHost>",
    "SetHandler none\n<Location /a>\nSetHandler identity-login\n</Location>\n<Location /b>\nSetHandler server-status\n</Location>",
])
def test_configtest_accepts_what_browsers_accept(lines):
    code, output = Server(lines, ours=("trestle", "identity")).configtest()
    assert code == 0, output


def test_an_operation_that_there_is_not_is_500_with_the_mend_in_the_log(database, keyfile):
    more = "RewriteEngine On\nRewriteRule ^/typing$ - [H=identity-logn]\nAddHandler identity-login .x"
    with httpd(database, keyfile, more, expected=("TRSID12",)) as server:
        for method in ("POST", "GET"):
            answer = server.request(method, "/typing")
            assert answer.status == 500 and b"logn" not in answer.body
        assert "TRSID12: identity-logn is no operation of mod_identity; write identity-login" in server.log()


def test_configtest_refuses_plain_cookies_where_others_could_listen():
    port = free_port()

    def check(config):
        return Server(config, ours=("trestle", "identity")).configtest()

    assert check("IdentityPlainCookies On")[0] == 0
    code, output = check(f"Listen {port}\nIdentityPlainCookies On")
    assert code != 0 and f"write Listen 127.0.0.1:{port}" in output
    code, output = check(f"Listen 0.0.0.0:{port}\n<VirtualHost *:{port}>\n<Location /a>\nIdentityPlainCookies On\n"
                         "</Location>\n</VirtualHost>")
    assert code != 0 and f"write Listen 127.0.0.1:{port}" in output
    assert check(f"Listen 0.0.0.0:{port} https\nIdentityPlainCookies On")[0] == 0
    assert check(f"Listen 0.0.0.0:{port}\n<VirtualHost 127.0.0.1:{port}>\nIdentityPlainCookies On\n</VirtualHost>")[0] == 0
    assert check(f"Listen [::1]:{port}\nIdentityPlainCookies On")[0] == 0
