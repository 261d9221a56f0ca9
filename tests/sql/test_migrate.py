"""bin/trestle-migrate: what it makes, what it refuses, and that it may run twice at once."""
import os
import re
import shutil
import subprocess

import psycopg2
import pytest

from harness import ROOT, Postgres

TOOL = ROOT / "bin" / "trestle-migrate"
FILES = len(list((ROOT / "sql" / "core").glob("*.sql"))) + 1  # of tiny


@pytest.fixture(scope="module")
def server():
    with Postgres() as pg:
        yield pg


@pytest.fixture
def sql(tmp_path):
    """A copy of sql/ with a small application `tiny` that tests may change."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    apps = tmp_path / "sql" / "apps"
    for app in apps.iterdir():
        shutil.rmtree(app)
    (apps / "tiny" / "sample").mkdir(parents=True)
    (apps / "tiny" / "0001_schema.sql").write_text("create schema :app;\ncreate table tiny.thing (n integer);\n")
    (apps / "tiny" / "sample" / "0001_things.sql").write_text("insert into tiny.thing values (1), (2);\n")
    return tmp_path / "sql"


@pytest.fixture
def migrate(server, sql):
    """migrate("tiny", "--check", …): the finished process. Afterwards the database and the roles of tiny are gone."""
    def run(*arguments, wait=True, **env):
        process = subprocess.Popen([TOOL, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={
            **os.environ, "PGHOST": str(server.path), "PGUSER": server.superuser, "TRESTLE_SQL": str(sql), **env})
        return finish(process) if wait else process
    yield run
    server.sql("drop database if exists tiny")
    for role in server.sql("select rolname from pg_roles where rolname like 'tiny%'"):
        server.sql(f"drop role {role[0]}")


def finish(process):
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def applied(server):
    return [row[0] for row in server.sql("select name from trestle.migration order by applied, name", dbname="tiny")]


def refused(done, *words):
    assert done.returncode == 2 and done.stderr.startswith("trestle-migrate: "), done
    for word in words:
        assert word in done.stderr, done.stderr
    return True


def test_first_and_second_run(server, migrate):
    first = migrate("tiny")
    assert first.returncode == 0 and first.stderr == ""
    assert "applied core/0001_schema.sql\n" in first.stdout and first.stdout.endswith(f"tiny is up to date ({FILES} files)\n")
    assert applied(server) == [re.sub("^applied ", "", line) for line in first.stdout.splitlines()[:-1]]
    second = migrate("tiny")
    assert (second.returncode, second.stdout, second.stderr) == (0, f"tiny is up to date ({FILES} files)\n", "")


def test_database_and_owner(server, migrate):
    migrate("tiny")
    assert server.sql("select pg_get_userbyid(datdba), pg_encoding_to_char(encoding) from pg_database where datname = 'tiny'") == [("tiny_owner", "UTF8")]
    assert server.sql("select distinct relowner::regrole::text from pg_class where relnamespace in ('tiny'::regnamespace, 'trestle'::regnamespace)",
                      dbname="tiny") == [("tiny_owner",)]


def test_login_role_becomes_its_request_roles_only(server, migrate):
    migrate("tiny")
    for role in ("tiny_anonymous", "tiny_user"):
        assert server.sql(f"set role {role}; select current_user", dbname="tiny", user="tiny_login") == [(role,)]
    for role in ("tiny_owner", "tiny_hub", "tiny_worker", server.superuser):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            server.sql(f'set role "{role}"', dbname="tiny", user="tiny_login")
    for role in ("tiny_owner", "tiny_user"):
        with pytest.raises(psycopg2.OperationalError, match="not permitted to log in"):
            server.sql("select 1", dbname="tiny", user=role)


def test_other_roles_do_not_get_in(server, migrate):
    migrate("tiny")
    server.sql("create role stranger login")
    try:
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            server.sql("select 1", dbname="tiny", user="stranger")
    finally:
        server.sql("drop role stranger")


def test_stray_rights_are_taken_back(server, migrate):
    migrate("tiny")
    server.sql("grant pg_read_all_data to tiny_login; grant tiny_owner to tiny_user; grant connect on database tiny to public; alter role tiny_user bypassrls")
    assert migrate("tiny").returncode == 0
    assert server.sql("select granted.rolname, member.rolname from pg_auth_members join pg_roles granted on granted.oid = roleid "
                      "join pg_roles member on member.oid = member where member.rolname like 'tiny%' order by 1") == [
        ("tiny_anonymous", "tiny_login"), ("tiny_user", "tiny_login")]
    assert server.sql("select has_database_privilege('public', 'tiny', 'connect'), rolbypassrls from pg_roles where rolname = 'tiny_user'") == [(False, False)]


def test_password_is_stored_as_verifier_and_works(server, migrate, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("a-Secret-of-the-pool\n")
    server.sql("alter system set log_statement = 'all'")
    server.sql("select pg_reload_conf()")
    done = migrate("tiny", TRESTLE_LOGIN_PASSWORD_FILE=str(secret))
    server.sql("alter system reset log_statement")
    assert done.returncode == 0, done.stderr
    [(stored,)] = server.sql("select rolpassword from pg_authid where rolname = 'tiny_login'")
    assert stored.startswith("SCRAM-SHA-256$4096:")
    assert "a-Secret-of-the-pool" not in (server.path / "log").read_text() + done.stdout
    hba = server.data / "pg_hba.conf"
    trusting = hba.read_text()
    hba.write_text("local all tiny_login scram-sha-256\nlocal all all trust\n")
    try:
        server.sql("select pg_reload_conf()")
        with psycopg2.connect(server.conninfo("tiny", "tiny_login") + " password=a-Secret-of-the-pool"):
            pass
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(server.conninfo("tiny", "tiny_login") + " password=wrong")
    finally:
        hba.write_text(trusting)
        server.sql("select pg_reload_conf()")


@pytest.mark.parametrize("content", ["", "short\n", "with a blank\n", "유니코드비밀번호\n"])
def test_unusable_password(migrate, tmp_path, content):
    secret = tmp_path / "password"
    secret.write_text(content)
    done = migrate("tiny", TRESTLE_LOGIN_PASSWORD_FILE=str(secret))
    assert done.returncode == 2 and "8-200 visible ASCII characters" in done.stderr


def test_missing_password_file(migrate, tmp_path):
    done = migrate("tiny", TRESTLE_LOGIN_PASSWORD_FILE=str(tmp_path / "none"))
    assert done.returncode == 2 and "No such file" in done.stderr


def test_two_at_once(server, migrate, sql):
    (sql / "apps" / "tiny" / "0002_slow.sql").write_text("select pg_sleep(0.3) \\g /dev/null\ncreate table tiny.slow (n integer);\n")
    runs = [finish(run) for run in [migrate("tiny", wait=False) for _ in range(4)]]
    assert [run.returncode for run in runs] == [0] * 4, [run.stderr for run in runs]
    lines = [line for run in runs for line in run.stdout.splitlines() if line.startswith("applied ")]
    assert len(lines) == len(set(lines)) == FILES + 1 == len(applied(server))


def test_tenants_cannot_hold_the_lock(server, migrate):
    migrate("tiny")
    tenants = [server.connect(dbname, "tiny_login") for dbname in ("postgres", "template1", "tiny")]
    try:
        for tenant in tenants:
            tenant.cursor().execute("begin; select pg_advisory_lock(hashtext('trestle-migrate'))")
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                tenant.cursor().execute("savepoint s; comment on role tiny_owner is 'mine'")
            tenant.cursor().execute("rollback to s")
        done = migrate("tiny")
        assert (done.stdout, done.stderr) == (f"tiny is up to date ({FILES} files)\n", ""), "nobody is waited for"
    finally:
        for tenant in tenants:
            tenant.close()


@pytest.fixture
def holder(server):
    """An administrator's connection that holds the lock of tiny."""
    connection = server.connect("template1")
    connection.cursor().execute("begin; comment on role tiny_owner is 'held'")
    yield connection
    connection.close()


