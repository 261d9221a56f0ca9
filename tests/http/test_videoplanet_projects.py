"""Projects: create, change, delete, members (contract 5.3; stories 8, 9 and 12)."""
import json
from urllib.parse import urlencode

import pytest

from videoplanet_support import STAGES, Person, at_once, join, multipart, people, refused, unchanged  # noqa: F401 pylint: disable=unused-import

FILMING = {"key": "filming", "startDate": "2025-08-04", "endDate": "2025-08-09T09:30:00+09:00", "text": "촬영"}


def as_json(inputs, process):
    return {"inputs": inputs, "process": process}, {}


def as_json_of_texts(inputs, process):
    return {"inputs": json.dumps(inputs), "process": json.dumps(process)}, {}


def as_form(inputs, process):
    return (urlencode({"inputs": json.dumps(inputs), "process": json.dumps(process)}),
            {"Content-Type": "application/x-www-form-urlencoded"})


def as_multipart(inputs, process):
    return multipart({"inputs": json.dumps(inputs, ensure_ascii=False), "process": json.dumps(process, ensure_ascii=False)})


@pytest.mark.parametrize("shape", [as_json, as_json_of_texts, as_form, as_multipart])
@pytest.mark.parametrize("path", ["/projects/create", "/projects/create/", "/projects", "/projects/project_list"])
def test_a_project_is_made(people, shape, path):
    body, headers = shape({"name": "봄 캠페인", "description": "세 컷\n\"30초\"", "manager": "김하늘", "consumer": "한빛전자"}, [FILMING])
    project = people.owner.done("POST", path, body, headers=headers)["result"]
    assert project["name"] == project["title"] == "봄 캠페인" and project["description"] == "세 컷\n\"30초\""
    assert project["manager"] == "김하늘" and project["consumer"] == "한빛전자"
    assert project["owner_id"] == people.owner.id and project["member_list"] == [] and project["members"][0]["role"] == "owner"
    assert project["filming"] == {"start_date": "2025-08-03T15:00:00Z", "end_date": "2025-08-09T00:30:00Z", "key": "filming"}
    assert project["first_date"] == "2025-08-03T15:00:00Z" and project["end_date"] == "2025-08-09T00:30:00Z"
    assert people.owner.detail(project["id"]) == project


def test_by_cookie(people):
    answer = people.owner.product.request("POST", "/projects/create", {"inputs": {"name": "By cookie"}}, app="videoplanet",
                                          headers={"Cookie": f"vridge_session={people.owner.token}"})
    assert answer.status == 200 and answer.json()["result"]["owner_email"] == people.owner.email


def test_only_four_fields_are_taken(people):
    """Story 8."""
    project = people.owner.done("POST", "/projects/create", {"inputs": {
        "name": "Only four", "user_id": people.outsider.id, "user": people.outsider.id, "id": 1, "created": "2001-01-01", "progress": 55,
        "status": "completed", "color": "#000000", "details": {"budget": 7}}, "user_id": people.outsider.id})["result"]
    assert project["owner_id"] == people.owner.id and project["id"] != 1
    assert not project["created"].startswith("2001") and project["progress"] == 0 and project["status"] == "planning"
    assert project["budget"] is None
    people.owner.done("PUT", f"/projects/detail/{project['id']}", {"inputs": {"user_id": people.outsider.id, "name": "Still four"}})
    assert people.owner.detail(project["id"])["owner_id"] == people.owner.id
    people.outsider.refused(403, "PERMISSION_DENIED", "GET", f"/projects/detail/{project['id']}")


def test_few_stages_are_eight(people):
    """Story 9."""
    person = Person(people.owner.product, "Fresh")
    assert person.done("GET", "/projects/project_list")["result"] == []
    project = person.done("POST", "/projects/create", {"inputs": {"name": "Few"}, "process": [
        FILMING, {"key": "basic_plan", "startDate": "2025-8-1", "endDate": None}]})["result"]
    for shown in (person.detail(project["id"]), person.done("GET", "/projects/project_list")["result"][0]):
        assert list(shown["phases"]) == STAGES
        empty = [key for key in STAGES if shown[key]["start_date"] is None and shown[key]["end_date"] is None]
        assert empty == [key for key in STAGES if key not in ("filming", "basic_plan")]
        assert shown["basic_plan"]["start_date"] == "2025-07-31T15:00:00Z" and shown["basic_plan"]["end_date"] is None


