"""mod_pg: the pool under many clients, over several children, through restarts."""
import concurrent.futures
import http.client
import os
import signal
import threading
import time

import pytest

from harness import BUILD
from pg_support import backends, batch, pool, rows, server, status, timed, wait_for

MPMS = ["event", "worker", "prefork"]
MINE = "application_name = 'trestle'"


def together(one, count, *lines, path="/q"):
    """So many requests at once: (status, seconds, body) of each."""
    def ask(_):
        began = time.monotonic()
        answer = batch(one, *lines, path=path)
        return answer.status, time.monotonic() - began, answer
    with concurrent.futures.ThreadPoolExecutor(count) as executor:
        return list(executor.map(ask, range(count)))


class Peak:
    """The highest number of connections that the server ever showed, while the block runs."""

    def __init__(self, cluster):
        self.cluster, self.peak, self.end = cluster, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        connection = self.cluster.connect()
        with connection.cursor() as cursor:
            while not self.end.wait(0.002):
                cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {MINE}")
                self.peak = max(self.peak, cursor.fetchone()[0])
        connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()


@pytest.mark.parametrize("mpm", ["event", "worker"])
def test_64_threads_on_8_connections(postgres, mpm):
    with server(postgres.conninfo(), "PgMax 8\nPgWait 10s", mpm=mpm, threads=64) as one, Peak(postgres) as seen:
        with timed(least=0.75, most=3):
            answers = together(one, 64, "sql SELECT pg_sleep(0.1)")
        assert {a[0] for a in answers} == {200} and 1 < seen.peak <= 8
        figures = status(one)
        assert figures["Waited"] >= 56 and figures["WaitMilliseconds"] > 56 * 100 and figures["Waiting"] == 0


def test_nobody_waits_longer_than_pgwait(postgres):
    with server(postgres.conninfo(), "PgMax 8\nPgWait 400ms", mpm="event", threads=64, expected=["TRSPG12"]) as one:
        answers = together(one, 64, "sql SELECT pg_sleep(0.3)")
        served = [a for a in answers if a[0] == 200]
        late = [a for a in answers if a[0] == 503]
        assert len(served) + len(late) == 64 and len(served) >= 8 and len(late) >= 32
        assert all(0.35 < seconds < 1.5 for _, seconds, _ in late)
        assert all(answer.headers["retry-after"] == "1" for _, _, answer in late)
        assert status(one)["Unavailable"] == len(late)


def test_those_who_wait_are_served_in_order(postgres):
    with server(postgres.conninfo(), "PgMax 1\nPgWait 20s", mpm="event", threads=64) as one:
        rows(one, "sql CREATE TABLE IF NOT EXISTS arrivals (n int, served serial)", "sql TRUNCATE arrivals")
        with concurrent.futures.ThreadPoolExecutor(40) as executor:
            holder = executor.submit(batch, one, "sql SELECT pg_sleep(2)")
            wait_for(lambda: status(one)["Busy"] == 1)
            asked = []
            for number in range(30):
                asked.append(executor.submit(batch, one, "sql INSERT INTO arrivals VALUES ($1)", f"param {number}"))
                wait_for(lambda n=number: status(one)["Waiting"] == n + 1, step=0.002)
            assert holder.result().status == 200 and {a.result().status for a in asked} == {200}
        order = [n for n, in postgres.sql("SELECT n FROM arrivals ORDER BY served")]
        assert order == list(range(30))
        postgres.sql("DROP TABLE arrivals")


@pytest.mark.parametrize("mpm", MPMS)
def test_all_children_together_never_exceed_the_maximum(postgres, mpm):
    children = 12 if mpm == "prefork" else 4
    with server(postgres.conninfo(), "PgMax 5\nPgMin 2\nPgWait 20s", mpm=mpm, children=children, threads=8) as one:
        wait_for(lambda: len(one.children()) >= children)
        with Peak(postgres) as seen:
            for _ in range(4):
                answers = together(one, 32, "sql SELECT pg_sleep(0.02)")
                assert {a[0] for a in answers} == {200}
        assert 2 <= seen.peak <= 5
        assert len({a[2].json()["pid"] for a in answers}) > 1


def test_a_child_without_connections_gets_its_share(postgres):
    """The first child's idle connections fill the maximum; a request in another child takes one of them."""
    with server(postgres.conninfo(), "PgMax 4\nPgMin 4\nPgWait 5s", mpm="prefork", children=6) as one:
        wait_for(lambda: status(one)["Open"] == 4)
        pids = set()
        with timed(most=10):
            while len(pids) < 6:
                pids |= {a[2].json()["pid"] for a in together(one, 6, "sql SELECT pg_sleep(0.05)")}


def test_pgmin_is_open_in_advance_and_idle_ones_expire(postgres):
    with server(postgres.conninfo(), "PgMin 2\nPgKeep 3\nPgMax 10\nPgExptime 4s", mpm="event", threads=16) as one:
        wait_for(lambda: backends(postgres) == 2)
        together(one, 8, "sql SELECT pg_sleep(0.5)")
        assert backends(postgres) > 3
        wait_for(lambda: backends(postgres) == 3)
        wait_for(lambda: backends(postgres) == 2)
        time.sleep(1.2)
        assert backends(postgres) == 2


