"""Quick batches that only read travel one behind the other: figures of server-status tell, answers must not."""
import concurrent.futures
import threading

import pytest

from harness.pgproxy import PgProxy
from pg_support import backends, batch, rows, server, status, wait_for

QUICK = "sql SELECT $1::int, current_setting('test.who'), current_user::text FROM pg_sleep(0.001)"


def ask(one, number, role=None):
    """One quick batch of its own values; what came of it."""
    lines = ["read_only", f"set test.who=caller {number}"] + ([f"role {role}"] if role else [])
    return batch(one, *lines, QUICK, f"param {number}")


def storm(one, clients, each, role_of=lambda number: None):
    """Many clients at once; all answers as (number, response)."""
    def client(which):
        return [(n, ask(one, n, role_of(n))) for n in range(which * each, (which + 1) * each)]

    with concurrent.futures.ThreadPoolExecutor(clients) as executor:
        return [pair for pairs in executor.map(client, range(clients)) for pair in pairs]


def learn(one):
    """The batch becomes known as quick."""
    def known():
        before = status(one)["Multiplexed"]
        rows(one, "read_only", "set test.who=caller 0", QUICK, "param 0")
        return status(one)["Multiplexed"] > before
    wait_for(known)


@pytest.fixture(name="roles")
def two_roles(postgres):
    """Two roles that the pool's own may become."""
    postgres.sql("CREATE ROLE mux_even; CREATE ROLE mux_odd")
    yield lambda number: "mux_odd" if number % 2 else "mux_even"
    postgres.sql("DROP ROLE mux_even; DROP ROLE mux_odd")


def test_each_gets_its_own_answer(postgres, roles):
    with server(postgres.conninfo(), "PgMin 0\nPgMultiplex 16", mpm="event", threads=32) as one:
        learn(one)
        before = status(one)
        for number, answer in storm(one, 24, 20, roles):
            assert answer.json()["results"] == [[[str(number), f"caller {number}", roles(number)]]]
        after = status(one)
        assert after["Multiplexed"] - before["Multiplexed"] > 100
        # What a batch set is gone with its transaction, here as on a connection of its own.
        assert rows(one, "read_only", "sql SELECT current_setting('test.who', true), current_user = session_user") in (
            [[["", "t"]]], [[[None, "t"]]])