BAD_PROJECTS = [
    ({}, "REQUIRED_FIELD_MISSING", "name"),
    ({"inputs": {}}, "REQUIRED_FIELD_MISSING", "name"),
    ({"inputs": {"name": ""}}, "REQUIRED_FIELD_MISSING", "name"),
    ({"inputs": {"name": "  "}}, "REQUIRED_FIELD_MISSING", "name"),
    ({"inputs": {"name": None}}, "REQUIRED_FIELD_MISSING", "name"),
    ({"inputs": {"name": "가" * 101}}, "VALIDATION_ERROR", "name"),
    ({"inputs": {"name": 5}}, "VALIDATION_ERROR", "name"),
    ({"inputs": {"name": {"a": 1}}}, "VALIDATION_ERROR", "name"),
    ({"inputs": {"name": "x", "manager": "m" * 51}}, "VALIDATION_ERROR", "manager"),
    ({"inputs": {"name": "x", "consumer": "m" * 51}}, "VALIDATION_ERROR", "consumer"),
    ({"inputs": {"name": "x", "description": ["d"]}}, "VALIDATION_ERROR", "description"),
    ({"inputs": "not JSON"}, "VALIDATION_ERROR", "inputs"),
    ({"inputs": ["x"]}, "VALIDATION_ERROR", "inputs"),
    ({"inputs": "\"text\""}, "VALIDATION_ERROR", "inputs"),
] + [({"inputs": {"name": "x"}, "process": process}, "VALIDATION_ERROR", "process") for process in (
    "not JSON", {"key": "filming"}, 7, ["filming"], [{}], [{"key": None}], [{"key": 7}], [{"key": "catering"}], [FILMING, FILMING],
    [{"key": "filming", "startDate": "2025-08-09", "endDate": "2025-08-08"}], [{"key": "filming", "startDate": "soon"}],
    [{"key": "filming", "startDate": "infinity"}], [{"key": "filming", "startDate": "2025-02-30"}], [{"key": "filming", "startDate": 1754265600}],
    [{"key": "filming", "startDate": "10000-01-01"}], [{"key": "filming", "startDate": ""}], [{"key": "filming", "endDate": "0001-01-01"}],
    [{"key": "filming", "endDate": "2025-08-04T25:00:00Z"}], [{"key": "filming", "endDate": {}}],
    ["x"], ["[]"], ["null"], [None], [FILMING, json.dumps(FILMING)])]


def test_what_cannot_be_a_project(people):
    with unchanged(people.owner.product, "projects", "project_stages", "activities"):
        for body, code, field in BAD_PROJECTS:
            people.owner.refused(400, code, "POST", "/projects/create", body, field=field)


def test_bodies_that_are_none(people):
    with unchanged(people.owner.product, "projects"):
        for raw in (b"{", b"[]", b"\xff", b"[" * 70 + b"]" * 70, b'{"inputs": {"name": "x"}, "inputs": {"name": "y"}}',
                    b'{"inputs": {"name": "a\\u0000b"}}', b'{"inputs": {"name": "\\ud800"}}'):
            answer = people.owner.ask("POST", "/projects/create", raw, headers={"Content-Type": "application/json"})
            assert answer.status == 400, (raw, answer.body)
            refused(answer, 400, answer.json()["code"], answer.json().get("field"))


def test_a_form_whose_text_is_no_json(people):
    with unchanged(people.owner.product, "projects"):
        for body, headers in (multipart({"inputs": "{", "process": "[]"}), ("inputs=%7B", {"Content-Type": "application/x-www-form-urlencoded"})):
            people.owner.refused(400, "VALIDATION_ERROR", "POST", "/projects/create", body, headers=headers, field="inputs")


def test_nobody_is_refused_before_he_is_known(people):
    for method, path in (("POST", "/projects/create"), ("PUT", f"/projects/detail/{people.project}"), ("DELETE", f"/projects/detail/{people.project}"),
                         ("POST", f"/projects/date_update/{people.project}"), ("POST", f"/projects/memo/{people.project}"),
                         ("POST", f"/projects/invite_project/{people.project}"), ("GET", f"/feedbacks/{people.project}"),
                         ("PUT", f"/feedbacks/{people.project}"), ("DELETE", "/feedbacks/1"), ("GET", "/users/memo"), ("DELETE", "/users/memo/1"),
                         ("GET", "/projects/invite/MQ/aaaaaaaaaaaaaaaaaaaaaaaa")):
        answer = people.owner.product.request(method, path, app="videoplanet")
        assert refused(answer, 401, "AUTHENTICATION_REQUIRED")["message"] == "NEED_ACCESS_TOKEN", path


