"""mod_identity: accounts that were inherited with the hashes of other makers."""
import concurrent.futures
import statistics
import time

import pytest

from identity_support import APP, database, httpd, is_refused, keyfile, login, status  # noqa: F401

HASHES = {
    "django": "pbkdf2_sha256$1000$NaClSalt12345678901234$R5CpQj1eMusisRZOYXK/jnMTDNO9QYD39d/Zay3XoVY=",
    "django-bcrypt": "bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "django-bcrypt-sha256": "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq",
    "bcrypt": "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "passlib": "$pbkdf2-sha256$29000$MDEyMzQ1Njc4OWFiY2RlZg$uHVoxjLD1v3uqpdY8ehNPGUYMiKj8ROQSRwMSE033NY",
    "argon2": "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$L1b1NjppUoj/KIEORq1pof4waLxklM0mqKZzt9nCsKI",
    "django-argon2": "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdHNlYXNhbHQyMmNoYXJzIQ$GF0k6wb3j/ywDMxv6aKszGLRhvIrcLcMeCRqOxXJzlQ",
    "scrypt": "scrypt$16384$seasalt$8$1$WHJS3/wrzhi2rYiZ44/lAqpycQxKRPVfHXMQFxWIaII7u1p+2cO61B97UL7OFL5ZSWsnhfwdgsItJJ6HcrHG4Q==",
}
HOSTILE = {
    "rounds": "pbkdf2_sha256$99999999$salt$R5CpQj1eMusisRZOYXK/jnMTDNO9QYD39d/Zay3XoVY=",
    "cost": "$2b$31$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "memory": "argon2$argon2id$v=19$m=4194304,t=2,p=8$c2Vhc2FsdHNlYXNhbHQyMmNoYXJzIQ$GF0k6wb3j/ywDMxv6aKszGLRhvIrcLcMeCRqOxXJzlQ",
    "des": "abJnggxhB/yWI",
}
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def server(database, keyfile):
    with httpd(database, keyfile, expected=("TRSID04",)) as running:
        yield running


def give(database, name, stored):
    """The address of an account that has that hash and no other."""
    database.sql("""insert into trestle.account (email, password_hash) values (%s, %s)
                    on conflict (lower(email)) do update set password_hash = excluded.password_hash""", f"{name}@old.test", stored, dbname=APP)
    return f"{name}@old.test"


def hash_of(database, email):
    return database.sql("select password_hash from trestle.account where email = %s", email, dbname=APP)[0][0]


@pytest.mark.parametrize("name", HASHES)
def test_an_inherited_hash_verifies_once_and_is_ours_then(server, database, name):
    email = give(database, name, HASHES[name])
    assert is_refused(login(server, "/login", email=email, password="wrong"), 401)
    assert hash_of(database, email) == HASHES[name]
    assert login(server, "/login", email=email, password=PASSWORD).status == 200
    stored = hash_of(database, email)
    assert stored.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert login(server, "/login", email=email, password=PASSWORD).status == 200
    assert is_refused(login(server, "/login", email=email, password="wrong"), 401)
    assert hash_of(database, email) == stored


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_hashes_cost_nothing(server, database, name):
    email = give(database, name, HOSTILE[name])
    began = time.monotonic()
    assert is_refused(login(server, "/login", email=email, password=PASSWORD), 401)
    assert time.monotonic() - began < 5
    assert hash_of(database, email) == HOSTILE[name]


def test_many_first_sign_ins_at_once_all_succeed(server, database):
    email = give(database, "many", HASHES["passlib"])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: login(server, "/login", email=email, password=PASSWORD), range(8)))
    assert {a.status for a in answers} == {200}
    assert hash_of(database, email).startswith("$argon2id$v=19$m=8192,t=1,p=1$")


def test_another_cost_is_made_ours_too(database, keyfile):
    email = give(database, "cost", HASHES["argon2"])
    with httpd(database, keyfile) as server:
        assert login(server, "/login", email=email, password=PASSWORD).status == 200
    with httpd(database, keyfile, everywhere="IdentityHashCost 9M 2") as server:
        assert login(server, "/login", email=email, password=PASSWORD).status == 200
    assert hash_of(database, email).startswith("$argon2id$v=19$m=9216,t=2,p=1$")


def test_slow_inherited_hashes_stay_within_the_gate(database, keyfile):
    email = give(database, "gate", HASHES["passlib"].replace("29000", "2000000"))
    with httpd(database, keyfile, everywhere="IdentityHashGate 1\nIdentityHashQueue 1\nIdentityHashWait 60s") as server:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: login(server, "/login", email=email, password=PASSWORD), range(8)))
        assert {a.status for a in answers} <= {401, 503} and 503 in {a.status for a in answers}
        assert all(int(a.headers["retry-after"]) >= 1 for a in answers if a.status == 503)
        assert status(server)["IdentityHashingMost"] == 1


def test_a_wrong_password_takes_as_long_for_unknown_own_and_inherited_accounts(database, keyfile):
    """Medians over turns, so that a busy machine hits all alike."""
    mails = {"unknown": "nobody-there@old.test", "own": "owner@shop.test", "disabled": "disabled@shop.test",
             "inherited": give(database, "timing", HASHES["passlib"].replace("29000", "100000"))}
    with httpd(database, keyfile, everywhere="IdentityInheritedHash pbkdf2_sha256 100000\nIdentityHashGate 1") as server:
        took = {kind: [] for kind in mails}
        for _ in range(25):
            for kind, email in mails.items():
                began = time.monotonic()
                assert is_refused(login(server, "/login", email=email, password="wrong"), 401)
                took[kind].append(time.monotonic() - began)
    medians = {kind: statistics.median(values) for kind, values in took.items()}
    assert max(medians.values()) < 1.4 * min(medians.values()), medians
