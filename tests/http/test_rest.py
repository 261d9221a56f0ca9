"""mod_rest: routes, functions, tables, refusals, and the catalogue that follows the schema."""
import concurrent.futures
import http.client
import itertools
import json
import re
import threading

import pytest

from harness import Httpd
from harness.pgproxy import PgProxy
from pg_support import pool, wait_for, workers

SCHEMA = """
DROP SCHEMA IF EXISTS api, rest_private CASCADE;
CREATE SCHEMA api;
CREATE SCHEMA rest_private;
CREATE TABLE api.item (id bigint PRIMARY KEY, name text NOT NULL, price numeric(8,2), tags text[],
                       made timestamptz DEFAULT '2025-01-02 03:04:05+00', extra jsonb);
INSERT INTO api.item (id, name, price) SELECT n, 'item ' || n, n * 1.5 FROM generate_series(1, 45) n;
CREATE TABLE api.note (owner text, id int, body text, PRIMARY KEY (owner, id));
INSERT INTO api.note VALUES ('rest_one', 1, 'mine'), ('rest_two', 2, 'theirs');
ALTER TABLE api.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON api.note USING (owner = current_user);
CREATE TABLE api.hidden (id int PRIMARY KEY);
CREATE TABLE rest_private.secret (id int PRIMARY KEY, word text UNIQUE, size smallint NOT NULL CHECK (size > 0));
INSERT INTO rest_private.secret VALUES (1, 'hush', 1);
CREATE VIEW api.cheap AS SELECT id, name FROM api.item WHERE price < 10;
CREATE FUNCTION api.echo(id bigint, text text DEFAULT 'none', flag boolean DEFAULT NULL, list int[] DEFAULT NULL,
                         extra jsonb DEFAULT NULL, amount numeric DEFAULT NULL, day date DEFAULT NULL)
  RETURNS json STABLE LANGUAGE sql
  AS $$ SELECT json_build_object('id', id, 'text', text, 'flag', flag, 'list', list, 'extra', extra, 'amount', amount,
                                 'day', day) $$;
CREATE FUNCTION api.facts() RETURNS json STABLE LANGUAGE sql
  AS $$ SELECT json_build_object('role', current_user, 'claims', current_setting('request.jwt.claims'),
               'method', current_setting('request.method'), 'path', current_setting('request.path'),
               'id', current_setting('request.id'), 'url', current_setting('request.public_url'),
               'read_only', current_setting('transaction_read_only')) $$;
CREATE FUNCTION api.nothing() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION api.nil() RETURNS jsonb STABLE LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE FUNCTION api.number() RETURNS int STABLE LANGUAGE sql AS 'SELECT 42';
CREATE FUNCTION api.words() RETURNS SETOF text STABLE LANGUAGE sql AS $$ SELECT 'a"b' UNION ALL SELECT NULL $$;
CREATE FUNCTION api.items(above bigint DEFAULT 0) RETURNS SETOF api.item STABLE LANGUAGE sql
  AS 'SELECT * FROM api.item i WHERE i.id > above ORDER BY i.id';
CREATE FUNCTION api.pairs() RETURNS TABLE (a int, b text) STABLE LANGUAGE sql AS $$ VALUES (1, 'x'), (2, 'y') $$;
CREATE FUNCTION api.one_item() RETURNS api.item STABLE LANGUAGE sql AS 'SELECT * FROM api.item WHERE id = 1';
CREATE FUNCTION api.add(word text, size int DEFAULT 1) RETURNS json LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = '' AS $$ BEGIN
  INSERT INTO rest_private.secret SELECT max(s.id) + 1, add.word, add.size FROM rest_private.secret s;
  PERFORM set_config('response.status', '201', true);
  PERFORM set_config('response.headers', '[{"Location": "/secret/2"}, {"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"}]',
                     true);
  RETURN json_build_object('word', word); END $$;
CREATE FUNCTION api.shape(status text DEFAULT '', headers text DEFAULT '') RETURNS json LANGUAGE plpgsql AS $$ BEGIN
  PERFORM set_config('response.status', status, true);
  PERFORM set_config('response.headers', headers, true);
  RETURN '{"a":1}'; END $$;
CREATE FUNCTION api.refuse(code text, message text, detail text DEFAULT '', hint text DEFAULT '') RETURNS json
  LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = detail, HINT = hint; END $$;
CREATE FUNCTION api.wait() RETURNS json LANGUAGE sql AS $$ SELECT '1'::json FROM pg_sleep(30) $$;
CREATE FUNCTION api.broken() RETURNS json LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT x FROM rest_nowhere); END $$;
CREATE FUNCTION api.pick(a int) RETURNS json STABLE LANGUAGE sql AS $$ SELECT '"a"'::json $$;
CREATE FUNCTION api.pick(b text) RETURNS json STABLE LANGUAGE sql AS $$ SELECT '"b"'::json $$;
"""
ROLES = """
DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['rest_one', 'rest_two', 'rest_other_login', 'rest_login'] LOOP
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN EXECUTE format('CREATE ROLE %I NOINHERIT LOGIN', r); END IF;
END LOOP; END $$;
GRANT rest_one, rest_two TO rest_login;
"""
GRANTS = """
GRANT USAGE ON SCHEMA api TO rest_one, rest_two;
GRANT SELECT ON api.item, api.note, api.cheap TO rest_one, rest_two;
REVOKE EXECUTE ON FUNCTION api.number() FROM public;
"""
ROUTES = """
PgUse app
RestRole rest_one
LogLevel rest:info
<Location />
    SetHandler rest
    RestRoute GET,POST /echo/{id} echo()
    RestRoute GET,POST,DELETE /facts facts
    RestRoute POST /nothing nothing()
    RestRoute GET /nil nil
    RestRoute GET /number number
    RestRoute GET /words words
    RestRoute GET /list items
    RestRoute GET /pairs pairs
    RestRoute GET /one one_item
    RestRoute POST /add add
    RestRoute GET,POST /shape shape
    RestRoute POST /refuse refuse
    RestRoute GET /wait wait
    RestRoute GET /broken broken
    RestRoute GET /pick pick
    RestRoute GET /item/{id} item
    RestRoute GET /notes/{owner}/all note
    RestRoute GET /notes/by/{owner} note
    RestRoute GET /hidden hidden
    RestRoute GET /absent absent()
    RestRoute GET /misnamed/{nothing} item
    RestRoute POST /item item
</Location>
<Location /tables>
    RestDialect pages
</Location>
<Location /beside>
    RestDialect pages
    RestRoute GET,POST /beside/echo/{id} echo()
</Location>
<Location /two>
    RestRole rest_two
    RestRoute GET /two/notes note
    RestRoute GET /two/number number
</Location>
<Location /signed-in>
    RestRoute GET /signed-in facts
</Location>
<Location /lax>
    RestUnknownArguments ignore
    RestContentType any
    RestBodyLimit 2K
    RestRowsMax 3
    RestTimeout 300ms
    RestRoute GET,POST /lax/echo/{id} echo
    RestRoute GET /lax/list items
    RestRoute GET /lax/wait wait
</Location>
<Location /foreign>
    RestRole rest_other_login
</Location>
"""


