"""The screening room: its page, remarks, anonymous ones, deletion (contract 5.4 without the film; story 16)."""
import pytest

from videoplanet_support import TIMESTAMP, Person, at_once, multipart, people, unchanged  # noqa: F401 pylint: disable=unused-import

PAGE = {"id", "name", "title", "manager", "consumer", "description", "owner_nickname", "owner_email", "created", "updated", "member_list",
        "files", "file_status", "feedback"}
REMARK = set("""id project_id projectId feedback_id title section text content contents security secret seconds timestamp type status priority
 tags email nickname user_id user_name user_role rating created updated created_at updated_at is_read parent_id reply_count reactions""".split())


def write(person, project, **fields):
    return person.done("PUT", f"/feedbacks/{project}", {"secret": "false", "title": "", "section": "01:05", "contents": "too loud", **fields})["result"]


def page(person, project):
    answer = person.done("GET", f"/feedbacks/{project}")
    assert answer["data"] == {"result": answer["result"]}
    return answer["result"]


def test_the_page(people):
    shown = page(people.member, people.project)
    assert set(shown) == PAGE
    detail = people.member.detail(people.project)
    assert shown["id"] == people.project and shown["name"] == shown["title"] == "Harbour Lights"
    assert all(shown[name] == detail[name] for name in ("manager", "consumer", "description", "owner_nickname", "owner_email", "created", "updated", "member_list"))
    assert shown["files"] is None and shown["file_status"] == "ready" and shown["feedback"] == []
    assert people.member.ask("HEAD", f"/feedbacks/{people.project}/").status == 200


def test_remarks(people):
    """Story 16."""
    a, b, stranger = people.owner, people.member, people.outsider
    hidden = write(b, people.project, secret="true", title="Sound")
    assert set(hidden) == REMARK
    assert hidden["nickname"] == hidden["user_name"] == "Member" and hidden["user_id"] == b.id and hidden["email"] == b.email
    assert hidden["security"] is hidden["secret"] is True and hidden["seconds"] == hidden["timestamp"] == 65
    assert hidden["text"] == hidden["content"] == hidden["contents"] == "too loud" and hidden["project_id"] == people.project
    open_one = write(b, people.project, secret=False, section="opening")
    assert open_one["secret"] is False and open_one["seconds"] is None and TIMESTAMP.fullmatch(open_one["created"])

    seen = {r["id"]: r for r in page(a, people.project)["feedback"]}
    assert list(seen) == [open_one["id"], hidden["id"]], "newest first"
    blank = seen[hidden["id"]]
    assert (blank["email"], blank["nickname"], blank["user_id"], blank["user_name"], blank["rating"]) == ("", "", None, "", "")
    assert b.email not in str(blank) and "Member" not in str(blank)
    assert seen[open_one["id"]]["nickname"] == "Member" and seen[open_one["id"]]["rating"] == "basic"
    assert {r["id"]: r for r in page(b, people.project)["feedback"]}[hidden["id"]]["nickname"] == "Member"

    with unchanged(a.product, "feedback_items"):
        for person in (a, people.manager, stranger):
            person.refused(403, "PERMISSION_DENIED", "DELETE", f"/feedbacks/{hidden['id']}")
        a.refused(404, "NOT_FOUND", "DELETE", "/feedbacks/999999999")
    assert b.done("DELETE", f"/feedbacks/{hidden['id']}")["result"] == hidden["id"]
    b.refused(404, "NOT_FOUND", "DELETE", f"/feedbacks/{hidden['id']}")
    stranger.refused(403, "PERMISSION_DENIED", "GET", f"/feedbacks/{people.project}")
    a.refused(404, "NOT_FOUND", "GET", "/feedbacks/999999999")
    a.refused(404, "NOT_FOUND", "GET", "/feedbacks/x")


def test_the_others_are_told(people):
    def told(user):
        return user.product.sql("select concat_ws('|', kind, type, category, priority, message, coalesce(sender_id::text, 'nobody'), metadata ->> 'feedback_id') "
                                f"from videoplanet.notifications where user_id = {user.id} and message like 'told %' order by id")

    named, hidden = write(people.member, people.project, contents="told openly"), write(people.member, people.project, contents="told secretly", secret=True)
    for user in (people.owner, people.manager):
        assert told(user) == [f"feedback|new_feedback|feedback|medium|told openly|{people.member.id}|{named['id']}",
                              f"feedback|new_feedback|feedback|medium|told secretly|nobody|{hidden['id']}"]
    assert told(people.member) == told(people.outsider) == []


