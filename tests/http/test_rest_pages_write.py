"""Dialect pages, writing: new rows, changed rows, rows that go; and routes to tables."""
import concurrent.futures
import json

import pytest

import rest_support
from harness import Httpd
from harness.pgproxy import PgProxy
from pg_support import workers
from rest_support import OURS, problem


@pytest.fixture(scope="module")
def database(postgres):
    return rest_support.create(postgres)


@pytest.fixture(scope="module")
def server(database):
    with Httpd(rest_support.config(database.conninfo("library", "library_login")), ours=OURS,
               expected=["TRSRE01", "TRSPG10.*21000"]) as one:
        yield one


def send(server, method, path, body=None, kind="application/json"):
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    return server.request(method, path, body=body, headers={"Content-Type": kind} if body is not None else {})


def errors(answer):
    """{field: code} of everything a refusal names."""
    document = answer.json()
    return {e["field"]: e["code"] for e in document.get("errors") or [document]}


def test_a_new_row_has_an_address(server, database):
    answer = send(server, "POST", "/author/", {"name": "Neue", "born": "1990-01-02"})
    row = answer.json()
    assert answer.status == 201 and row == {"id": row["id"], "name": "Neue", "country_code": None, "born": "1990-01-02"}
    assert answer.headers["location"] == f"https://library.test/author/{row['id']}/"
    assert server.get(f"/author/{row['id']}/").json() == row
    assert send(server, "DELETE", f"/author/{row['id']}/").status == 204
    assert database.sql("SELECT count(*) FROM api.author WHERE name = 'Neue'", dbname="library") == [(0,)]


def test_columns_without_a_grant_stay_away(server, database):
    body = '{"title": "New", "author_id": 1, "price": 0.123456789012, "id": 9007199254740995, "tags": ["a", "b\\"c"], "extra": {"n": 1.50}}'
    answer = send(server, "POST", "/book?fields=id,price,tags,extra&expand=author&fields=id", body)
    assert problem(answer) == (400, "VALIDATION_ERROR", "fields")
    answer = send(server, "POST", "/book?fields=id,price,tags,author.name&expand=author", body)
    assert answer.status == 201 and b"9007199254740995" in answer.body and b"0.123456789012" in answer.body
    assert answer.json()["author"] == {"name": "Han Kang"} and answer.json()["tags"] == ["a", 'b"c']
    answer = send(server, "PATCH", "/book/9007199254740995", {"price": None, "state": "lost"})
    assert answer.status == 200 and answer.json()["state"] == "lost" and "secret" not in answer.json()
    assert database.sql("SELECT price, extra::text, secret FROM api.book WHERE id = 9007199254740995", dbname="library") \
        == [(None, '{"n": 1.50}', None)]
    assert send(server, "DELETE", "/book/9007199254740995").status == 204
    assert send(server, "DELETE", "/book/9007199254740995").status == 404


