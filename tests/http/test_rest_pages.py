"""Dialect pages, reading: lists, rows, filters, search, order, projection, related rows."""
import concurrent.futures
import json
import re
import threading
import urllib.parse

import pytest

import rest_support
from harness import Httpd
from harness.pgproxy import PgProxy
from pg_support import wait_for, workers
from rest_support import OURS, problem

BIG = 9007199254740993


@pytest.fixture(scope="module")
def database(postgres):
    return rest_support.create(postgres)


@pytest.fixture(scope="module")
def server(database):
    with Httpd(rest_support.config(database.conninfo("library", "library_login")), ours=OURS,
               expected=["TRSRE01"]) as one:
        yield one


def rows(server, path, **query):
    answer = server.get(path + ("?" + urllib.parse.urlencode(query) if query else ""))
    assert answer.status == 200, answer.body
    return answer.json()["results"]


def ids(server, **query):
    return [row["id"] for row in rows(server, "/book/", page_size=100, ordering="id", **query)]


def test_columns_without_a_grant_are_not_shown(server):
    row = server.get("/book/7/").json()
    assert "secret" not in row and set(row) == {"id", "title", "isbn", "author_id", "editor_id", "price", "pages", "state",
                                                "tags", "extra", "added", "size"}
    for query in ("secret=hush", "secret__icontains=u", "ordering=secret", "fields=secret", "author__secret=1"):
        assert server.get("/book/?" + query).status == 400
    assert ids(server, search="hush") == []


def test_numbers_keep_their_digits(server):
    assert f'"id":{BIG}'.encode() in server.get(f"/book/{BIG}").body
    assert b'"price":7.123456789012' in server.get("/book/7").body


