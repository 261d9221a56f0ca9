"""mod_pg: what a batch does, and what it leaves behind."""
import socket
import subprocess

import pytest

from harness.pgproxy import PgProxy
from pg_support import backends, batch, rows, server, status, timed, wait_for


@pytest.fixture(scope="module")
def database(postgres):
    postgres.sql("""
        DROP SCHEMA IF EXISTS batch CASCADE;
        CREATE SCHEMA batch;
        DO $$ BEGIN CREATE ROLE batch_user; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        CREATE TABLE batch.parent (id int PRIMARY KEY, name text NOT NULL CHECK (name <> ''));
        CREATE TABLE batch.child (id int PRIMARY KEY,
                                  parent int REFERENCES batch.parent DEFERRABLE INITIALLY DEFERRED);
        CREATE FUNCTION batch.refuse() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION USING ERRCODE = 'PT404', MESSAGE = 'NOT_FOUND', DETAIL = 'd', HINT = 'h', SCHEMA = 's',
                                  TABLE = 't', COLUMN = 'c', DATATYPE = 'y', CONSTRAINT = 'n';
        END $$;
        GRANT USAGE ON SCHEMA batch TO batch_user;
        GRANT ALL ON ALL TABLES IN SCHEMA batch TO batch_user;
    """)
    return postgres


@pytest.fixture(scope="module")
def one(database):
    with server(database.conninfo(), expected=["TRSPG10", "TRSPG13", "TRSPG15"]) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(database):
    database.sql("TRUNCATE batch.parent CASCADE")


def test_role_and_settings_hold_for_the_transaction_only(one):
    first = rows(one, "role batch_user", 'set request.jwt.claims={"sub":"7"}', "set request.method=GET",
                 "sql SELECT current_user, current_setting('request.jwt.claims'), current_setting('request.method')")
    assert first == [[["batch_user", '{"sub":"7"}', "GET"]]]
    for _ in range(5):
        after = rows(one, "sql SELECT current_user = session_user, current_setting('request.jwt.claims', true)")
        assert after in ([[["t", ""]]], [[["t", None]]])


def test_parameters_of_every_kind(one):
    got = rows(one, "sql SELECT $1::text, $2::int IS NULL, $3::int4, $4::text",
               "param héllo '; DROP", "null", "binary 0000002a", "param 한국어")
    assert got == [[["héllo '; DROP", "t", "42", "한국어"]]]


def test_statements_of_a_batch_are_one_transaction(one, database):
    answer = batch(one, "sql INSERT INTO batch.parent VALUES (1, 'a')", "sql INSERT INTO batch.parent VALUES (2, '')",
                   "sql INSERT INTO batch.parent VALUES (3, 'c')")
    error = answer.json()["error"]
    assert (error["statement"], error["sqlstate"], error["schema"], error["table"], error["constraint"]) == \
        (1, "23514", "batch", "parent", "parent_name_check")
    assert database.sql("SELECT count(*) FROM batch.parent") == [(0,)]
    assert batch(one, "sql INSERT INTO batch.parent VALUES (1, 'a')",
                 "sql SELECT count(*) FROM batch.parent").json()["results"] == [[], [["1"]]]


def test_what_only_the_commit_refuses_is_not_success(one, database):
    answer = batch(one, "role batch_user", "sql INSERT INTO batch.child VALUES (1, 99) RETURNING id")
    error = answer.json()["error"]
    assert answer.json()["outcome"] == "REFUSED" and "results" not in answer.json()
    assert (error["statement"], error["sqlstate"], error["constraint"]) == (1, "23503", "child_parent_fkey")
    assert database.sql("SELECT count(*) FROM batch.child") == [(0,)]
    assert rows(one, "sql SELECT 1") == [[["1"]]]


def test_read_only(one, database):
    answer = batch(one, "read_only", "sql INSERT INTO batch.parent VALUES (1, 'a')").json()
    assert answer["error"]["sqlstate"] == "25006"
    assert rows(one, "sql INSERT INTO batch.parent VALUES (1, 'a')") == [[]]


def test_all_diagnostic_fields(one):
    error = batch(one, "sql SELECT batch.refuse()").json()["error"]
    assert [error[k] for k in ("sqlstate", "message", "detail", "hint", "schema", "table", "column", "datatype",
                               "constraint")] == ["PT404", "NOT_FOUND", "d", "h", "s", "t", "c", "y", "n"]
    assert "batch.refuse()" in error["context"]


def test_an_unknown_role_is_refused_before_any_statement(one):
    error = batch(one, "role nobody_such", "sql SELECT 1").json()["error"]
    assert error["statement"] == -1 and error["sqlstate"] == "22023"


