"""mod_rest: bodies as JSON, forms and multipart/form-data, and what no client should send."""
import json
import subprocess

import pytest

from harness import Httpd
from harness.pgproxy import PgProxy
from pg_support import pool, workers

SCHEMA = """
DROP SCHEMA IF EXISTS api CASCADE;
CREATE SCHEMA api;
CREATE TYPE api.stage AS (key text, starts date, length int);
CREATE TABLE api.log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body jsonb);
CREATE FUNCTION api.echo(id bigint DEFAULT NULL, name text DEFAULT NULL, amount numeric DEFAULT NULL, flag boolean DEFAULT NULL,
                         tags text[] DEFAULT NULL, numbers int[] DEFAULT NULL, inputs jsonb DEFAULT NULL,
                         parts jsonb[] DEFAULT NULL, stage api.stage DEFAULT NULL, process api.stage[] DEFAULT NULL)
  RETURNS json LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO api.log (body) VALUES (NULL);
  RETURN json_strip_nulls(json_build_object('id', id, 'name', name, 'amount', amount, 'flag', flag, 'tags', tags,
         'numbers', numbers, 'inputs', inputs, 'parts', parts, 'stage', stage, 'process', process)); END $$;
CREATE FUNCTION api.strict(id bigint, name text, amount numeric, day date) RETURNS json STABLE LANGUAGE sql AS 'SELECT ''1''::json';
CREATE FUNCTION api.whole(jsonb, id bigint DEFAULT 0, note text DEFAULT '') RETURNS json LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO api.log (body) VALUES ($1);
  RETURN json_build_object('body', $1, 'id', id, 'note', note); END $$;
CREATE FUNCTION api.whole_text(json DEFAULT '"none"') RETURNS json STABLE LANGUAGE sql AS 'SELECT $1';
CREATE SCHEMA IF NOT EXISTS body_private;
DROP TABLE IF EXISTS body_private.kept;
CREATE TABLE body_private.kept (id int PRIMARY KEY, email text, name varchar(5) NOT NULL, size int CHECK (size > 0), starts date, ends date,
  hidden int CHECK (hidden > 0), parent int REFERENCES body_private.kept, note text, owner text, CHECK (ends >= starts), UNIQUE (owner, note));
CREATE UNIQUE INDEX ON body_private.kept (lower(email));
CREATE VIEW api.shown AS SELECT id, name, size AS amount, starts AS since, ends AS until FROM body_private.kept;
CREATE FUNCTION api.keep(id int, email text DEFAULT NULL, name text DEFAULT 'a', size int DEFAULT 1, starts date DEFAULT NULL, ends date DEFAULT NULL,
  parent int DEFAULT NULL, note text DEFAULT NULL, owner text DEFAULT NULL, secret int DEFAULT 1) RETURNS json LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = '' AS $$ BEGIN
  INSERT INTO body_private.kept VALUES (id, email, name, size, starts, ends, secret, parent, note, owner); RETURN '1'; END $$;
CREATE FUNCTION api.keep_row(jsonb) RETURNS json LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
  INSERT INTO body_private.kept SELECT (jsonb_populate_record(NULL::body_private.kept, $1)).*; SELECT '1'::json $$;
CREATE FUNCTION api.refuse(day date) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'Too late.' USING COLUMN = 'day'; END $$;
"""
ROLES = """
DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['body_one', 'body_login'] LOOP
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN EXECUTE format('CREATE ROLE %I NOINHERIT LOGIN', r); END IF;
END LOOP; END $$;
GRANT body_one TO body_login;
"""
GRANTS = "GRANT USAGE ON SCHEMA api TO body_one; GRANT ALL ON ALL TABLES IN SCHEMA api TO body_one;"
ROUTES = """
PgUse app
RestRole body_one
<Location />
    SetHandler rest
    RestRoute GET,POST,PUT,DELETE /echo echo()
    RestRoute POST,DELETE /echo/{id} echo()
    RestRoute POST /strict/{id} strict()
    RestRoute POST,DELETE /whole/{id} whole()
    RestRoute POST /text whole_text()
    RestRoute POST /keep keep()
    RestRoute POST /shown shown
    RestRoute POST /keep-row keep_row()
    RestRoute POST /refuse refuse()
</Location>
<Location /few>
    RestFieldsMax 3
    RestRoute GET,POST /few echo()
</Location>
<Location /only-json>
    RestContentType json
    RestRoute POST /only-json echo()
</Location>
<Location /lax>
    RestContentType any
    RestUnknownArguments ignore
    RestBodyLimit 4K
    RestRoute GET,POST /lax echo()
</Location>
"""
OURS = ("trestle", "problem", "pg", "rest")