@pytest.mark.parametrize("body,expected", [
    ({}, {"title": "REQUIRED_FIELD_MISSING", "author_id": "REQUIRED_FIELD_MISSING"}),
    ({"title": "x", "author_id": "y", "pages": 1.5, "state": "new", "nothing": 1, "secret": "s", "size": 3},
     {"author_id": "VALIDATION_ERROR", "pages": "VALIDATION_ERROR", "nothing": "VALIDATION_ERROR", "secret": "VALIDATION_ERROR",
      "size": "VALIDATION_ERROR"}),
    ({"title": "x", "author_id": 1, "size": 3}, {"size": "VALIDATION_ERROR"}),
    ({"title": "x", "author_id": 1, "editor_id": 1}, {"editor_id": "VALIDATION_ERROR"}),
    ({"title": "x", "author_id": 1, "state": "odd"}, {"state": "VALIDATION_ERROR"}),
    ({"title": "x", "author_id": 1, "pages": 2147483648}, {"pages": "VALIDATION_ERROR"}),
    ({"title": "x", "author_id": 1, "price": "1" * 40}, {"price": "VALIDATION_ERROR"}),
    ({"title": "x", "author_id": 1, "tags": [1]}, {"tags": "VALIDATION_ERROR"}),
    ({"title": "x\0", "author_id": 1}, {"title": "VALIDATION_ERROR"}),
    ({"title": None, "author_id": 1}, {"title": "REQUIRED_FIELD_MISSING"}),
    ({"title": "x", "author_id": 99}, {"author_id": "CONFLICT"}),
    ({"title": "x", "author_id": 1, "isbn": "isbn-1"}, {"isbn": "ALREADY_EXISTS"}),
    ({"title": "", "author_id": 1}, {"title": "VALIDATION_ERROR"}),
], ids=lambda v: json.dumps(v)[:40])
def test_every_field_at_fault_is_named_and_nothing_is_written(server, database, body, expected):
    before = database.sql("SELECT count(*), sum(pages) FROM api.book", dbname="library")
    answer = send(server, "POST", "/book/", body)
    assert answer.status in (400, 409) and errors(answer) == expected, answer.body
    assert database.sql("SELECT count(*), sum(pages) FROM api.book", dbname="library") == before


@pytest.mark.parametrize("path,also", [("/safe/", {}), ("/uncounted/safe/", {"pin": "1", "code": "2"})])
def test_a_column_that_the_caller_does_not_know_is_not_named(server, path, also):
    """Neither one that it may not read, nor one that it guessed; one that it may only write is known to it."""
    for label, box, expected in (("no pin", None, {None: "REQUIRED_FIELD_MISSING"}),
                                 ("a", "0", {"drop_box": "VALIDATION_ERROR"}),
                                 (f"twice {path}", None, None), (f"twice {path}", None, {"label": "ALREADY_EXISTS"})):
        answer = send(server, "POST", path, {"label": label, "drop_box": box, **also})
        if not expected:
            assert answer.status == 201, answer.body
            continue
        document = answer.json()
        found = {e.get("field"): e["code"] for e in document.get("errors") or [document]}
        assert answer.status in (400, 409) and found == expected, answer.body
        assert b"pin" not in answer.body


def test_bodies_that_are_no_object(server):
    for body in ("[]", "1", "null", '"x"', "[{}]"):
        assert problem(send(server, "POST", "/author/", body))[:2] == (400, "INVALID_JSON"), body
    assert problem(send(server, "POST", "/author/", '{"name": "a", "name": "b"}')) == (400, "VALIDATION_ERROR", "name")
    assert send(server, "POST", "/author/", "name=x", "text/plain").status == 415
    assert problem(send(server, "POST", "/author/?nothing=1", {"name": "x"})) == (400, "VALIDATION_ERROR", "nothing")


def test_forms(server):
    answer = send(server, "POST", "/author/", "name=Form&born=", "application/x-www-form-urlencoded")
    assert answer.status == 201 and answer.json()["born"] is None
    boundary = ('--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nForm 2\r\n--b\r\nContent-Disposition: form-data; '
                'name="country_code"\r\n\r\nfr\r\n--b--\r\n')
    second = send(server, "PATCH", f"/author/{answer.json()['id']}", boundary, "multipart/form-data; boundary=b")
    assert second.status == 200 and second.json()["name"] == "Form 2" and second.json()["country_code"] == "fr"
    assert send(server, "DELETE", f"/author/{answer.json()['id']}/").status == 204