def test_a_tables_own_order_and_pages(server):
    first = server.get("/book/").json()
    assert first["count"] == 31 and first["next"] == "https://library.test/book/?page=2" and first["previous"] is None
    assert [row["id"] for row in first["results"]] == [BIG] + list(range(30, 11, -1))
    second = server.get("/book?page=2&search=book&page_size=20").json()
    assert second["previous"] == "https://library.test/book?page=1&search=book&page_size=20"
    assert (second["count"], second["next"], len(second["results"])) == (30, None, 10)
    assert server.get("/book/?pages=77").json() == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize("query,expected", [
    ("id=3", [3]), ("id__exact=3", [3]), ("id__in=3,5,99", [3, 5]), ("id__in=", None), ("id__lt=3", [1, 2]),
    ("id__lte=2", [1, 2]), ("id__gt=29&id__lt=99", [30]), ("id__gte=30&id__lt=99", [30]), ("id__range=4,6", [4, 5, 6]),
    ("title=Book+3", [3]), ("title__iexact=bOOK+3", [3]), ("title__contains=ook+1&id__lt=12", [1, 10, 11]),
    ("title__contains=OOK", []), ("title__icontains=OOK+30", [30]), ("title__startswith=Book+30", [30]),
    ("title__istartswith=bOOk+30", [30]), ("title__endswith=29", [29]), ("title__iendswith=BIG+ONE", [BIG]),
    ("title__contains=%25", []), ("title__regex=%5EBook+%5B12%5D%24", [1, 2]), ("title__iregex=%5EBOOK+2%24", [2]),
    ("pages__isnull=true", [BIG]), ("pages__isnull=0&id__lt=3", [1, 2]), ("pages__ne=10&id__in=1,2", [2]),
    ("pages__ne=10&id__in=1," + str(BIG), [BIG]), ("price__gt=29.9&price__lt=31", [30]), ("price=3.123456789012", [3]),
    ("state=lost&id__lt=6", [2, 5]), ("state__in=lost,used&id__lt=4", [1, 2]), ("state__icontains=OS&id__lt=3", [2]),
    ("added__date=2024-01-04", [3]), ("added__year=2024&id__lt=3", [1, 2]), ("added__month__gte=2&id__lte=31", []),
    ("added__day__in=2,3&id__lt=99", [1, 2]), ("added__gt=2024-01-30T12:00:00Z&added__lt=2024-02-20", [30]),
    ("added__range=2024-01-02,2024-01-04", [1, 2]), ("added__hour=12&id=1", [1]),
    ("tags__contains=t1&id__lt=4", [1, 3]), ('tags__contains=t1,"a,\\"b"&id__lt=4', [1, 3]), ("tags__overlap=t0,zz&id__lt=4", [2]),
    ("tags__contained_by=t1&id__lt=4", []), ('tags=t1,"a,\\"b"&id__lt=3', [1]), ("tags__isnull=true", [BIG]),
    ("extra__size__h=7", [7]), ("extra__size__h__gt=28", [29, 30]), ("extra__size__h__range=8,9", [8, 9]),
    ("extra__size__name__icontains=n30", [30]), ("extra__flag=true&id__lt=5", [2, 4]), ("extra__none__isnull=true&id__lt=3", [1, 2]),
    ('extra__contains={"flag":+true}&id__lt=5', [2, 4]), ("extra__size__name__in=N1,N2", [1, 2]), ("extra__size__name__gt=N8", [9]),
    ('extra={"flag":+false,+"size":+{"h":+1,+"name":+"N1"}}', [1]), ("size=11", [BIG]), ("isbn__isnull=true", [BIG]),
    ("author_id=1&id__lt=4", [2]), ("author=1&id__lt=4", [2]), ("author__name=Hugo&id__lt=4", [1, 3]),
    ("author__name__icontains=HAN&id__lt=4", [2]), ("author__country__name=Korea&id__lt=4", [2]),
    ("editor__isnull=true&id__lt=4", [1, 2]), ("editor__name=Hugo&id__lt=4", [3]), ("author__born__year__lt=1900&id__lt=4", [1, 3]),
    ("author__in=1,2&id__lt=3", [1, 2]), ("cover__colour=red", [1]), ("edition__lang=ko", [1, 2]), ("genre__label=novel", [1, 2]),
    ("loan__reader=kim", [1]), ("search=book+30", [30]), ("search=isbn-7", [7]), ("search=BIG", [BIG]), ("search=%25", []),
    ("search=", None), ("title=", []), ("pages=", None),
], ids=lambda v: v if isinstance(v, str) else "")
def test_lookups(server, query, expected):
    found = [row["id"] for row in server.get(f"/book/?{query}&page_size=100&ordering=id").json()["results"]]
    assert found == (expected if expected is not None else list(range(1, 31)) + [BIG])


def test_wildcards_of_a_value_are_plain_characters(server):
    for query in ("name__contains=50%25_", "name__startswith=50%25_off%5C", "name__endswith=%5C", "search=%25_off%5C"):
        assert [row["name"] for row in server.get(f"/author/?{query}").json()["results"]] == ["50%_off\\"], query


def test_order(server):
    def order(ordering, n=3):
        return [row["id"] for row in rows(server, "/book/", ordering=ordering, page_size=n)]

    assert order("-id") == [BIG, 30, 29]
    assert order("pages") == [1, 2, 3]
    assert order("state,-id")[:2] == [BIG, 30]
    assert order("author__name,-id") == [BIG, 30, 28]
    assert order("-author__country__name,id") == [2, 4, 6]
    assert order("extra,id", 40)[-1] == BIG
    for bad in ("nothing", "-", "--id", "id,id", "id,-id", "author", "cover__", "edition__lang", "title desc", "1", "id;",
                "author__country__authors__name", "title::text", ",".join(f"x{n}" for n in range(20))):
        assert problem(server.get("/book/?" + urllib.parse.urlencode({"ordering": bad}))) \
            == (400, "VALIDATION_ERROR", "ordering"), bad


def test_fields(server):
    assert server.get("/book/7?fields=title,id").body == b'{"title":"Book 7","id":7}'
    assert rows(server, "/book/", fields="id", page_size=1) == [{"id": BIG}]
    for bad in ("nothing", "id,id", "author.name", "id.x", "id)", '"id"'):
        assert problem(server.get("/book/7?" + urllib.parse.urlencode({"fields": bad}))) == (400, "VALIDATION_ERROR", "fields")


