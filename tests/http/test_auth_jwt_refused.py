"""mod_auth_jwt with mod_rest: a token that verifies, but whose session or account the database says has ended."""
import pytest

from harness import Httpd
from jwt_support import bearer, keys, token  # noqa: F401  pylint: disable=unused-import
from pg_support import pool

SCHEMA = """
DROP SCHEMA IF EXISTS api CASCADE;
CREATE SCHEMA api;
CREATE FUNCTION api.refuse(code text, message text) RETURNS json LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message; END $$;
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'refused_user') THEN
  CREATE ROLE refused_user; CREATE ROLE refused_login LOGIN NOINHERIT; GRANT refused_user TO refused_login; END IF; END $$;
GRANT USAGE ON SCHEMA api TO refused_user;
"""
CONFIG = """
PgUse app
AuthJWTKey HS256 {path}/secret
AuthJWTIssuer https://shop.example
AuthJWTAudience shop
AuthJWTCredential bearer cookie:session
AuthJWTRole refused_user
AuthJWTAnonymous refused_user
AuthJWTClearCookie On SameSite=None
<Location />
    AuthType JWT
    AuthName shop
    Require all granted
    SetHandler rest
    RestRoute POST /refuse refuse
</Location>
"""


@pytest.fixture(scope="module")
def server(postgres, keys):  # noqa: F811  pylint: disable=redefined-outer-name
    path, _ = keys
    postgres.sql("DROP DATABASE IF EXISTS refused WITH (FORCE)")
    postgres.sql("CREATE DATABASE refused")
    postgres.sql(SCHEMA, dbname="refused")
    with Httpd(pool(postgres.conninfo("refused", "refused_login")) + CONFIG.format(path=path),
               ours=("trestle", "problem", "pg", "auth_jwt", "rest"), expected=["TRSPG1[0-9]"]) as one:
        yield one


def refuse(server, code, message, headers):
    return server.post("/refuse", '{"code": "%s", "message": "%s"}' % (code, message),
                       headers={"Content-Type": "application/json", **headers})


def test_an_ended_session_clears_the_cookie(server):
    answer = refuse(server, "PT401", "INVALID_TOKEN", {"Cookie": f"session={token()}", "Sec-Fetch-Site": "same-origin"})
    assert answer.status == 401 and answer.json()["code"] == "INVALID_TOKEN"
    assert answer.headers["www-authenticate"] == 'Bearer realm="shop", error="invalid_token"'
    assert answer.headers["set-cookie"] == "session=; Max-Age=0; Path=/; SameSite=Lax; HttpOnly"
    assert answer.headers["cache-control"] == "no-store"
    assert [name.lower() for name, _ in answer.pairs].count("www-authenticate") == 1


def test_a_bearer_has_no_cookie_to_clear(server):
    answer = refuse(server, "PT401", "INVALID_TOKEN", bearer(token()))
    assert answer.status == 401 and 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("code,message", [("PT401", "INVALID_CREDENTIALS"), ("PT403", "INVALID_TOKEN")])
def test_other_refusals_leave_the_cookie_alone(server, code, message):
    answer = refuse(server, code, message, {"Cookie": f"session={token()}", "Sec-Fetch-Site": "same-origin"})
    assert answer.json()["code"] == message
    assert answer.status == int(code[2:])
    assert "set-cookie" not in answer.headers and "invalid_token" not in answer.headers.get("www-authenticate", "")


def test_an_anonymous_caller_has_no_token_to_refuse(server):
    answer = refuse(server, "PT401", "INVALID_TOKEN", {})
    assert answer.status == 401 and answer.headers["www-authenticate"] == 'Bearer realm="shop"'
    assert "set-cookie" not in answer.headers
