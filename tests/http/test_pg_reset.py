"""mod_pg: what a batch did to its session is undone behind it, in the same flight."""
import threading

import pytest

from harness.pgproxy import PgProxy
from pg_support import batch, rows, server, status, timed, wait_for

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


class BetweenSyncs(PgProxy):
    """Passes whole messages on, and calls `after` once behind the next ReadyForQuery."""

    after = None

    def _down(self, upstream, client, state):
        pending = b""
        try:
            while data := upstream.recv(65536):
                pending += data
                while len(pending) >= 5 and len(pending) > (length := int.from_bytes(pending[1:5], "big")):
                    message, pending = pending[:length + 1], pending[length + 1:]
                    after = self.after if message[:1] == b"Z" else None
                    client.sendall(message)
                    if after:
                        self.after = None
                        after()
        except OSError:
            pass
        self._close(client, upstream)
        client.close()
        upstream.close()


@pytest.fixture(scope="module")
def database(postgres):
    postgres.sql("DROP TABLE IF EXISTS reset_row; CREATE TABLE reset_row (id int)")
    yield postgres
    postgres.sql("DROP TABLE reset_row")


@pytest.fixture(scope="module")
def one(database):
    """One connection, used by all tests."""
    with server(database.conninfo(), "PgMax 1\nPgMin 0", mpm="event", expected=["TRSPG10", "TRSPG15"]) as running:
        yield running


@pytest.mark.parametrize("last", ["SELECT 1", "SELECT 1/0", "SELECT nonsense"])
def test_no_lock_of_the_session_stays_on_an_idle_connection(one, database, last):
    for _ in range(3):
        batch(one, "sql SELECT pg_advisory_lock(4711)", f"sql {last}")
        wait_for(lambda: database.sql(LOCKS) == [(0,)])


def test_the_next_batch_finds_a_fresh_session(one):
    """Looked at by a batch that only reads, which resets nothing itself."""
    rows(one, "sql CREATE SEQUENCE IF NOT EXISTS reset_numbers")
    look = ("sql SELECT coalesce(current_setting('x.left', true), ''), current_setting('search_path'), "
            "current_setting('role'), current_user = session_user, pg_backend_pid(), "
            "(SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_cursors WHERE is_holdable)")
    before = rows(one, "read_only", look)
    for _ in range(3):
        rows(one, "sql SELECT set_config('x.left', 'secret', false), set_config('search_path', 'nowhere', false), "
             "nextval('public.reset_numbers')", "sql LISTEN channel_left", "sql SELECT pg_advisory_lock(1)",
             "sql DECLARE held CURSOR WITH HOLD FOR SELECT 1", "sql SELECT set_config('role', 'pg_monitor', false)")
        assert rows(one, "read_only", look) == before
        assert before[0][0][:4] == ["", '"$user", public', "none", "t"] and before[0][0][5:] == ["0", "0"]
        assert batch(one, "read_only", "sql SELECT lastval()").json()["error"]["sqlstate"] == "55000"
    rows(one, "sql DROP SEQUENCE reset_numbers")


@pytest.mark.parametrize("directives,first,flights", [
    ("", (), [1, 0]),
    ("", ("read_only",), [1]),
    ("PgReset Off", (), [1]),
    ("PgPrepare Off", (), [1]),
])
def test_the_reset_costs_no_round_trip(database, directives, first, flights):
    """Answers are held back, so that a reset sent only after the answer would count as a second flight."""
    with PgProxy(database) as proxy, server(proxy.conninfo(), f"PgMin 0\n{directives}", mpm="event") as one:
        proxy.delay = 0.03
        for _ in range(3):
            rows(one, *first, "set a.b=c", "sql SELECT $1::int", "param 1", "sql SELECT 2")
        wait_for(lambda: len(proxy.flights) == len(flights) * 3)
        assert proxy.flights == flights * 3 and proxy.connections == 1


def test_a_connection_whose_reset_failed_is_closed_and_the_batch_stands(one, database):
    """The reset's statements are prepared ones, which this batch forgets behind our back."""
    rows(one, "sql TRUNCATE reset_row")
    before = status(one)
    pids = [rows(one, f"sql INSERT INTO reset_row VALUES ({n}) RETURNING pg_backend_pid()", "sql DEALLOCATE ALL")[0][0][0]
            for n in range(4)]
    assert database.sql("SELECT count(*) FROM reset_row") == [(4,)]
    assert len(set(pids)) > 1
    after = status(one)
    assert (after["Refused"], after["Unavailable"]) == (before["Refused"], before["Unavailable"])


def test_a_batch_whose_statements_and_reset_are_unknown_runs_all_the_same(one, database):
    insert = "sql INSERT INTO reset_row VALUES (1)"
    rows(one, insert)
    for _ in range(3):
        rows(one, "sql TRUNCATE reset_row")
        rows(one, "read_only", "sql DEALLOCATE ALL")
        rows(one, insert)
        assert database.sql("SELECT count(*) FROM reset_row") == [(1,)]


def test_a_connection_that_breaks_during_the_reset_costs_no_request(database):
    with BetweenSyncs(database) as proxy, server(proxy.conninfo(), "PgMin 0", mpm="event") as one:
        rows(one, "sql TRUNCATE reset_row")
        rows(one, "read_only", "sql SELECT 1")  # the reset behind the first has been answered
        proxy.after = proxy.cut
        assert rows(one, "sql INSERT INTO reset_row VALUES (7) RETURNING id") == [[["7"]]]
        assert rows(one, "sql SELECT id FROM reset_row") == [[["7"]]]
        assert proxy.connections == 2 and status(one)["Unavailable"] == 0


def test_a_reset_that_hangs_delays_no_answer_and_the_next_request_but_a_second(database):
    going = threading.Event()
    with BetweenSyncs(database) as proxy, server(proxy.conninfo(), "PgMin 0\nPgMax 2", "LogLevel pg:info\n", mpm="event") as one:
        rows(one, "sql TRUNCATE reset_row")
        rows(one, "read_only", "sql SELECT 1")  # the reset behind the first has been answered
        proxy.after = lambda: going.wait(20)
        with timed(most=0.5):
            assert rows(one, "sql INSERT INTO reset_row VALUES (8) RETURNING id") == [[["8"]]]
        with timed(least=0.2, most=1.8):
            assert rows(one, "sql SELECT id FROM reset_row") == [[["8"]]]
        assert "TRSPG16" in one.log()
        wait_for(lambda: status(one)["Closing"] == 0, 5)
        assert status(one)["Timeouts"] == 0
        going.set()


def test_a_batch_cancelled_at_its_timeout_leaves_no_lock(one, database):
    assert batch(one, "timeout 200", "sql SELECT pg_advisory_lock(4712)", "sql SELECT pg_sleep(60)").status == 503
    wait_for(lambda: database.sql(LOCKS) == [(0,)])
    assert rows(one, "sql SELECT 1") == [[["1"]]]