@pytest.fixture(scope="module")
def database(postgres):
    postgres.sql("DROP DATABASE IF EXISTS rest_bodies WITH (FORCE)")
    postgres.sql("CREATE DATABASE rest_bodies")
    postgres.sql(ROLES)
    postgres.sql(SCHEMA + GRANTS, dbname="rest_bodies")
    return postgres


@pytest.fixture(scope="module")
def server(database):
    with Httpd(pool(database.conninfo("rest_bodies", "body_login")) + ROUTES, ours=OURS, expected=["TRSPG10.*SQLSTATE 54000"]) as one:
        yield one


@pytest.fixture
def unchanged(database):
    """Nothing is stored meanwhile."""
    def count():
        return database.sql("SELECT count(*) FROM api.log", dbname="rest_bodies")
    before = count()
    yield
    assert count() == before


def send(server, path, body, kind="application/json", method="POST", **headers):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    return server.request(method, path, body, headers={**({"Content-Type": kind} if kind else {}), **headers})


def part(name, value, *more, filename=None):
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    value = value if isinstance(value, bytes) else value.encode()
    return "\r\n".join([disposition, *more, "", ""]).encode() + value


def multipart(*parts, boundary="XyZ"):
    return b"".join(b"--" + boundary.encode() + b"\r\n" + p + b"\r\n" for p in parts) + f"--{boundary}--\r\n".encode()


def form(server, path, *parts, kind="multipart/form-data; boundary=XyZ", **more):
    return send(server, path, multipart(*parts), kind, **more)


def refusal(answer):
    """(status, code, field)"""
    document = answer.json()
    assert document["status"] == answer.status and document["detail"]
    return answer.status, document["code"], next((e.get("field") for e in document.get("errors", [])), None)


# multipart

def test_multipart_fields_are_arguments(server):
    answer = form(server, "/echo/7?name=query", part("name", "한국어\r\n--XyZ\r zwei"), part("amount", "1.50"), part("flag", "true"),
                  part("inputs", '{"name": "a", "n": 1.10}'))
    # Data may hold a line that begins with hyphens, but none that is the boundary.
    assert answer.status == 400
    answer = form(server, "/echo/7?name=query", part("name", "한국어\r\n--Xy\r\n"), part("amount", "1.50"), part("flag", "true"),
                  part("inputs", '{"name": "a", "n": 1.10}'))
    assert answer.status == 200, answer.body
    assert answer.json() == {"id": 7, "name": "한국어\r\n--Xy\r\n", "amount": 1.5, "flag": True, "inputs": {"name": "a", "n": 1.1}}


def test_repeated_fields_are_arrays_or_refused(server, unchanged):
    assert refusal(form(server, "/echo", part("name", "a"), part("name", "b"))) == (400, "VALIDATION_ERROR", "name")
    assert refusal(send(server, "/echo", "name=a&name=b", "application/x-www-form-urlencoded")) == (400, "VALIDATION_ERROR", "name")


