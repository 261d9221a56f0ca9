"""mod_prometheus: health-live and health-ready."""
import concurrent.futures
import hashlib
import os
import re
import signal
import time

import pytest

from harness import Httpd, until

PLAIN = ("trestle", "problem", "prometheus")
WITH_PG = ("trestle", "problem", "pg", "prometheus")
HANDLERS = """
<Location /health/live>
    SetHandler health-live
</Location>
<Location /health/ready>
    SetHandler health-ready
</Location>
"""


@pytest.fixture(scope="module")
def plain():
    config = HANDLERS + """
HealthService backend
<VirtualHost *:*>
    ServerName a
</VirtualHost>
<VirtualHost *:*>
    ServerName b
    HealthService other
    HealthVersion 1.2
    <Location /status>
        SetHandler health-ready
        HealthTemplate '{"ok": {"{case status}": {"unhealthy": false, "*": true}}, "v": "{version}", "parts": \
["{each checks}", "{.name}: {.summary}"], "ms": ["{each checks}", "{.milliseconds}"]}'
    </Location>
    <Location /status/standard>
        HealthTemplate default
    </Location>
</VirtualHost>
"""
    with Httpd(config, ours=PLAIN, tests=("healthtest",)) as server:
        yield server


def test_live_says_that_the_server_runs(plain):
    answer = plain.get("/health/live")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["status"] == "healthy" and body["service"] == "backend" and body["uptime"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", body["timestamp"])
    assert "checks" not in body and "version" not in body


def test_uptime_goes_on_over_graceful_restarts_and_begins_anew_at_others():
    with Httpd(HANDLERS, ours=PLAIN) as server:
        def uptime():
            return server.get("/health/live").json()["uptime"]

        until(lambda: uptime() >= 1, 5)
        before = server.children()
        server.graceful()
        until(lambda: server.children() and not set(before) & set(server.children()), 10)
        assert uptime() >= 1
        until(lambda: uptime() >= 2, 5)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.log().count("resuming normal operations") == 3, 10)
        assert uptime() < 2


@pytest.mark.parametrize("query,status,word,first,second", [
    ("", 200, "healthy", "healthy", "healthy"), ("?degraded", 200, "degraded", "degraded", "healthy"),
    ("?unhealthy", 503, "unhealthy", "healthy", "unhealthy"),
    ("?degraded,unhealthy", 503, "unhealthy", "degraded", "unhealthy"),
])
def test_ready_is_as_well_as_its_worst_part(plain, query, status, word, first, second):
    answer = plain.get("/health/ready" + query)
    assert answer.status == status and answer.headers["cache-control"] == "no-store"
    assert ("retry-after" in answer.headers) == (status == 503)
    assert answer.json()["status"] == word
    assert answer.json()["checks"] == {"first": {"status": first, "message": 'All is "well".'},
                                       "second": {"status": second, "message": None}}


def test_head_is_get_without_body(plain):
    get, head = plain.get("/health/ready"), plain.request("HEAD", "/health/ready")
    assert (head.status, head.body) == (200, b"") and abs(int(head.headers["content-length"]) - len(get.body)) <= 4


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_other_methods_are_405(plain, method, path):
    answer = plain.request(method, path)
    assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD" and answer.json()["status"] == 405


def test_every_virtual_host_reports_itself(plain):
    assert plain.get("/health/live", headers={"Host": "a"}).json()["service"] == "backend"
    other = plain.get("/health/live", headers={"Host": "b"}).json()
    assert (other["service"], other["version"]) == ("other", "1.2")


def test_the_shape_can_be_another(plain):
    answer = plain.get("/status?unhealthy,degraded", headers={"Host": "b"})
    assert answer.status == 503
    assert answer.json() == {"ok": False, "v": "1.2", "parts": ['first: degraded: All is "well".', "second: unhealthy"],
                             "ms": [2, 0]}
    assert plain.get("/status/standard", headers={"Host": "b"}).json()["checks"]["first"]["status"] == "healthy"


@pytest.fixture
def database(postgres, tmp_path):
    """A database whose applied migrations are those of a directory; (cluster, configuration, directory)."""
    directory = postgres.path / f"set{time.monotonic_ns()}" / "core"
    directory.mkdir(parents=True)
    directory.parent.chmod(0o755)
    for name, text in (("0001_a.sql", "select 1"), ("0002_b.sql", "select 2"), ("README", "no migration")):
        (directory / name).write_text(text)
    postgres.sql("drop schema if exists trestle cascade")
    postgres.sql("create schema trestle")
    postgres.sql("create table trestle.migration (name text, checksum text)")
    postgres.sql("create function trestle.applied_migrations(out name text, out checksum text) returns setof record "
                 "language sql stable as 'select name, checksum from trestle.migration'")
    for name in ("0001_a.sql", "0002_b.sql"):
        postgres.sql("insert into trestle.migration values (%s, %s)", f"core/{name}",
                     hashlib.sha256((directory / name).read_bytes()).hexdigest())
    config = HANDLERS + f"""
<PgPool main>
    PgConnect "{postgres.conninfo()}"
</PgPool>
PgUse main
HealthMigrations {directory}/
"""
    yield postgres, config, directory
    postgres.sql("drop schema trestle cascade")


def ready(server):
    answer = server.get("/health/ready")
    return answer.status, answer.json()["checks"]["migrations"]