@pytest.fixture(scope="module")
def database(postgres):
    postgres.sql("DROP DATABASE IF EXISTS rest WITH (FORCE)")
    postgres.sql("CREATE DATABASE rest")
    postgres.sql(ROLES)
    postgres.sql(SCHEMA + GRANTS, dbname="rest")
    return postgres


@pytest.fixture(scope="module")
def server(database):
    with Httpd(pool(database.conninfo("rest", "rest_login")) + ROUTES, ours=("trestle", "problem", "pg", "rest"),
               expected=["TRSRE01", "TRSPG1[0-9]"]) as one:
        yield one


def code_of(answer):
    document = answer.json()
    field = document.get("field") or next((e.get("field") for e in document.get("errors", [])), None)
    return answer.status, document.get("code"), field


def post(server, path, body, kind="application/json", **more):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    headers = {"Content-Type": kind} if kind else {}
    return server.post(path, body, headers=headers, **more)


def test_function_gets_path_and_query(server):
    answer = server.get("/echo/7?text=a%20b+c&flag=true&list=1&list=-2&extra=%7B%22a%22%3A1%7D&day=2025-08-04")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json() == {"id": 7, "text": "a b c", "flag": True, "list": [1, -2], "extra": {"a": 1},
                             "amount": None, "day": "2025-08-04"}
    assert server.get("/echo/7/").json()["text"] == "none"


def test_function_gets_json_and_form_bodies(server):
    answer = post(server, "/echo/7?text=query", {"id": 8, "text": "한국어 \" \\ \n", "list": [1, None], "extra": [1, {}],
                                                 "flag": None})
    assert answer.json() == {"id": 7, "text": "한국어 \" \\ \n", "flag": None, "list": [1, None], "extra": [1, {}],
                             "amount": None, "day": None}
    assert post(server, "/echo/7", '{"amount": 0.30000000000000000000000001}').body.count(
        b"0.30000000000000000000000001") == 1
    assert post(server, "/echo/7", "text=a+%26&flag=0", "application/x-www-form-urlencoded").json()["text"] == "a &"
    assert post(server, "/echo/7", "").json()["text"] == "none"
    assert server.post("/echo/7").json()["text"] == "none"


