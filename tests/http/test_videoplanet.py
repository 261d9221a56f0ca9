"""VideoPlanet's slice through HTTPS, as its frontends use it (contract: sections 2, 4.2, 5.1 login, 5.3 list and detail)."""
import base64
import hashlib
import hmac
import json
import re


import pytest

from harness import SAMPLE_PASSWORD

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
STAGES = ["basic_plan", "story_board", "filming", "video_edit", "post_work", "video_preview", "confirmation", "video_delivery"]
ERROR_MEMBERS = {"success", "data", "result", "message", "detail", "error", "code", "error_code", "error_message", "errors",
                 "statusCode", "path", "timestamp", "request_id", "meta"}
PROJECT_MEMBERS = """id name title project_name description overview manager project_manager_name consumer clientName brand_name
 color status progress phase first_date start_date end_date deadline phases owner_id owner_email owner_nickname owner member_list
 members pending_list files memo memo_list milestones created updated created_at updated_at createdAt updatedAt isActive
 reference_link budget project_manager_phone additional_requests shooting_location shooting_date actor_budget location_budget
 props_budget costume_budget""".split() + STAGES


def call(product, method, path, **more):
    return product.request(method, path, app="videoplanet", **more)


def refused(answer, status, code):
    """The one error body for all readers."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    body = answer.json()
    assert ERROR_MEMBERS <= set(body), ERROR_MEMBERS - set(body)
    assert body["success"] is False and body["data"] is None and body["result"] is None
    assert body["code"] == body["error"] == body["error_code"] == code
    assert body["statusCode"] == status
    assert body["message"] and body["detail"] and body["error_message"]
    assert TIMESTAMP.fullmatch(body["timestamp"]) and TIMESTAMP.fullmatch(body["meta"]["timestamp"])
    assert body["request_id"] == body["meta"]["request_id"] == answer.headers["x-request-id"]
    assert body["meta"]["version"] == "v1"
    assert not re.search(r"select|\bpg_|/var/|/usr/|\.sql|\.c\b", json.dumps(body), re.I)
    return body


@pytest.fixture(scope="module")
def tokens(product):
    return {name: product.login(name) for name in ("owner", "manager", "member", "outsider")}


@pytest.fixture(scope="module")
def owners_project(product, tokens):
    """A project of the owner in which manager and member take part."""
    for project in call(product, "GET", "/projects/project_list", token=tokens["owner"]).json()["result"]:
        emails = {m["email"]: m["rating"] for m in project["member_list"]}
        if project["owner_email"] == "owner@videoplanet.test" and emails.get("manager@videoplanet.test") == "manager" \
                and emails.get("member@videoplanet.test") == "normal":
            return project
    pytest.fail("no sample project with owner, manager and member")


def test_login_answers_token_and_cookie(product):
    answer = call(product, "POST", "/users/login",
                  body={"email": "owner@videoplanet.test", "password": SAMPLE_PASSWORD})
    assert answer.status == 201
    body = answer.json()
    assert body["message"] == "success" and body["success"] is True
    assert body["user"] == "owner@videoplanet.test" and body["result"]["email"] == "owner@videoplanet.test"
    cookie = answer.headers["set-cookie"]
    name, value = cookie.split(";")[0].split("=", 1)
    assert name == "vridge_session" and value == body["vridge_session"]
    attributes = {a.strip().lower() for a in cookie.split(";")[1:]}
    assert {"max-age=2419200", "path=/", "samesite=none", "secure", "httponly"} == attributes
    header, payload, _ = (json.loads(base64.urlsafe_b64decode(p + "==")) if i < 2 else p
                          for i, p in enumerate(value.split(".")))
    assert header["alg"] == "HS256" and header["typ"] == "JWT"
    assert payload["token_type"] == "session" and payload["user_id"] == body["result"]["id"]
    assert payload["sub"] == str(payload["user_id"]) and payload["jti"]
    assert payload["exp"] - payload["iat"] == 28 * 86400
    assert answer.headers["cache-control"] == "no-store"


def test_login_is_case_insensitive_in_the_address(product):
    assert call(product, "POST", "/users/login",
                body={"email": "OWNER@VideoPlanet.test", "password": SAMPLE_PASSWORD}).status == 201


@pytest.mark.parametrize("email,password", [
    ("owner@videoplanet.test", "wrong-password"), ("nobody@videoplanet.test", SAMPLE_PASSWORD),
    ("owner@videoplanet.test", SAMPLE_PASSWORD + " "), ("owner@videoplanet.test", SAMPLE_PASSWORD.lower())])
def test_login_refuses_with_one_answer(product, email, password):
    answer = call(product, "POST", "/users/login", body={"email": email, "password": password})
    refused(answer, 403, "INVALID_CREDENTIALS")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body,field", [
    ({}, "email"), ({"email": "a@b.test"}, "password"), ({"email": 5, "password": "x"}, "email"),
    ({"email": "a@b.test", "password": None}, "password"), ({"email": "a" * 300 + "@b.test", "password": "x"}, "email"),
    ({"email": "a@b.test", "password": "x" * 5000}, "password")])
def test_login_names_the_field(product, body, field):
    answer = call(product, "POST", "/users/login", body=body)
    assert answer.status == 400, answer.body
    assert answer.json()["field"] == field


@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b"\"x\"", b"{\"email\":\"a\",\"email\":\"b\"}", b"\xff\xfe", b"{\"a\":\"\\u0000\"}",
                                 b"[" * 30000, b""], ids=lambda b: repr(b[:12]))
def test_login_refuses_bodies_that_are_no_json_object(product, raw):
    answer = call(product, "POST", "/users/login", body=raw, headers={"Content-Type": "application/json"})
    assert answer.status == 400, (raw[:40], answer.body)
    assert answer.json()["code"] in ("INVALID_JSON", "VALIDATION_ERROR", "REQUIRED_FIELD_MISSING")


@pytest.mark.parametrize("way", ["bearer", "cookie", "header"])
def test_three_ways_to_prove_it(product, tokens, way):
    headers = {"bearer": {"Authorization": f"Bearer {tokens['owner']}"},
               "cookie": {"Cookie": f"vridge_session={tokens['owner']}"},
               "header": {"vridge_session": tokens["owner"]}}[way]
    answer = call(product, "GET", "/projects/project_list", headers=headers)
    assert answer.status == 200, answer.body
    assert answer.json()["user"] == "owner@videoplanet.test"
    assert answer.headers["x-user-id"] == json.loads(base64.urlsafe_b64decode(tokens["owner"].split(".")[1] + "=="))["sub"]


def test_no_credential_is_401(product):
    answer = call(product, "GET", "/projects/project_list")
    body = refused(answer, 401, "AUTHENTICATION_REQUIRED")
    assert body["message"] == "NEED_ACCESS_TOKEN"
    assert "Bearer" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("bad", ["x", "a.b.c", "", "..", "x" * 8100], ids=lambda v: v[:8])
def test_a_bad_cookie_is_401_and_cleared(product, bad):
    answer = call(product, "GET", "/projects/project_list", headers={"Cookie": f"vridge_session={bad}"})
    assert refused(answer, 401, "INVALID_TOKEN")["message"] == "NEED_ACCESS_TOKEN"
    assert answer.headers["set-cookie"].startswith("vridge_session=;") and "max-age=0" in answer.headers["set-cookie"].lower()


def forged(token, header=None, claims=None, key=b"guess"):
    h, p, _ = token.split(".")
    decode = lambda part: json.loads(base64.urlsafe_b64decode(part + "=="))
    encode = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    signed = encode({**decode(h), **(header or {})}) + "." + encode({**decode(p), **(claims or {})})
    mac = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return signed + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


@pytest.mark.parametrize("make", [
    lambda t: forged(t, claims={"sub": "1"}), lambda t: forged(t, header={"alg": "none"}),
    lambda t: t.rsplit(".", 1)[0] + ".", lambda t: t[:-4] + "AAAA", lambda t: forged(t, key=b""),
    lambda t: t + "."], ids=["other key", "alg none", "no signature", "changed signature", "empty key", "four parts"])
def test_a_forged_token_is_401(product, tokens, make):
    refused(call(product, "GET", "/projects/project_list", token=make(tokens["owner"])), 401, "INVALID_TOKEN")


def test_a_bad_credential_is_an_error_beside_a_good_one(product, tokens):
    answer = call(product, "GET", "/projects/project_list", token="bad",
                  headers={"Cookie": f"vridge_session={tokens['owner']}"})
    refused(answer, 401, "INVALID_TOKEN")


def test_the_list_is_as_the_contract_says(product, tokens):
    answer = call(product, "GET", "/projects/project_list", token=tokens["owner"])
    assert answer.status == 200 and answer.headers["content-type"].split(";")[0] == "application/json"
    body = answer.json()
    assert body["success"] is True and body["message"] == "success"
    assert body["result"] == body["projects"] and len(body["result"]) >= 20
    assert body["user"] == "owner@videoplanet.test" and isinstance(body["nickname"], str)
    assert isinstance(body["sample_files"], list) and isinstance(body["user_memos"], list)
    own = [p["owner_email"] == "owner@videoplanet.test" for p in body["result"]]
    assert own == sorted(own, reverse=True), "own ones first"
    for group in (True, False):
        created = [p["created"] for p, mine in zip(body["result"], own) if mine is group]
        assert created == sorted(created, reverse=True), "each newest first"
    for project in body["result"]:
        missing = set(PROJECT_MEMBERS) - set(project)
        assert not missing, missing
        assert list(project["phases"]) and {s for s in STAGES} == set(project["phases"])
        assert project["name"] == project["title"] == project["project_name"]
        assert project["status"] in ("planning", "in_progress", "review", "completed", "on_hold", "cancelled")
        assert 0 <= project["progress"] <= 100
        assert TIMESTAMP.fullmatch(project["created"])
        assert project["members"][0]["email"] == project["owner_email"] and project["members"][0]["role"] == "owner"
    assert any(re.search("[가-힣]", p["name"]) for p in body["result"])


@pytest.mark.parametrize("path", ["/projects", "/projects/", "/projects/project_list/"])
def test_other_spellings_answer_the_same(product, tokens, path):
    want = call(product, "GET", "/projects/project_list", token=tokens["owner"]).json()
    assert call(product, "GET", path, token=tokens["owner"]).json()["result"] == want["result"]


def test_detail_for_owner_manager_and_member(product, tokens, owners_project):
    seen = {}
    for name in ("owner", "manager", "member"):
        answer = call(product, "GET", f"/projects/detail/{owners_project['id']}", token=tokens[name])
        assert answer.status == 200, answer.body
        assert answer.json()["result"] == answer.json()["project"]
        seen[name] = answer.json()["result"]
    assert seen["owner"]["id"] == owners_project["id"]
    assert seen["member"]["pending_list"] == []
    assert call(product, "GET", f"/projects/detail/{owners_project['id']}/", token=tokens["owner"]).status == 200


def test_detail_refuses_an_outsider_and_knows_what_is_absent(product, tokens, owners_project):
    refused(call(product, "GET", f"/projects/detail/{owners_project['id']}", token=tokens["outsider"]), 403, "PERMISSION_DENIED")
    refused(call(product, "GET", "/projects/detail/999999999", token=tokens["owner"]), 404, "NOT_FOUND")
    refused(call(product, "GET", f"/projects/detail/{owners_project['id']}"), 401, "AUTHENTICATION_REQUIRED")


@pytest.mark.parametrize("key", ["abc", "1x", "-1", "1.5", "99999999999999999999", "%00", "1%27", "1;2", "%EF%BC%91", "%ff"])
def test_detail_of_what_is_no_number_is_404(product, tokens, key):
    answer = call(product, "GET", f"/projects/detail/{key}", token=tokens["owner"])
    assert answer.status == 404, answer.body
    if key != "%00":  # httpd refuses that one before it knows the location
        refused(answer, 404, "NOT_FOUND")


def test_unknown_paths_and_wrong_methods(product, tokens):
    refused(call(product, "GET", "/no/such/path", token=tokens["owner"]), 404, "NOT_FOUND")
    answer = call(product, "DELETE", "/projects/project_list", token=tokens["owner"])
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["allow"]
    answer = call(product, "GET", "/users/login")
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["allow"]


def test_head_is_get_without_a_body(product, tokens):
    head = call(product, "HEAD", "/projects/project_list", token=tokens["owner"])
    get = call(product, "GET", "/projects/project_list", token=tokens["owner"])
    assert head.status == 200 and head.body == b""
    assert int(head.headers["content-length"]) == len(get.body)
    assert call(product, "HEAD", "/projects/detail/999999999", token=tokens["owner"]).status == 404


@pytest.mark.parametrize("path,status", [("/projects/project_list", 200), ("/projects/detail/999999999", 404), ("/nothing", 404)])
def test_headers_on_every_answer(product, tokens, path, status):
    answer = call(product, "GET", path, token=tokens["owner"], headers={"X-Request-ID": "mine-1"})
    assert answer.status == status
    assert answer.headers["x-request-id"] == "mine-1"
    assert re.fullmatch(r"\d+ms", answer.headers["x-response-time"])
    assert answer.headers["x-api-version"] == "v1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["strict-transport-security"]
    for name in ("x-request-id", "x-frame-options", "x-response-time", "content-type", "date"):
        assert len([n for n, _ in answer.pairs if n.lower() == name]) == 1, name


def test_plain_http_on_loopback_is_the_same_application(product, tokens):
    answer = call(product, "POST", "/users/login", tls=False,
                  body={"email": "owner@videoplanet.test", "password": SAMPLE_PASSWORD})
    assert answer.status == 201
    attributes = answer.headers["set-cookie"].lower()
    assert "secure" not in attributes and "samesite=lax" in attributes
    token = answer.json()["vridge_session"]
    assert call(product, "GET", "/projects/project_list", token=token, tls=False).status == 200
    assert call(product, "GET", "/projects/project_list", token=token).status == 200


def test_the_name_based_host_is_the_same_application(product, tokens):
    answer = product.request("GET", "/projects/project_list", token=tokens["owner"], headers={"Host": "videoplanet.localhost"})
    assert answer.status == 200
    assert product.request("GET", "/projects/project_list", token=tokens["owner"]).status == 404, "the portal has no projects"
    for other in ("mentoring", "mobilegpt", "maplestory"):
        assert product.request("GET", "/projects/project_list", token=tokens["owner"], app=other).status in (401, 404)