def test_put_asks_for_the_whole_and_patch_does_not(server):
    row = send(server, "POST", "/author/", {"name": "Put", "born": "1990-01-02"}).json()
    path = f"/author/{row['id']}/"
    assert errors(send(server, "PUT", path, {"born": None})) == {"name": "REQUIRED_FIELD_MISSING"}
    # A client that sends back all it was given changes nothing of the key.
    answer = send(server, "PUT", path, {**row, "name": "Put 2"})
    assert answer.status == 200 and answer.json() == {**row, "name": "Put 2"}
    assert errors(send(server, "PUT", path, {**row, "id": row["id"] + 1})) == {"id": "VALIDATION_ERROR"}
    assert send(server, "PATCH", path, {}).json()["name"] == "Put 2"
    assert send(server, "PATCH", path).json()["name"] == "Put 2"
    assert send(server, "PATCH", path, {"country_code": "kr"}).json()["country_code"] == "kr"
    assert problem(send(server, "PATCH", "/author/999999", {"name": "x"}))[0] == 404
    assert problem(send(server, "PATCH", "/author/x", {"name": "x"}))[0] == 404
    assert send(server, "DELETE", path).status == 204
    assert server.get(path).status == 404


def test_keys_of_several_columns(server):
    answer = send(server, "POST", "/edition/", {"book_id": 3, "lang": "a/b c", "note": None})
    assert answer.status == 201 and answer.headers["location"] == "https://library.test/edition/3/a%2Fb%20c/"
    assert send(server, "PATCH", "/edition/2/ko", {"note": "n"}).json() == {"book_id": 2, "lang": "ko", "note": "n"}
    assert problem(send(server, "POST", "/edition/", {"book_id": 2, "lang": "ko"}))[:2] == (409, "ALREADY_EXISTS")
    assert send(server, "DELETE", "/edition/2/ko/").status == 204


def test_rows_out_of_reach(server, database):
    """403 for a row that the caller sees but may not change, 404 for one that it does not see."""
    assert send(server, "PATCH", "/diary/1", {"text": "changed"}).status == 200
    for method, body in (("PATCH", {"text": "x"}), ("PUT", {"text": "x"}), ("DELETE", None)):
        assert send(server, method, "/diary/2", body).status == 404, method
        assert problem(send(server, method, "/diary/3", body))[:2] == (403, "PERMISSION_DENIED"), method
    assert send(server, "POST", "/diary/", {"owner": "library_anonymous"}).status == 401
    assert send(server, "PATCH", "/diary/1", {"owner": "library_anonymous"}).status == 401
    assert send(server, "POST", "/diary/", {"text": "new"}).status == 201
    assert database.sql("SELECT owner, text FROM api.diary WHERE id IN (1, 2, 3) ORDER BY id", dbname="library") \
        == [("library_reader", "changed"), ("library_anonymous", "theirs"), ("library_anonymous", "shown")]
    for method, path, body in (("POST", "/vault/", {"id": 2}), ("DELETE", "/vault/1", None), ("PATCH", "/vault/1", {"word": "x"}),
                               ("POST", "/anonymous/author/", {"name": "x"}), ("DELETE", "/genre/1", None)):
        assert send(server, method, path, body).status == 401, path
    assert database.sql("SELECT word FROM api.vault", dbname="library") == [("gold",)]


def test_a_row_that_its_writer_may_not_read(server, database):
    answer = send(server, "POST", "/wish/", {"text": "a pony"})
    assert (answer.status, answer.body) == (201, b"") and "location" not in answer.headers
    assert server.get("/wish/").status == 401
    assert database.sql("SELECT text FROM api.wish", dbname="library") == [("a pony",)]


def test_views_and_triggers(server):
    assert send(server, "PATCH", "/long_book/12", {"title": "Long"}).json()["title"] == "Long"
    assert send(server, "PATCH", "/long_book/12", {"title": ""}).status == 400
    assert send(server, "POST", "/loan/", {"id": 9, "book_id": 1, "reader": "x"}).status == 401
    assert send(server, "POST", "/drawn/", {}).json()["word"] == "drawn"
    assert send(server, "POST", "/drawn/").status == 201
    assert errors(send(server, "POST", "/drawn/", {"id": 5})) == {"id": "VALIDATION_ERROR"}