def test_a_change(people):
    project = people.owner.project("Before", description="old", manager="m", consumer="c")
    for method in ("POST", "PUT"):
        body, headers = multipart({"inputs": json.dumps({"name": f"After {method}", "description": "new"}),
                                   "process": json.dumps([{**FILMING, "text": "x"}]), "members": "[]"})
        answer = people.owner.done(method, f"/projects/detail/{project}", body, headers=headers)
        assert answer["result"] == answer["project"] == people.owner.detail(project)
        assert answer["result"]["name"] == f"After {method}" and answer["result"]["description"] == "new"
        assert answer["result"]["manager"] == "m" and answer["result"]["consumer"] == "c", "what is absent stays"
        assert answer["result"]["filming"]["start_date"] == "2025-08-03T15:00:00Z"
    shown = people.owner.done("PUT", f"/projects/detail/{project}", {"process": [{"key": "filming", "startDate": None}]})["result"]
    assert shown["filming"]["start_date"] is None and shown["filming"]["end_date"] == "2025-08-09T00:30:00Z", "null clears, absent keeps"
    assert people.owner.done("PUT", f"/projects/detail/{project}")["result"]["name"] == "After PUT", "no body changes nothing"


def test_stages_as_texts(people):
    """Stages that stand in the list as strings, as some forms send them, are set like any other."""
    stage = json.dumps({"key": "filming", "startDate": "2025-08-04"})
    made = people.owner.done("POST", "/projects/create", {"inputs": {"name": "Texts"}, "process": [stage]})["result"]
    assert made["filming"]["start_date"] == "2025-08-03T15:00:00Z"
    changed = people.owner.done("PUT", f"/projects/detail/{made['id']}", {"process": [stage.replace("04", "05"), {"key": "video_edit", "endDate": "2025-09-01"}]})["result"]
    assert changed["filming"]["start_date"] == "2025-08-04T15:00:00Z" and changed["video_edit"]["end_date"] == "2025-08-31T15:00:00Z"


def test_a_stage_that_ends_before_it_starts(people):
    """The first of them is named as people call it."""
    project = people.owner.project("Backwards")
    backwards = [{"key": key, "startDate": "2025-08-09", "endDate": "2025-08-08"} for key in ("video_edit", "filming")]
    names = people.owner.product.sql("select name from videoplanet.stages where key = 'filming'")
    with unchanged(people.owner.product, "project_stages", "activities"):
        body = people.owner.refused(400, "VALIDATION_ERROR", "PUT", f"/projects/detail/{project}",
                                    {"process": [{"key": "basic_plan", "startDate": "2025-08-01"}, *backwards]}, field="process")
    assert body["detail"] == f"{names[0]}: 종료일이 시작일보다 빠릅니다."


def test_what_cannot_be_a_change(people):
    bad = [(members, "VALIDATION_ERROR", "members") for members in (
        "x", {"id": 1}, [1], [{}], [{"id": 1}], [{"id": "x", "rating": "manager"}], [{"id": 10 ** 30, "rating": "normal"}],
        [{"id": 0, "rating": "manager"}], [{"id": -1, "rating": "manager"}], [{"id": None, "rating": "normal"}])]
    bad = [({"inputs": {"name": "Half done"}, "members": members}, code, field) for members, code, field in bad]
    bad += [case for case in BAD_PROJECTS if "name" in case[0].get("inputs", {})]
    with unchanged(people.owner.product, "projects", "project_stages", "project_members"):
        for body, code, field in bad:
            people.owner.refused(400, code, "PUT", f"/projects/detail/{people.project}", body, field=field)


def test_ratings_that_are_none(people):
    with unchanged(people.owner.product, "project_members"):
        for rating in ("owner", "", None, 5, ["manager"]):
            people.owner.refused(400, "VALIDATION_ERROR", "PUT", f"/projects/detail/{people.project}",
                                 {"members": [{"id": people.taking_part, "rating": rating}]}, field="members")


def test_a_manager_manages(people):
    """Story 12, without its file."""
    owner, other = people.owner, Person(people.owner.product, "B")
    project, foreign = owner.project("Of A"), people.outsider.project("Foreign")
    membership, foreign_membership = join(project, other), join(foreign, people.manager)
    other.refused(403, "PERMISSION_DENIED", "POST", f"/projects/detail/{project}", {"inputs": {"name": "No"}})
    shown = owner.done("POST", f"/projects/detail/{project}", {"inputs": {"name": "Of A"}, "members": [{"id": membership, "rating": "manager"}]})["result"]
    assert [(m["id"], m["rating"]) for m in shown["member_list"]] == [(membership, "manager")]
    assert [m["role"] for m in shown["members"]] == ["owner", "admin"]

    assert other.done("POST", f"/projects/detail/{project}", {"inputs": {"name": "By B"}})["result"]["name"] == "By B"
    assert other.done("POST", f"/projects/date_update/{project}", {"key": "filming", "start_date": "2025-08-04", "end_date": "2025-08-05"})["phase"]
    memo = other.done("POST", f"/projects/memo/{project}", {"date": "2025-08-04", "memo": "by B"})["memo"]
    assert memo["author"] == "B" and memo["userId"] == other.id and memo["projectId"] == project
    with unchanged(owner.product, "project_members", "projects"):
        other.refused(400, "VALIDATION_ERROR", "POST", f"/projects/detail/{project}",
                      {"inputs": {"name": "Half"}, "members": [{"id": foreign_membership, "rating": "manager"}]}, field="members")
        other.refused(400, "VALIDATION_ERROR", "POST", f"/projects/detail/{project}",
                      {"members": [{"id": membership, "rating": "normal"}, {"id": membership, "rating": "manager"}]}, field="members")
    assert other.done("PUT", f"/projects/detail/{project}", {"members": [{"id": str(membership), "rating": "normal"}]})["result"]["pending_list"] == []
    other.refused(403, "PERMISSION_DENIED", "PUT", f"/projects/detail/{project}", {"inputs": {"name": "Not any more"}})


