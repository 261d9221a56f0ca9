"""What the tests of mod_identity share: a small application of its own on sql/core, and a server for it."""
import json
import os
import re
import shutil
import subprocess

import pytest

from harness import ROOT, SERVER_USER, scratch
from harness import Httpd as Server

APP = "idshop"
SECRET = "the token key of the shop in these tests, which is long enough"
PASSWORD = "pässwörd-β 1"
SCHEMA = """
create schema idshop;
create function idshop.login_claims(account bigint) returns jsonb language sql stable
    return jsonb_build_object('user_id', account, 'token_type', 'session', 'sub', 'forged');
create function idshop.login_answer(account bigint, body jsonb) returns jsonb language sql stable
    return jsonb_build_object('token', body -> 'access_token', 'user', account, 'name', '한');
create function idshop.no_claims(account bigint) returns jsonb language sql stable return '[1]'::jsonb;
create function idshop.null_answer(account bigint, body jsonb) returns jsonb language sql stable return null::jsonb;
create function idshop.refused_claims(account bigint) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(403, 'EMAIL_NOT_VERIFIED', 'Confirm your address first.', 'email');
    return null;
end $$;
create function idshop.hidden_claims(account bigint) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(403, 'INVALID_CREDENTIALS', 'Not you.');
    return null;
end $$;
create function idshop.refused_answer(account bigint, body jsonb) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(409, 'CLOSED', 'The shop is closed.');
    return null;
end $$;
create table idshop.people (id bigint primary key references trestle.account on delete cascade, nickname text not null check (length(nickname) <= 20));
create function idshop.validate(email text, fields jsonb) returns void language plpgsql stable security definer as $$
begin
    if email like '%@evil.test' then
        perform trestle.refuse(403, 'PERMISSION_DENIED', 'Not from there.', 'email');
    end if;
    if fields ->> 'nickname' = 'admin' then
        perform trestle.refuse(400, 'VALIDATION_ERROR', 'Choose another nickname.', 'nickname');
    end if;
end $$;
create function idshop.profile(account bigint, fields jsonb) returns void language sql security definer begin atomic
    insert into idshop.people (id, nickname) values (account, fields ->> 'nickname')
    on conflict (id) do update set nickname = excluded.nickname;
end;
create function idshop.fields(account bigint, fields jsonb) returns void language plpgsql security definer as $$
begin
    perform trestle.refuse(418, 'SEEN', fields::text);
end $$;
create function idshop.person_claims(account bigint) returns jsonb language sql stable security definer
    return (select jsonb_build_object('nickname', nickname) from idshop.people where id = account);
create function idshop.person_answer(account bigint, body jsonb) returns jsonb language sql stable security definer
    return body || jsonb_build_object('account', account, 'nickname', (select nickname from idshop.people where id = account));
create function idshop.closed(account bigint) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(403, 'CLOSED', 'The shop is closed.');
end $$;
create function idshop.closed_answer(account bigint, body jsonb) returns jsonb language plpgsql stable security definer as $$
begin
    perform trestle.refuse(409, 'CLOSED', 'The shop is closed.');
end $$;
grant usage on schema idshop to :"login";
grant execute on all functions in schema idshop to :"login";
"""


def argon2(password, memory=8192, passes=1, lanes=1, kind="argon2id", salt=b"0123456789abcdef"):
    """A PHC string, by libsodium through ctypes."""
    import base64
    import ctypes
    import ctypes.util
    sodium = ctypes.CDLL("libsodium.so.23")
    raw = password.encode()
    out = ctypes.create_string_buffer(32)
    algorithm = {"argon2i": 1, "argon2id": 2}[kind]
    assert lanes == 1
    assert sodium.crypto_pwhash(out, ctypes.c_ulonglong(32), raw, ctypes.c_ulonglong(len(raw)), salt,
                                ctypes.c_ulonglong(passes), ctypes.c_size_t(memory * 1024), algorithm) == 0

    def b64(data):
        return base64.b64encode(data).rstrip(b"=").decode()

    return f"${kind}$v=19$m={memory},t={passes},p=1${b64(salt)}${b64(out.raw)}"


def migrate(cluster):
    """Makes the application's database as an operator makes it, from sql/core and SCHEMA."""
    tree = scratch("sql")
    shutil.copytree(ROOT / "sql" / "core", tree / "core")
    (tree / "apps" / APP).mkdir(parents=True)
    (tree / "apps" / APP / "0001_shop.sql").write_text(SCHEMA)
    subprocess.run([ROOT / "bin" / "trestle-migrate", APP], check=True, stdout=subprocess.DEVNULL, env={
        **os.environ, "TRESTLE_SQL": str(tree), "PGHOST": str(cluster.path), "PGUSER": cluster.superuser})
    shutil.rmtree(tree)


