"""Calendars: dates of stages, memos on projects, memos of one's own (contract 5.1 memo rows and 5.3; stories 13 and 14)."""
import datetime

import pytest

from videoplanet_support import TIMESTAMP, at_once, multipart, people, unchanged  # noqa: F401 pylint: disable=unused-import

USER_MEMO = {"id", "date", "memo", "content", "created_at", "updated_at", "userId", "userName", "isUserMemo"}
PROJECT_MEMO = {"id", "date", "memo", "content", "author", "user_id", "userId", "userName", "projectId", "created_at", "updated_at", "created_date"}
BAD_DAYS = ["", "soon", "now", "today", "infinity", "2025-13-01", "2025-02-30", "04/08/2025", "2025", "2025-8", "1899-12-31", "20250-08-04",
            "2025-08-04T24:30:00Z", "2025-08-04T10:00:00+99:00", "2025-08-04'; drop table x", 20250804, True, ["2025-08-04"], {}]


def seoul_today():
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=9)).date().isoformat()


def test_the_calendar_of_f1(people):
    """Story 13."""
    owner = people.owner
    project = owner.project("Calendar 1")
    answer = owner.done("POST", f"/projects/date_update/{project}", {"key": "filming", "start_date": "2025-8-4", "end_date": "2025-08-09T10:00:00.000Z"})
    shown = owner.detail(project)
    assert answer["result"] == shown and answer["phase"] == shown["phases"]["filming"]
    assert shown["filming"] == {"start_date": "2025-08-03T15:00:00Z", "end_date": "2025-08-09T10:00:00Z", "key": "filming"}

    memo = owner.done("POST", "/users/memo", {"date": "2025-8-4", "memo": "장비 점검"})
    assert memo["result"] == memo["memo"] and set(memo["memo"]) == USER_MEMO
    memo = memo["memo"]
    assert memo["date"] == "2025-08-04" and memo["memo"] == memo["content"] == "장비 점검" and memo["isUserMemo"] is True
    assert memo["userId"] == owner.id and memo["userName"] == "Owner" and TIMESTAMP.fullmatch(memo["created_at"])
    assert {"id": memo["id"], "date": "2025-08-04", "memo": "장비 점검"} in owner.done("GET", "/projects/project_list?limit=1")["user_memos"]
    assert memo in owner.done("GET", "/users/memo")["memos"]
    people.manager.refused(403, "PERMISSION_DENIED", "DELETE", f"/users/memo/{memo['id']}")
    assert owner.done("DELETE", f"/users/memo/{memo['id']}")["result"] == memo["id"]
    owner.refused(404, "NOT_FOUND", "DELETE", f"/users/memo/{memo['id']}")
    assert owner.done("GET", "/users/memo")["result"] == []


def test_the_calendar_of_f2(people):
    """Story 14."""
    owner = people.owner
    project = owner.project("Calendar 2")
    answer = owner.done("PUT", f"/projects/date_update/{project}", {"filming": {"start_date": "2025-08-04", "end_date": "2025-08-05"}})
    assert answer["phase"]["key"] == "filming" and answer["phase"]["start_date"] == "2025-08-03T15:00:00Z"
    memo = owner.done("POST", f"/projects/memo/{project}", {"memo": "답사", "date": "2025-08-04"})
    assert memo["result"] == memo["memo"] and set(memo["memo"]) == PROJECT_MEMO
    memo = memo["memo"]
    assert memo["id"] and memo["projectId"] == project and memo["author"] == memo["userName"] == "Owner" and memo["date"] == "2025-08-04"
    assert owner.detail(project)["memo"] == owner.detail(project)["memo_list"] == [memo]
    owner.done("DELETE", f"/projects/memo/{project}", {"memo_id": memo["id"]})
    assert owner.detail(project)["memo"] == []
    memo = owner.done("POST", f"/projects/memo/{project}", {"content": "오늘"})["memo"]
    assert memo["date"] == seoul_today() and memo["memo"] == "오늘"
    assert owner.done("DELETE", f"/projects/memo/{memo['id']}")["result"] == memo["id"]
    listed = owner.done("GET", "/projects/project_list?limit=1")
    assert listed["success"] is True and "phases" in listed["projects"][0]