def test_waits_and_says_for_whom(server, migrate, request):
    migrate("tiny")
    holder = request.getfixturevalue("holder")
    process = migrate("tiny", wait=False)
    said = process.stderr.readline()
    assert "waiting for process " in said and f"process {holder.info.backend_pid} (user {server.superuser}, database template1)" in said, said
    holder.cursor().execute("commit")
    done = finish(process)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"tiny is up to date ({FILES} files)\n", "")


def test_gives_up_waiting(migrate, request):
    migrate("tiny")
    holder = request.getfixturevalue("holder")
    done = migrate("tiny", TRESTLE_LOCK_WAIT="2")
    assert refused(done, f"process {holder.info.backend_pid} ", "2 seconds", f"pg_terminate_backend({holder.info.backend_pid})")


@pytest.mark.parametrize("seconds", ["0", "1", "x", "-5", "99999"])
def test_unusable_wait(migrate, seconds):
    assert refused(migrate("tiny", TRESTLE_LOCK_WAIT=seconds), "TRESTLE_LOCK_WAIT")


def test_a_tenant_who_changes_his_own_role_is_not_waited_for_without_end(server, migrate, tmp_path):
    migrate("tiny")
    (tmp_path / "password").write_text("a-Secret-of-the-pool\n")
    tenant = server.connect("postgres", "tiny_login")
    try:
        tenant.cursor().execute("begin; alter role tiny_login password 'mine'")
        assert refused(migrate("tiny", TRESTLE_LOGIN_PASSWORD_FILE=str(tmp_path / "password"), TRESTLE_LOCK_WAIT="2"), "lock timeout")
    finally:
        tenant.close()