def test_settings_of_the_request(server):
    answer = server.request("DELETE", "/facts?", headers={"X-Request-ID": "my-id"})
    assert answer.json() == {"role": "rest_one", "claims": "{}", "method": "DELETE", "path": "/facts", "id": "my-id",
                             "url": "", "read_only": "on"}


def test_results_of_functions(server):
    assert server.get("/nil").body == b"null"
    assert server.get("/words").json() == ['a"b', None]
    assert server.get("/pairs").json() == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert server.get("/one").json()["name"] == "item 1"
    assert len(server.get("/list").json()) == 45
    assert server.get("/list?above=45").json() == []
    answer = server.post("/nothing")
    assert (answer.status, answer.body) == (204, b"") and "content-type" not in answer.headers


def test_overloads(server):
    assert server.get("/pick?a=1").json() == "a"
    assert server.get("/pick?b=1").json() == "b"


def test_status_and_headers_of_a_function(server, database):
    answer = post(server, "/add", {"word": "new"})
    assert answer.status == 201 and answer.headers["location"] == "/secret/2" and answer.json() == {"word": "new"}
    assert [v for k, v in answer.pairs if k.lower() == "set-cookie"] == ["a=1", "b=2"]
    assert database.sql("SELECT size FROM rest_private.secret WHERE word = 'new'", dbname="rest") == [(1,)]
    # The next transaction of the connection starts without them.
    answer = server.get("/facts")
    assert answer.status == 200 and "set-cookie" not in answer.headers
    answer = post(server, "/shape", {"status": "404", "headers": '[{"Content-Type": "text/plain"}]'})
    assert (answer.status, answer.headers["content-type"], answer.body) == (404, "text/plain", b'{"a":1}')
    for status in (204, 205, 304):
        answer = post(server, "/shape", {"status": str(status)})
        assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize("shape", [
    {"status": "99"}, {"status": "abc"}, {"status": "2000"}, {"status": "100"}, {"headers": "{}"}, {"headers": "x"},
    {"headers": "[1]"}, {"headers": '[{"A": 1}]'}, {"headers": '[{"A": "b\\r\\nC: d"}]'}, {"headers": '[{"A:B": "c"}]'},
    {"headers": '[{"": "a"}]'}, {"headers": '[{"A b": "c"}]'}, {"headers": '[{"A\\r\\nB": "c"}]'}, {"headers": '[{"A": "\\u0000"}]'},
    {"headers": '[{"A": null}]'}, {"headers": '["A: b"]'}, {"headers": '[{"A": "b"}'}, {"headers": '[{"Upgrade": "h2c"}]'},
    {"headers": '[{"trailer": "x"}]'}, {"headers": '[{"A": "\\u007f"}]'}, {"status": "600"}, {"status": "-20"}, {"status": " 200"},
    {"headers": '[{"Content-Length": "5"}]'}, {"headers": '[{"Transfer-Encoding": "chunked"}]'},
])
def test_a_function_cannot_break_the_answer(server, shape):
    answer = post(server, "/shape", shape)
    assert answer.status == 500 and b"shape" not in answer.body


def test_rows_of_tables(server):
    answer = server.get("/item/7")
    assert answer.json() == {"id": 7, "name": "item 7", "price": 10.50, "tags": None,
                             "made": answer.json()["made"], "extra": None}
    assert server.get("/tables/item/7/").body == answer.body
    assert server.get("/tables/cheap/2").json() == {"id": 2, "name": "item 2"}
    for path in ("/item/46", "/item/0", "/item/x", "/item/-1", "/item/1e1", "/item/9223372036854775808",
                 "/item/" + "9" * 400, "/tables/item/46/", "/tables/item/x", "/tables/cheap/7", "/tables/note/1",
                 "/tables/item/7/8", "/tables/nothing/", "/tables/", "/tables", "/nowhere", "/item/%EA%B0%80", "/item/%FF",
                 "/item/1%00", "/item/1%2F2", "/item/'%20OR%201=1--"):
        answer = server.get(path)
        assert answer.status == 404, path