@pytest.mark.parametrize("wrap", [lambda fields: (fields, {}), multipart], ids=["JSON", "multipart"])
def test_one_stage_keeps_what_is_absent_and_clears_what_is_null(people, wrap):
    project = people.owner.project("Absent")
    path = f"/projects/date_update/{project}"
    body, headers = wrap({"key": "filming", "start_date": "2025-08-04", "end_date": "2025-08-09"})
    people.owner.done("POST", path, body, headers=headers)
    body, headers = wrap({"key": "filming", "start_date": "2025-08-05T00:00:00Z"})
    phase = people.owner.done("POST", path, body, headers=headers)["phase"]
    assert (phase["start_date"], phase["end_date"]) == ("2025-08-05T00:00:00Z", "2025-08-08T15:00:00Z")
    phase = people.owner.done("POST", path, {"key": "filming", "end_date": None})["phase"]
    assert (phase["start_date"], phase["end_date"]) == ("2025-08-05T00:00:00Z", None)


def test_several_stages_at_once(people):
    project = people.owner.project("Several")
    answer = people.owner.done("POST", f"/projects/date_update/{project}", {
        "video_edit": {"start_date": "2025-09-01"}, "filming": {"start_date": "2025-08-04", "end_date": None}, "project_id": project})
    assert answer["phase"]["key"] == "filming" and answer["result"]["video_edit"]["start_date"] == "2025-08-31T15:00:00Z"
    noted = people.owner.product.sql(f"select action, details ->> 'stages' from videoplanet.activities where project_id = {project} order by id")
    assert noted == ["created|", 'date_changed|["filming", "video_edit"]']


def test_dates_that_are_refused(people):
    path = f"/projects/date_update/{people.project}"
    people.owner.done("POST", path, {"key": "filming", "start_date": "2025-08-04", "end_date": "2025-08-09"})
    cases = [({"key": "catering", "start_date": "2025-08-04"}, "key"), ({"catering": {"start_date": "2025-08-04"}}, "catering"),
             ({"filming": {"start_date": "2025-08-04"}, "catering": {}}, "catering"), ({"key": 7}, "key"), ({"filming": 7}, "filming"),
             ({"key": "filming", "start_date": "2025-08-10"}, "end_date"), ({"key": "filming", "end_date": "2025-08-03"}, "end_date"),
             ({"filming": {"end_date": "2025-08-03"}}, "filming"), ({"filming": {"start_date": "x"}}, "filming")]
    cases += [({"key": "filming", "start_date": day}, "start_date") for day in BAD_DAYS]
    with unchanged(people.owner.product, "project_stages"):
        for body, field in cases:
            people.owner.refused(400, "VALIDATION_ERROR", "POST", path, body, field=field)
        for body in ({}, {"start_date": "2025-08-04"}, None, {"key": None}):
            people.owner.refused(400, "REQUIRED_FIELD_MISSING", "POST", path, body, field=None if body is None else "key")
        people.owner.refused(400, "VALIDATION_ERROR", "POST", path, [])


@pytest.mark.parametrize("written,day", [("2025-8-4", "2025-08-04"), ("2025-08-04", "2025-08-04"), ("2025-08-04T14:59:59Z", "2025-08-04"),
                                         ("2025-08-04T15:00:00Z", "2025-08-05"), ("2025-08-04T23:59:59.999+09:00", "2025-08-04"),
                                         ("2025-08-04 23:30", "2025-08-04"), ("2024-02-29", "2024-02-29"), (None, None)])
def test_days_are_those_of_seoul(people, written, day):
    memo = people.member.done("POST", "/users/memo", {"date": written, "content": "x", "project_id": 1})["memo"]
    assert memo["date"] == (day or seoul_today())
    people.member.done("DELETE", f"/users/memo/{memo['id']}")


