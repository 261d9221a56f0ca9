"""Two and more applications in one server: nothing of one is reachable from the other."""
import pytest

from harness import APPLICATIONS


def test_every_application_has_its_own_database_and_roles(product):
    names = product.sql("select datname from pg_database order by 1", app="postgres")
    assert set(APPLICATIONS) <= set(names)
    for app in APPLICATIONS:
        rows = product.sql(f"select rolname || ' ' || rolsuper || ' ' || rolinherit || ' ' || rolcanlogin from pg_roles"
                           f" where rolname like '{app}\\_%' order by 1", app="postgres")
        assert [r.split()[0] for r in rows] == sorted(f"{app}_{k}" for k in ("anonymous", "hub", "login", "owner", "user", "worker"))
        assert all(r.split()[1] == "false" for r in rows)
        assert f"{app}_login false false true" in rows


def test_a_login_role_reaches_only_its_own_database_and_request_roles(product):
    for app in APPLICATIONS:
        for other in APPLICATIONS:
            can = product.sql(f"select has_database_privilege('{app}_login', '{other}', 'connect')", app="postgres")
            assert can == ["t" if app == other else "f"]
    members = product.sql("select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid"
                          " join pg_roles l on l.oid = m.member where l.rolname = 'videoplanet_login' order by 1", app="postgres")
    assert members == ["videoplanet_anonymous", "videoplanet_user"]


def test_request_roles_own_nothing_and_read_no_secret(product):
    owned = product.sql("select c.oid::regclass from pg_class c join pg_roles r on r.oid = c.relowner"
                        " where r.rolname in ('videoplanet_user', 'videoplanet_anonymous', 'videoplanet_login')")
    assert owned == []
    for role in ("videoplanet_user", "videoplanet_anonymous"):
        for table in product.sql("select oid::regclass from pg_class where relnamespace = 'trestle'::regnamespace and relkind = 'r'"):
            assert product.sql(f"select has_table_privilege('{role}', '{table}', 'select,insert,update,delete')") == ["f"], table


def test_a_token_of_one_application_is_nothing_to_another(product):
    token = product.login("owner")
    assert product.get("/projects/project_list", app="videoplanet", token=token).status == 200
    for other in ("mentoring", "mobilegpt", "maplestory"):
        answer = product.get("/projects/project_list", app=other, token=token)
        assert answer.status in (401, 404) and b"videoplanet" not in answer.body


def test_a_host_name_does_not_lead_into_another_application(product):
    token = product.login("owner")
    for host in ("videoplanet.localhost", "localhost", "evil.example"):
        answer = product.get("/projects/project_list", app="mentoring", token=token, headers={"Host": host})
        assert answer.status in (401, 404, 421), (host, answer.status)


def test_keys_and_secrets_are_apart_and_unreadable_for_others(product):
    files = product.password_files()
    assert {f.parent.name for f in files if f.parent.parent.name == "keys"} == set(APPLICATIONS)
    for file in files:
        assert file.stat().st_mode & 0o077 == 0, file
    contents = [f.read_bytes() for f in files]
    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize("app", [None, *APPLICATIONS])
@pytest.mark.parametrize("tls", [True, False])
def test_health_on_every_virtual_host(product, app, tls):
    assert product.get("/health/live", app=app, tls=tls).status == 200
    assert product.get("/health/ready", app=app, tls=tls).status == 200
    if app:
        assert product.get("/health/ready", tls=tls, headers={"Host": f"{app}.localhost"}).status == 200


def test_nothing_of_the_tree_is_served(product):
    for path in ("/.git/config", "/conf/trestle.conf", "/var/keys/videoplanet/token", "/../conf/trestle.conf", "/%2e%2e/Makefile"):
        for app in (None, "videoplanet"):
            assert product.get(path, app=app).status in (400, 403, 404)