def test_pages_of_tables(server):
    first = server.get("/tables/item/").json()
    assert (first["count"], first["next"], first["previous"]) == (45, "/tables/item/?page=2", None)
    assert [row["id"] for row in first["results"]] == list(range(1, 21))
    last = server.get("/tables/item?page=5&page_size=10").json()
    assert (last["next"], last["previous"]) == (None, "/tables/item?page=4&page_size=10")
    assert [row["id"] for row in last["results"]] == [41, 42, 43, 44, 45]
    assert code_of(server.get("/tables/item/?page=9")) == (404, "NOT_FOUND", "page")
    for query in ("page=0", "page=x", "page=1&page=2", "page_size=1001", "page=-1", "page=99999999999999999999",
                  "page_size="):
        assert server.get(f"/tables/item/?{query}").status == 400, query
    assert code_of(server.get("/tables/item/?nme=x")) == (400, "VALIDATION_ERROR", "nme")
    assert code_of(server.get("/item/7?page=1")) == (400, "VALIDATION_ERROR", "page")


def test_row_level_security_and_grants_decide(server):
    assert server.get("/notes/rest_one/all").json()["count"] == 1
    assert server.get("/notes/rest_two/all").json()["count"] == 0
    assert server.get("/notes/by/rest_two").status == 404
    assert [row["body"] for row in server.get("/two/notes").json()["results"]] == ["theirs"]
    assert code_of(server.get("/hidden")) == (401, "AUTHENTICATION_REQUIRED", None)
    assert "www-authenticate" in server.get("/hidden").headers
    assert code_of(server.get("/number")) == (401, "AUTHENTICATION_REQUIRED", None)
    assert code_of(server.get("/tables/hidden/")) == (401, "AUTHENTICATION_REQUIRED", None)


def test_methods(server):
    answer = server.request("HEAD", "/item/7")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(server.get("/item/7").body)
    assert server.request("HEAD", "/item/99").status == 404
    # What may change something is not run for a HEAD.
    answer = server.request("HEAD", "/shape")
    assert answer.status == 405 and answer.headers["allow"] == "GET, POST, OPTIONS"
    answer = server.request("PUT", "/echo/7")
    assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert server.request("PATCH", "/nowhere").status == 404
    answer = server.request("DELETE", "/tables/item/")
    assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert server.request("DELETE", "/tables/item/7").status == 401
    for path in ("/echo/7", "/tables/item/"):
        answer = server.request("OPTIONS", path)
        assert answer.status == 200 and answer.headers["allow"].endswith("OPTIONS")
    assert server.request("BREW", "/echo/7").status in (405, 501)


@pytest.mark.parametrize("query,field", [
    ("list=x", "list"), ("flag=maybe", "flag"), ("extra=%7B", "extra"), ("day=2025-13-01", "day"), ("day=x", "day"),
    ("amount=abc", "amount"), ("nothing=1", "nothing"), ("text=a&text=b", "text"), ("text=%FF", "text"),
    ("text=%00", "text"), ("text=%E0%80%80", "text"), ("text=%", "text"), ("day=9999999-01-01", "day"),
    ("list=99999999999", "list"), ("amount=" + "9" * 200 + "e999999", "amount"),
], ids=itertools.count())
def test_bad_query_names_the_field(server, query, field):
    assert code_of(server.get(f"/echo/7?{query}")) == (400, "VALIDATION_ERROR", field)


@pytest.mark.parametrize("body,code,field", [
    ("{", "INVALID_JSON", None), ("[]", "INVALID_JSON", None), ("null", "INVALID_JSON", None),
    ('{"text": "a"} x', "INVALID_JSON", None), ('{"text": "\\ud800"}', "INVALID_JSON", None),
    (b'{"text": "\xff"}', "INVALID_JSON", None), (b'{"text": "\0"}', "INVALID_JSON", None),
    ('{"extra": ' + "[" * 64 + "]" * 64 + "}", "INVALID_JSON", None),
    ("[" * 500000, "INVALID_JSON", None), ('{"a":' * 100000, "INVALID_JSON", None),
    ('{"text": "a\\u0000"}', "VALIDATION_ERROR", "text"), ('{"text": 1}', "VALIDATION_ERROR", "text"),
    ('{"text": {}}', "VALIDATION_ERROR", "text"), ('{"text": "a", "text": "b"}', "VALIDATION_ERROR", "text"),
    ('{"flag": 1}', "VALIDATION_ERROR", "flag"), ('{"list": 1}', "VALIDATION_ERROR", "list"),
    ('{"list": [[1], [2, 3]]}', "VALIDATION_ERROR", "list"), ('{"list": [1e2]}', "VALIDATION_ERROR", "list"),
    ('{"amount": 1e999999}', "VALIDATION_ERROR", "amount"), ('{"amount": "x"}', "VALIDATION_ERROR", "amount"),
    ('{"day": "2025-02-30"}', "VALIDATION_ERROR", "day"), ('{"nothing": 1}', "VALIDATION_ERROR", "nothing"),
    ('{"extra": {"a": "\\u0000"}}', "VALIDATION_ERROR", "extra"),
], ids=itertools.count())
def test_bad_body_names_the_field(server, body, code, field):
    assert code_of(post(server, "/echo/7", body)) == (400, code, field)


