"""mod_identity: registration, at once and with a code."""
import concurrent.futures
import contextlib
import itertools
import statistics
import threading
import time

import jwt
import pytest

from harness import until
from identity_support import (APP, SECRET, database, httpd, is_refused, keyfile, login, post,  # noqa: F401
                              same_but_for_the_request, status)

MORE = """
<Location /login/told>
    IdentityTaken 409
</Location>
<Location /register>
    SetHandler identity-register
    IdentityValidateFunction idshop.validate
</Location>
<Location /confirm>
    SetHandler identity-confirm
</Location>
<Location /told>
    SetHandler identity-register
    IdentityTaken 400
    IdentityProfileFunction idshop.profile
    IdentityAnswerFunction idshop.person_answer
    IdentityStatus 201
</Location>
<Location /told/confirm>
    SetHandler identity-confirm
</Location>
<Location /hidden>
    SetHandler identity-register
    IdentityConfirm email 5min
    IdentityProfileFunction idshop.profile
    IdentityAnswerFunction idshop.person_answer
</Location>
<Location /hidden/confirm>
    SetHandler identity-confirm
</Location>
<Location /hidden/validated>
    IdentityValidateFunction idshop.validate
</Location>
<Location /at-once>
    SetHandler identity-register
    IdentityConfirm Off
    IdentityValidateFunction idshop.validate
    IdentityProfileFunction idshop.profile
    IdentityClaimsFunction idshop.person_claims
    IdentityPasswordLength 8 128
    IdentityPasswordRepeat password1 password2
    IdentityCookie shop_session
</Location>
<Location /at-once/shaped>
    IdentityAnswerFunction idshop.person_answer
</Location>
<Location /fields>
    SetHandler identity-register
    IdentityConfirm Off
    IdentityPasswordRepeat password1
    IdentityProfileFunction idshop.fields
</Location>
<Location /named>
    SetHandler identity-login
    IdentityNameField username email
</Location>
<Location /korean>
    SetHandler identity-register
    IdentityConfirm Off
    ProblemLanguage auto ko
</Location>
<Location /korean/confirm>
    SetHandler identity-confirm
</Location>
<Location /korean/me>
    SetHandler identity-me
</Location>
"""
PASSWORD = "a long enough password"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(database, keyfile):
    # A refusal of idshop.fields and a nickname that is too long are provoked below.
    with httpd(database, keyfile, MORE, expected=(r"\[pg:",)) as running:
        yield running


def address():
    return f"new{next(numbers)}@shop.test"


def register(server, path="/register", email=None, password=PASSWORD, headers=None, **more):
    fields = {"email": email or address(), "password": password, **more}
    return post(server, path, {k: v for k, v in fields.items() if v is not ...}, headers=headers)


def accounts(database, email):
    return database.sql("select id, password_hash, email_verified_at is not null from trestle.account where lower(email) = lower(%s)",
                        email, dbname=APP)


def mails(database, email):
    return database.sql("select kind, parameters ->> 'code' from trestle.mail_outbox where lower(recipient) = lower(%s) order by id",
                        email, dbname=APP)


def test_a_registration_waits_for_the_code_in_the_outbox(server, database):
    email = address()
    answer = register(server, email=f" {email.upper()} ")
    assert answer.status == 202 and answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"confirmation", "expires_in"} and answer.json()["expires_in"] == 600
    (_, password_hash, verified), = accounts(database, email)
    assert password_hash is None and not verified
    (kind, code), = mails(database, email)
    assert kind == "register" and len(code) == 6 and code.isdigit()
    # Under IdentityTaken hide a sign-in does not tell either what the registration hides.
    assert is_refused(login(server, "/login", email=email, password=PASSWORD), 401)
    assert is_refused(login(server, "/login", email=email, password="another password"), 401)
    assert is_refused(login(server, "/login/told", email=email, password=PASSWORD), 403, "EMAIL_NOT_VERIFIED")
    assert is_refused(login(server, "/login/told", email=email, password="another password"), 401)
    confirmed = post(server, "/confirm", {"confirmation": answer.json()["confirmation"], "code": int(code)})
    assert confirmed.status == 200 and confirmed.json() == {"confirmed": True}
    assert login(server, "/login", email=email, password=PASSWORD).status == 200
    (_, password_hash, verified), = accounts(database, email)
    assert password_hash.startswith("$argon2id$v=19$m=8192,t=1,p=1$") and verified