def test_a_refused_batch_harms_none_beside_it(postgres):
    divide = "sql SELECT 1 / $1::int FROM pg_sleep(0.001)"
    with server(postgres.conninfo(), "PgMultiplex 16", mpm="event", threads=32) as one:
        wait_for(lambda: rows(one, "read_only", divide, "param 1") and status(one)["Multiplexed"])
        with concurrent.futures.ThreadPoolExecutor(24) as executor:
            answers = list(executor.map(lambda n: (n, batch(one, "read_only", divide, f"param {n % 3}")), range(300)))
        for number, answer in answers:
            if number % 3:
                assert answer.json()["results"] == [[[str(1 // (number % 3))]]]
            else:
                assert (answer.status, answer.json()["error"]["sqlstate"]) == (422, "22012")
        assert status(one)["Repeated"] == 0


def test_one_that_turns_slow_does_not_hold_up_the_others(postgres):
    """The same statement, quick until it waits for a lock: those behind it run elsewhere meanwhile."""
    wait = "sql SELECT $1::int, CASE WHEN $1::int < 0 THEN pg_advisory_xact_lock_shared(7) END FROM pg_sleep(0.001)"
    holder = postgres.connect()
    with holder.cursor() as cursor, server(postgres.conninfo(), "PgMultiplex 16", mpm="event", threads=32) as one:
        cursor.execute("SELECT pg_advisory_lock(7)")
        wait_for(lambda: rows(one, "read_only", wait, "param 1") and status(one)["Multiplexed"])
        with concurrent.futures.ThreadPoolExecutor(20) as executor:
            slow = [executor.submit(batch, one, "read_only", wait, "param -1") for _ in range(2)]
            wait_for(lambda: backends(postgres, "wait_event = 'advisory'") == 2)
            quick = executor.map(lambda n: rows(one, "read_only", wait, f"param {n}"), range(1, 200))
            assert [answer[0][0][0] for answer in quick] == [str(n) for n in range(1, 200)]
            assert not any(one_slow.done() for one_slow in slow)
            cursor.execute("SELECT pg_advisory_unlock(7)")
            assert all(one_slow.result().json()["results"][0][0][0] == "-1" for one_slow in slow)
    holder.close()


def test_a_timeout_ends_only_its_own_batch(postgres):
    wait = "sql SELECT $1::int, CASE WHEN $1::int < 0 THEN pg_advisory_xact_lock_shared(8) END FROM pg_sleep(0.001)"
    holder = postgres.connect()
    with holder.cursor() as cursor, server(postgres.conninfo(), "PgMultiplex 16", mpm="event", threads=32,
                                           expected=["TRSPG15"]) as one:
        cursor.execute("SELECT pg_advisory_lock(8)")
        wait_for(lambda: rows(one, "read_only", wait, "param 1") and status(one)["Multiplexed"])
        with concurrent.futures.ThreadPoolExecutor(20) as executor:
            answers = list(executor.map(lambda n: (n, batch(one, "read_only", "timeout 300", wait, f"param {n}")),
                                        [-1] + list(range(1, 100))))
        for number, answer in answers:
            if number < 0:
                assert (answer.status, answer.json()["outcome"]) == (503, "TIMEOUT")
            else:
                assert answer.json()["results"][0][0][0] == str(number)
        wait_for(lambda: backends(postgres, "wait_event = 'advisory'") == 0)
    holder.close()


def test_a_broken_connection_is_noticed_by_nobody(postgres):
    """Batches that only read are repeated, the first on a lane and those behind it."""
    with PgProxy(postgres) as proxy, server(proxy.conninfo(), "PgMultiplex 16", mpm="event", threads=32) as one:
        learn(one)
        end = threading.Event()

        def cut():
            while not end.wait(0.05):
                proxy.cut_answers = 1
        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            answers = storm(one, 16, 40)
        finally:
            end.set()
            cutter.join()
        proxy.cut_answers = 0
        assert status(one)["Lost"] > 0
        right = [answer for number, answer in answers if answer.status == 200
                 and answer.json()["results"][0][0][:2] == [str(number), f"caller {number}"]]
        unavailable = [answer for _, answer in answers if answer.json()["outcome"] == "UNAVAILABLE"]
        assert len(right) + len(unavailable) == len(answers) and len(right) > len(answers) * 0.9


def test_plans_that_the_server_no_longer_has(postgres):
    """A column is added while the table is read: each answer is of the table before or after."""
    postgres.sql("DROP TABLE IF EXISTS growing; CREATE TABLE growing AS SELECT 1 AS a")
    read = "sql SELECT g.* FROM growing AS g, pg_sleep(0.001) AS s"
    with server(postgres.conninfo(), "PgMultiplex 16", mpm="event", threads=32) as one:
        wait_for(lambda: rows(one, "read_only", read) and status(one)["Multiplexed"])
        with concurrent.futures.ThreadPoolExecutor(17) as executor:
            readers = [executor.submit(rows, one, "read_only", read) for _ in range(400)]
            for column in "bcd":
                executor.submit(postgres.sql, f"ALTER TABLE growing ADD COLUMN {column} int DEFAULT 2").result()
            seen = {len(reader.result()[0][0]) for reader in readers}
        assert seen <= {1, 2, 3, 4} and len(rows(one, "read_only", read)[0][0]) == 4
        assert status(one)["Unavailable"] == 0


def test_what_has_held_up_others_travels_alone(postgres):
    """The same text, whose values make it slow: it is found out at once, and trusted again after some quick runs."""
    sleep = "sql SELECT pg_sleep($1::float8)"
    with server(postgres.conninfo(), "", mpm="event") as one:
        wait_for(lambda: rows(one, "read_only", sleep, "param 0.0001") and status(one)["Multiplexed"])
        before = status(one)["Multiplexed"]
        for _ in range(10):
            rows(one, "read_only", sleep, "param 0.03")
        assert status(one)["Multiplexed"] - before <= 1
        wait_for(lambda: rows(one, "read_only", sleep, "param 0.0001") and status(one)["Multiplexed"] > before + 1)


def test_a_client_that_goes_leaves_the_lane_as_it_is(postgres):
    wait = "sql SELECT $1::int, CASE WHEN $1::int < 0 THEN pg_sleep(0.045) END FROM pg_sleep(0.0005)"
    with server(postgres.conninfo(), "PgMultiplex 16\nPgMin 4\nPgKeep 8", mpm="event", threads=32) as one:
        wait_for(lambda: rows(one, "read_only", wait, "param 1") and status(one)["Multiplexed"])
        body = "\n".join(["read_only", wait, "param -1"]).encode()
        gone = one.raw_connect()
        gone.sendall(b"POST /q HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wait_for(lambda: backends(postgres, "wait_event = 'PgSleep'"))
        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            behind = executor.map(lambda n: rows(one, "read_only", wait, f"param {n}"), range(1, 40))
            gone.close()
            assert [answer[0][0][0] for answer in behind] == [str(n) for n in range(1, 40)]


def test_writes_and_slow_batches_travel_alone(postgres):
    postgres.sql("DROP TABLE IF EXISTS alone; CREATE TABLE alone (id int)")
    with server(postgres.conninfo(), "", mpm="event") as one:
        for number in range(5):
            rows(one, "sql INSERT INTO alone VALUES ($1::int)", f"param {number}")
            rows(one, "read_only", "sql SELECT pg_sleep(0.02)")
        assert status(one)["Multiplexed"] == 0


@pytest.mark.parametrize("mpm, directive", [("event", "PgMultiplex 1"), ("prefork", "PgMultiplex 8"),
                                            ("event", "PgPrepare Off")])
def test_where_nothing_is_multiplexed(postgres, mpm, directive):
    with server(postgres.conninfo(), directive, mpm=mpm) as one:
        for number in range(5):
            assert ask(one, number).status == 200
        assert status(one)["Multiplexed"] == 0


def test_one_connection_for_all_children(postgres):
    """A child that always has flights on its lane lets the only connection go when another waits for it."""
    with server(postgres.conninfo(), "PgMax 1\nPgMin 0\nPgWait 20s", mpm="event", children=2, threads=16) as one:
        learn(one)
        answers = storm(one, 12, 25)
        assert all(answer.status == 200 for _, answer in answers)
        assert len({answer.json()["pid"] for _, answer in answers}) == 2
