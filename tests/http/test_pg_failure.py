"""mod_pg: the database away, hanging, killed under load; what clients and administrators are told."""
import concurrent.futures
import itertools
import os
import signal
import threading
import time

import pytest

from harness import Postgres, free_port
from harness.pgproxy import PgProxy
from pg_support import backends, batch, pool, rows, server, status, timed, wait_for

MPMS = ["event", "worker", "prefork"]
OUTAGE = ["TRSPG01", "TRSPG12", "TRSPG30"]


class PasswordPostgres(Postgres):
    """A cluster that also listens on loopback and asks for passwords there."""

    def __init__(self):
        self.port = free_port()
        super().__init__(listen_addresses="'127.0.0.1'", port=self.port)

    def start(self):
        (self.data / "pg_hba.conf").write_text("local all pool_nobody reject\nlocal all all trust\n"
                                               "host all all 127.0.0.1/32 scram-sha-256\n")
        super().start()

    def conninfo(self, dbname="postgres", user=None):
        return super().conninfo(dbname, user) + f" port={self.port}"


@pytest.fixture(scope="module")
def secured():
    """One such cluster."""
    with PasswordPostgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def own():
    """A cluster that these tests stop and kill."""
    with Postgres() as cluster:
        yield cluster


@pytest.mark.parametrize("mpm", MPMS)
def test_killed_and_restarted_under_load(own, mpm):
    """No wrong answer, no acknowledged write lost, no write done twice, in service within 2 s."""
    own.sql("DROP TABLE IF EXISTS written; CREATE TABLE written (id int)")
    numbers, acknowledged, wrong, end = itertools.count(1), [], [], threading.Event()
    last = [0.0]
    with server(own.conninfo(), "PgMax 6\nPgWait 1s", mpm=mpm, children=3 if mpm == "prefork" else 2, threads=8,
                expected=OUTAGE) as one:
        def write():
            while not end.is_set():
                number = next(numbers)
                answer = batch(one, "sql INSERT INTO written VALUES ($1) RETURNING id", f"param {number}")
                if answer.status == 200:
                    last[0] = time.monotonic()
                    acknowledged.append(number)
                    if answer.json()["results"] != [[[str(number)]]]:
                        wrong.append(answer.body)
                elif answer.status != 503 or "retry-after" not in answer.headers:
                    wrong.append((answer.status, answer.body))

        threads = [threading.Thread(target=write) for _ in range(6)]
        for thread in threads:
            thread.start()
        for mode, away in (("immediate", 0.0), ("immediate", 2.5), ("fast", 0.5)):
            done = len(acknowledged)
            wait_for(lambda n=done: len(acknowledged) > n + 50)
            own.stop(mode)
            time.sleep(away)
            own.start()
            back = time.monotonic()
            wait_for(lambda t=back: last[0] > t, 2)
        end.set()
        for thread in threads:
            thread.join()
        log = one.log()
    assert not wrong
    stored = [n for n, in own.sql("SELECT id FROM written")]
    assert len(stored) == len(set(stored)) and set(acknowledged) <= set(stored)
    assert "TRSPG02" in log or "TRSPG01" not in log


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_away_then_back_without_a_restart(own, mpm):
    with server(own.conninfo(), "PgWait 500ms", mpm=mpm, expected=OUTAGE) as one:
        assert rows(one, "sql SELECT 1") == [[["1"]]]
        own.stop("immediate")
        with timed(most=1.2):
            answer = batch(one, "read_only", "sql SELECT 1")
        assert answer.status == 503 and answer.headers["retry-after"] == "1"
        wait_for(lambda: batch(one, "sql SELECT 1").status == 503)
        time.sleep(0.6)
        with timed(most=0.2):
            assert batch(one, "sql SELECT 1").status == 503
        own.start()
        with timed(most=2):
            wait_for(lambda: batch(one, "sql SELECT 1").status == 200)
        assert one.log().count("TRSPG01") <= 3 * 4