def test_required_argument(server):
    assert code_of(post(server, "/add", {})) == (400, "REQUIRED_FIELD_MISSING", "word")
    assert code_of(server.get("/echo/x")) == (404, "NOT_FOUND", None)


def test_body_limits_and_types(server):
    big = json.dumps({"text": "x" * 1024 * 1024})
    assert post(server, "/echo/7", big).status == 413
    with server.raw_connect() as s:
        s.sendall(b"POST /echo/7 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            s.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 413")
    for kind in ("text/plain", "multipart/mixed; boundary=x", "application/json, text/plain", "application/jsonx", None):
        assert post(server, "/echo/7", "{}", kind).status == 415, kind
    assert post(server, "/echo/7", '{"text":"a"}', "Application/JSON; charset=utf-8").status == 200
    assert post(server, "/lax/echo/7", '{"text":"a"}', "text/plain").json()["text"] == "a"
    assert post(server, "/lax/echo/7", '{"text":"a"}', None).json()["text"] == "a"
    assert post(server, "/lax/echo/7", '{"nothing":"a"}').status == 200
    assert post(server, "/lax/echo/7", json.dumps({"text": "x" * 2048})).status == 413
    assert len(server.get("/lax/list").json()) == 3


def test_refusals_of_the_application(server):
    def refuse(code, message, detail="", hint=""):
        return post(server, "/refuse", {"code": code, "message": message, "detail": detail, "hint": hint})

    answer = refuse("PT403", "PERMISSION_DENIED", "Not yours.")
    assert answer.json()["detail"] == "Not yours." and code_of(answer) == (403, "PERMISSION_DENIED", None)
    assert code_of(refuse("PT400", "VALIDATION_ERROR", "Too short.", "name")) == (400, "VALIDATION_ERROR", "name")
    assert code_of(refuse("PT409", "DUPLICATE_INVITATION"))[:2] == (409, "DUPLICATE_INVITATION")
    assert "www-authenticate" in refuse("PT401", "INVALID_TOKEN").headers
    assert refuse("P0001", "Too late.").json()["detail"] == "Too late."
    assert refuse("42501", "relation x").status == 401
    assert refuse("40001", "x").status == 409
    answer = refuse("53100", "x")
    assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1
    for state in ("XX000", "42P01", "PT700"):
        answer = refuse(state, "relation \"hidden_thing\" in /var/lib/x")
        assert answer.status == 500 and b"hidden_thing" not in answer.body and b"/var/lib" not in answer.body


def test_constraints(server):
    assert code_of(post(server, "/add", {"word": "hush"})) == (409, "ALREADY_EXISTS", "word")
    assert code_of(post(server, "/add", {"word": "a", "size": 0}))[:2] == (400, "VALIDATION_ERROR")
    assert code_of(post(server, "/add", {"word": "a", "size": None})) == (400, "REQUIRED_FIELD_MISSING", "size")
    assert code_of(post(server, "/add", {"word": "a", "size": 70000}))[:2] == (400, "VALIDATION_ERROR")


def test_operator_mistakes_are_500_and_say_the_mend_in_the_log(server):
    for path, mend in (("/absent", "create it, or correct the route"), ("/misnamed/1", "name the variable after a column"),
                       ("/foreign", None), ("/broken", "rest_nowhere")):
        answer = server.get(path)
        if mend is None:
            assert answer.status == 404
            continue
        assert answer.status == 500 and b"rest_" not in answer.body
        assert mend in server.log()
    assert server.post("/item").status == 401


def test_timeout_is_503(server):
    answer = server.get("/lax/wait")
    assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1


def test_a_client_that_goes_frees_its_connection(server, database):
    with server.raw_connect() as s:
        s.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%api\".\"wait%' AND state = 'active' AND pid <> pg_backend_pid()"
        wait_for(lambda: database.sql(sleeping) == [(1,)])
    wait_for(lambda: database.sql(sleeping) == [(0,)])