@pytest.mark.parametrize("path", ["/note/", "/memo/", "/tip/", "/notes", "/note/?fields=text"])
def test_a_row_that_a_trigger_does_not_let_in(server, database, path):
    """Nothing was made, and the database does not call that an error."""
    before = database.sql("SELECT count(*) FROM api.note", dbname="library")
    answer = send(server, "POST", path, {"text": "skip this"})
    assert (answer.status, answer.body) == (204, b"")
    assert "location" not in answer.headers and "content-type" not in answer.headers
    assert database.sql("SELECT count(*) FROM api.note", dbname="library") == before
    assert send(server, "POST", path, {"text": "keep this"}).status == 201


@pytest.mark.parametrize("path", ["/note/1", "/memo/1"])
def test_a_change_that_a_trigger_does_not_let_through(server, database, path):
    for method, body in (("PATCH", {"text": "skip that"}), ("PUT", {"text": "skip that"}), ("DELETE", None)):
        assert problem(send(server, method, path, body))[:2] == (403, "PERMISSION_DENIED"), method
    assert database.sql("SELECT text FROM api.note WHERE id = 1", dbname="library") == [("skip me",)]


def test_a_new_row_without_a_key_has_no_address(server):
    answer = send(server, "POST", "/memo/", {"text": "no key"})
    assert answer.status == 201 and answer.json() == {"id": None, "text": "no key"}
    assert "location" not in answer.headers


def test_methods_that_a_path_does_not_have(server):
    for method, path, allow in (("PUT", "/book/", "GET, HEAD, POST, OPTIONS"), ("POST", "/book/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
                                ("POST", "/totals/", "GET, HEAD, OPTIONS")):
        answer = send(server, method, path, {})
        assert answer.status == 405 and answer.headers["allow"] == allow, path
    assert server.request("OPTIONS", "/book/1").headers["allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"


def test_routes_to_tables_write(server, database):
    answer = send(server, "POST", "/authors/2/books", {"title": "Routed", "author_id": 1})
    assert answer.status == 201 and answer.json()["author_id"] == 2 and "location" not in answer.headers
    path = f"/books/{answer.json()['id']}"
    assert send(server, "PATCH", path, {"pages": 7}).json()["pages"] == 7
    assert send(server, "PUT", path, {"title": "Again", "author_id": 1}).json()["title"] == "Again"
    assert send(server, "DELETE", path).status == 204
    assert send(server, "POST", "/authors/x/books", {"title": "x"}).status == 404
    before = database.sql("SELECT count(*), sum(pages) FROM api.book", dbname="library")
    assert send(server, "DELETE", "/all/books").status == 500 and "would change every row" in server.log()
    assert send(server, "PATCH", "/state/used/books", {"pages": 1}).status == 500
    assert database.sql("SELECT count(*), sum(pages) FROM api.book", dbname="library") == before


def test_two_clients_at_once_make_one_row(server, database):
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send(server, "POST", "/author/", {"name": "Only one"}).status, range(16)))
    assert sorted(answers) == [201] + [409] * 15
    database.sql("DELETE FROM api.author WHERE name = 'Only one'", dbname="library")


def test_one_round_trip(database):
    with PgProxy(database) as proxy:
        with Httpd(rest_support.config(proxy.conninfo("library", "library_login")), ours=OURS,
                   mpm="event", workers=workers("event", 1, 8)) as server:
            def turn():
                row = send(server, "POST", "/author/?expand=country", {"name": "Turn", "country_code": "kr"})
                assert row.status == 201 and row.json()["country"]["name"] == "Korea"
                path = f"/author/{row.json()['id']}/"
                assert send(server, "PATCH", path, {"name": "Turned"}).status == 200
                assert send(server, "DELETE", path).status == 204

            turn()
            turn()
            before = len(proxy.flights)
            turn()
            # Behind a write the session is reset, which nobody waits for (test_pg_reset.py).
            flights = [n for n in proxy.flights[before:] if n]
            assert flights and set(flights) == {1}