@pytest.mark.parametrize("kind", ["multipart", "form"])
def test_arrays_of_forms(server, kind):
    def post(*pairs):
        if kind == "multipart":
            return form(server, "/echo", *(part(*p) for p in pairs)).json()
        from urllib.parse import urlencode
        return send(server, "/echo", urlencode(pairs), "application/x-www-form-urlencoded").json()

    assert post(("tags", "a"), ("numbers", "1"), ("tags", "b,\"c\"\\"), ("numbers", "-2")) == {"tags": ["a", "b,\"c\"\\"], "numbers": [1, -2]}
    assert post(("flag", "on"), ("name", ""), ("amount", ""), ("id", "")) == {"flag": True, "name": ""}
    assert post(("tags", "[a]")) == {"tags": ["[a]"]}
    assert post(("tags", '["a", "b"]'), ("numbers", "[]")) == {"tags": ["a", "b"], "numbers": []}
    assert post(("parts", '{"a": 1}'), ("parts", "[2]")) == {"parts": [{"a": 1}, [2]]}
    assert post(("process", '[{"key": "a", "starts": "2025-08-04"}, {"key": "b", "length": 3}]')) == {
        "process": [{"key": "a", "starts": "2025-08-04"}, {"key": "b", "length": 3}]}
    assert post(("process", '{"key": "a"}'), ("process", '{"key": "b"}')) == {"process": [{"key": "a"}, {"key": "b"}]}
    assert post(("process", "[]"), ("stage", '{"length": 5}')) == {"process": [], "stage": {"length": 5}}


def test_rows_of_json_bodies(server):
    body = {"stage": {"key": "a", "length": 1}, "process": [{"key": "b"}], "parts": [1, {"a": None}], "inputs": [1]}
    assert send(server, "/echo", body).json() == {"stage": {"key": "a", "length": 1}, "process": [{"key": "b"}],
                                                  "parts": [1, {}], "inputs": [1]}
    assert send(server, "/echo", {"process": None, "stage": None}).json() == {}


def test_parts_that_are_json(server, unchanged):
    kind = "Content-Type: application/json; charset=UTF-8"
    answer = form(server, "/strict/1", part("name", '"a"', kind), part("amount", "1e1", kind), part("day", '"2025-01-01"', kind))
    assert answer.status == 200, answer.body
    assert refusal(form(server, "/strict/1", part("name", "a", kind))) == (400, "INVALID_JSON", "name")
    assert refusal(form(server, "/strict/1", part("name", "5", kind), part("amount", "1"), part("day", "2025-01-01"))) == (
        400, "VALIDATION_ERROR", "name")


def test_files_are_refused_but_empty_inputs_are_passed_over(server, unchanged):
    octets = "Content-Type: application/octet-stream"
    for file in (part("files", b"\x89PNG\r\n", "Content-Type: image/png", filename="a.png"), part("files", b"", octets, filename="a"),
                 part("files", b"x", octets, filename="")):
        assert refusal(form(server, "/echo", part("name", "a"), file)) == (415, "FILES_NOT_ACCEPTED", "files")
    assert refusal(form(server, "/echo", part("name", "a", "Content-Type: image/png"))) == (415, "UNSUPPORTED_MEDIA_TYPE", "name")
    assert refusal(form(server, "/echo", part("name", "a", "Content-Type: text/plain; charset=euc-kr"))) == (
        415, "UNSUPPORTED_MEDIA_TYPE", "name")


def test_an_empty_file_input_is_none(server):
    assert form(server, "/echo", part("files", b"", "Content-Type: application/octet-stream", filename=""), part("name", "a")).json() == {
        "name": "a"}
    assert send(server, "/echo", b"--XyZ--\r\n", "multipart/form-data; boundary=XyZ").json() == {}
    assert send(server, "/echo", b"", "multipart/form-data; boundary=XyZ").json() == {}