def test_codes_are_refused_alike(server, database):
    email = address()
    confirmation = register(server, email=email).json()["confirmation"]
    code = mails(database, email)[0][1]
    wrong = str((int(code) - 99999) % 900000 + 100000)
    bad = [{"confirmation": confirmation, "code": wrong}, {"confirmation": "00000000-0000-4000-8000-000000000000", "code": code},
           {"confirmation": "x", "code": code}, {"confirmation": "-" * 36, "code": code}]
    answers = [post(server, "/confirm", fields) for fields in bad]
    assert all(is_refused(a, 400, "INVALID_CODE") for a in answers)
    assert all(same_but_for_the_request(a, answers[0]) for a in answers)
    for _ in range(4):
        assert is_refused(post(server, "/confirm", {"confirmation": confirmation, "code": wrong}), 400, "INVALID_CODE")
    assert is_refused(post(server, "/confirm", {"confirmation": confirmation, "code": code}), 400, "INVALID_CODE")
    assert is_refused(post(server, "/confirm", {"code": code}), 400, "REQUIRED_FIELD_MISSING")
    assert is_refused(post(server, "/confirm", {"confirmation": confirmation, "code": ["1"]}), 400, "VALIDATION_ERROR")
    assert server.get("/confirm").status == 405


def test_a_code_confirms_the_registration_that_it_was_sent_for(server, database):
    """Somebody else registers the address before its owner can confirm: each code brings its own password only."""
    email = address()
    mine = register(server, email=email, password="the owner's password").json()["confirmation"]
    theirs = register(server, email=email, password="a stranger's password").json()["confirmation"]
    codes = [code for _, code in mails(database, email)]
    assert is_refused(post(server, "/confirm", {"confirmation": mine, "code": codes[1]}), 400, "INVALID_CODE")
    assert post(server, "/confirm", {"confirmation": mine, "code": codes[0]}).status == 200
    assert is_refused(post(server, "/confirm", {"confirmation": theirs, "code": codes[1]}), 400, "INVALID_CODE")
    assert login(server, "/login", email=email, password="the owner's password").status == 200
    assert is_refused(login(server, "/login", email=email, password="a stranger's password"), 401)


def profile(database, email):
    return database.sql("select username, nickname from trestle.account a left join idshop.people using (id) where email = %s",
                        email, dbname=APP)[0]


def confirm(server, database, email, answer, path="/told/confirm", nth=0):
    """Sends the code of the nth registration of the address."""
    return post(server, path, {"confirmation": answer.json()["confirmation"], "code": mails(database, email)[nth][1]})


def test_a_code_brings_the_username_and_profile_of_its_own_registration(server, database):
    email, name = address(), f"victim{next(numbers)}"
    mine = register(server, "/told", email=email, username=f" {name} ", nickname="주인")
    theirs = register(server, "/told", email=email, username=f"thief{next(numbers)}", nickname="도둑", password="a stranger's password")
    assert mine.status == theirs.status == 201 and profile(database, email) == (None, None)
    assert confirm(server, database, email, mine).json()["nickname"] == "주인"
    assert profile(database, email) == (name, "주인")
    assert login(server, "/login", email=name, password=PASSWORD).status == 200
    assert is_refused(confirm(server, database, email, theirs, nth=1), 400, "INVALID_CODE")
    assert profile(database, email) == (name, "주인")