def test_a_server_started_before_its_database(own):
    own.stop()
    with server(own.conninfo(), "PgWait 300ms", expected=OUTAGE) as one:
        assert batch(one, "sql SELECT 1").status == 503
        own.start()
        with timed(most=2):
            wait_for(lambda: batch(one, "sql SELECT 1").status == 200)


def test_idle_connections_that_the_server_ended_cost_no_request(own):
    with server(own.conninfo(), "PgMin 5\nPgMax 8", mpm="event") as one:
        wait_for(lambda: backends(own) == 5)
        own.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'trestle'")
        wait_for(lambda: backends(own) == 0 or backends(own) >= 0)
        for number in range(10):
            assert rows(one, "sql SELECT $1::int", f"param {number}") == [[[str(number)]]]


def test_a_read_is_repeated_once_and_a_write_is_not(own):
    own.sql("DROP TABLE IF EXISTS once; CREATE TABLE once (id int)")
    with PgProxy(own) as proxy, server(proxy.conninfo(), "PgMin 0", mpm="event", expected=["TRSPG12"]) as one:
        rows(one, "read_only", "sql SELECT 1")
        proxy.cut_answers = 1
        assert rows(one, "read_only", "sql SELECT 2") == [[["2"]]]
        assert status(one)["Repeated"] == 1
        proxy.cut_answers = 1
        answer = batch(one, "sql INSERT INTO once VALUES (1)")
        assert answer.json()["outcome"] == "UNAVAILABLE" and answer.headers["retry-after"] == "1"
        assert own.sql("SELECT count(*) FROM once") in ([(0,)], [(1,)])
        proxy.cut_answers = 2
        assert batch(one, "read_only", "sql SELECT 2").json()["outcome"] == "UNAVAILABLE"
        proxy.cut_answers = 0
        assert rows(one, "sql SELECT 3") == [[["3"]]]


def test_a_database_that_hangs(own):
    """Nothing passes any more, cancel requests included: 503 in time, and service once it moves again."""
    with PgProxy(own) as proxy, server(proxy.conninfo(), "PgMax 2\nPgWait 400ms\nPgTimeout 500ms\nPgConnectTimeout 1s",
                                       mpm="event", expected=[*OUTAGE, "TRSPG15"]) as one:
        rows(one, "sql SELECT 1")
        proxy.hang()
        passed = len(proxy.flights)
        for number in range(12):
            with timed(most=1.3):
                answer = batch(one, "sql SELECT 1")
            assert answer.status == 503, (number, passed, proxy.flights, proxy.connections, answer.body, one.children())
            assert int(answer.headers["retry-after"]) >= 1
        wait_for(lambda: status(one)["Closing"] == 0, 5)
        for _ in range(5):
            with timed(most=0.3):
                assert batch(one, "sql SELECT 1").status == 503
        proxy.resume()
        with timed(most=2):
            wait_for(lambda: batch(one, "sql SELECT 1").status == 200)


def test_a_backend_that_hangs(own):
    with server(own.conninfo(), "PgMax 2\nPgTimeout 400ms", mpm="event", expected=["TRSPG15"]) as one:
        pid = int(rows(one, "read_only", "sql SELECT pg_backend_pid()")[0][0][0])
        os.kill(pid, signal.SIGSTOP)
        try:
            with timed(least=0.3, most=1):
                assert batch(one, "sql SELECT 1").status == 503
            assert rows(one, "sql SELECT 1") == [[["1"]]]
            wait_for(lambda: status(one)["Closing"] == 0, 5)
        finally:
            os.kill(pid, signal.SIGCONT)


def test_a_stop_while_the_database_hangs_is_prompt(own):
    with PgProxy(own) as proxy, server(proxy.conninfo(), "PgTimeout 300ms", mpm="event", expected=[*OUTAGE, "TRSPG15"]) as one:
        rows(one, "sql SELECT 1")
        proxy.hang()
        batch(one, "sql SELECT 1")
        with timed(most=6):
            one.stop()


