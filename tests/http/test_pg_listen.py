"""mod_pg: generations of LISTEN channels, and pgbouncer between."""
import concurrent.futures
import os
import signal
import subprocess
import time

import pytest

from harness import Postgres, as_server_user, free_port, scratch
from pg_support import backends, batch, rows, server, status, wait_for

MPMS = ["event", "worker", "prefork"]
LISTENER = "query LIKE 'LISTEN %'"


@pytest.fixture(scope="module")
def own():
    """A cluster that these tests restart."""
    with Postgres() as cluster:
        yield cluster


def generation(one, channel="catalogue"):
    """The channel's generation."""
    return one.get(f"/q?generation={channel}").json()["generation"]


def listening(conninfo, directives="", **options):
    return server(conninfo, directives, 'PgTestListen app catalogue\nPgTestListen app "Odd name"', **options)


@pytest.mark.parametrize("mpm", MPMS)
def test_a_notify_moves_the_generation_in_all_children(own, mpm):
    with listening(own.conninfo(), mpm=mpm, children=3, threads=4) as one:
        wait_for(lambda: generation(one) > 0)
        wait_for(lambda: len(one.children()) >= 3)
        assert backends(own, LISTENER) == 1
        before, other = generation(one), generation(one, "Odd%20name")
        for count in range(1, 6):
            own.sql("NOTIFY catalogue")
            wait_for(lambda n=count: generation(one) == before + n, 2)
        seen = {}
        for _ in range(60):
            answer = one.get("/q?generation=catalogue").json()
            seen[answer["pid"]] = answer["generation"]
        assert set(seen.values()) == {before + 5}
        assert generation(one, "Odd%20name") == other and generation(one, "unknown") == 0
        own.sql('NOTIFY "Odd name", \'payload\'')
        figures = wait_for(lambda: (f := status(one))["Listening"] == 1 and f)
        assert figures["Max"] == 16
        assert f"PgPool[app]Generation[catalogue]: {before + 5}" in one.get("/status?auto").body.decode()


def test_a_transaction_of_the_pool_itself_notifies(own):
    with listening(own.conninfo(), mpm="event") as one:
        wait_for(lambda: generation(one) > 0)
        before = generation(one)
        rows(one, "sql SELECT pg_notify('catalogue', '')")
        wait_for(lambda: generation(one) == before + 1, 2)


def test_after_a_lost_connection_everything_counts_as_changed(own):
    with listening(own.conninfo(), "PgMin 0", mpm="event") as one:
        wait_for(lambda: generation(one) > 0)
        before = generation(one)
        own.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {LISTENER} AND pid <> pg_backend_pid()")
        wait_for(lambda: generation(one) > before, 3)
        before = generation(one)
        own.sql("NOTIFY catalogue")
        wait_for(lambda: generation(one) > before, 2)


def test_after_a_restart_of_the_database(own):
    with listening(own.conninfo(), mpm="event", expected=["TRSPG01", "TRSPG12", "TRSPG30"]) as one:
        wait_for(lambda: generation(one) > 0)
        before = generation(one)
        own.stop("immediate")
        time.sleep(0.6)
        own.start()
        wait_for(lambda: generation(one) > before, 2)
        before = generation(one)
        own.sql("NOTIFY catalogue")
        wait_for(lambda: generation(one) > before, 2)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_another_child_takes_over_when_the_listener_dies(own, mpm):
    with listening(own.conninfo(), mpm=mpm, children=3, threads=4, expected=["exit signal Killed"]) as one:
        wait_for(lambda: generation(one) > 0)
        for _ in range(3):
            before = generation(one)
            assert backends(own, LISTENER) == 1
            victim = kill_listener(one)
            wait_for(lambda pid=victim: pid not in one.children())
            wait_for(lambda n=before: generation(one) > n, 4)
            wait_for(lambda: backends(own, LISTENER) == 1)
            before = generation(one)
            own.sql("NOTIFY catalogue")
            wait_for(lambda n=before: generation(one) > n, 2)