def test_a_username_belongs_to_who_confirms_first(server, database):
    first, second, name = address(), address(), f"wanted{next(numbers)}"
    answers = [register(server, "/told", email=e, username=n, nickname="n") for e, n in ((first, name), (second, name.upper()))]
    assert [a.status for a in answers] == [201, 201]
    assert confirm(server, database, second, answers[1]).status == 201
    late = confirm(server, database, first, answers[0])
    assert is_refused(late, 400, "ALREADY_EXISTS") and late.json()["errors"][0]["field"] == "username"
    assert accounts(database, first)[0][1:] == (None, False) and profile(database, first) == (None, None)
    again = register(server, "/told", email=first, username=f"{name}2", nickname="n")
    assert confirm(server, database, first, again, nth=1).status == 201 and profile(database, first) == (f"{name}2", "n")


def test_a_profile_that_is_refused_leaves_the_registration_unconfirmed(server, database):
    email = address()
    answer = register(server, "/hidden", email=email, username=f"long{next(numbers)}", nickname="x" * 21)
    for _ in range(2):
        assert is_refused(confirm(server, database, email, answer, "/hidden/confirm"), 400, "VALIDATION_ERROR")
    assert accounts(database, email)[0][1:] == (None, False) and profile(database, email) == (None, None)


@pytest.mark.parametrize("path,fields,status", [
    ("/hidden", {"nickname": "n", "username": "Boss"}, 409),
    ("/hidden", {"nickname": "n", "username": "chief"}, 202),
    ("/hidden", {"nickname": "x" * 21}, 202),
    ("/hidden", {}, 202),
    ("/hidden/validated", {"nickname": "admin"}, 400),
    ("/hidden/validated", {"nickname": "n", "username": "a b"}, 400),
    ("/hidden/validated", {"nickname": "n", "username": "boss"}, 409),
])
def test_neither_fields_nor_usernames_tell_whether_an_address_is_taken(server, database, path, fields, status):
    database.sql("update trestle.account set username = 'boss' where email = 'owner@shop.test'", dbname=APP)
    database.sql("delete from trestle.mail_outbox", dbname=APP)
    pending = address()
    assert register(server, "/hidden", email=pending).status == 202
    answers = [register(server, path, email=email, **fields) for email in ("legacy@shop.test", "owner@shop.test", "disabled@shop.test",
                                                                           pending, address())]
    assert [a.status for a in answers] == [status] * 5
    assert all(same_but_for_the_request(a, answers[0]) for a in answers)