def test_check(server, migrate, sql):
    done = migrate("--check", "tiny")
    assert done.returncode == 1 and "pending tiny/0001_schema.sql\n" in done.stdout
    assert server.sql("select count(*) from pg_roles where rolname like 'tiny%'") == [(0,)]
    migrate("tiny")
    done = migrate("--check", "tiny")
    assert (done.returncode, done.stdout) == (0, f"tiny is up to date ({FILES} files)\n")
    (sql / "apps" / "tiny" / "0002_more.sql").write_text("create table tiny.more (n integer);\n")
    done = migrate("tiny", "--check")
    assert (done.returncode, done.stdout) == (1, "pending tiny/0002_more.sql\n")
    assert server.sql("select to_regclass('tiny.more')", dbname="tiny") == [(None,)]


def test_changed_file(migrate, sql):
    migrate("tiny")
    (sql / "apps" / "tiny" / "0001_schema.sql").write_text("create schema tiny;\n")
    assert refused(migrate("tiny"), "tiny/0001_schema.sql was changed after it was applied", "next number")
    assert refused(migrate("--check", "tiny"), "was changed")


def test_missing_file(migrate, sql):
    (sql / "apps" / "tiny" / "0002_more.sql").write_text("select 1 \\g /dev/null\n")
    migrate("tiny")
    (sql / "apps" / "tiny" / "0002_more.sql").unlink()
    assert refused(migrate("tiny"), "tiny/0002_more.sql is applied and its file is missing", "restore it")


@pytest.mark.parametrize("name, words", [
    ("0003_gap.sql", ("expected number 0002", "without gap")),
    ("0001_twice.sql", ("expected number 0002",)),
    ("0000_zero.sql", ("expected number 0001",)),
    ("2_short.sql", ("0001_words.sql",)),
    ("0002-dash.sql", ("0001_words.sql",)),
    ("0002_Capital.sql", ("0001_words.sql",)),
])
def test_wrong_number_or_name(server, migrate, sql, name, words):
    (sql / "apps" / "tiny" / name).write_text("select 1;\n")
    assert refused(migrate("tiny"), name, *words)
    assert server.sql("select count(*) from pg_database where datname = 'tiny'") == [(0,)]


def test_lower_than_applied(server, migrate, sql):
    migrate("tiny")
    server.sql("delete from trestle.migration where name = 'core/0003_caller.sql'", dbname="tiny")
    assert refused(migrate("tiny"), "core/0003_caller.sql is lower than core/000", "next free number")


