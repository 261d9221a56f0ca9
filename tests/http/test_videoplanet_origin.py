"""VideoPlanet: no other site writes with the cookie of its visitors, or signs them in (section 2 of its contract, D5)."""
import json

import pytest

from harness import SAMPLE_PASSWORD, until
from videoplanet_support import people, refused, unchanged  # noqa: F401  pylint: disable=unused-import

@pytest.fixture(scope="module")
def tables(product):
    """The tables of the application that have an id."""
    return product.sql("select table_name from information_schema.columns where table_schema = 'videoplanet' and column_name = 'id' order by 1")


def writes(project):
    return [("POST", f"/projects/invite_project/{project}", {"email": "friend@evil.example"}),
            ("POST", "/projects/create", {"inputs": {"name": "Forged"}}),
            ("PUT", f"/projects/detail/{project}", {"inputs": {"name": "Forged"}}),
            ("DELETE", f"/projects/detail/{project}", None),
            ("POST", f"/projects/memo/{project}", {"date": "2025-08-04", "memo": "forged"}),
            ("PUT", f"/feedbacks/{project}", {"secret": False, "title": "x", "section": "0:01", "contents": "forged"}),
            ("POST", "/users/memo", {"date": "2025-08-04", "memo": "forged"})]


def by_cookie(person, method, path, body, tls=True, **headers):
    return person.product.request(method, path, json.dumps(body) if body is not None else None, app="videoplanet", tls=tls,
                                  headers={"Cookie": f"vridge_session={person.token}", "Content-Type": "text/plain",
                                           **{name.replace("_", "-"): value for name, value in headers.items()}})


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"}, {"Referer": "https://evil.example/"}, {"Origin": "http://localhost:3000", "Sec_Fetch_Site": "same-site"}])
def test_another_site_writes_nothing(people, product, tables, headers):  # noqa: F811
    with unchanged(product, *tables):
        for method, path, body in writes(people.project):
            answer = by_cookie(people.owner, method, path, body, **headers)
            refused(answer, 403, "CSRF_FAILED")
            assert "set-cookie" not in answer.headers
            assert {"origin", "sec-fetch-site"} <= {name.strip().lower() for name in answer.headers["vary"].split(",")}
    assert people.owner.detail(people.project)["name"] == "Harbour Lights", "the session is kept"


def test_every_address_of_the_application_is_its_own(people, product):  # noqa: F811
    https, http = product.ports("videoplanet")
    portal_https, portal_http = product.ports()
    body = {"date": "2025-08-04", "memo": "mine"}
    for tls, host in ((True, f"localhost:{https}"), (False, f"localhost:{http}"), (True, f"videoplanet.localhost:{portal_https}"),
                      (False, f"videoplanet.localhost:{portal_http}"), (False, f"127.0.0.1:{http}")):
        origin = ("https://" if tls else "http://") + host
        answer = by_cookie(people.owner, "POST", "/users/memo", body, tls=tls, Host=host, Origin=origin, Sec_Fetch_Site="same-origin")
        assert answer.status == 200, (origin, answer.body)
        assert by_cookie(people.owner, "POST", "/users/memo", body, tls=tls, Origin=f"https://localhost:{https}").status == 200


def test_who_is_no_browser_or_sends_no_cookie_passes(people):  # noqa: F811
    body = {"date": "2025-08-04", "memo": "mine"}
    assert by_cookie(people.owner, "POST", "/users/memo", body).status == 200
    for headers in ({}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}):
        people.owner.done("POST", "/users/memo", body, headers=headers)


def test_another_site_reads_as_before(people):  # noqa: F811
    assert by_cookie(people.owner, "GET", "/projects/project_list", None, Origin="https://evil.example").status == 200


def test_another_site_signs_nobody_in(people, product):  # noqa: F811
    body = json.dumps({"email": people.owner.email, "password": SAMPLE_PASSWORD})
    for media in ("text/plain", "application/json"):
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            answer = product.request("POST", "/users/login", body, app="videoplanet", headers={"Content-Type": media, **headers})
            refused(answer, 403, "CSRF_FAILED")
            assert "set-cookie" not in answer.headers
        assert product.request("POST", "/users/login", body, app="videoplanet", headers={"Content-Type": media}).status == 201
    own = f"https://localhost:{product.ports('videoplanet')[0]}"
    assert product.request("POST", "/users/login", body, app="videoplanet", headers={"Content-Type": "text/plain", "Origin": own}).status == 201


@pytest.fixture
def frontend(product, people):  # noqa: F811
    """An origin that VIDEOPLANET_ORIGINS names meanwhile."""
    def is_trusted():
        return by_cookie(people.owner, "POST", "/users/memo", {"date": "2025-08-04", "memo": "?"}, Origin="https://app.example").status == 200

    conf = product.var / "run" / "httpd.conf"
    text = conf.read_text()
    conf.write_text('Define VIDEOPLANET_ORIGINS "http://localhost:3000 https://app.example"\n' + text)
    product.graceful()
    until(is_trusted)
    yield "http://localhost:3000"
    conf.write_text(text)
    product.graceful()
    until(lambda: not is_trusted())


def test_frontends_of_other_origins_are_named_in_the_configuration(people, product, frontend):  # noqa: F811
    body = {"email": people.owner.email, "password": SAMPLE_PASSWORD}
    headers = {"Origin": frontend, "Sec-Fetch-Site": "cross-site"}
    assert product.request("POST", "/users/login", body, app="videoplanet", headers=headers).status == 201
    assert by_cookie(people.owner, "POST", "/users/memo", {"date": "2025-08-04", "memo": "mine"}, Origin=frontend).status == 200
    refused(by_cookie(people.owner, "POST", "/users/memo", {"date": "2025-08-04", "memo": "x"}, Origin="http://localhost:3001"), 403, "CSRF_FAILED")