@pytest.mark.parametrize("kind,status", [
    ("multipart/form-data", 400), ("multipart/form-data; boundary=", 415), ('multipart/form-data; boundary=""', 400),
    ("multipart/form-data; boundary=" + "a" * 71, 400), ('multipart/form-data; boundary="a "', 400),
    ("multipart/form-data; boundary=XyZ; boundary=XyZ", 400), ("multipart/form-data; boundary=XyZ; charset=euc-kr", 415),
    ("multipart/form-data; boundary=XyZ, application/json", 415), ("multipart/form-data, multipart/form-data", 415),
    ("multipart/mixed; boundary=XyZ", 415), ("multipart/form-data boundary=XyZ", 415), ("multipart/form-data; boundary=abc", 400),
])
def test_bad_boundaries(server, unchanged, kind, status):
    assert send(server, "/echo", multipart(part("name", "a")), kind).status == status


@pytest.mark.parametrize("body", [
    b"x", b"--XyZ", b"--XyZ\r\n", b"--XyZ\r\n\r\n", multipart(part("name", "a"))[:-4], multipart(part("name", "a")) + b"x",
    multipart(part("name", "a")) + b"\r\n\r\n", b"preamble\r\n" + multipart(part("name", "a")), b"--XyZ \r\n" + part("name", "a") + b"\r\n--XyZ--",
    multipart(b"Content-Type: text/plain\r\n\r\na"), multipart(b"Content-Disposition: form-data\r\n\r\na"), multipart(part("", "a")),
    multipart(b'Content-Disposition: attachment; name="name"\r\n\r\na'), multipart(b'Content-Disposition: form-data; name="name\r\n\r\na'),
    multipart(b'Content-Disposition: form-data; name="name"; name="b"\r\n\r\na'), multipart(part("name", "a", 'Content-Disposition: form-data; name="b"')),
    multipart(b"Content-Disposition: form-data; name=\"name\"; filename*=UTF-8''a\r\n\r\na"),
    multipart(b"Content-Disposition: form-data; name*=UTF-8''name\r\n\r\na"), multipart(b'Content-Disposition: form-data; name="\xff"\r\n\r\na'),
    multipart(b'Content-Disposition: form-data; name="a\0b"\r\n\r\na'), multipart(b'Content-Disposition: form-data; name="a\x01b"\r\n\r\na'),
    multipart(part("name", "a", "Content-Transfer-Encoding: base64")), multipart(part("name", "a", " folded")), multipart(part("name", "a", "Bad Name: x")),
    multipart(part("name", "a", "X: " + "y" * 9000)), multipart(part("name", "a")).replace(b"\r\n", b"\n"),
    multipart(b'Content-Disposition: form-data; name="name"\n\r\n\r\na'), multipart(part("name", b"\xff")), multipart(part("name", b"a\0b")),
    b"--XyZ-\r\n", b"--XyZ\r\r\n", b"\r\n\r\n--XyZ--",
], ids=lambda body: "")
def test_malformed_multipart(server, unchanged, body):
    assert refusal(send(server, "/echo", body, "multipart/form-data; boundary=XyZ"))[:2] == (400, "VALIDATION_ERROR")


def test_multipart_in_small_pieces(server):
    body = multipart(part("name", "a\r\n-\r\n--\r\n--X\r\n--Xy\r\r\n"), part("tags", ""), part("tags", "\r\n"))
    with server.raw_connect() as s:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=\"XyZ\"\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")
        for byte in body:
            s.sendall(b"1\r\n" + bytes([byte]) + b"\r\n")
        s.sendall(b"0\r\n\r\n")
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"name": "a\r\n-\r\n--\r\n--X\r\n--Xy\r\r\n", "tags": ["", "\r\n"]}