def test_error_in_a_file_changes_nothing(server, migrate, sql):
    (sql / "apps" / "tiny" / "0002_wrong.sql").write_text("create table tiny.half (n integer);\nselect 1/0;\n")
    done = migrate("tiny")
    assert done.returncode == 2 and "0002_wrong.sql:2: ERROR:  division by zero" in done.stderr
    assert server.sql("select to_regclass('tiny.half')", dbname="tiny") == [(None,)]
    assert applied(server)[-1] == "tiny/0001_schema.sql"
    (sql / "apps" / "tiny" / "0002_wrong.sql").write_text("create table tiny.half (n integer);\n")
    assert migrate("tiny").stdout == f"applied tiny/0002_wrong.sql\ntiny is up to date ({FILES + 1} files)\n"


@pytest.mark.parametrize("text, reason", [
    ("commit;", "COMMIT"), ("COMMIT AND CHAIN;", "COMMIT"), ("rollback;", "ROLLBACK"), ("Abort;", "ABORT"), ("end;", "END"), ("begin;", "BEGIN"),
    ("start transaction;", "START TRANSACTION"), ("prepare transaction 'x';", "PREPARE TRANSACTION"), ("select 1; /* c */ commit", "COMMIT"),
    ("/* a /* nested */ comment */ commit;", "COMMIT"), ("select 'it''s';commit;", "COMMIT"), ("select $a$ $b$ $a$; commit;", "COMMIT"),
    ("create function tiny.f() returns integer language sql begin atomic select case when true then 1 end; end; commit;", "COMMIT"),
    ("select 1 \\g /dev/null\ncommit;", "COMMIT"),
    ("reset role;", "RESET ROLE"), ("set role none;", "SET ROLE"), ("set local\nrole = 'none';", "SET LOCAL ROLE"), ("set session role x;", "SET SESSION ROLE"),
    ("reset session authorization;", "RESET SESSION AUTHORIZATION"), ("set session authorization default;", "SET SESSION AUTHORIZATION"),
    ("set local session authorization default;", "SET LOCAL SESSION AUTHORIZATION"),
    ("\\! true", "\\!"), ("\\!true", "\\!"), ("  \\connect postgres", "\\connect"), ("\\c postgres", "\\c"), ("select 1 \\c postgres", "\\c"),
    ("\\i other.sql", "\\i"), ("\\ir other.sql", "\\ir"), ("\\include other.sql", "\\include")])
def test_a_file_that_leaves_its_frame_is_refused(migrate, sql, text, reason):
    (sql / "apps" / "tiny" / "0002_wrong.sql").write_text(f"create table tiny.a (n integer);\n\n{text}\n")
    assert refused(migrate("--check", "tiny"), f"apps/tiny/0002_wrong.sql:{4 if text.startswith('select 1 ' + chr(92) + 'g') else 3}: {reason} ")


def test_no_file_is_applied_before_one_that_is_refused(server, migrate, sql):
    (sql / "apps" / "tiny" / "0002_wrong.sql").write_text("commit;\n")
    assert refused(migrate("tiny"), "0002_wrong.sql:1: COMMIT ends or begins a transaction; take it out")
    assert applied(server) == []


def test_a_file_within_its_frame(server, migrate, sql):
    (sql / "apps" / "tiny" / "0002_fine.sql").write_text(r"""
        -- commit;
        /* rollback; /* \! */ reset role; */
        create table tiny."commit;" (role text default 'a;commit;', "end" text default E'\';commit;');
        insert into tiny."commit;" values ($$;commit; \! $$, $x$;$$reset role;$x$);
        update tiny."commit;" set role = 'x';
        savepoint s; rollback to s; rollback work to savepoint s; release s;
        create function tiny.f() returns integer language plpgsql as $f$
        begin
            return 1;
        end;
        $f$;
        create or replace function tiny.g() returns integer language sql
        begin atomic
            select case when true then 1 else case when false then 2 end end;
            select 2;
        end;
        create procedure tiny.h() language sql begin atomic select 1; end;
        create rule r as on delete to tiny."commit;" do also (select 1; select 2);
        do $$ begin perform set_config('role', 'none', false); end $$;
        create table tiny.mine ();
        \set role x
        """)
    done = migrate("tiny")
    assert done.returncode == 0, done.stderr
    assert server.sql("select relowner::regrole::text from pg_class where oid = 'tiny.mine'::regclass", dbname="tiny") == [("tiny_owner",)]