@pytest.mark.parametrize("value,secret", [("true", True), ("false", False), (True, True), (False, False), (None, False)])
@pytest.mark.parametrize("wrap", [lambda fields: (fields, {}), multipart], ids=["JSON", "multipart"])
def test_secret_as_text_and_as_boolean(people, value, secret, wrap):
    fields = {"title": "t", "section": "00:10", "contents": "c"}
    if value is not None:
        fields["secret"] = value if isinstance(value, str) or wrap is not multipart else str(value).lower()
    body, headers = wrap(fields)
    remark = people.manager.done("PUT", f"/feedbacks/{people.project}", body, headers=headers)["result"]
    assert remark["secret"] is secret and remark["rating"] == "manager" and remark["title"] == "t"


def test_remarks_that_are_refused(people):
    good = {"secret": "false", "title": "", "section": "01:05", "contents": "x"}
    cases = [({**good, name: value}, "REQUIRED_FIELD_MISSING", name) for name in ("section", "contents") for value in ("", "  ", None)]
    cases += [({k: v for k, v in good.items() if k != name}, "REQUIRED_FIELD_MISSING", name) for name in ("section", "contents")]
    cases += [({**good, name: value}, "VALIDATION_ERROR", name) for name in ("section", "contents", "title") for value in (5, ["x"], {}, False)]
    cases += [({**good, "secret": value}, "VALIDATION_ERROR", "secret") for value in ("perhaps", 7, [], {})]
    cases += [({**good, "section": "s" * 101}, "VALIDATION_ERROR", "section"), ({**good, "title": "t" * 201}, "VALIDATION_ERROR", "title")]
    with unchanged(people.owner.product, "feedback_items", "notifications"):
        for body, code, field in cases:
            people.owner.refused(400, code, "PUT", f"/feedbacks/{people.project}", body, field=field)
        people.outsider.refused(403, "PERMISSION_DENIED", "PUT", f"/feedbacks/{people.project}", good)
        people.owner.refused(404, "NOT_FOUND", "PUT", "/feedbacks/999999999", good)
        people.owner.refused(404, "NOT_FOUND", "PUT", "/feedbacks/x", good)


def test_who_has_left_writes_and_deletes_nothing(people):
    b = Person(people.owner.product, "Leaver")
    b.product.sql(f"insert into videoplanet.project_members (project_id, user_id) values ({people.project}, {b.id})")
    remark = write(b, people.project)["id"]
    b.product.sql(f"delete from videoplanet.project_members where user_id = {b.id}")
    with unchanged(b.product, "feedback_items"):
        b.refused(403, "PERMISSION_DENIED", "DELETE", f"/feedbacks/{remark}")
        b.refused(403, "PERMISSION_DENIED", "PUT", f"/feedbacks/{people.project}", {"section": "00:01", "contents": "x"})
    assert [r["nickname"] for r in page(people.owner, people.project)["feedback"] if r["id"] == remark] == ["Leaver"]


def test_a_taken_film_has_an_address(people):
    people.owner.product.sql(f"update videoplanet.feedbacks set files = 'film/a.mp4' where project_id = {people.project}")
    assert page(people.owner, people.project)["files"].endswith("/media/film/a.mp4") and page(people.owner, people.project)["files"].startswith("https://")
    people.owner.product.sql(f"update videoplanet.feedbacks set files = null where project_id = {people.project}")


def test_two_at_once(people):
    made = at_once(*[lambda p=p: write(p, people.project, contents="at once") for p in (people.owner, people.manager, people.member) * 2])
    ids = [r["id"] for r in made]
    assert len(set(ids)) == 6 and set(ids) <= {r["id"] for r in page(people.owner, people.project)["feedback"]}
    answers = at_once(*[lambda: people.owner.ask("DELETE", f"/feedbacks/{ids[0]}")] * 3)
    assert sorted(a.status for a in answers) == [200, 404, 404]