def test_multipart_limits(server, unchanged):
    assert refusal(form(server, "/few", *(part(f"a{n}", "") for n in range(4)))) == (400, "VALIDATION_ERROR", None)
    assert send(server, "/lax", multipart(part("name", "x" * 4096)), "multipart/form-data; boundary=XyZ").status == 413
    with server.raw_connect() as s:
        s.sendall(b"POST /lax HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"2000\r\n--x\r\nContent-Disposition: form-data; name=name\r\n\r\n" + b"y" * 8141 + b"\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 413")


# the whole body

def test_one_jsonb_takes_the_whole_body(server):
    for body in ({"a": [1, {"b": None}], "id": 5}, [1, 2], "text", 5, None, True, {}):
        assert send(server, "/whole/7?note=n", json.dumps(body)).json() == {"body": body, "id": 7, "note": "n"}
    assert send(server, "/text", ' {"a" : 1.10} \n').body.strip() == b'{"a" : 1.10}'
    assert send(server, "/whole/7", {"a": 1}, method="DELETE").json()["body"] == {"a": 1}


def test_a_form_as_one_jsonb(server):
    assert send(server, "/whole/7", "a=1&b=x%22&a=2&c=", "application/x-www-form-urlencoded").json()["body"] == {"a": ["1", "2"], "b": 'x"', "c": ""}
    answer = form(server, "/whole/7", part("a", "1"), part("j", '{"x": 1.0}', "Content-Type: application/json"), part("a", "2"), part("한", "글"))
    assert answer.json()["body"] == {"a": ["1", "2"], "j": {"x": 1.0}, "한": "글"}


def test_one_jsonb_without_a_body(server, unchanged):
    assert refusal(server.post("/whole/7")) == (400, "REQUIRED_FIELD_MISSING", None)
    assert server.post("/text").json() == "none"
    assert refusal(send(server, "/whole/7?other=1", {})) == (400, "VALIDATION_ERROR", "other")
    assert refusal(send(server, "/whole/x", {}))[:2] == (404, "NOT_FOUND")


# what no client should send

def test_all_fields_at_fault_are_named(server, unchanged):
    answer = send(server, "/strict/1?more=1", {"name": 5, "amount": "x", "other": 1})
    assert refusal(answer) == (400, "VALIDATION_ERROR", "more")
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("more", "VALIDATION_ERROR"), ("other", "VALIDATION_ERROR"), ("name", "VALIDATION_ERROR"), ("amount", "VALIDATION_ERROR"),
        ("day", "REQUIRED_FIELD_MISSING")]
    assert all(e["detail"] for e in answer.json()["errors"])
    answer = send(server, "/strict/1", {f"f{n}": 1 for n in range(200)})
    assert answer.status == 400 and len(answer.json()["errors"]) == 50


@pytest.mark.parametrize("body,where", [
    ('{"name": "a",\n "amount": }', "line 2, column 12"), ("\ufeff{}", "byte order mark"), ('{"이름": x}', "line 1, column 8"), ("", None),
    (b'{"name": "\xff"}', "line 1, column 11"), ('{"a": 1', "line 1, column 8"), ("[1] 2", "line 1, column 5"), (" ", "line 1, column 2"),
], ids=lambda v: "")
def test_malformed_json_says_where(server, body, where):
    body = body.encode() if isinstance(body, str) else body
    answer = send(server, "/echo", body)
    if where is None:
        assert answer.status == 200
    else:
        assert answer.status == 400 and answer.json()["code"] == "INVALID_JSON" and where in answer.json()["detail"], answer.body


def test_a_place_in_json_is_told_in_korean(server):
    for kind in ("application/json", "multipart/form-data; boundary=XyZ"):
        answer = (send(server, "/echo", '{"a": 1', **{"Accept-Language": "ko"}) if kind == "application/json" else
                  form(server, "/echo", part("inputs", '{"a": 1'), **{"Accept-Language": "ko"}))
        assert "JSON" in answer.json()["detail"] and "1번째 줄, 8번째 글자" in answer.json()["detail"], answer.body