def kill_listener(one):
    """Ends the child that has most threads: the listener's is one more than the others'."""
    threads = {pid: len(os.listdir(f"/proc/{pid}/task")) for pid in one.children()}
    victim = max(threads, key=threads.get)
    os.kill(victim, signal.SIGKILL)
    return victim


@pytest.mark.parametrize("mpm", MPMS)
def test_through_graceful_restarts_there_is_one_listener_and_no_step_back(own, mpm):
    with listening(own.conninfo(), mpm=mpm, children=2, threads=4) as one:
        wait_for(lambda: generation(one) > 0)
        for _ in range(5):
            before, old = generation(one), set(one.children())
            one.graceful()
            wait_for(lambda o=old: not o & set(one.children()), 15)
            wait_for(lambda: backends(own, LISTENER) == 1, 5)
            wait_for(lambda n=before: generation(one) > n, 5)
            before = generation(one)
            own.sql("NOTIFY catalogue")
            wait_for(lambda n=before: generation(one) > n, 2)


class Bouncer:
    """pgbouncer in transaction mode in front of a cluster."""

    def __init__(self, cluster):
        self.cluster, self.port, self.path = cluster, free_port(), scratch("bouncer")
        self.process = None

    def __enter__(self):
        (self.path / "users.txt").write_text(f'"{self.cluster.superuser}" ""\n')
        (self.path / "pgbouncer.ini").write_text(f"""
[databases]
postgres = host={self.cluster.path} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
auth_type = trust
auth_file = {self.path}/users.txt
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
unix_socket_dir =
logfile = {self.path}/log
pidfile = {self.path}/pid
""")
        for path in self.path.iterdir():
            path.chmod(0o644)
        self.process = subprocess.Popen(as_server_user(["/usr/sbin/pgbouncer", "-q", str(self.path / "pgbouncer.ini")]),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    @property
    def conninfo(self):
        return (f"host=127.0.0.1 port={self.port} dbname=postgres user={self.cluster.superuser} sslmode=disable "
                "gssencmode=disable")


def test_pgbouncer_in_transaction_mode(own):
    own.sql("DROP TABLE IF EXISTS parent, child; CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int, "
            "parent int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    with Bouncer(own) as bouncer, listening(bouncer.conninfo, f'PgPrepare Off\nPgMax 12\nPgListen "{own.conninfo()}"',
                                            mpm="event", threads=16,
                                            expected=["TRSPG10", "TRSPG01", "TRSPG15"]) as one:
        wait_for(lambda: batch(one, "sql SELECT 1").status == 200)
        with concurrent.futures.ThreadPoolExecutor(12) as executor:
            def ask(number):
                return rows(one, f"set a.b={number}", "read_only" if number % 2 else "", "sql SELECT $1::int",
                            f"param {number}", "sql SELECT current_setting('a.b')")
            got = list(executor.map(ask, range(400)))
        assert got == [[[[str(n)]], [[str(n)]]] for n in range(400)]
        assert batch(one, "sql INSERT INTO child VALUES (1, 9)").json()["error"]["constraint"] == "child_parent_fkey"
        assert batch(one, "sql SELECT 1/0").json()["error"]["sqlstate"] == "22012"
        assert batch(one, "timeout 300", "sql SELECT pg_sleep(30)").json()["outcome"] == "TIMEOUT"
        wait_for(lambda: backends(own, "query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid() "
                                       "AND state = 'active'") == 0)
        assert rows(one, "sql SELECT 1") == [[["1"]]]
        wait_for(lambda: generation(one) > 0)
        before = generation(one)
        own.sql("NOTIFY catalogue")
        wait_for(lambda: generation(one) == before + 1, 2)


def test_the_listener_gets_its_connection_from_a_full_pool(own):
    """All of PgMax is idle in children that keep it: one of them gives way."""
    with listening(own.conninfo(), "PgMax 2\nPgMin 2\nPgWait 5s", mpm="prefork", children=3) as one:
        wait_for(lambda: generation(one) > 0, 5)
        wait_for(lambda: status(one)["Listening"] == 1)
        for _ in range(10):
            assert rows(one, "sql SELECT 1") == [[["1"]]]
        assert status(one)["Listening"] == 1
