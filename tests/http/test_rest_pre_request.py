"""RestPreRequest: what a token still says counts for nothing once its session or its account has ended."""
import json

import pytest

from identity_support import APP, database, httpd, keyfile, login  # noqa: F401
from harness.pgproxy import PgProxy

TABLES = """
create table api.paper (id bigint generated always as identity primary key, owner bigint default trestle.account_id(), text text not null);
alter table api.paper enable row level security;
create policy own on api.paper using (owner = trestle.account_id() or owner is null);
insert into api.paper (owner, text) values (null, 'for all');
create function api.paper_count() returns bigint language sql stable return (select count(*) from api.paper);
create function api.paper_add(text text) returns bigint language sql as 'insert into api.paper (text) values (paper_add.text) returning id';
create function api.ended() returns void language plpgsql stable as $$ begin
    perform trestle.refuse(409, 'CLOSED', 'Closed today.'); end $$;
grant all on api.paper to idshop_user;
grant select on api.paper to idshop_anonymous;
"""
OURS = ("trestle", "problem", "pg", "auth_jwt", "identity", "rest")
MORE = """
<Location /t>
    SetHandler rest
    RestDialect pages
    RestPreRequest trestle.require_session
    AuthType JWT
    AuthJWTRole idshop_user
    AuthJWTAnonymous idshop_anonymous
    Require all granted
    RestRoute GET /t/count paper_count()
    RestRoute POST /t/add paper_add()
</Location>
<Location /t/unasked>
    RestPreRequest Off
    RestRoute GET /t/unasked/count paper_count()
</Location>
<Location /t/closed>
    RestPreRequest api.ended
    RestRoute GET /t/closed/count paper_count()
</Location>
<Location /t/missing>
    RestPreRequest api.absent
    RestRoute GET /t/missing/count paper_count()
</Location>
<Location /logout>
    SetHandler identity-logout
</Location>
"""


@pytest.fixture(name="server", scope="module")
def shop(database, keyfile):  # noqa: F811
    database.sql(TABLES, dbname=APP)
    with PgProxy(database) as proxy, httpd(proxy, keyfile, MORE, ours=OURS, expected=["TRSPG10", "TRSRE01"]) as running:
        running.proxy = proxy
        yield running


def ask(server, method, path, token, body=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body:
        headers["Content-Type"] = "application/json"
    return server.request(method, path, body=json.dumps(body).encode() if body else None, headers=headers)


CALLS = (("GET", "/t/paper/", None), ("GET", "/t/paper/1", None), ("GET", "/t/count", None), ("POST", "/t/add", {"text": "x"}),
         ("POST", "/t/paper/", {"text": "x"}), ("PATCH", "/t/paper/1", {"text": "x"}), ("DELETE", "/t/paper/1", None))


def test_an_ended_session_reads_and_writes_nothing(server, database):  # noqa: F811
    token = login(server).json()["token"]
    assert ask(server, "GET", "/t/paper/", token).json()["count"] == 1
    assert ask(server, "POST", "/t/add", token, {"text": "mine"}).status == 200
    assert ask(server, "POST", "/logout", token).status == 204
    before = database.sql("select count(*), max(text) from api.paper", dbname=APP)
    for method, path, body in CALLS:
        answer = ask(server, method, path, token, body)
        assert (answer.status, answer.json()["code"]) == (401, "INVALID_TOKEN"), (method, path, answer.body)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert database.sql("select count(*), max(text) from api.paper", dbname=APP) == before
    # Who shows no token is not asked for one; another session of the account goes on.
    assert ask(server, "GET", "/t/paper/1", None).status == 200
    assert ask(server, "GET", "/t/paper/1", login(server).json()["token"]).status == 200
    assert ask(server, "GET", "/t/unasked/count", token).status == 200


def test_it_travels_with_the_request(server):
    token = login(server).json()["token"]
    for _ in range(2):
        ask(server, "GET", "/t/count", token)
    server.proxy.flights.clear()
    assert ask(server, "GET", "/t/count", token).status == 200
    assert server.proxy.flights == [1]


def test_it_refuses_like_any_function(server):
    answer = ask(server, "GET", "/t/closed/count", login(server).json()["token"])
    assert (answer.status, answer.json()["code"], answer.json()["detail"]) == (409, "CLOSED", "Closed today.")


def test_a_missing_one_is_told_to_the_administrator_alone(server):
    answer = ask(server, "GET", "/t/missing/count", None)
    assert answer.status == 500 and b"absent" not in answer.body
    assert "api.absent" in server.log()