@pytest.mark.parametrize("path,body,field", [
    ("/echo", '{"name": "a\\u0000"}', "name"), ("/echo", '{"inputs": {"a": ["\\u0000"]}}', "inputs"), ("/echo", '{"inputs": {"\\u0000": 1}}', "inputs"),
    ("/echo", '{"stage": {"key": "\\u0000"}}', "stage"), ("/echo", '{"parts": ["\\u0000"]}', "parts"), ("/whole/1", '["\\u0000"]', None),
    ("/whole/1", '{"a": {"b": "\\u0000"}}', "a"), ("/whole/1", '{"a": 1, "a": 2}', "a"), ("/echo", '{"other": 1, "other": 2}', "other"),
    ("/echo", '{"process": [1]}', "process"), ("/echo", '{"process": [null]}', "process"), ("/echo", '{"process": {}}', "process"),
    ("/echo", '{"tags": {}}', "tags"), ("/echo", '{"tags": "a"}', "tags"), ("/echo", '{"numbers": [1.5]}', "numbers"),
    ("/echo", '{"inputs": 1e999999999}', "inputs"), ("/echo", '{"amount": ' + "9" * 200000 + "}", "amount"), ("/echo", '{"amount": 1e99999999999999999999}', "amount"),
    ("/echo", '{"id": 1e3}', "id"), ("/echo", '{"id": 9223372036854775808}', "id"), ("/echo", '{"stage": {"length": "x"}}', "stage"),
    ("/echo", '{"stage": {"starts": "2025-02-30"}}', "stage"), ("/echo", '{"stage": {"length": 3000000000}}', "stage"),
], ids=lambda v: v[:40] if isinstance(v, str) else "")
def test_hostile_json_names_the_field(server, unchanged, path, body, field):
    assert refusal(send(server, path, body)) == (400, "VALIDATION_ERROR", field)


@pytest.fixture(scope="module")
def kept(server):
    assert send(server, "/keep", {"id": 1, "email": "A@b", "owner": "o", "note": "n"}).status == 200


@pytest.mark.parametrize("row,status,code,fields", [
    ({"id": 1}, 409, "ALREADY_EXISTS", ["id"]), ({"email": "a@B"}, 409, "ALREADY_EXISTS", ["email"]),
    ({"owner": "o", "note": "n"}, 409, "ALREADY_EXISTS", ["owner", "note"]), ({"size": 0}, 400, "VALIDATION_ERROR", ["size"]),
    ({"starts": "2025-01-02", "ends": "2025-01-01"}, 400, "VALIDATION_ERROR", ["ends", "starts"]), ({"parent": 99}, 409, "CONFLICT", ["parent"]),
    ({"name": None}, 400, "REQUIRED_FIELD_MISSING", ["name"]), ({"secret": 0}, 400, "VALIDATION_ERROR", []),
    ({"name": "too long"}, 400, "VALIDATION_ERROR", []), ({"note": "x" * 9000 + "".join(map(chr, range(200, 3000))), "owner": "y"}, 400, "VALIDATION_ERROR", ["owner", "note"]),
], ids=lambda v: "")
def test_constraints_name_the_fields(server, kept, database, row, status, code, fields):
    before = database.sql("SELECT count(*) FROM body_private.kept", dbname="rest_bodies")
    for path in ("/keep",) if "secret" in row else ("/keep", "/keep-row"):
        answer = send(server, path, {"id": 5, **({"name": "a"} if path == "/keep-row" else {}), **row})
        document = answer.json()
        assert (answer.status, document["code"]) == (status, code), document
        assert [e["field"] for e in document.get("errors", [])] == fields, document
        assert "kept" not in answer.body.decode() and "hidden" not in answer.body.decode()
    assert database.sql("SELECT count(*) FROM body_private.kept", dbname="rest_bodies") == before