def test_two_codes_of_one_account_at_once_take_turns(server, database):
    """Both wait for the account's row, which a third client holds: whoever held a code then would block the other."""
    email = address()
    answers = [register(server, "/told", email=email, nickname=f"n{n}") for n in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool, contextlib.closing(database.connect(APP)) as holder:
        holder.autocommit = False
        holder.cursor().execute("select from trestle.account where email = %s for update", (email,))
        done = [pool.submit(confirm, server, database, email, answer, nth=n) for n, answer in enumerate(answers)]
        until(lambda: database.sql("select count(*) from pg_stat_activity where datname = %s and wait_event_type = 'Lock'", APP)[0][0] == 2)
        holder.rollback()
        assert sorted(d.result().status for d in done) == [201, 400]


def test_a_profile_function_must_stand_at_both_ends(database, keyfile):
    config = MORE + """
<Location /one>
    SetHandler identity-register
    IdentityProfileFunction idshop.profile
</Location>
<Location /other/confirm>
    SetHandler identity-confirm
    IdentityProfileFunction idshop.profile
</Location>
"""
    with httpd(database, keyfile, config, expected=("TRSID18", r"\[pg:")) as server:
        for path, unlike, like in (("/one", "/confirm", "/other/confirm"), ("/register", "/other/confirm", "/confirm")):
            email = address()
            answer = register(server, path, email=email, nickname="n")
            assert confirm(server, database, email, answer, unlike).status == 500 and accounts(database, email)[0][1:] == (None, False)
            assert "IdentityProfileFunction is set at one of" in server.log()
            assert confirm(server, database, email, answer, like).status == 200


def test_a_taken_address_has_the_same_answer(server, database):
    for path in ("/register", "/hidden"):
        taken, free = (register(server, path, email=e, nickname="n") for e in ("owner@shop.test", address()))
        assert taken.status == free.status == 202
        assert set(taken.json()) == set(free.json()) and same_but_for_the_request(taken, free)
        assert {k: v for k, v in taken.headers.items() if k != "date"}.keys() == {k: v for k, v in free.headers.items() if k != "date"}.keys()
        wrong = post(server, "/confirm", {"confirmation": taken.json()["confirmation"], "code": "123456"})
        assert is_refused(wrong, 400, "INVALID_CODE")
    assert mails(database, "owner@shop.test") == [("register_taken", None)] * 2
    assert login(server, "/login").status == 200


@pytest.mark.parametrize("path,status", [("/told", 400), ("/at-once", 409)])
def test_a_taken_address_is_told_where_it_is_set(server, path, status):
    answer = register(server, path, email="OWNER@shop.test", nickname="n")
    assert is_refused(answer, status, "ALREADY_EXISTS")
    assert answer.json()["errors"][0]["field"] == "email"


def test_a_told_registration_is_answered_by_the_application(server, database):
    email = address()
    answer = register(server, "/told", email=email, nickname="한별")
    assert answer.status == 201 and answer.json()["nickname"] is None
    assert answer.json()["account"] == accounts(database, email)[0][0]
    again = register(server, "/told", email=email, nickname="달")
    assert again.status == 201 and again.json()["account"] == answer.json()["account"]
    code = mails(database, email)[1][1]
    done = post(server, "/told/confirm", {"confirmation": again.json()["confirmation"], "code": code})
    assert done.status == 201 and done.json()["confirmed"] is True and done.json()["nickname"] == "달"
    assert is_refused(register(server, "/told", email=email, nickname="x"), 400, "ALREADY_EXISTS")


def test_at_once_it_is_a_sign_in(server, database):
    email = address()
    answer = register(server, "/at-once", email=email, nickname="한별", password2=PASSWORD)
    assert answer.status == 201
    claims = jwt.decode(answer.json()["access_token"], SECRET, ["HS256"], audience=APP)
    (account, _, verified), = accounts(database, email)
    assert claims["sub"] == str(account) and claims["nickname"] == "한별" and not verified
    assert answer.headers["set-cookie"].startswith("shop_session=" + answer.json()["access_token"])
    assert not mails(database, email)
    assert login(server, "/login", email=email, password=PASSWORD).status == 200
    shaped = register(server, "/at-once/shaped", nickname="달")
    assert shaped.status == 201 and shaped.json()["nickname"] == "달" and shaped.json()["account"]


def test_usernames(server):
    name = f"Player{next(numbers)}"
    email = address()
    assert register(server, "/at-once", email=email, username=name, nickname="n").status == 201
    for field, value in (("username", name.lower()), ("username", email), ("email", name), ("username", f" {name} ")):
        assert post(server, "/named", {field: value, "password": PASSWORD}).status == 200, value
    taken = register(server, "/at-once", username=name.upper(), nickname="n")
    assert is_refused(taken, 409, "ALREADY_EXISTS") and taken.json()["errors"][0]["field"] == "username"
    assert is_refused(register(server, username=name), 409, "ALREADY_EXISTS")
    missing = post(server, "/named", {"password": PASSWORD})
    assert is_refused(missing, 400, "REQUIRED_FIELD_MISSING") and missing.json()["errors"][0]["field"] == "username"


@pytest.mark.parametrize("fields,code,field", [
    ({"email": ...}, "REQUIRED_FIELD_MISSING", "email"),
    ({"email": "no address"}, "VALIDATION_ERROR", "email"),
    ({"email": "a@b"}, "VALIDATION_ERROR", "email"),
    ({"email": "a＠b＠c.de@f.gh"}, "VALIDATION_ERROR", "email"),
    ({"email": "x" * 250 + "@b.cd"}, "VALIDATION_ERROR", "email"),
    ({"email": {"a": 1}}, "VALIDATION_ERROR", "email"),
    ({"password": ...}, "REQUIRED_FIELD_MISSING", "password"),
    ({"password": "1234567"}, "VALIDATION_ERROR", "password"),
    ({"password": "한" * 7}, "VALIDATION_ERROR", "password"),
    ({"password": "x" * 129}, "VALIDATION_ERROR", "password"),
    ({"password": 12345678}, "VALIDATION_ERROR", "password"),
    ({"password1": PASSWORD + "x"}, "VALIDATION_ERROR", "password1"),
    ({"password2": None}, "VALIDATION_ERROR", "password2"),
    ({"password2": [PASSWORD]}, "VALIDATION_ERROR", "password2"),
    ({"username": "a b"}, "VALIDATION_ERROR", "username"),
    ({"username": "a@b.cd"}, "VALIDATION_ERROR", "username"),
    ({"username": "a＠b"}, "VALIDATION_ERROR", "username"),
    ({"username": 7}, "VALIDATION_ERROR", "username"),
    ({"username": ""}, "REQUIRED_FIELD_MISSING", "username"),
    ({"nickname": "admin"}, "VALIDATION_ERROR", "nickname"),
    ({"email": "x@EVIL.test"}, "PERMISSION_DENIED", "email"),
    ({"nickname": "x" * 21}, "VALIDATION_ERROR", None),
    ({"nickname": ...}, "VALIDATION_ERROR", "nickname"),
])
def test_fields_are_checked_by_name_and_nothing_is_made(server, database, fields, code, field):
    before = database.sql("select count(*) from trestle.account", dbname=APP)
    answer = register(server, "/at-once", **{"nickname": "n", **fields})
    assert is_refused(answer, 403 if code == "PERMISSION_DENIED" else 400, code)
    assert answer.json().get("errors", [{"field": None}])[0]["field"] == field
    assert PASSWORD not in answer.body.decode() and "idshop" not in answer.body.decode()
    assert database.sql("select count(*) from trestle.account", dbname=APP) == before


def test_boundaries_of_passwords(server):
    for password in ("12345678", "한" * 8, "x" * 128, "한" * 128, "  spaces  "):
        email = address()
        assert register(server, "/at-once", email=email, password=password, nickname="n").status == 201
        assert login(server, "/login", email=email, password=password).status == 200
        assert is_refused(login(server, "/login", email=email, password=password.strip() + "x"), 401)
    assert is_refused(register(server, password="eleven char"), 400, "VALIDATION_ERROR")


def test_the_application_sees_no_password(server):
    answer = register(server, "/fields", password1=PASSWORD, nickname="n", tags=["a", 1])
    assert answer.status == 418 and "nickname" in answer.json()["detail"] and "tags" in answer.json()["detail"]
    assert "password" not in answer.json()["detail"] and PASSWORD not in answer.json()["detail"]


@pytest.mark.parametrize("path,fields,status,korean,english", [
    ("/korean", {"password": "short"}, 400, "12자 이상이어야 합니다.", "The text has fewer than 12 characters."),
    ("/korean", {"password": ...}, 400, "필수 항목입니다.", "The field is required."),
    ("/korean", {"email": "x" * 255}, 400, "254자를 넘을 수 없습니다.", "The text has more than 254 characters."),
    ("/korean", {"email": "a@b"}, 400, "올바른 이메일 주소가 아닙니다.", "The value is not an e-mail address."),
    ("/korean/confirm", {"confirmation": "x", "code": 1}, 400, "인증 코드가 올바르지 않거나 만료되었습니다.",
     "The code is wrong or has expired."),
    ("/korean/me", {}, 401, "로그인이 필요합니다.", "This resource needs a sign-in."),
])
def test_refusals_come_in_the_reader_s_language(server, path, fields, status, korean, english):
    for headers, language, detail in (({"Accept-Language": "ko"}, "ko", korean), ({"Accept-Language": "en"}, "en", english), ({}, "ko", korean)):
        answer = server.get(path, headers=headers) if path.endswith("me") else register(server, path, headers=headers, **fields)
        assert (answer.status, answer.headers["content-language"]) == (status, language), answer.body
        assert answer.json()["detail"] == answer.json().get("errors", [answer.json()])[0]["detail"] == detail


@pytest.mark.parametrize("path,good", [("/at-once", 201), ("/told", 201), ("/register", 202)])
def test_one_address_at_once_is_one_account(server, database, path, good):
    email = address()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: register(server, path, email=email, nickname=f"n{n}", headers={"X-Request-ID": f"r{n}"}),
                                range(5)))
    assert len(accounts(database, email)) == 1
    statuses = sorted(a.status for a in answers)
    assert statuses == ([201] + [409] * 4 if path == "/at-once" else [good] * 5)
    assert len(mails(database, email)) == (0 if path == "/at-once" else 5)


