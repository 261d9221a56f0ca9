"""What the tests of VideoPlanet share: people of their own, requests as its frontends send them, the one error body."""
import contextlib
import json
import re
import secrets
import threading

import pytest

from harness import SAMPLE_PASSWORD

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
STAGES = ["basic_plan", "story_board", "filming", "video_edit", "post_work", "video_preview", "confirmation", "video_delivery"]
ERROR_MEMBERS = {"success", "data", "result", "message", "detail", "error", "code", "error_code", "error_message", "errors",
                 "statusCode", "path", "timestamp", "request_id", "meta"}


class Person:
    """Somebody with an account; everything is asked with his bearer token unless told otherwise."""

    def __init__(self, product, name):
        self.product = product
        self.name = name
        self.email = f"{name.lower()}.{secrets.token_hex(4)}@videoplanet.test"
        self.id = int(product.sql(
            "with account as (insert into trestle.account (email, password_hash, email_verified_at) "
            f"select '{self.email}', password_hash, now() from trestle.account where email = 'owner@videoplanet.test' returning id, email) "
            f"insert into videoplanet.users (id, email, nickname) select id, email, '{name}' from account returning id")[0])
        answer = product.post("/users/login", {"email": self.email, "password": SAMPLE_PASSWORD}, app="videoplanet")
        assert answer.status == 201, answer.body
        self.token = answer.json()["vridge_session"]

    def ask(self, method, path, body=None, token=None, **more):
        return self.product.request(method, path, body=body, app="videoplanet", token=token or self.token, **more)

    def done(self, method, path, body=None, **more):
        """The body of an answer that is 200 in the shape of section 2.3."""
        answer = self.ask(method, path, body, **more)
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        value = answer.json()
        assert value["success"] is True and value["message"] == "success" and "result" in value
        return value

    def refused(self, status, code, method, path, body=None, field=None, **more):
        """Asserts a refusal; field: what the body names."""
        return refused(self.ask(method, path, body, **more), status, code, field)

    def project(self, name="The film", **inputs):
        """The id of a new project of his."""
        return self.done("POST", "/projects/create", {"inputs": {"name": name, **inputs}, "process": []})["result"]["id"]

    def detail(self, project):
        return self.done("GET", f"/projects/detail/{project}")["result"]


def refused(answer, status, code, field=None):
    """The one error body for all readers; nothing of SQL or files in it."""
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    body = answer.json()
    assert ERROR_MEMBERS <= set(body), ERROR_MEMBERS - set(body)
    assert body["success"] is False and body["data"] is None and body["result"] is None
    assert body["code"] == body["error"] == body["error_code"] == code, body
    assert body["statusCode"] == status and body["message"] and body["detail"]
    assert body.get("field") == field, body
    assert not re.search(r"select|insert|\bpg_|/var/|/usr/|\.sql|videoplanet\.|function|column|constraint", json.dumps(body), re.I), body
    return body


def join(project, person, rating="normal"):
    """Makes a person a member without an invitation; the id of the membership."""
    return int(person.product.sql("insert into videoplanet.project_members (project_id, user_id, rating) "
                                  f"values ({project}, {person.id}, '{rating}') returning id")[0])


def multipart(fields):
    """(body, headers) as a browser's FormData sends text fields."""
    boundary = "----" + secrets.token_hex(12)
    parts = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    return (parts + f"--{boundary}--\r\n").encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def at_once(*calls):
    """Runs the calls at the same time; what they returned."""
    results, gate = [None] * len(calls), threading.Barrier(len(calls))

    def run(i):
        gate.wait()
        results[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@contextlib.contextmanager
def unchanged(product, *tables):
    """Asserts that no row of these tables of videoplanet changes, comes or goes meanwhile."""
    def look():
        return product.sql(" union all ".join(
            f"select '{table} ' || md5(coalesce(string_agg(t::text, ',' order by id), '')) from videoplanet.{table} t" for table in tables))

    before = look()
    yield
    assert look() == before


@pytest.fixture(scope="module")
def people(product):
    """An owner, a manager, a normal member and an outsider, with a project of the owner's that the middle two take part in."""
    class Cast:
        owner, manager, member, outsider = (Person(product, name) for name in ("Owner", "Manager", "Member", "Outsider"))
        project = owner.project("Harbour Lights", manager="Kim", consumer="Acme")
        managing, taking_part = join(project, manager, "manager"), join(project, member)

    return Cast