def test_a_transaction_that_ended_unseen(server, migrate, sql):
    (sql / "apps" / "tiny" / "0002_commit.sql").write_text("create table tiny.a (n integer);\nselect 'commit' \\gexec\ncreate table tiny.b (n integer);\n")
    assert refused(migrate("tiny"), "0002_commit.sql ended its transaction", "remains in the database tiny")
    assert "tiny/0002_commit.sql" not in applied(server)
    assert server.sql("select distinct relowner::regrole::text from pg_class where relnamespace = 'tiny'::regnamespace", dbname="tiny") == [("tiny_owner",)]


def test_variables_and_role_of_a_file(server, migrate, sql):
    (sql / "apps" / "tiny" / "0002_names.sql").write_text(
        "create table tiny.names as select :'app' as app, current_user::text as me, array[:'owner', :'login', :'anonymous', "
        ":'user', :'hub', :'worker'] as roles, current_setting('search_path') as path;\ngrant select on tiny.names to :\"user\";\n")
    assert migrate("tiny").returncode == 0
    assert server.sql("select * from tiny.names", dbname="tiny") == [
        ("tiny", "tiny_owner", ["tiny_owner", "tiny_login", "tiny_anonymous", "tiny_user", "tiny_hub", "tiny_worker"], "pg_catalog, pg_temp")]


def test_notifies_once_for_each_file(server, migrate, sql):
    migrate("tiny")
    listener = server.connect("tiny")
    listener.cursor().execute("listen trestle_schema")
    (sql / "apps" / "tiny" / "0002_more.sql").write_text("create table tiny.more (n integer);\n")
    migrate("tiny")
    migrate("tiny")
    listener.poll()
    assert [n.channel for n in listener.notifies] == ["trestle_schema"]
    listener.close()


def test_sample_is_loaded_once(server, migrate, sql):
    done = migrate("--sample", "tiny")
    assert done.returncode == 0 and "applied tiny/sample/0001_things.sql\n" in done.stdout
    (sql / "apps" / "tiny" / "sample" / "0001_things.sql").write_text("insert into tiny.thing values (3);\n")
    assert migrate("--sample", "tiny").stdout == f"tiny is up to date ({FILES + 1} files)\n"
    assert migrate("tiny").stdout == f"tiny is up to date ({FILES} files)\n"
    assert server.sql("select count(*) from tiny.thing", dbname="tiny") == [(2,)]


def test_sample_is_refused_on_an_installed_server(server, migrate):
    assert refused(migrate("--sample", "tiny", TRESTLE_INSTALLED="1"), "refused on an installed server", "leave out --sample")
    assert server.sql("select count(*) from pg_database where datname = 'tiny'") == [(0,)]
    assert migrate("tiny", TRESTLE_INSTALLED="1").returncode == 0


@pytest.mark.parametrize("app", ["Tiny", "1tiny", "ti-ny", "tiny;drop", "", "x" * 33, "postgres", "template1", "pg_x", "api", "trestle"])
def test_not_an_application(migrate, app):
    assert migrate(app).returncode == 2


def test_length_of_a_name(migrate, sql):
    for length in (32, 33):
        shutil.copytree(sql / "apps" / "tiny", sql / "apps" / ("t" * length))
    assert migrate("--check", "t" * 32).returncode == 1
    assert refused(migrate("--check", "t" * 33), "up to 31 of a-z, 0-9 and _")


def test_unknown_application(migrate):
    assert refused(migrate("other"), "no such application", "apps/other")


def test_foreign_database(server, migrate):
    server.sql("create database tiny")
    assert refused(migrate("tiny"), "belongs to another role", "ALTER DATABASE")


def test_no_server(migrate, tmp_path):
    done = migrate("tiny", PGHOST=str(tmp_path))
    assert done.returncode == 2 and "No such file or directory" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--wrong", "tiny"), ("a", "b")])