def test_who_may_not(people):
    calls = [
        ("POST", "/projects/detail/{}", {"inputs": {"name": "x"}}), ("PUT", "/projects/detail/{}", None), ("DELETE", "/projects/detail/{}", None),
        ("PUT", "/projects/date_update/{}", {"key": "filming", "start_date": "2025-08-04"}),
        ("POST", "/projects/memo/{}", {"memo": "x", "date": "2025-08-04"}), ("DELETE", "/projects/memo/{}", {"memo_id": 1}),
        ("POST", "/projects/invite_project/{}", {"email": "x@videoplanet.test"}), ("DELETE", "/projects/invite_project/{}", {"pk": 1})]
    with unchanged(people.owner.product, "projects", "project_stages", "project_memos", "project_invites"):
        for method, path, body in calls:
            for person in (people.member, people.outsider):
                person.refused(403, "PERMISSION_DENIED", method, path.format(people.project), body)
            for key in ("999999999", "x", "-1", "99999999999999999999"):
                people.owner.refused(404, "NOT_FOUND", method, path.format(key), body)


def test_a_project_is_deleted_with_everything_below(people):
    owner, manager = people.owner, people.manager
    project = owner.project("Gone soon")
    join(project, manager, "manager")
    owner.done("POST", f"/projects/memo/{project}", {"memo": "x", "date": "2025-08-04"})
    owner.done("POST", f"/projects/invite_project/{project}", {"email": "someone@videoplanet.test"})
    manager.done("PUT", f"/feedbacks/{project}", {"section": "00:01", "contents": "x", "title": "", "secret": "false"})
    assert manager.done("DELETE", f"/projects/detail/{project}")["result"] == project
    owner.refused(404, "NOT_FOUND", "GET", f"/projects/detail/{project}")
    owner.refused(404, "NOT_FOUND", "DELETE", f"/projects/detail/{project}")
    for table in ("project_stages", "project_memos", "project_invites", "project_members", "feedbacks", "feedback_items", "activities"):
        assert owner.product.sql(f"select count(*) from videoplanet.{table} where project_id = {project}") == ["0"], table


def test_two_at_once(people):
    owner = people.owner
    made = at_once(*[lambda n=n: owner.project(f"At once {n}") for n in range(4)])
    assert len(set(made)) == 4
    project = made[0]
    answers = at_once(*[lambda n=n: owner.ask("PUT", f"/projects/detail/{project}", {"inputs": {"name": f"N{n}", "manager": f"N{n}"},
                                                                                    "process": [{**FILMING, "startDate": f"2025-08-0{n + 1}"}]}) for n in range(4)])
    assert {a.status for a in answers} == {200}
    shown = owner.detail(project)
    assert shown["name"] == shown["manager"] and shown["name"] in ("N0", "N1", "N2", "N3"), "no mixture"
    answers = at_once(*[lambda: owner.ask("DELETE", f"/projects/detail/{project}")] * 3)
    assert sorted(a.status for a in answers) == [200, 404, 404]
    answers = at_once(lambda: owner.ask("DELETE", f"/projects/detail/{made[1]}"),
                      *[lambda: owner.ask("POST", f"/projects/memo/{made[1]}", {"memo": "x", "date": "2025-08-04"})] * 4)
    assert answers[0].status == 200 and {a.status for a in answers[1:]} <= {200, 404, 409}


def test_an_account_that_is_disabled_does_nothing(people):
    person = Person(people.owner.product, "Disabled")
    project = person.project()
    person.product.sql(f"update trestle.account set disabled_at = now() where id = {person.id}")
    for method, path, body in (("POST", "/projects/create", {"inputs": {"name": "x"}}), ("DELETE", f"/projects/detail/{project}", None),
                               ("POST", "/users/memo", {"memo": "x"})):
        refused(person.ask(method, path, body), 401, "INVALID_TOKEN")