def test_related_rows(server):
    row = server.get("/book/3/?expand=author.country,editor,cover,edition,genre,loan&fields=id,author.name").json()
    assert row == {"id": 3, "author": {"name": "Hugo", "country": {"code": "fr", "name": "France"}},
                   "editor": row["editor"], "cover": None, "edition": [], "genre": [], "loan": []}
    assert row["editor"]["name"] == "Hugo"
    row = server.get("/book/1?expand=cover,edition,genre,loan,author.book_by_author").json()
    assert row["title"] == "Book 1" and row["cover"] == {"book_id": 1, "colour": "red"}
    assert [e["lang"] for e in row["edition"]] == ["a/b", "ko"]
    assert row["genre"] == [{"id": 1, "label": "poem"}, {"id": 2, "label": "novel"}]
    assert [loan["shout"] for loan in row["loan"]] == ["KIM", "LEE"]
    assert [b["id"] for b in row["author"]["book_by_author"]] == list(range(29, 0, -2))
    assert "secret" not in row["author"]["book_by_author"][0]
    assert [a["name"] for a in server.get("/country/kr?expand=authors").json()["authors"]] == ["Han Kang"]
    assert server.get("/genre/2?expand=book&fields=book.id").json()["book"] == [{"id": 2}, {"id": 1}]
    assert server.get("/loan/1?expand=book&fields=id,book.title").json() == {"id": 1, "book": {"title": "Book 1"}}
    assert server.get("/long_book/11?expand=author&fields=author,author.name").json() == {"author": {"name": "Hugo"}}
    for bad in ("nothing", "author.nothing", "title", "author.country.authors", "vault", "author..country.x.y", '"'):
        assert problem(server.get("/book/1?" + urllib.parse.urlencode({"expand": bad}))) == (400, "VALIDATION_ERROR", "expand")


def test_keys_of_several_columns(server):
    assert server.get("/edition/1/ko/").json()["note"] == "first"
    assert server.get("/book_genre/1/2").json() == {"book_id": 1, "genre_id": 2}
    for path in ("/edition/1", "/edition/1/en", "/edition/x/ko", "/edition/1/ko/2", "/book/1/2", "/keyless/1", "/numbers/1"):
        assert server.get(path).status == 404, path


def test_views(server):
    assert server.get("/long_book/?ordering=id").json()["count"] == 20
    assert [row["id"] for row in rows(server, "/loan/")] == [1, 2]
    assert server.get("/loan/2").json() == {"id": 2, "book_id": 1, "reader": "lee", "shout": "LEE"}
    assert server.get("/keyless/").json()["count"] == 2
    assert problem(server.get("/keyless/?cursor=")) == (400, "VALIDATION_ERROR", "cursor")


def test_functions_as_lists(server):
    page = server.get("/books_of/?author=1&page_size=2").json()
    assert [row["id"] for row in page["results"]] == [30, 28] and page["count"] == 15
    page = server.get("/books_of?author=1&min_pages=250&title__contains=Book&ordering=id&expand=author&fields=id,author.name").json()
    assert page["results"] == [{"id": n, "author": {"name": "Han Kang"}} for n in (26, 28, 30)] and page["count"] == 3
    assert server.get("/totals/?n__gt=0&ordering=-n").json()["results"] == [{"name": "Han Kang", "n": 16}, {"name": "Hugo", "n": 15}]
    assert server.get("/numbers/?upto=3").json() == {"count": 3, "next": None, "previous": None, "results": [1, 2, 3]}
    assert server.get("/numbers/?upto=30&page=2&page_size=20").json()["results"] == list(range(21, 31))
    assert problem(server.get("/books_of/")) == (400, "REQUIRED_FIELD_MISSING", "author")
    assert problem(server.get("/books_of/?author=x")) == (400, "VALIDATION_ERROR", "author")
    assert problem(server.get("/books_of/?author=1&nothing=2")) == (400, "VALIDATION_ERROR", "nothing")
    assert problem(server.get("/numbers/?upto=3&ordering=x")) == (400, "VALIDATION_ERROR", "ordering")
    assert problem(server.get("/numbers/?upto=3&fields=x")) == (400, "VALIDATION_ERROR", "fields")
    assert problem(server.get("/books_of/?author=1&cursor=")) == (400, "VALIDATION_ERROR", "cursor")
    assert server.get("/wipe/").status == 404 and server.get("/books_of/1").status == 404
    first = server.get("/books_of/?author=1&ordering=pages&cursor=&page_size=2").json()
    assert [row["id"] for row in first["results"]] == [2, 4]
    assert server.get(urllib.parse.urlsplit(first["next"])._replace(scheme="", netloc="").geturl()).json()["results"][0]["id"] == 6