def test_usage(migrate, arguments):
    done = migrate(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("usage: trestle-migrate")


def test_administrator_without_superuser(server, migrate, sql):
    server.sql("create role clerk login createdb createrole")
    try:
        done = migrate("tiny", PGUSER="clerk")
        assert done.returncode == 0, done.stderr
        assert migrate("tiny", PGUSER="clerk").stdout == f"tiny is up to date ({FILES} files)\n"
        (sql / "apps" / "tiny" / "0002_role.sql").write_text("select set_config('role', 'none', false) \\g /dev/null\ncreate table tiny.a (n integer);\n")
        assert refused(migrate("tiny", PGUSER="clerk"), "0002_role.sql changed its role")
        assert server.sql("select to_regclass('tiny.a')", dbname="tiny") == [(None,)]
        server.sql("drop database tiny")
    finally:
        for role in server.sql("select rolname from pg_roles where rolname like 'tiny%'"):
            server.sql(f"drop role {role[0]}")
        server.sql("drop role clerk")


def test_sample_data_of_videoplanet(server):
    env = {**os.environ, "PGHOST": str(server.path), "PGUSER": server.superuser}
    done = subprocess.run([TOOL, "--sample", "videoplanet"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == ""

    def one(statement):
        return server.sql(statement, dbname="videoplanet")[0][0]
    assert one("select count(*) from videoplanet.users") >= 30
    assert one("select count(*) from videoplanet.projects") >= 200
    assert one("select count(*) from videoplanet.feedback_items") >= 3000
    assert one("select count(distinct status) from videoplanet.projects") == 6
    assert one("select count(distinct phase) from videoplanet.schedules(array(select id from videoplanet.projects))") == 4
    for table in ("user_memos", "project_members", "project_files", "project_memos", "project_invites", "milestones", "feedback_reads", "comments",
                  "reactions", "chat_messages", "notifications", "activities", "online_videos", "sample_files"):
        assert one(f"select count(*) from videoplanet.{table}") > 0, table

    def both(first, second, rating):
        return one("select count(*) from videoplanet.projects p join videoplanet.users o on o.id = p.user_id join videoplanet.project_members m "
                   "on m.project_id = p.id join videoplanet.users u on u.id = m.user_id where "
                   f"o.email = '{first}@videoplanet.test' and u.email = '{second}@videoplanet.test' and m.rating = '{rating}'")
    assert both("owner", "manager", "manager") >= 20 and both("owner", "member", "normal") >= 20
    assert one("select count(*) from videoplanet.project_members m join videoplanet.users u on u.id = m.user_id where u.email = 'member@videoplanet.test' "
               "and rating <> 'normal'") == 0
    assert one("select count(*) from videoplanet.project_members m join videoplanet.users u on u.id = m.user_id where u.email = 'outsider@videoplanet.test'") == 0
    assert one("select count(*) from videoplanet.project_members m join videoplanet.projects p on p.id = m.project_id join videoplanet.users o on o.id = p.user_id "
               "join videoplanet.users u on u.id = m.user_id where o.email = 'outsider@videoplanet.test' and u.email ~ '^(owner|manager|member)@'") == 0
    assert one("select bool_and(email_verified_at is not null and password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%') from trestle.account")


def test_sample_password(tmp_path):
    """The stored hash is that of the published password, says libsodium."""
    text = (ROOT / "sql" / "apps" / "videoplanet" / "sample" / "0001_people.sql").read_text()
    [stored] = set(re.findall(r"\$argon2id\$[^']+", text))
    (tmp_path / "verify.c").write_text("""
        #include <sodium.h>
        #include <string.h>
        int main(int argc, char **argv)
        {
            return argc != 3 || sodium_init() < 0 || crypto_pwhash_str_verify(argv[1], argv[2], strlen(argv[2])) != 0;
        }""")
    subprocess.run(["cc", "-o", tmp_path / "verify", tmp_path / "verify.c", "-lsodium"], check=True)
    assert subprocess.run([tmp_path / "verify", stored, "Trestle-sample-1"], check=False).returncode == 0
    assert subprocess.run([tmp_path / "verify", stored, "trestle-sample-1"], check=False).returncode == 1