def test_without_a_role_401(database):
    config = pool(database.conninfo("rest", "rest_login")) + "PgUse app\n<Location />\nSetHandler rest\n" \
        "RestRoute GET /item/{id} item\nRestRoute POST /echo/{id} echo\n</Location>"
    with Httpd(config, ours=("trestle", "problem", "pg", "rest")) as server:
        assert code_of(server.get("/item/7")) == (401, "AUTHENTICATION_REQUIRED", None)
        assert "www-authenticate" in server.get("/item/7").headers
        assert server.get("/nowhere").status == 404
        assert post(server, "/echo/7", {}).status == 401


def test_role_that_is_not_granted_is_the_operators_mistake(database):
    config = pool(database.conninfo("rest", "rest_login")) + "PgUse app\nRestRole rest_other_login\n" \
        "<Location />\nSetHandler rest\nRestRoute GET /item/{id} item\n</Location>"
    with Httpd(config, ours=("trestle", "problem", "pg", "rest"), expected=["TRSRE01", "TRSPG"]) as server:
        assert server.get("/item/7").status == 500
        assert "grant the role to the pool's login role" in server.log()


def test_one_round_trip_per_request(database):
    with PgProxy(database) as proxy:
        config = pool(proxy.conninfo("rest", "rest_login")) + ROUTES
        with Httpd(config, ours=("trestle", "problem", "pg", "rest"), mpm="event", workers=workers("event", 1, 8)) as server:
            paths = ["/item/7", "/tables/item/", "/tables/item/3", "/echo/1?text=a", "/list", "/facts"]
            for path in paths:
                assert server.get(path).status == 200
            before = len(proxy.flights)
            for path in paths:
                assert server.get(path).status == 200
            assert post(server, "/echo/7", {"text": "a"}).status == 200
            flights = proxy.flights[before:]
            assert len(flights) == len(paths) + 1 and set(flights) == {1}
            assert server.get("/shape").status == 200
            # A function that may write: one flight, and the session's reset, which nobody waits for (test_pg_reset.py).
            call, *resets = proxy.flights[before + len(flights):]
            assert call == 1 and all(reset <= 1 for reset in resets)


def test_database_away(database):
    with PgProxy(database) as proxy:
        config = pool(proxy.conninfo("rest", "rest_login"), "PgWait 300ms\nPgConnectTimeout 300ms") + ROUTES
        with Httpd(config, ours=("trestle", "problem", "pg", "rest"), expected=["TRSPG"]) as server:
            assert server.get("/item/7").status == 200
            proxy.hang()
            proxy.cut()
            answer = server.get("/item/7")
            assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
            proxy.resume()
            wait_for(lambda: server.get("/item/7").status == 200)


def test_missing_database_or_schema(database):
    config = pool(database.conninfo("rest", "rest_login"), "PgWait 300ms") + ROUTES.replace(
        "RestRole rest_one", "RestRole rest_one\nRestSchema nothing", 1)
    with Httpd(config, ours=("trestle", "problem", "pg", "rest"), expected=["TRSRE0"]) as server:
        assert server.get("/item/7").status == 500
        assert 'has no schema "nothing"; create it' in server.log()
    config = pool(database.conninfo("rest_absent", "rest_login"), "PgWait 300ms") + ROUTES
    with Httpd(config, ours=("trestle", "problem", "pg", "rest"), expected=["TRSPG"]) as server:
        assert server.get("/item/7").status == 503


def test_catalogue_follows_the_schema_under_load(database):
    config = pool(database.conninfo("rest", "rest_login")) + ROUTES.replace(
        "RestRoute GET /absent absent()", "RestRoute GET /moving moving")
    database.sql("CREATE OR REPLACE FUNCTION api.moving(a int DEFAULT 0) RETURNS json STABLE LANGUAGE sql "
                 "AS 'SELECT to_json(0)'", dbname="rest")
    with Httpd(config, ours=("trestle", "problem", "pg", "rest"), mpm="event", workers=workers("event", 2, 16)) as server:
        stop, seen = threading.Event(), []

        def load():
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            while not stop.is_set():
                connection.request("GET", "/moving")
                answer = connection.getresponse()
                seen.append((answer.status, answer.read()))
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            for _ in range(4):
                threads.submit(load)
            try:
                for n in range(1, 6):
                    # The function is dropped and comes back with another argument, another type, and a table beside it.
                    database.sql(f"BEGIN; DROP FUNCTION api.moving; CREATE FUNCTION api.moving(a{n} text DEFAULT '') "
                                 f"RETURNS {'int' if n % 2 else 'json'} STABLE LANGUAGE sql AS 'SELECT "
                                 f"{n if n % 2 else f'to_json({n})'}'; DROP TABLE IF EXISTS api.new; "
                                 f"CREATE TABLE api.new (id int PRIMARY KEY, n{n} int); "
                                 "GRANT SELECT ON api.new TO rest_one; NOTIFY trestle_schema; COMMIT", dbname="rest")
                    wait_for(lambda n=n: seen and seen[-1][1] == str(n).encode())
                    wait_for(lambda n=n: all(server.get(f"/moving?a{n}=x").status == 200 for _ in range(4)))
                    # While one request reads the catalogue, others are served from the old one.
                    wait_for(lambda: server.get("/tables/new/").status == 200)
            finally:
                stop.set()
        assert {status for status, _ in seen} == {200}
        assert server.get("/moving?a1=x").status == 400