def path_of(link):
    return urllib.parse.urlunsplit(urllib.parse.urlsplit(link)._replace(scheme="", netloc=""))


@pytest.mark.parametrize("query", ["", "&ordering=-id", "&ordering=pages", "&ordering=-pages", "&ordering=state,-added", "&ordering=-editor__name",
                                   "&ordering=isbn&fields=title,id", "&ordering=extra&expand=author", "&ordering=price,-title&search=b"])
def test_cursors_walk_forth_and_back(server, query):
    expected = [row["id"] for row in server.get("/book/?page_size=100" + query).json()["results"]]
    link, seen, last = f"/book/?cursor=&page_size=7{query}", [], None
    while link:
        page = server.get(path_of(link)).json()
        assert page["count"] is None and (page["previous"] is None) == (not seen)
        seen += [row["id"] for row in page["results"]]
        link, last = page["next"], page
    assert seen == expected
    back, link = [row["id"] for row in last["results"]], last["previous"]
    while link:
        page = server.get(path_of(link)).json()
        assert page["next"]
        back = [row["id"] for row in page["results"]] + back
        link = page["previous"]
    assert back == expected


def test_cursors_hold_while_rows_come_and_go(server, database):
    page = server.get("/author/?cursor=&page_size=2&ordering=name").json()
    assert [row["name"] for row in page["results"]] == ["50%_off\\", "Han Kang"]
    database.sql("INSERT INTO api.author (name) VALUES ('Aa'), ('Hb')", dbname="library")
    database.sql("DELETE FROM api.author WHERE name = '50%_off\\'", dbname="library")
    try:
        after = server.get(path_of(page["next"])).json()
        assert [row["name"] for row in after["results"]] == ["Hb", "Hugo"]
        assert [row["name"] for row in server.get(path_of(after["previous"])).json()["results"]] == ["Aa", "Han Kang"]
    finally:
        database.sql("DELETE FROM api.author WHERE name IN ('Aa', 'Hb'); INSERT INTO api.author (name) VALUES ('50%_off\\')", dbname="library")


def test_a_cursor_of_another_list_is_refused(server):
    link = server.get("/book/?cursor=&page_size=2&ordering=id").json()["next"]
    cursor = re.search("cursor=([^&]+)", link)[1]
    for query in (f"cursor={cursor}&ordering=-id", f"cursor={cursor}", "cursor=x", f"cursor={cursor}A&ordering=id", f"cursor={cursor[:-4]}&ordering=id",
                  "cursor=" + "A" * 4000, f"cursor={cursor}&page=2&ordering=id", "cursor=&count=exact", "cursor=%00", "cursor=%ff"):
        assert problem(server.get("/book/?" + query)) == (400, "VALIDATION_ERROR", "cursor"), query
    import base64
    raw = base64.urlsafe_b64decode(cursor + "==")
    forged = base64.urlsafe_b64encode(raw[:9] + b"='; DROP TABLE x\0").rstrip(b"=").decode()
    assert problem(server.get(f"/book/?cursor={forged}&ordering=id")) == (400, "VALIDATION_ERROR", "cursor")