@pytest.mark.parametrize("sql", ["COMMIT", "begin", "/* x /* y */ */ ROLLBACK", "-- x", "  (COPY batch.parent TO STDOUT)",
                                 "COPY batch.parent FROM STDIN", "SAVEPOINT a", "PREPARE TRANSACTION 'x'", "End",
                                 "DO $$ BEGIN COMMIT; END $$", "call batch.refuse()"])
def test_statements_that_would_end_the_transaction_are_not_sent(one, sql):
    answer = batch(one, "role batch_user", f"sql {sql}", "sql SELECT current_user").json()
    if sql == "-- x":
        assert answer["results"][1] == [["batch_user"]]
    else:
        assert answer["outcome"] == "REFUSED" and answer["error"]["sqlstate"] == "0A000"


@pytest.mark.parametrize("lines", [
    ["sql SELECT 1; SELECT 2"],
    ["sql SELECT $1::int"],
    ["sql " + "SELECT 1/0"],
    ["sql SELEC"],
    ["sql LISTEN x", "sql SELECT nonsense"],
])
def test_a_refused_statement_leaves_a_usable_connection(one, lines):
    assert batch(one, *lines).json()["outcome"] == "REFUSED"
    assert rows(one, "role batch_user", "sql SELECT current_user") == [[["batch_user"]]]


@pytest.mark.parametrize("statements", [0, 17])
def test_number_of_statements(one, statements):
    answer = batch(one, *["sql SELECT 1"] * statements).json()
    assert answer["outcome"] == "REFUSED" and answer["error"]["sqlstate"] == "0A000"


def test_sixteen_statements_and_sixty_settings(one):
    lines = [f"set x.y{i}={i}" for i in range(60)] + [f"sql SELECT current_setting('x.y{i}')" for i in range(16)]
    assert rows(one, "role batch_user", "read_only", *lines) == [[[str(i)]] for i in range(16)]