def test_virtual_hosts_are_apart(database):
    database.sql("DROP DATABASE IF EXISTS rest_second WITH (FORCE)")
    database.sql("CREATE DATABASE rest_second")
    database.sql("CREATE SCHEMA shop; CREATE TABLE shop.thing (id int PRIMARY KEY); INSERT INTO shop.thing VALUES (5);"
                 "GRANT USAGE ON SCHEMA shop TO rest_two; GRANT SELECT ON shop.thing TO rest_two;"
                 "CREATE FUNCTION shop.who() RETURNS text STABLE LANGUAGE sql AS 'SELECT current_database()::text'",
                 dbname="rest_second")
    config = pool(database.conninfo("rest", "rest_login")) + f"""
<VirtualHost *>
    ServerName first.test
    PgUse app
    RestRole rest_one
    <Location />
        SetHandler rest
        RestDialect pages
        RestRoute GET /only/first facts
    </Location>
</VirtualHost>
<VirtualHost *>
    ServerName second.test
    <PgPool app>
        PgConnect "{database.conninfo("rest_second", "rest_login")}"
    </PgPool>
    PgUse app
    RestRole rest_two
    RestSchema shop
    <Location />
        SetHandler rest
        RestDialect pages
        RestRoute GET /who who
    </Location>
</VirtualHost>
"""
    with Httpd(config, ours=("trestle", "problem", "pg", "rest")) as server:
        def get(host, path):
            return server.get(path, headers={"Host": host})

        assert get("first.test", "/item/7/").json()["id"] == 7
        assert get("first.test", "/only/first").json()["role"] == "rest_one"
        assert get("second.test", "/thing/5/").json() == {"id": 5}
        assert get("second.test", "/who").json() == "rest_second"
        for host, path in (("first.test", "/thing/5/"), ("first.test", "/who"), ("second.test", "/item/7/"),
                           ("second.test", "/only/first"), ("second.test", "/note/"), ("first.test", "/secret/")):
            assert get(host, path).status == 404, (host, path)
    database.sql("DROP DATABASE rest_second WITH (FORCE)")


@pytest.mark.parametrize("line,mend", [
    ("RestSchema Api-x", "write for example api"), ("RestRole 'x;y'", "write for example shop_anonymous"),
    ("RestDialect graphql", "write RestDialect pages"), ("RestDialect postgrest", "write RestDialect pages"),
    ("<LocationMatch ^/a>\nRestDialect pages\n</LocationMatch>", 'put it into <Location "/path">'),
    ("<Location ~ /a>\nRestDialect pages\n</Location>", 'put it into <Location "/path">'),
    ("<Directory />\nRestDialect pages\n</Directory>", 'put it into <Location "/path">'),
    ("RestSchema pg_catalog", "offer a schema that holds what clients may see"), ("RestRoute GET,GET /a f", "GET stands twice"),
    ("RestRoute FETCH /a f", "write GET, POST"), ("RestRoute GET a f", "write for example /projects/detail/{id}"),
    ("RestRoute GET /a a.b", "RestSchema names it"),
    ("RestRoute GET /a/{x} f\nRestRoute GET /a/{y}/ g", "remove one of the two"),
    ("RestBodyLimit 0", "write for example"), ("RestBodyLimit 1T", "write for example"),
    ("RestRowsMax 0", "write for example"), ("RestFieldsMax 0", "write for example"), ("RestTimeout 5m", "write for example"),
    ("RestUnknownArguments keep", "write ignore or refuse"), ("RestContentType lax", "write strict, any or json"),
])
def test_configtest_names_the_mend(line, mend):
    code, output = Httpd(line, ours=("trestle", "problem", "pg", "rest")).configtest()
    assert code != 0 and mend in output, output