def test_mails_to_one_address_are_few(server, database):
    for email in (address(), "argon2i@shop.test"):
        answers = [register(server, email=email) for _ in range(6)]
        assert [a.status for a in answers] == [202] * 5 + [429]
        assert is_refused(answers[5], 429, "RESEND_LIMIT_EXCEEDED") and answers[5].headers["retry-after"] == "3600"
        assert len(mails(database, email)) == 5


def test_a_taken_address_takes_as_long_as_a_free_one(server, database):
    """Each is hashed and mailed. Medians over turns, so that a busy machine hits both alike."""
    took = {"free": [], "taken": []}
    for _ in range(25):
        for kind, email in (("free", address()), ("taken", "lanes@shop.test")):
            database.sql("delete from trestle.mail_outbox where lower(recipient) = 'lanes@shop.test'", dbname=APP)
            began = time.monotonic()
            assert register(server, email=email).status == 202
            took[kind].append(time.monotonic() - began)
    free, taken = (statistics.median(took[kind]) for kind in ("free", "taken"))
    assert abs(free - taken) < 0.5 * min(free, taken), took


def test_registrations_take_their_turn_to_hash(database, keyfile):
    with httpd(database, keyfile, MORE, everywhere="IdentityHashGate 1\nIdentityHashQueue 0") as busy:
        slow = threading.Thread(target=login, args=(busy,), kwargs={"email": "slow@shop.test", "password": "wrong"})
        slow.start()
        until(lambda: status(busy)["IdentityHashing"])
        email = address()
        answer = register(busy, email=email)
        assert is_refused(answer, 503, "SERVICE_UNAVAILABLE") and int(answer.headers["retry-after"]) >= 1
        slow.join()
        assert not accounts(database, email) and register(busy, email=email).status == 202


def test_nothing_secret_is_logged(server):
    assert PASSWORD not in server.log() and "the owner's password" not in server.log() and "argon2id" not in server.log()


def test_another_site_registers_nobody_where_it_would_sign_in(server, database):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        email = address()
        answer = register(server, "/at-once", email=email, nickname="n", headers=headers)
        assert is_refused(answer, 403, "CSRF_FAILED") and accounts(database, email) == []
        assert register(server, email=email, headers=headers).status == 202, "no cookie is set there"
    for headers in ({}, {"Origin": "https://shop.example", "Sec-Fetch-Site": "same-origin"}):
        assert register(server, "/at-once", nickname="n", headers=headers).status == 201
