"""mod_auth_jwt: Require role, claim and scope, alone and combined, and the challenges of their refusals."""
import json

import pytest

from jwt_support import SECRET, bearer, claims, httpd, keys, signed, token  # noqa: F401  pylint: disable=unused-import

PLACES = {
    "level": "Require claim level 3 4.0 5e0",
    "text": "Require claim level '\"3\"'",
    "verified": "Require claim email_verified true",
    "department": "Require claim department sales \"human resources\"",
    "nested": "Require claim /realm_access/roles editor",
    "element": "Require claim /groups/1 b",
    "namespaced": "Require claim https://shop.example/tier gold",
    "present": "Require claim tenant",
    "big": "Require claim id 9007199254740993",
    "not": "<RequireAll>\nRequire valid-user\nRequire not claim suspended true\n</RequireAll>",
    "scope": "Require scope orders:read orders:write",
    "all": "<RequireAll>\nRequire role admin\nRequire scope read\nRequire claim level 3\n</RequireAll>",
    "any": "<RequireAny>\nRequire claim level 3\nRequire scope read\nRequire scope write\n</RequireAny>",
    "none": "<RequireAll>\nRequire valid-user\n<RequireNone>\nRequire claim banned true\nRequire scope guest\n</RequireNone>\n"
            "</RequireAll>",
    "notscope": "<RequireAll>\nRequire valid-user\nRequire not scope guest\nRequire role admin\n</RequireAll>",
    "arrays": "Require scope read\nAuthJWTScopeClaim scp",
    "deepscope": "Require scope read\nAuthJWTScopeClaim /access/scope",
    "deeprole": "Require role editor\nAuthJWTRolesClaim /realm_access/roles",
    "ip": "Require scope read\nRequire ip 203.0.113.1",
}


@pytest.fixture(scope="module")
def server(keys):  # noqa: F811  pylint: disable=redefined-outer-name
    path, _ = keys
    places = "\n".join(f"<Location /{name}>\n{lines}\n</Location>" for name, lines in PLACES.items())
    config = f"""
ProblemDetails On
<Location />
    AuthType JWT
    AuthName shop
    AuthJWTKey HS256 {path}/secret
    AuthJWTIssuer https://shop.example
    AuthJWTAudience shop
    AuthJWTRolesClaim roles
    AuthJWTAnonymous shop_anonymous
    SetHandler jwttest-caller
</Location>
{places}
"""
    with httpd(config, tests=("jwttest",), modules=("authz_host",), expected=("AH01631", "AH01630")) as running:
        yield running


def status(server, place, **more):  # pylint: disable=redefined-outer-name
    return server.get("/" + place, headers=bearer(token(**more))).status


@pytest.mark.parametrize("place,claim,values,others", [
    ("level", "level", [3, 3.0, 4, 5, [1, 4], [5.0]], ["3", 2, True, None, [], ["3"], {"3": 3}, [[3]], 3.0000001]),
    ("text", "level", ["3", ["3"]], [3, "3.0", "03", " 3"]),
    ("verified", "email_verified", [True, [False, True]], [False, "true", 1, None]),
    ("department", "department", ["sales", "human resources", ["x", "sales"]], ["Sales", "sales ", "human", "", {"a": "sales"}]),
    ("nested", "realm_access", [{"roles": ["a", "editor"]}, {"roles": "editor"}], [{"roles": []}, {"role": "editor"}, "editor", ["editor"]]),
    ("element", "groups", [["a", "b"], ["a", "b", "c"]], [["b"], ["b", "a"], "b", {"1": "x"}]),
    ("namespaced", "https://shop.example/tier", ["gold"], ["silver"]),
    ("present", "tenant", ["", 0, False, [], {}], [None]),
    ("big", "id", [9007199254740993], [9007199254740992, 9007199254740994, "9007199254740993"]),
    ("not", "suspended", [False, "true", 1, None], [True, [True]]),
    ("scope", "scope", ["orders:read orders:write", "x orders:write  orders:read", ["orders:write", "orders:read"]],
     ["orders:read", "orders:readorders:write", "orders:read,orders:write", "ORDERS:READ orders:write", ["orders:read orders:write"], 1]),
    ("arrays", "scp", [["read"], "read write"], [["write"], "reader"]),
    ("deepscope", "access", [{"scope": "read"}], [{"scope": ["x"]}, "read"]),
    ("deeprole", "realm_access", [{"roles": ["editor"]}], [{"roles": ["author"]}, {}]),
])
def test_claims_are_compared_by_type(server, place, claim, values, others):  # pylint: disable=redefined-outer-name
    for value in values:
        assert status(server, place, **{claim: value}) == 200, value
    for value in others:
        assert status(server, place, **{claim: value}) == 403, value


