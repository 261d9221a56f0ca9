"""bin/trestle-admin and bin/trestle admin: the first administrator of an application."""
import os
import pathlib
import pty
import re
import subprocess
import threading

import pytest

from harness import ROOT, SAMPLE_PASSWORD, Product, as_server_user, until

TRESTLE = ROOT / "bin" / "trestle"
ADMIN = ROOT / "bin" / "trestle-admin"
PASSWORD = "Überlange Kraniche-7"


@pytest.fixture(name="admin")
def admin_command(product):
    """admin(app, email, password line): the finished `bin/trestle admin`."""
    def run(app, email, line=PASSWORD + "\n"):
        return subprocess.run([TRESTLE, "admin", app, email], cwd="/", env=product.environment, input=line,
                              capture_output=True, text=True, timeout=60, check=False)
    return run


def direct(product, **more):
    """The environment with which trestle-admin itself reaches the product's PostgreSQL, as the servers' user."""
    return {**os.environ, "PGHOST": str(product.var / "run"), "PGUSER": "postgres", **more}


def sign_in(product, email, password):
    return product.post("/users/login", {"email": email, "password": password}, app="videoplanet")


def accounts(product, pattern):
    return product.sql(f"select email from trestle.account where email like '{pattern}'")


def refused(done, *words):
    assert done.returncode == 2 and done.stdout == "", done
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_new_account_signs_in_as_administrator(product, admin):
    done = admin("videoplanet", "First.Admin@example.org")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout == "First.Admin@example.org has an account of videoplanet and is its administrator\n"
    answer = sign_in(product, "first.admin@example.org", PASSWORD)
    assert answer.status == 201, answer.body
    person = answer.json()["result"]
    assert person["is_admin"] is True and person["role"] == "admin" and person["isEmailVerified"] is True
    assert sign_in(product, "first.admin@example.org", PASSWORD + "x").status == 403
    stored = product.sql("select password_hash from trestle.account where email = 'First.Admin@example.org'")
    assert re.fullmatch(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", stored[0])


def test_an_account_is_promoted_and_keeps_its_password(product, admin):
    assert sign_in(product, "person11@videoplanet.test", SAMPLE_PASSWORD).json()["result"]["is_admin"] is False
    for _ in range(2):
        done = admin("videoplanet", "Person11@videoplanet.test", "\n")
        assert done.returncode == 0 and done.stdout.endswith("is an administrator of videoplanet and keeps the password\n"), done
    answer = sign_in(product, "person11@videoplanet.test", SAMPLE_PASSWORD)
    assert answer.status == 201 and answer.json()["result"]["is_admin"] is True


def test_an_account_is_promoted_with_a_new_password(product, admin):
    assert sign_in(product, "person12@videoplanet.test", SAMPLE_PASSWORD).status == 201
    done = admin("videoplanet", "person12@videoplanet.test")
    assert done.returncode == 0 and "has the new password; earlier sessions have ended" in done.stdout, done
    assert sign_in(product, "person12@videoplanet.test", SAMPLE_PASSWORD).status == 403
    assert product.sql("select count(*) from trestle.session join trestle.account a on a.id = account_id "
                       "where email = 'person12@videoplanet.test' and revoked_at is null") == ["0"]
    assert sign_in(product, "person12@videoplanet.test", PASSWORD).json()["result"]["is_admin"] is True


@pytest.mark.parametrize("line,reason", [
    ("elevenchars\n", "too short; choose one of 12 to 256 characters"),
    ("é" * 11, "too short"),
    ("x" * 257 + "\n", "too long"),
    ("é" * 5000 + "\n", "too long"),
    ("twelve char\x00acters\n", "control character"),
    ("written on Windows\r\n", "control character"),
    ("not UTF-8: \udcff\udcfe\udcfd\n", "not UTF-8"),
    ("", "standard input is empty"),
    ("\n", "there is no account refused@example.org yet; give the password"),
])
def test_passwords_that_are_refused(product, line, reason):
    done = subprocess.run([TRESTLE, "admin", "videoplanet", "refused@example.org"], env=product.environment,
                          input=line.encode("utf-8", "surrogateescape"), capture_output=True, timeout=60, check=False)
    assert done.returncode == 2 and reason in done.stderr.decode(), done
    assert accounts(product, "refused@%") == []


@pytest.mark.parametrize("number,password", enumerate(["é" * 12, "𝄞" * 256, "twelve chars", "'; \\q $(x) `y` \"z\" \\N \\."]))
def test_passwords_at_the_bounds(product, admin, number, password):
    assert admin("videoplanet", f"bound{number}@example.org", password + "\nanother line\n").returncode == 0
    assert sign_in(product, f"bound{number}@example.org", password).status == 201


@pytest.mark.parametrize("email", ["", "nobody", "@example.org", "x@", "a b@example.org", "a@b@c", "x@example.org\n", "\x01@example.org"])
def test_what_is_no_address_is_refused(admin, email):
    refused(admin("videoplanet", email), "is no address; write one like name@example.org")


def test_a_long_address_and_one_that_looks_like_sql_or_an_option(product, admin):
    refused(admin("videoplanet", "x" * 250 + "@b.cd"), "is no address")
    refused(admin("videoplanet", "--help@example.org"), "usage: trestle-admin")
    quoted = "o'neil\\q:app\"@example.org"
    assert admin("videoplanet", quoted).returncode == 0
    assert sign_in(product, quoted, PASSWORD).status == 201


@pytest.mark.parametrize("app", ["nothing", "../apps/videoplanet", "Videoplanet", ""])
def test_unknown_applications_are_refused(admin, app):
    refused(admin(app, "x@example.org"), f"there is no application '{app}'; there are: maplestory mentoring mobilegpt videoplanet")


def test_an_application_without_administrators_says_so(product, admin):
    refused(admin("mentoring", "x@example.org"), "mentoring has no administrators yet", "mentoring.make_administrator(account bigint)")
    assert product.sql("select count(*) from trestle.account", app="mentoring") == ["0"]


def test_disabled_and_unproved_accounts(product, admin):
    product.sql("insert into trestle.account (email, password_hash, disabled_at) values ('off@example.org', 'x', now())")
    product.sql("insert into trestle.account (email, password_hash) values ('unproved@example.org', 'x')")
    refused(admin("videoplanet", "off@example.org"), "trestle-admin: the account off@example.org is disabled; enable it first")
    refused(admin("videoplanet", "unproved@example.org", "\n"), "nobody has proved", "give the account a new password")
    assert product.sql("select count(*) from videoplanet.users where email in ('off@example.org', 'unproved@example.org')") == ["0"]
    assert admin("videoplanet", "unproved@example.org").returncode == 0
    assert sign_in(product, "unproved@example.org", PASSWORD).json()["result"]["is_admin"] is True


def test_two_at_once_make_one_account(product, admin):
    done = []
    threads = [threading.Thread(target=lambda: done.append(admin("videoplanet", "twins@example.org"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [d.returncode for d in done] == [0, 0], done
    assert accounts(product, "twins@%") == ["twins@example.org"]
    assert sign_in(product, "twins@example.org", PASSWORD).status == 201


def test_without_a_server(product, tmp_path):
    done = subprocess.run([ADMIN, "videoplanet", "x@example.org"], env={**os.environ, "PGHOST": str(tmp_path), "PGUSER": "postgres"},
                          input=PASSWORD, capture_output=True, text=True, check=False)
    refused(done, "the database videoplanet cannot be reached", "bin/trestle admin videoplanet x@example.org", str(tmp_path))
    done = subprocess.run(as_server_user([ADMIN, "videoplanet", "x@example.org"]), env=direct(product, PGUSER="nobody"),
                          input=PASSWORD, capture_output=True, text=True, check=False)
    refused(done, "cannot be reached", "no password supplied")
    stopped = Product()
    done = subprocess.run([TRESTLE, "admin", "videoplanet", "x@example.org"], env=stopped.environment, input=PASSWORD,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "make run starts it" in done.stderr
    stopped.var.rmdir()


def test_a_database_behind_its_files_is_refused(product, admin):
    product.sql("alter function trestle.provide_account(text, text) rename to provide_account_later")
    try:
        refused(admin("videoplanet", "x@example.org"), "the database videoplanet is behind its SQL files", "trestle-migrate videoplanet")
    finally:
        product.sql("alter function trestle.provide_account_later(text, text) rename to provide_account")


def test_a_failure_half_way_leaves_nothing(product, admin):
    product.sql("alter table videoplanet.users add constraint nobody_more check (id < 0) not valid")
    try:
        refused(admin("videoplanet", "half@example.org"), "nobody_more")
    finally:
        product.sql("alter table videoplanet.users drop constraint nobody_more")
    assert accounts(product, "half@%") == []


def exposed(words):
    """Which of the words stand in a command line or an environment on this machine."""
    seen = set()
    for place in [*pathlib.Path("/proc").glob("[0-9]*/cmdline"), *pathlib.Path("/proc").glob("[0-9]*/environ")]:
        try:
            text = place.read_bytes()
        except OSError:
            continue
        seen.update(word for word in words if word.encode() in text)
    return seen


def test_password_and_hash_are_nowhere_to_be_read(product):
    secret = "Never-to-be-read-" + os.urandom(6).hex()
    holder = subprocess.Popen([TRESTLE, "psql", "videoplanet", "-qXAt"], env=product.environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdin.write("begin; lock table trestle.account in share mode;\n\\echo held\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "held\n"
    env = direct(product, PGOPTIONS="-c log_statement=all -c log_min_error_statement=error -c log_min_duration_statement=0")
    command = subprocess.Popen(as_server_user([ADMIN, "videoplanet", "hidden@example.org"]), env=env, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    command.stdin.write(secret + "\n")
    command.stdin.flush()
    waiting = "select query from pg_stat_activity where query like '%provide_account%' and wait_event_type = 'Lock' and pid <> pg_backend_pid()"
    until(lambda: product.sql(waiting))
    assert exposed([secret, "$argon2id$"]) == set()
    assert "argon2" not in "".join(product.sql(waiting))
    holder.communicate("rollback;\n", timeout=30)
    said, _ = command.communicate(timeout=30)
    assert command.returncode == 0 and secret not in said, said
    log = (product.var / "log" / "postgres.log").read_text()
    assert "trestle.provide_account('hidden@example.org'" in log
    for file in (product.var / "log").iterdir():
        text = file.read_text(errors="replace")
        assert secret not in text and "argon2id" not in text, file
    assert sign_in(product, "hidden@example.org", secret).status == 201


def at_terminal(product, email, *typed):
    """Runs the command at a terminal and types each line when it asks; (exit code, everything shown)."""
    master, slave = pty.openpty()
    process = subprocess.Popen([TRESTLE, "admin", "videoplanet", email], env=product.environment, stdin=slave, stdout=slave,
                               stderr=slave, start_new_session=True)
    os.close(slave)
    shown, lines = "", list(typed)
    while True:
        try:
            part = os.read(master, 4096).decode()
        except OSError:  # the other end has gone
            part = ""
        if not part:
            break
        shown += part
        if lines and shown.endswith(": "):
            os.write(master, lines.pop(0).encode() + b"\n")
    os.close(master)
    assert lines == [], shown
    return process.wait(30), shown


def test_a_terminal_is_asked_twice_without_echo(product):
    code, shown = at_terminal(product, "typed@example.org", PASSWORD, PASSWORD)
    assert code == 0 and "New password for typed@example.org (12 to 256 characters): " in shown and "The same again: " in shown
    assert PASSWORD not in shown
    assert sign_in(product, "typed@example.org", PASSWORD).status == 201
    code, shown = at_terminal(product, "typed@example.org", "")
    assert code == 0 and "empty: keep the present one" in shown and "again" not in shown and "keeps the password" in shown
    code, shown = at_terminal(product, "differs@example.org", PASSWORD, PASSWORD + "x")
    assert code == 2 and "the two passwords differ; nothing was changed" in shown
    assert accounts(product, "differs@%") == []