@pytest.mark.parametrize("query,field", [
    ("nothing=1", "nothing"), ("id__nothing=1", "id__nothing"), ("id__=1", "id__"), ("__id=1", "__id"), ("id__gt__lt=1", "id__gt__lt"),
    ("author__nothing=1", "author__nothing"), ("author__name__nothing=1", "author__name__nothing"), ("id=x", "id"), ("id__in=1,x", "id__in"),
    ("id__range=1", "id__range"), ("id__range=1,2,3", "id__range"), ("id__isnull=maybe", "id__isnull"), ("price=abc", "price"),
    ("added=yesterday-ish", "added"), ("added__date=2024-13-01", "added__date"), ("added__year=x", "added__year"), ("state=odd", "state"),
    ("state__in=new,odd", "state__in"), ("title__regex=%28", "title__regex"), ("extra__contains=%7B", "extra__contains"), ("extra__in=1", "extra__in"),
    ("tags__in=a", "tags__in"), ('tags__contains="a', "tags__contains"), ('id__in="1"2', "id__in"), ("title=a&title=b", "title"), ("title=%00", "title"),
    ("title=%ff", "title"), ("title=%", "title"), ("page=0", "page"), ("page=x", "page"), ("page=1&page=2", "page"), ("page=1e3", "page"),
    ("page=99999999999999999999", "page"), ("page_size=1001", "page_size"), ("page_size=0", "page_size"), ("page_size=-1", "page_size"),
    ("count=maybe", "count"), ("search=" + "+".join("abcdefghijkl"), "search"), ("id=9223372036854775808", "id"),
    ("author__country__authors__country__name=x", "author__country__authors__country__name"), ("a" * 600 + "=1", "a" * 600),
    ("_" * 5000 + "=1", "_" * 5000), ("extra__" + "__".join("x" * 100) + "__=1", "extra__" + "__".join("x" * 100) + "__"),
    ("id'%20OR%201=1", "id' OR 1"), ("id)%3B--=1", "id);--"), ("book.id=1", "book.id"), ("%22id%22=1", '"id"'),
], ids=lambda v: v[:30])
def test_bad_parameters_name_their_field(server, query, field):
    assert problem(server.get("/book/?" + query)) == (400, "VALIDATION_ERROR", field)


def test_types_that_cannot_be_compared(server):
    for query in ("at=(1,2)", "at__gt=(1,2)", "ordering=at", "at__in=1"):
        assert server.get("/point/?" + query).status == 400, query
    assert len(rows(server, "/point/", at__isnull="false")) == 1
    assert len(rows(server, "/point/", raw__a="1", ordering="raw")) == 1
    assert len(rows(server, "/point/", raw='{"a":1}')) == 1


def test_pages_that_are_not_there(server):
    assert problem(server.get("/book/?page=3")) == (404, "NOT_FOUND", "page")
    assert problem(server.get("/book/?page=1000000000&page_size=1000")) == (404, "NOT_FOUND", "page")
    assert server.get("/vault/").status == 401 and server.get("/vault/1").status == 401
    assert server.get("/vault/?word=gold").status == 401
    assert server.get("/anonymous/book/").status == 401 and server.get("/anonymous/author/?nothing=1").status == 400
    # Nothing leads to what the caller may not read.
    for query in ("expand=book_by_author", "book_by_author__title=x"):
        assert server.get("/anonymous/author/?" + query).status == 400
    for path in ("/nothing/", "/loan/x", "/private/", "/secret", "/pg_class/", "/book/1/x", "/Book/", "/%22book%22/"):
        assert server.get(path).status == 404, path