USED = "<PgPool app>\nPgConnect dbname=x\n</PgPool>\n"


@pytest.mark.parametrize("config,complete", [
    ("<Location /a>\nSetHandler rest\n</Location>", False),
    ("PgUse app\n<Location /a>\nSetHandler rest\n</Location>", True),
    ("<Location /a>\nPgUse app\nSetHandler \"rest\"\n</Location>", True),
    ("<Location />\nPgUse app\n</Location>\n<Location /a>\nSetHandler rest\n</Location>", True),
    ("<Location /a/b>\nPgUse app\n</Location>\n<Location /a/>\nSetHandler rest\n</Location>", True),
    ("<LocationMatch ^/a>\nPgUse app\n</LocationMatch>\n<Location /a>\nSetHandler rest\n</Location>", True),
    ("<Location /ab>\nPgUse app\n</Location>\n<Location /a>\nSetHandler rest\n</Location>", False),
    ("<Location /b>\nPgUse app\n</Location>\n<Location /a>\nSetHandler rest\n</Location>", False),
    ("<VirtualHost *>\nPgUse app\n</VirtualHost>\n<VirtualHost *>\n<Location /a>\nSetHandler rest\n</Location>\n</VirtualHost>", False),
    ("PgUse app\n<VirtualHost *>\n<IfModule core.c>\n<Location /a>\nSetHandler rest\n</Location>\n</IfModule>\n</VirtualHost>", True),
    ("<Location /a>\nSetHandler rest\n</Location>\n<VirtualHost *>\nPgUse app\n</VirtualHost>", True),
    ("<Location /a>\nSetHandler server-status\n</Location>", True),
])
def test_a_handler_without_a_pool_fails_configtest(config, complete):
    code, output = Httpd(USED + config, ours=("trestle", "problem", "pg", "rest")).configtest()
    assert (code == 0) == complete, output
    assert complete or re.search(r"httpd.conf line \d+: SetHandler rest has no database here; add PgUse", output), output


def test_without_mod_pg_configtest_says_so():
    code, output = Httpd("", ours=("trestle", "rest")).configtest()
    assert code != 0 and "add LoadModule pg_module" in output


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_every_mpm_and_a_graceful_restart(database, mpm):
    config = pool(database.conninfo("rest", "rest_login")) + ROUTES
    with Httpd(config, ours=("trestle", "problem", "pg", "rest"), mpm=mpm, workers=workers(mpm, 4, 4),
               expected=["AH00161"]) as server:
        assert server.get("/item/7").status == 200
        old = set(server.children())
        server.graceful()
        wait_for(lambda: server.children() and not old & set(server.children()), 30)
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            assert {a.status for a in threads.map(lambda n: server.get(f"/item/{n % 45 + 1}"), range(40))} == {200}


@pytest.mark.parametrize("role", ["none", "public"])
def test_a_role_that_is_none_of_its_own_is_refused(role):
    code, output = Httpd(f"<Location /x>\nRestRole {role}\n</Location>").configtest()
    assert code != 0 and "write for example shop_anonymous" in output


@pytest.mark.parametrize("status", [418, 499, 599])
def test_statuses_that_httpd_has_no_words_for(server, status):
    answer = post(server, "/refuse", {"code": f"PT{status}", "message": "TEAPOT"})
    assert answer.status == status and answer.json()["status"] == status and answer.json()["code"] == "TEAPOT"
    answer = server.get(f"/shape?status={status}")
    assert answer.status == status and answer.json() == {"a": 1}


def test_a_fault_of_the_application_stands_in_the_log(server):
    assert post(server, "/refuse", {"code": "PT500", "message": "LEDGER_BROKEN"}).status == 500
    assert re.search(r"rest:error.*the application refused with PT500: LEDGER_BROKEN", server.log())


def test_an_empty_field_of_a_query_is_none(server):
    answer = server.get("/echo/7?amount=&flag=&day=&text=").json()
    assert (answer["amount"], answer["flag"], answer["day"], answer["text"]) == (None, None, None, "")
    assert code_of(server.get("/echo/")) == (404, "NOT_FOUND", None)


def test_a_wrong_method_of_a_route_beside_the_dialect_is_405(server):
    answer = server.request("PATCH", "/beside/echo/7")
    assert answer.status == 405 and {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


def test_a_path_that_is_no_text_is_404(server):
    assert server.get("/echo/%ff").status == 404