@pytest.mark.parametrize("conninfo,password,sqlstate,mend", [
    ("{base} dbname=pool_missing", None, "3D000", "the database does not exist"),
    ("{base} dbname=postgres user=pool_nobody", None, "28000", "does not let this role in"),
    ("{tcp} dbname=postgres user=pool_locked", "wr0ng-secret", "28P01", "the password is wrong"),
    ("host=/nowhere dbname=postgres", None, "", "check that the server runs"),
])
def test_the_log_says_the_mend_and_the_client_nothing(secured, conninfo, password, sqlstate, mend):
    secured.sql("DROP ROLE IF EXISTS pool_locked; CREATE ROLE pool_locked LOGIN PASSWORD 'right'")
    text = conninfo.format(base=f"host={secured.path} port={secured.port}", tcp=f"host=127.0.0.1 port={secured.port}")
    directives = "PgWait 300ms\n" + ("PgPasswordEnv PG_TEST_PASSWORD" if password else "")
    with server(text, directives, mpm="event", expected=OUTAGE,
                env={"PG_TEST_PASSWORD": password} if password else {}) as one:
        for _ in range(5):
            answer = batch(one, "sql SELECT 1")
            assert answer.status == 503 and set(answer.json()) == {"outcome", "retry_after", "pid"}
        time.sleep(0.5)
        log = one.log()
        assert log.count("TRSPG01") == 1 and mend in log and sqlstate in log
        assert not password or password not in log + one.get("/status?auto").body.decode()


def test_the_role_may_have_no_connection_left(own):
    own.sql("DROP ROLE IF EXISTS pool_few")
    own.sql("CREATE ROLE pool_few LOGIN CONNECTION LIMIT 2")
    with server(own.conninfo(user="pool_few"), "PgMax 8\nPgWait 3s", mpm="event", threads=16, expected=OUTAGE) as one:
        with concurrent.futures.ThreadPoolExecutor(12) as executor:
            answers = list(executor.map(lambda _: batch(one, "sql SELECT pg_sleep(0.05)").status, range(24)))
        assert set(answers) == {200}
        assert "lower PgMax, or raise max_connections" in one.log()


def test_the_password_comes_from_a_file(secured):
    secured.sql("CREATE ROLE pool_secret LOGIN PASSWORD 'fröm-file'")
    one = server(f"host=127.0.0.1 port={secured.port} dbname=postgres user=pool_secret", mpm="event")
    secret = one.path / "password"
    secret.write_text("fröm-file\nsecond line\n", encoding="utf-8")
    secret.chmod(0o600)
    one.config = one.config.replace("</PgPool>", f"PgPasswordFile {secret}\n</PgPool>")
    with one:
        assert rows(one, "sql SELECT current_user") == [[["pool_secret"]]]
        assert "fröm-file" not in one.log()


def test_health_is_the_databases(own):
    with server(own.conninfo(), "PgWait 500ms", mpm="event", expected=OUTAGE) as one:
        assert one.get("/q?health").body == b"database 0 The database answers.\n"
        own.stop("immediate")
        with timed(most=1.3):
            assert one.get("/q?health").body == b"database 2 The database does not answer.\n"
        own.start()
        with timed(most=2):
            wait_for(lambda: b"answers" in one.get("/q?health").body)


def test_health_concerns_the_virtual_hosts_own_pools(own):
    hosts = ('<VirtualHost *>\nServerName a.test\n</VirtualHost>\n<VirtualHost *>\nServerName b.test\n'
             + pool("host=/nowhere dbname=x", "PgWait 100ms", name="b") + "PgUse b\n</VirtualHost>\n")
    with server(own.conninfo(), "", hosts, mpm="event", expected=OUTAGE) as one:
        assert one.get("/q?health", headers={"Host": "a.test"}).body == b"database 0 The database answers.\n"
        assert one.get("/q?health", headers={"Host": "b.test"}).body == b"database 2 The database does not answer.\n"