def test_nothing_of_a_session_reaches_the_next_user(one):
    rows(one, "sql SELECT set_config('x.left', 'secret', false), set_config('search_path', 'batch', false), "
         "set_config('role', 'batch_user', false), pg_advisory_lock(4711)")
    for _ in range(20):
        got = rows(one, "sql SELECT coalesce(current_setting('x.left', true), ''), current_setting('search_path'), "
                   "current_user = session_user", "sql SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert got == [[["", '"$user", public', "t"]], [["0"]]]


def test_large_parameters_and_answers_pass_without_deadlock(one):
    text = "x" * (8 << 20)
    with timed(most=20):
        got = rows(one, "sql SELECT length($1)", f"param {text}", "sql SELECT repeat('y', 4000000)",
                   "sql SELECT length($1), repeat('z', 4000000)", f"param {text}")
    assert got[0] == [[str(8 << 20)]] and len(got[1][0][0]) == 4000000 and got[2][0][0] == str(8 << 20)


def test_one_batch_is_one_round_trip(database):
    with PgProxy(database) as proxy, server(proxy.conninfo(), "PgMin 0", mpm="event") as one:
        lines = ["role batch_user", "set a.b=c", "set a.c=d", "read_only", "sql SELECT $1::int", "param 1",
                 "sql SELECT count(*) FROM batch.parent", "sql SELECT 3"]
        for _ in range(3):
            rows(one, *lines)
        rows(one, "repeat 50", *lines)
        assert proxy.flights == [1] * 53 and proxy.connections == 1


def test_prepared_statements_are_bounded_and_reused(database):
    with server(database.conninfo(), "PgMin 0\nPgPrepareMax 32", mpm="event", threads=1) as one:
        for number in range(100):
            rows(one, f"sql SELECT {number}", "sql SELECT name FROM batch.parent", "sql SELECT $1::int", "param 5")
        names = rows(one, "sql SELECT count(*), count(*) FILTER (WHERE statement = 'SELECT name FROM batch.parent') "
                     "FROM pg_prepared_statements")
        assert names == [[["32", "1"]]]
        assert status(one)["Refused"] == 0 and status(one)["Repeated"] == 0


def test_a_migration_is_live_at_once(one, database):
    database.sql("DROP TABLE IF EXISTS batch.moving; CREATE TABLE batch.moving (a int); "
                 "INSERT INTO batch.moving VALUES (1)")
    select = "sql SELECT * FROM batch.moving"
    for _ in range(10):
        assert rows(one, select) == [[["1"]]]
    database.sql("ALTER TABLE batch.moving ADD COLUMN b text DEFAULT 'x'")
    for _ in range(20):
        assert rows(one, select) == [[["1", "x"]]]
    database.sql("ALTER TABLE batch.moving ALTER COLUMN a TYPE text USING 'changed'")
    for _ in range(20):
        assert rows(one, select) == [[["changed", "x"]]]


def test_statements_that_someone_deallocated_are_prepared_anew(one):
    for _ in range(10):
        rows(one, "sql SELECT 4711")
        rows(one, "sql DEALLOCATE ALL")
        assert rows(one, "sql SELECT 4711") == [[["4711"]]]


def test_a_batch_ends_at_its_timeout(one, database):
    with timed(least=0.3, most=1.5):
        answer = batch(one, "timeout 300", "sql INSERT INTO batch.parent VALUES (1, 'a')", "sql SELECT pg_sleep(60)")
    assert answer.status == 503 and answer.headers["retry-after"] == "1"
    wait_for(lambda: backends(database, "query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()") == 0)
    assert database.sql("SELECT count(*) FROM batch.parent") == [(0,)]
    assert rows(one, "sql SELECT 1") == [[["1"]]]


def test_a_longer_timeout_of_the_batch_counts(database):
    with server(database.conninfo(), "PgTimeout 100ms") as one:
        rows(one, "timeout 3000", "sql SELECT pg_sleep(0.5)")
        assert rows(one, "timeout 20000", "sql SHOW statement_timeout") == [[["25s"]]]
        assert rows(one, "sql SHOW statement_timeout") == [[["5100ms"]]]


def test_a_query_is_cancelled_when_its_client_has_gone(one, database):
    before = status(one)["ClientsGone"]
    body = b"sql SELECT pg_sleep(61)"
    with socket.create_connection(("127.0.0.1", one.port)) as client:
        client.sendall(b"POST /q HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        asleep = "query LIKE '%pg_sleep(61)%' AND pid <> pg_backend_pid() AND state = 'active'"
        wait_for(lambda: backends(database, asleep) == 1)
    with timed(most=2):
        wait_for(lambda: backends(database, asleep) == 0)
    wait_for(lambda: status(one)["ClientsGone"] == before + 1)
    assert rows(one, "sql SELECT 1") == [[["1"]]]


def test_a_query_is_cancelled_when_its_http2_client_has_gone(database):
    asleep = "query LIKE '%pg_sleep(64)%' AND pid <> pg_backend_pid() AND state = 'active'"
    with server(database.conninfo(), "", "Protocols h2c http/1.1\n", mpm="event", modules=("http2",)) as one:
        url = f"http://127.0.0.1:{one.port}/q"
        with subprocess.Popen(["curl", "-s", "--http2-prior-knowledge", "-d", "sql SELECT pg_sleep(64)", url]) as client:
            wait_for(lambda: backends(database, asleep) == 1)
            client.kill()
            with timed(most=1):
                wait_for(lambda: backends(database, asleep) == 0)
        wait_for(lambda: status(one)["ClientsGone"] == 1)
        answer = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-d", "sql SELECT pg_sleep(0.7), 5", url],
                                capture_output=True, text=True, check=True).stdout
        assert '"results":[[["","5"]]]' in answer


def test_a_query_is_cancelled_when_its_http2_stream_is_reset(database):
    """The connection goes on: another stream of it is answered."""
    asleep = "query LIKE '%pg_sleep(65)%' AND pid <> pg_backend_pid() AND state = 'active'"
    with server(database.conninfo(), "", "Protocols h2c http/1.1\n", mpm="event", modules=("http2",)) as one:
        with one.raw_connect() as client:
            client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + http2_post(1, b"sql SELECT pg_sleep(65)"))
            wait_for(lambda: backends(database, asleep) == 1)
            client.sendall(frame(3, 0, 1, (8).to_bytes(4, "big")))
            with timed(most=1):
                wait_for(lambda: backends(database, asleep) == 0)
            client.sendall(http2_post(3, b"sql SELECT 'alive'"))
            seen = b""
            while b'"alive"' not in seen:
                data = client.recv(65536)
                assert data, "the connection ended"
                seen += data
        wait_for(lambda: status(one)["ClientsGone"] == 1)


def frame(kind, flags, stream, payload=b""):
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def http2_post(stream, body):
    """A POST of /q: static table entries :method POST and :scheme http, literals for :path and :authority."""
    headers = b"\x83\x86\x04\x02/q\x01\x01x"
    return frame(1, 4, stream, headers) + frame(0, 1, stream, body)