def test_a_view_names_its_own_columns(server, kept):
    answer = send(server, "/shown", {"id": 9, "name": "a", "amount": 0})
    assert refusal(answer) == (400, "VALIDATION_ERROR", "amount") and b"size" not in answer.body
    answer = send(server, "/shown", {"id": 9, "name": "a", "since": "2025-01-02", "until": "2025-01-01"})
    assert [e["field"] for e in answer.json()["errors"]] == ["until", "since"]
    assert refusal(send(server, "/shown", {"id": 1, "name": "a"})) == (409, "ALREADY_EXISTS", "id")


def test_an_application_may_name_the_column(server):
    answer = send(server, "/refuse", {"day": "2025-01-01"})
    assert refusal(answer) == (400, "VALIDATION_ERROR", "day") and answer.json()["detail"] == "Too late."


def test_a_backslash_before_u0000_is_no_nul(server):
    assert send(server, "/echo", '{"name": "\\\\u0000", "inputs": "\\\\u0000"}').json() == {"name": "\\u0000", "inputs": "\\u0000"}


def test_text_for_json_arguments(server, unchanged):
    for value in ("{", "{} x", "\\", '"\\ud800"', '"\\u0000"', "[" * 65 + "]" * 65):
        assert refusal(form(server, "/echo", part("inputs", value))) == (400, "VALIDATION_ERROR", "inputs")
    assert "line 1, column 2" in form(server, "/echo", part("inputs", "{")).json()["detail"]
    assert refusal(form(server, "/echo", part("stage", "[]"))) == (400, "VALIDATION_ERROR", "stage")
    assert refusal(form(server, "/echo", part("process", "[1]"))) == (400, "VALIDATION_ERROR", "process")


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "x"])
def test_content_encoding_is_refused(server, unchanged, coding):
    answer = send(server, "/echo", {}, **{"Content-Encoding": coding})
    assert refusal(answer)[:2] == (415, "UNSUPPORTED_MEDIA_TYPE") and answer.headers["accept-encoding"] == "identity"


def test_identity_is_no_encoding(server):
    assert send(server, "/echo", {"name": "a"}, **{"Content-Encoding": "identity"}).json() == {"name": "a"}


@pytest.mark.parametrize("kind", ["application/json; charset=euc-kr", "application/json; charset", "application/json; ;a", "json", "a/b/c",
                                  "application/x-www-form-urlencoded, application/json"])