@pytest.fixture(scope="module")
def database(postgres):
    """The application's database with accounts, named after what is the matter with them."""
    migrate(postgres)
    postgres.sql("truncate trestle.account cascade", dbname=APP)
    for name, stored in {
            "owner": argon2(PASSWORD), "legacy": "pbkdf2_sha256$1000$salt$AAAA", "nobody": None,
            "argon2i": argon2(PASSWORD, passes=3, kind="argon2i"), "slow": argon2(PASSWORD, memory=131072, passes=6),
            "lanes": "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$L1b1NjppUoj/KIEORq1pof4waLxklM0mqKZzt9nCsKI",
            "huge": "$argon2id$v=19$m=4194304,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$L1b1NjppUoj/KIEORq1pof4waLxklM0mqKZzt9nCsKI",
            "disabled": argon2(PASSWORD)}.items():
        postgres.sql("insert into trestle.account (email, password_hash, disabled_at) values (%s, %s, "
                     "case when %s = 'disabled' then now() end)", f"{name}@shop.test", stored, name, dbname=APP)
    postgres.sql("insert into idshop.people select id, 'boss' from trestle.account where email = 'owner@shop.test'", dbname=APP)
    return postgres


def write_key(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(path, SERVER_USER, SERVER_USER)
    return path


@pytest.fixture(scope="module")
def keyfile():
    """The key of tokens; beside it, refresh and refresh2 are keys of refresh tokens."""
    path = write_key(scratch("keys") / "token", SECRET)
    write_key(path.with_name("refresh"), "the refresh key of the shop in these tests, long enough")
    write_key(path.with_name("refresh2"), "another refresh key of the shop, which came before it")
    yield path
    shutil.rmtree(path.parent)


def configuration(database, keyfile, more="", everywhere=""):
    return f"""
ProblemDetails On
LogLevel identity:debug
TrestleApplication {APP}
TrestlePublicURL https://shop.example
<PgPool shop>
    PgConnect "{database.conninfo(APP, APP + '_login')}"
    PgWait 1s
</PgPool>
PgUse shop
AuthJWTSigningKey HS256 {keyfile}
AuthJWTKey HS256 {keyfile}
AuthJWTIssuer https://shop.example
AuthJWTAudience {APP}
AuthJWTRole {APP}_user
IdentityHashCost 8M 1
{everywhere}
<Location /login>
    SetHandler identity-login
</Location>
<Location /shop/login>
    SetHandler identity-login
    IdentityClaimsFunction idshop.login_claims
    IdentityAnswerFunction idshop.login_answer
    IdentityTokenLifetime 672h
    IdentityStatus 201
    IdentityRefusal 403
    IdentityCookie shop_session SameSite=None
</Location>
<Location /private>
    AuthType JWT
    AuthJWTTokenType session
    AuthJWTCredential bearer cookie:shop_session header:X-Token
    SetHandler jwttest-caller
</Location>
<Location /status>
    SetHandler server-status
</Location>
{more}
"""


def httpd(database, keyfile, more="", everywhere="", ours=("trestle", "problem", "pg", "auth_jwt", "identity"), **options):
    return Server(configuration(database, keyfile, more, everywhere), ours=ours, tests=("jwttest",), **options)


def login(server, path="/shop/login", email="owner@shop.test", password=PASSWORD, headers=None, **more):
    body = {k: v for k, v in {"email": email, "password": password, **more}.items() if v is not ...}
    return server.post(path, json.dumps(body), headers={"Content-Type": "application/json", **(headers or {})}, timeout=120)


def is_refused(answer, status=403, code="INVALID_CREDENTIALS"):
    assert answer.status == status, answer.body
    assert answer.json()["code"] == code
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    return True


def sessions(database, email="owner@shop.test"):
    return database.sql("select s.sid, s.jti, s.address, s.user_agent, extract(epoch from s.abs_expires_at)::bigint "
                        "from trestle.session s join trestle.account a on a.id = s.account_id where a.email = %s "
                        "order by s.created_at desc", email, dbname=APP)


def status(server):
    text = server.get("/status?auto").body.decode()
    return {name: int(value) for name, value in re.findall(r"^(Identity\w+): (\d+)$", text, re.M)}


def post(server, path, fields=None, headers=None, token=None, **more):
    """A POST with fields as JSON."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return server.post(path, json.dumps(fields) if fields is not None else None, headers=headers, timeout=120, **more)


def same_but_for_the_request(first, second):
    """Whether two problems differ in nothing but the request's id and what is random."""
    first, second = first.json(), second.json()
    for answer in (first, second):
        for member in ("instance", "request_id", "confirmation"):
            answer.pop(member, None)
    return first == second