def test_json_is_read_as_it_was_written(server):  # pylint: disable=redefined-outer-name
    """Spellings that PyJWT would not write."""
    body = json.dumps(claims())[:-1]
    for member, wanted in (('"level":3e0', 200), ('"le\\u0076el":3', 200), ('"level":30e-1', 200), ('"level":-3', 403),
                           ('"level":3,"level":3', 401), ('"level":3,"le\\u0076el":4', 401), ('"level":1e400', 401)):
        answer = server.get("/level", headers=bearer(signed('{"alg":"HS256"}', f"{body},{member}}}")))
        assert answer.status == wanted, member


def challenge(server, place, **more):  # pylint: disable=redefined-outer-name
    answer = server.get("/" + place, headers=bearer(token(**more)))
    assert answer.status == 403 and answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.headers["www-authenticate"]


def test_a_lacking_scope_is_named(server):  # pylint: disable=redefined-outer-name
    lacking = 'Bearer realm="shop", error="insufficient_scope"'
    assert challenge(server, "scope") == lacking + ', scope="orders:read orders:write"'
    assert challenge(server, "scope", scope="orders:read") == lacking + ', scope="orders:read orders:write"'
    assert challenge(server, "any") == lacking + ', scope="read"'
    assert challenge(server, "all", roles="admin", level=3) == lacking + ', scope="read"'
    assert challenge(server, "ip") == lacking + ', scope="read"'


def test_no_scope_is_named_that_would_not_help(server):  # pylint: disable=redefined-outer-name
    lacking = 'Bearer realm="shop", error="insufficient_scope"'
    assert challenge(server, "level", level=1) == lacking
    assert challenge(server, "all", scope="read", level=3) == lacking
    assert challenge(server, "notscope", scope="guest", roles="admin") == lacking
    assert challenge(server, "notscope") == lacking
    assert challenge(server, "none", scope="guest") == lacking


def test_combinations(server):  # pylint: disable=redefined-outer-name
    good = {"roles": ["admin"], "scope": "read x", "level": 3}
    assert status(server, "all", **good) == 200
    for name in good:
        assert status(server, "all", **{**good, name: None}) == 403, name
    for one in ({"level": 3}, {"scope": "read"}, {"scope": "write"}):
        assert status(server, "any", **one) == 200
    assert status(server, "any", scope="neither") == 403
    assert status(server, "none") == status(server, "none", banned=False, scope="read") == 200
    assert status(server, "none", banned=True) == status(server, "none", scope="read guest") == 403
    assert status(server, "notscope", roles="admin") == 200


@pytest.mark.parametrize("place", [p for p in PLACES])
def test_anonymous_callers_meet_nothing(server, place):  # pylint: disable=redefined-outer-name
    answer = server.get("/" + place)
    assert answer.status == 401 and answer.headers["www-authenticate"] == 'Bearer realm="shop"'
    assert server.get("/" + place, headers=bearer("junk")).status == 401


@pytest.mark.parametrize("lines,mend", [
    ("Require claim", "name a claim and the values"),
    ("Require claim \"\" a", "is no name of a claim"),
    ("Require claim /a~2 b", "write ~1 for a slash"),
    ("Require scope", "name at least one scope"),
    ("Require scope \"a b\"", "is no name of a scope"),
    ("Require scope 'a\"b'", "is no name of a scope"),
    ("Require role", "name at least one role"),
    ("Require role \"\"", "is no name of a role"),
    ("AuthJWTRolesClaim /a~", "write ~1 for a slash"),
    ("AuthJWTScopeClaim \"\"", "takes one argument"),
    ("AuthJWTRoleClaim /~\nAuthJWTRoleAllow shop_staff", "write ~1 for a slash"),
])
def test_configtest_names_the_mend(lines, mend):
    code, output = httpd(f"<Location /a>\n{lines}\n</Location>").configtest()
    assert code != 0 and mend in output


def test_htaccess_may_require(keys):  # noqa: F811  pylint: disable=redefined-outer-name
    path, _ = keys
    with httpd(f"AuthJWTKey HS256 {path}/secret\nAuthJWTAudience shop", expected=("AH01631",)) as server:  # pylint: disable=redefined-outer-name
        server.stop()
        root = server.path / "htdocs"
        server.config += f"\n<Directory {root}>\nAllowOverride AuthConfig\n</Directory>"
        (root / "page").write_text("members only")
        (root / ".htaccess").write_text("AuthType JWT\nRequire claim level 3\n")
        server.start()
        assert server.get("/page", headers=bearer(token(level=3))).body == b"members only"
        assert server.get("/page", headers=bearer(token(level=4))).status == 403
        assert server.get("/page").status == 401
