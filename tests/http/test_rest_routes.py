"""mod_rest: path variables are typed by their targets, and every path knows its methods."""
import pytest

from harness import Httpd
from pg_support import pool

SCHEMA = """
DROP SCHEMA IF EXISTS api CASCADE;
CREATE SCHEMA api;
CREATE TYPE api.color AS ENUM ('red', 'green');
CREATE DOMAIN api.small AS int CHECK (VALUE BETWEEN 1 AND 9);
CREATE FUNCTION api.by_int2(v int2) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_int8(v int8) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_numeric(v numeric) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_bool(v bool) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_uuid(v uuid) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_date(v date) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_color(v api.color) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_small(v api.small) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_text(v text) RETURNS text STABLE LANGUAGE sql AS 'SELECT v';
CREATE FUNCTION api.by_json(v jsonb) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.by_list(v int[]) RETURNS text STABLE LANGUAGE sql AS 'SELECT v::text';
CREATE FUNCTION api.two(a int, b text DEFAULT 'd', c int DEFAULT 0) RETURNS json STABLE LANGUAGE sql AS 'SELECT json_build_array(a, b, c)';
CREATE TABLE api.dated (day date PRIMARY KEY, note text);
INSERT INTO api.dated VALUES ('2025-08-04', 'a');
"""
ROLES = """
DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['route_one', 'route_login'] LOOP
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN EXECUTE format('CREATE ROLE %I NOINHERIT LOGIN', r); END IF;
END LOOP; END $$;
GRANT route_one TO route_login;
"""
GRANTS = "GRANT USAGE ON SCHEMA api TO route_one; GRANT SELECT ON ALL TABLES IN SCHEMA api TO route_one;"
TYPES = ("int2", "int8", "numeric", "bool", "uuid", "date", "color", "small", "text", "json", "list")
ROUTES = "PgUse app\nRestRole route_one\n<Location />\nSetHandler rest\n" + "".join(
    f"RestRoute GET /{t}/{{v}} by_{t}()\n" for t in TYPES) + """
RestRoute GET,PUT /two/{a}/{b} two()
RestRoute POST /two/{a}/7 two()
RestRoute DELETE,PATCH /two/{a}/{b}/ two()
RestRoute GET /dated/{day} dated
</Location>
"""


@pytest.fixture(scope="module")
def server(postgres):
    postgres.sql("DROP DATABASE IF EXISTS rest_routes WITH (FORCE)")
    postgres.sql("CREATE DATABASE rest_routes")
    postgres.sql(ROLES)
    postgres.sql(SCHEMA + GRANTS, dbname="rest_routes")
    with Httpd(pool(postgres.conninfo("rest_routes", "route_login")) + ROUTES, ours=("trestle", "problem", "pg", "rest")) as one:
        yield one


@pytest.mark.parametrize("path,value", [
    ("int2/-32768", "-32768"), ("int8/9223372036854775807", "9223372036854775807"), ("int8/007", "7"), ("numeric/1.50", "1.50"), ("numeric/-1e2", "-100"),
    ("bool/true", "true"), ("uuid/123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"), ("date/2025-08-04", "2025-08-04"),
    ("color/green", "green"), ("small/9", "9"), ("text/%EA%B0%80%20b", "가 b"), ("text/a+b;c=1", "a+b;c=1"), ("text/..%2e", "..."), ("text/null", "null"),
    ("json/%7B%22a%22%3A1%7D", '{"a": 1}'), ("list/5", "{5}"),
])
def test_values_of_paths(server, path, value):
    for slash in ("", "/"):
        answer = server.get(f"/{path}{slash}")
        assert answer.status == 200 and answer.json() == value, answer.body


@pytest.mark.parametrize("path", [
    "int2/32768", "int2/x", "int2/1.0", "int2/+1", "int2/%201", "int2/0x1", "int8/9223372036854775808", "int8/-", "numeric/x", "numeric/1,5", "numeric/",
    "numeric/1e", "numeric/1e999999", "bool/yes", "bool/TRUE", "uuid/1", "uuid/123e4567e89b12d3a456426614174000", "uuid/123e4567-e89b-12d3-a456-42661417400g",
    "date/2025-13-01", "date/x", "color/blue", "color/Red", "small/0", "small/10", "text/%FF", "text/%ED%A0%80", "json/%7B", "json/x", "list/x", "list/%7B1%7D",
    "dated/x", "dated/2025-02-30", "dated/2025-08-05", "int2/1/2", "int2", "int2/", "none/1",
])
def test_what_cannot_be_is_404(server, path):
    answer = server.get(f"/{path}")
    assert (answer.status, answer.json()["code"]) == (404, "NOT_FOUND"), answer.body


def test_a_path_wins_and_unknown_fields_are_named(server):
    assert server.get("/two/1/x?a=5&c=3").json() == [1, "x", 3]
    answer = server.get("/two/1/x?c=x&d=1&b=y")
    assert answer.status == 400 and [e["field"] for e in answer.json()["errors"]] == ["d", "c"]
    assert server.get("/dated/2025-08-04").json() == {"day": "2025-08-04", "note": "a"}


@pytest.mark.parametrize("method,path,status", [
    ("GET", "/two/1/7", 200), ("PUT", "/two/1/7", 200), ("POST", "/two/1/7", 200), ("POST", "/two/1/8", 405), ("DELETE", "/two/1/7/", 200),
    ("PATCH", "/two/1/8", 200), ("HEAD", "/two/1/8", 200), ("HEAD", "/two/x/8", 404), ("PUT", "/int2/1", 405), ("PUT", "/none", 404),
    ("PROPFIND", "/two/1/8", 405), ("get", "/two/1/8", 405), ("OPTIONS", "/none", 404),
])
def test_methods_of_routes(server, method, path, status):
    answer = server.request(method, path)
    assert answer.status == status, answer.body
    if status == 405:
        assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["allow"].split(", "))
    if method == "HEAD":
        assert answer.body == b""


def test_options(server):
    for path, allowed in (("/two/1/7", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"), ("/two/x/8", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
                          ("/date/x", "GET, HEAD, OPTIONS")):
        answer = server.request("OPTIONS", path)
        assert (answer.status, answer.headers["allow"], answer.body) == (200, allowed, b"")