def test_limits(server):
    page = server.get("/narrow/book/").json()
    assert (page["count"], len(page["results"]), page["next"]) == (None, 5, "https://library.test/narrow/book/?page=2")
    assert server.get("/narrow/book/?count=exact").json()["count"] == 31
    assert server.get("/narrow/book/?page_size=10&page=4").json()["next"] is None
    assert problem(server.get("/narrow/book/?page_size=11")) == (400, "VALIDATION_ERROR", "page_size")
    assert problem(server.get("/narrow/book/?id=1&pages=10&title=x")) == (400, "VALIDATION_ERROR", "title")
    assert problem(server.get("/narrow/book/?expand=author.country")) == (400, "VALIDATION_ERROR", "expand")
    assert server.get("/narrow/book/?author__country__name=x").status == 400
    assert len(server.get("/narrow/author/2?expand=book_by_author").json()["book_by_author"]) == 2
    assert server.get("/narrow/book/?title=" + "x" * 100).status == 414
    assert problem(server.get("/uncounted/book/?count=exact")) == (400, "VALIDATION_ERROR", "count")
    assert server.get("/uncounted/book/?count=none").json()["count"] is None
    assert server.get("/uncounted/book/?nothing=1").status == 200
    assert server.get("/book/?count=none&page=2").json()["next"] is None
    assert server.get("/book/?count=none&page=3").status == 404


def test_routes_to_tables(server):
    page = server.get("/authors/1/books?page_size=2&ordering=id&title__contains=Book").json()
    assert [row["id"] for row in page["results"]] == [2, 4] and page["count"] == 15
    assert page["next"] == "https://library.test/authors/1/books?page_size=2&ordering=id&title__contains=Book&page=2"
    assert server.get("/books/7?fields=id").json() == {"id": 7}
    assert server.get("/authors/x/books").status == 404


def test_one_round_trip_and_no_needless_work(database):
    with PgProxy(database) as proxy:
        with Httpd(rest_support.config(proxy.conninfo("library", "library_login")), ours=OURS,
                   mpm="event", workers=workers("event", 1, 8)) as server:
            paths = ["/book/?expand=author.country,genre,edition,loan&search=book&author__name__icontains=h", "/book/3?expand=author",
                     "/book/?cursor=&ordering=-pages", "/books_of/?author=1", "/edition/1/ko"]
            for path in paths:
                assert server.get(path).status == 200
            before = len(proxy.flights)
            for path in paths:
                assert server.get(path).status == 200
            assert proxy.flights[before:] == [1] * len(paths)


def test_the_catalogue_follows_grants_and_columns_under_load(database):
    database.sql("CREATE TABLE api.moving (id int PRIMARY KEY, a int); INSERT INTO api.moving VALUES (1, 1)", dbname="library")
    with Httpd(rest_support.config(database.conninfo("library", "library_login")), ours=OURS,
               mpm="event", workers=workers("event", 2, 16), expected=["TRSPG10.*moving"]) as server:
        stop, statuses = threading.Event(), []

        def load():
            while not stop.is_set():
                statuses.append(server.get("/book/7?expand=author").status)

        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            loads = [threads.submit(load) for _ in range(2)]
            try:
                assert server.get("/moving/1").status == 401
                database.sql("GRANT SELECT (id) ON api.moving TO library_reader; NOTIFY trestle_schema", dbname="library")
                wait_for(lambda: all(server.get("/moving/1").body == b'{"id":1}' for _ in range(4)))
                database.sql("GRANT SELECT ON api.moving TO library_reader; ALTER TABLE api.moving RENAME a TO b; NOTIFY trestle_schema",
                             dbname="library")
                wait_for(lambda: all(server.get("/moving/1").body == b'{"id":1,"b":1}' for _ in range(4)))
                database.sql("DROP TABLE api.moving; NOTIFY trestle_schema", dbname="library")
                wait_for(lambda: all(server.get("/moving/1").status == 404 for _ in range(4)))
            finally:
                stop.set()
            for one in loads:
                one.result()
        assert set(statuses) == {200}


@pytest.mark.parametrize("line,mend", [
    ("RestPageSize 0", "write for example"), ("RestFiltersMax x", "write for example"), ("RestExpandDepth 11", "write for example"),
    ("RestExpandRows 0", "write for example"), ("RestQueryLimit 2M", "write for example"), ("RestCount some", "write exact, asked or none"),
])
def test_configtest_names_the_mend(line, mend):
    code, output = Httpd(line, ours=OURS).configtest()
    assert code != 0 and mend in output, output


def test_json_is_json(server):
    for path in ("/book/?expand=author,genre", "/book/1", "/numbers/?upto=2"):
        json.loads(server.get(path).body)