def test_memos_without_text_are_none(people):
    with unchanged(people.owner.product, "user_memos", "project_memos"):
        for path in ("/users/memo", f"/projects/memo/{people.project}"):
            for body in ({}, {"memo": ""}, {"memo": "  "}, {"content": "", "date": "2025-08-04"}, {"memo": None, "date": "2025-08-04"}):
                answer = people.owner.done("POST", path, body)
                assert answer["result"] is None and answer["memo"] is None, body


def test_memos_that_are_refused(people):
    with unchanged(people.owner.product, "user_memos", "project_memos"):
        for path in ("/users/memo", f"/projects/memo/{people.project}"):
            for day in BAD_DAYS:
                people.owner.refused(400, "VALIDATION_ERROR", "POST", path, {"memo": "x", "date": day}, field="date")
            for field, value in (("memo", 5), ("content", ["x"]), ("memo", {"a": 1}), ("memo", False)):
                people.owner.refused(400, "VALIDATION_ERROR", "POST", path, {field: value}, field=field)
            answer = people.owner.ask("POST", path, b'{"memo": "a\\u0000b"}', headers={"Content-Type": "application/json"})
            assert answer.status == 400 and answer.json()["field"] == "memo", answer.body


def test_who_deletes_a_memo_of_a_project(people):
    memo = people.owner.done("POST", f"/projects/memo/{people.project}", {"memo": "x", "date": "2025-08-04"})["memo"]["id"]
    other = people.outsider.project("Another")
    with unchanged(people.owner.product, "project_memos"):
        for person in (people.member, people.outsider):
            person.refused(403, "PERMISSION_DENIED", "DELETE", f"/projects/memo/{memo}")
        people.outsider.refused(404, "NOT_FOUND", "DELETE", f"/projects/memo/{other}", {"memo_id": memo}, field="memo_id")
        people.owner.refused(404, "NOT_FOUND", "DELETE", "/projects/memo/999999999")
        people.owner.refused(404, "NOT_FOUND", "DELETE", f"/projects/memo/{people.project}", {"memo_id": 999999999}, field="memo_id")
        people.owner.refused(404, "NOT_FOUND", "DELETE", "/projects/memo/x")
        for value in ("x", 1.5, [], 10 ** 20):
            people.owner.refused(400, "VALIDATION_ERROR", "DELETE", f"/projects/memo/{people.project}", {"memo_id": value}, field="memo_id")
    people.manager.done("DELETE", f"/projects/memo/{people.project}", {"memo_id": str(memo)})


def test_memos_of_nobody_else(people):
    memo = people.manager.done("POST", "/users/memo", {"memo": "mine"})["memo"]["id"]
    assert people.owner.done("GET", "/users/memo")["memos"] == []
    assert [m["id"] for m in people.manager.done("GET", "/users/memo/")["memos"]] == [memo]
    assert people.owner.ask("GET", "/users/memo").headers["cache-control"] == "no-store"


def test_two_at_once(people):
    answers = at_once(*[lambda n=n: people.owner.done("POST", f"/projects/memo/{people.project}", {"memo": f"n{n}", "date": "2025-08-04"}) for n in range(4)])
    ids = [a["memo"]["id"] for a in answers]
    assert len(set(ids)) == 4 and set(ids) <= {m["id"] for m in people.owner.detail(people.project)["memo"]}
    answers = at_once(*[lambda: people.owner.ask("DELETE", f"/projects/memo/{ids[0]}")] * 3)
    assert sorted(a.status for a in answers) == [200, 404, 404]
    answers = at_once(lambda: people.owner.ask("POST", f"/projects/date_update/{people.project}", {"key": "filming", "start_date": "2030-01-10", "end_date": None}),
                      lambda: people.owner.ask("POST", f"/projects/date_update/{people.project}", {"key": "filming", "start_date": None, "end_date": "2030-01-05"}),
                      lambda: people.owner.ask("POST", f"/projects/date_update/{people.project}", {"key": "filming", "end_date": "2030-01-01"}))
    assert {a.status for a in answers} <= {200, 400}
    shown = people.owner.detail(people.project)["filming"]
    assert not (shown["start_date"] and shown["end_date"]) or shown["start_date"] <= shown["end_date"]