def test_migrations_are_compared(database):
    postgres, config, directory = database
    with Httpd(config, ours=WITH_PG, expected=("TRSPM03",)) as server:
        assert ready(server) == (200, {"status": "healthy", "message": "The database is up to date."})
        postgres.sql("insert into trestle.migration values ('core/0003_later.sql', 'x')")
        assert ready(server)[0] == 200
        postgres.sql("update trestle.migration set checksum = 'x' where name = 'core/0001_a.sql'")
        assert ready(server) == (503, {"status": "unhealthy",
                                       "message": "1 migration is different in the database."})
        postgres.sql("delete from trestle.migration where name = 'core/0002_b.sql'")
        assert ready(server)[1]["message"] == "1 migration is pending, 1 migration is different in the database."
        assert re.search(r"prometheus:warn.*TRSPM03: not ready: 1 migration is different in the database. Run trestle-migrate.", server.log())
        postgres.sql("delete from trestle.migration")
        assert ready(server)[1]["message"] == "2 migrations are pending."
        assert "0001" not in server.get("/health/ready").body.decode()
        # The files are those of the time when the server was configured.
        (directory / "0003_c.sql").write_text("select 3")
        assert ready(server)[1]["message"] == "2 migrations are pending."


def test_a_database_without_migrations_is_not_ready(database):
    postgres, config, _ = database
    postgres.sql("drop function trestle.applied_migrations")
    with Httpd(config, ours=WITH_PG, expected=(r"\[pg:",)) as server:
        status, check = ready(server)
        assert status == 503 and check["message"] == "The database did not say which migrations it has."


def test_the_log_quotes_the_database_plainly(database):
    postgres, config, _ = database
    postgres.sql("drop table trestle.migration")
    with Httpd(config, ours=WITH_PG, expected=(r"\[pg:",)) as server:
        assert ready(server)[0] == 503
        assert 'relation "trestle.migration" does not exist, in SQL function "applied_migrations"' in server.log()


def test_a_server_of_migrations_without_pool_is_not_ready(database):
    _, config, _ = database
    with Httpd(config.replace("PgUse main\n", ""), ours=WITH_PG, expected=("TRSPM03",)) as server:
        assert ready(server)[0] == 503 and server.get("/health/live").status == 200
        assert "TRSPM03: not ready: HealthMigrations has no pool to ask; add PgUse" in server.log()


def test_a_hanging_database_is_told_within_a_second(database):
    postgres, config, _ = database
    with Httpd(config, ours=WITH_PG, expected=(r"\[pg:",)) as server:
        assert ready(server)[0] == 200
        stopped = [int(pid) for (pid,) in postgres.sql("select pid from pg_stat_activity where pid <> pg_backend_pid()")]
        for pid in (postgres.pid, *stopped):
            os.kill(pid, signal.SIGSTOP)
        try:
            with concurrent.futures.ThreadPoolExecutor(4) as threads:
                def timed(_):
                    began = time.monotonic()
                    return server.get("/health/ready"), time.monotonic() - began
                for answer, took in threads.map(timed, range(4)):
                    assert answer.status == 503 and took < 1.5
                    assert answer.json()["checks"]["database"]["status"] == "unhealthy"
                began = time.monotonic()
                assert server.get("/health/ready").status == 503 and time.monotonic() - began < 1
                assert server.get("/health/live").status == 200
        finally:
            for pid in (*stopped, postgres.pid):
                os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + 10
        while ready(server)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_stopped_database_is_told_at_once_and_its_return_too(database):
    postgres, config, _ = database
    with Httpd(config, ours=WITH_PG, expected=(r"\[pg:",)) as server:
        assert ready(server)[0] == 200
        postgres.stop()
        try:
            began = time.monotonic()
            answer = server.get("/health/ready")
            assert answer.status == 503 and time.monotonic() - began < 1 and answer.headers["retry-after"]
            assert answer.json()["checks"]["database"]["status"] == "unhealthy"
        finally:
            postgres.start()
        deadline = time.monotonic() + 5
        while ready(server)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("line,mend", [
    ("HealthTimeout 0", "write for example 30s"),
    ("HealthTimeout 2h", "is not a duration from 10ms to 1min"),
    ("HealthTemplate '{\"a\": \"{nothing}\"}'", "unknown name 'nothing'; known are status timestamp service"),
    ("HealthService " + "x" * 129, "write for example backend"),
    ("HealthMigrations /no/such/directory", "cannot read the directory /no/such/directory"),
    ("HealthMigrations /etc", "holds no file NNNN_name.sql; name the directories that trestle-migrate applies"),
])
def test_configtest_names_the_mend(line, mend):
    code, output = Httpd(line, ours=WITH_PG).configtest()
    assert code != 0 and mend in re.sub(r"\s+", " ", output), output


@pytest.mark.parametrize("place", ["%s", "<Location /x>\n%s\n</Location>", "<VirtualHost *:1>\n%s\n</VirtualHost>"])
def test_migrations_without_mod_pg_are_refused(place):
    server = Httpd("", ours=PLAIN)
    (server.path / "0001_a.sql").write_text("")
    server.config = place % f"HealthMigrations {server.path}"
    code, output = server.configtest()
    assert code != 0 and "HealthMigrations needs mod_pg; load it" in output