@pytest.mark.parametrize("mpm", MPMS)
def test_graceful_restarts_under_load(postgres, mpm):
    with server(postgres.conninfo(), "PgMax 8\nPgMin 1\nPgWait 15s", mpm=mpm, children=4 if mpm == "prefork" else 2,
                threads=8) as one:
        failures, answered_by, end = [], [0], threading.Event()

        def ask():
            while not end.is_set():
                try:
                    answer = batch(one, "sql SELECT pg_sleep(0.005)")
                    if answer.status == 200:
                        answered_by.append(answer.json()["pid"])
                    else:
                        failures.append(answer.status)
                except (OSError, http.client.HTTPException) as error:
                    failures.append(repr(error))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        with Peak(postgres) as seen:
            for thread in threads:
                thread.start()
            wait_for(lambda: len(answered_by) > 10)
            before = set(one.children())
            for _ in range(20):
                previous = set(answered_by)
                one.graceful()
                wait_for(lambda old=previous: answered_by[-1] not in old, 20)
            end.set()
            for thread in threads:
                thread.join()
        assert not failures and len(set(answered_by)) > 20
        assert 0 < seen.peak <= 8
        wait_for(lambda: not before & set(one.children()), 20)
        wait_for(lambda: backends(postgres) == status(one)["Open"] <= 8, 20)
        assert rows(one, "sql SELECT 1") == [[["1"]]]
    wait_for(lambda: backends(postgres) == 0)


def test_idle_connections_of_old_children_close_at_once(postgres):
    with server(postgres.conninfo(), "PgMax 8\nPgMin 2", mpm="event", threads=8) as one:
        wait_for(lambda: backends(postgres) == 2)
        old = {pid for pid, in postgres.sql(f"SELECT pid FROM pg_stat_activity WHERE {MINE}")}
        slow = threading.Thread(target=batch, args=(one, "sql SELECT pg_sleep(3)"))
        slow.start()
        wait_for(lambda: status(one)["Busy"] == 1)
        one.graceful()
        names = ",".join(map(str, old))
        wait_for(lambda: backends(postgres, f"pid IN ({names})") == 1, 2)
        slow.join()
        wait_for(lambda: backends(postgres, f"pid IN ({names})") == 0, 2)


@pytest.mark.parametrize("mpm", MPMS)
def test_a_child_that_stops_cancels_its_queries(postgres, mpm):
    asleep = "query LIKE '%pg_sleep(62)%' AND pid <> pg_backend_pid() AND state = 'active'"
    with server(postgres.conninfo(), mpm=mpm) as one:
        answers = []

        def ask():
            try:
                answers.append(batch(one, "sql SELECT pg_sleep(62)").status)
            except (OSError, http.client.HTTPException):
                answers.append("closed")

        thread = threading.Thread(target=ask)
        thread.start()
        wait_for(lambda: backends(postgres, asleep) == 1)
        with timed(most=5):
            one.stop()
            thread.join()
            wait_for(lambda: backends(postgres, asleep) == 0)
        assert answers in (["closed"], [503])
    assert backends(postgres) == 0


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_slots_of_a_killed_child_are_taken_back(postgres, mpm):
    with server(postgres.conninfo(), "PgMax 2\nPgMin 1", mpm=mpm, children=2, threads=4,
                expected=["exit signal Killed"]) as one:
        for _ in range(4):
            batch(one, "sql SELECT 1")
            for pid in one.children():
                os.kill(pid, signal.SIGKILL)
            wait_for(lambda: backends(postgres, f"{MINE} AND state = 'idle'") >= 0)
            assert rows(one, "sql SELECT 1", timeout=10) == [[["1"]]]
        wait_for(lambda: status(one)["Open"] <= 2)


def test_virtual_hosts(postgres):
    """A virtual host's pool hides the server's; those that name the server's pool share it."""
    postgres.sql("DROP DATABASE IF EXISTS pg_other")
    postgres.sql("CREATE DATABASE pg_other")
    own = pool(postgres.conninfo("pg_other"), "PgMin 0")
    hosts = "".join(f"<VirtualHost *>\nServerName {name}.test\n{more}</VirtualHost>\n"
                    for name, more in (("main", ""), ("one", ""), ("two", ""), ("own", own + "PgUse app\n")))
    with server(postgres.conninfo(), "PgMin 0", hosts, mpm="event") as one:
        def ask(host):
            answer = batch(one, "sql SELECT current_database(), pg_backend_pid()", headers={"Host": f"{host}.test"})
            return answer.json()["results"][0][0]
        assert ask("one")[0] == "postgres" and ask("own")[0] == "pg_other"
        assert ask("one")[1] == ask("two")[1] != ask("own")[1]
    wait_for(lambda: backends(postgres, "datname = 'pg_other'") == 0)
    postgres.sql("DROP DATABASE pg_other")


@pytest.mark.skipif(BUILD == "asan", reason="AddressSanitizer keeps freed memory")
def test_memory_of_a_child_stays_flat(postgres):
    with server(postgres.conninfo(), "PgMax 4\nPgPrepareMax 32", mpm="event", threads=8, expected=["TRSPG10"]) as one:
        child = wait_for(one.children)[0]

        def resident():
            with open(f"/proc/{child}/status", encoding="ascii") as f:
                return int(next(line for line in f if line.startswith("VmRSS")).split()[1])

        def load(number):
            connection = http.client.HTTPConnection("127.0.0.1", one.port)
            for n in range(number):
                body = f"repeat 4\nrole {one_role}\nset a.b={'x' * 500}\nsql SELECT {n % 50}, $1\nparam {n}\n"
                connection.request("POST", "/q", body + ("sql SELECT 1/0" if n % 10 == 0 else ""))
                connection.getresponse().read()
            connection.close()

        one_role = postgres.superuser
        load(2000)
        before = resident()
        with concurrent.futures.ThreadPoolExecutor(4) as executor:
            list(executor.map(load, [1250] * 4))
        assert one.children()[0] == child
        assert resident() - before < 6000, (before, resident())