def test_content_types_that_are_refused(server, unchanged, kind):
    assert refusal(send(server, "/echo", "{}", kind))[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_semicolon_needs_no_parameter(server):
    """RFC 9110, section 5.6.6."""
    for kind in ("application/json;", "application/json; ;", "application/json;; charset=utf-8 ;"):
        assert send(server, "/echo", {"name": "a"}, kind).json() == {"name": "a"}, kind


def test_any_content_type(server):
    for kind in ("text/plain;charset=UTF-8", "json", "", None, "application/merge-patch+json"):
        assert send(server, "/lax", '{"name": "a", "other": {}}', kind).json() == {"name": "a"}, kind
    assert send(server, "/lax", "{}", "text/plain, application/json").status == 415
    assert send(server, "/lax", multipart(part("name", "a"), part("other", "b")), "multipart/form-data; boundary=XyZ").json() == {"name": "a"}


def test_json_only(server):
    assert send(server, "/only-json", {"name": "a"}).json() == {"name": "a"}
    for body, kind in ((b"name=a", "application/x-www-form-urlencoded"), (multipart(part("name", "a")), "multipart/form-data; boundary=XyZ"),
                       (b"{}", "text/plain"), (b"{}", None)):
        answer = send(server, "/only-json", body, kind)
        assert refusal(answer)[:2] == (415, "UNSUPPORTED_MEDIA_TYPE") and answer.headers["accept"] == "application/json"
    assert "multipart/form-data" in send(server, "/echo", "{}", "text/plain").headers["accept"]


def raw(server, head, body=b""):
    with server.raw_connect() as s:
        s.sendall(head.replace(b"\n", b"\r\n") + b"Connection: close\r\n\r\n" + body)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


def test_duplicated_headers(server, unchanged):
    two = b"POST /echo HTTP/1.1\nHost: x\nContent-Length: 2\nContent-Type: application/json\nContent-Type: %s\n"
    for second in (b"application/json", b"text/plain", b"multipart/form-data; boundary=x"):
        assert raw(server, two % second, b"{}")[0] == 415
    length = b"POST /echo HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 2\nContent-Length: %s\n"
    assert raw(server, length % b"3", b"{} ")[0] == 400
    assert raw(server, b"POST /echo HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 2, 2\n", b"{}")[0] == 400


def test_a_get_has_no_body(server, unchanged):
    status, body = raw(server, b"GET /echo HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 2\n", b"{}")
    assert status == 400 and json.loads(body)["code"] == "VALIDATION_ERROR"
    assert raw(server, b"GET /echo HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n", b"2\r\n{}\r\n0\r\n\r\n")[0] == 400


def test_a_get_may_announce_an_empty_body(server):
    assert raw(server, b"GET /echo HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 0\n")[0] == 200


def test_bodies_over_http2(database):
    config = "Protocols h2c http/1.1\n" + pool(database.conninfo("rest_bodies", "body_login")) + ROUTES
    with Httpd(config, ours=OURS, mpm="event", modules=("http2",)) as server:
        def curl(path, *arguments):
            done = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-w", " %{http_version} %{http_code}", *arguments,
                                   f"http://127.0.0.1:{server.port}{path}"], capture_output=True, text=True, check=True, timeout=20)
            body, version, status = done.stdout.rsplit(" ", 2)
            assert version == "2"
            return int(status), json.loads(body)

        assert curl("/echo", "-F", "name=한 \"글\"", "-F", "tags=a", "--form-string", "tags=b;c", "-F", "inputs={\"a\": 1};type=application/json") == (
            200, {"name": "한 \"글\"", "tags": ["a", "b;c"], "inputs": {"a": 1}})
        assert curl("/echo", "-d", "name=a", "-H", "Content-Length:") == (200, {"name": "a"})
        assert curl("/whole/1", "-H", "Content-Type: application/json", "-d", "[1]", "-X", "DELETE")[1]["body"] == [1]
        assert curl("/echo")[0] == 200


def test_limits_of_fields(server, unchanged):
    assert refusal(send(server, "/few", {"a": 1, "b": 2, "c": 3, "d": 4}))[:2] == (400, "VALIDATION_ERROR")
    assert refusal(server.get("/few?a=1&b=2&c=3&d=4")) == (400, "VALIDATION_ERROR", None)
    assert "more than 3 fields" in server.get("/few?a=1&b=2&c=3&d=4").json()["detail"]
    assert refusal(send(server, "/few", "a=1&b=2&c=3&d=4", "application/x-www-form-urlencoded"))[:2] == (400, "VALIDATION_ERROR")


def test_a_body_costs_one_round_trip(database):
    with PgProxy(database) as proxy:
        config = pool(proxy.conninfo("rest_bodies", "body_login")) + ROUTES
        with Httpd(config, ours=OURS, mpm="event", workers=workers("event", 1, 8)) as server:
            def requests():
                yield form(server, "/strict/1", part("name", "a"), part("amount", "1"), part("day", "2025-01-01"))
                yield send(server, "/text", {"a": 1})
                yield send(server, "/strict/1", "name=a&amount=1&day=2025-01-01", "application/x-www-form-urlencoded")
            assert [a.status for a in requests()] == [200] * 3
            before = len(proxy.flights)
            assert [a.status for a in requests()] == [200] * 3
            assert proxy.flights[before:] == [1] * 3
            before = len(proxy.flights)
            assert send(server, "/echo", '{"name": 5}').status == 400
            assert send(server, "/echo", "{").status == 400
            assert proxy.flights[before:] == []
