"""Invitations into a project: invite, cancel, accept, refusals (contract 5.3; stories 10 and 11)."""
import base64
import json
import re

from videoplanet_support import TIMESTAMP, Person, at_once, join, people, refused, unchanged  # noqa: F401 pylint: disable=unused-import


def uid_of(project):
    return base64.urlsafe_b64encode(str(project).encode()).rstrip(b"=").decode()


def mail(person, invitation):
    """The mail of an invitation as it waits to be sent; None if there is none."""
    rows = person.product.sql("select jsonb_build_object('recipient', recipient, 'expires_at', expires_at) || parameters from trestle.mail_outbox "
                              f"where kind = 'invitation' and parameters ->> 'invitation_id' = '{invitation}'")
    assert len(rows) <= 1
    return json.loads(rows[0]) if rows else None


def link(person, invitation):
    """The path of the mailed link."""
    waiting = mail(person, invitation)
    return f"/projects/invite/{waiting['uid']}/{waiting['token']}"


def invite(person, project, email):
    return person.done("POST", f"/projects/invite_project/{project}", {"email": email})["result"]


def told(person, user):
    """What somebody was told, newest last."""
    return person.product.sql("select concat_ws('|', kind, type, category, priority, sender_id, action_required, project_id) "
                              f"from videoplanet.notifications where user_id = {user.id} order by id")


def test_invite_and_accept(people):
    """Story 10."""
    a, b, c = people.owner, Person(people.owner.product, "B"), people.outsider
    project = a.project("Invited into")
    made = invite(a, project, f" {b.email.upper()} ")
    assert set(made) == {"id", "email", "status", "expires_at"} and made["email"] == b.email.upper() and made["status"] == "pending"
    assert TIMESTAMP.fullmatch(made["expires_at"])
    assert a.product.sql(f"select round(extract(epoch from expires_at - created) / 86400) from videoplanet.project_invites where id = {made['id']}") == ["14"]
    assert told(a, b) == [f"project|invitation|project|high|{a.id}|t|{project}"]
    pending = a.detail(project)["pending_list"]
    assert [(p["id"], p["email"], p["is_pending"]) for p in pending] == [(made["id"], made["email"], True)]

    waiting = mail(a, made["id"])
    assert waiting["recipient"] == b.email.upper() and waiting["project_name"] == "Invited into" and waiting["inviter_name"] == "Owner"
    assert waiting["uid"] == uid_of(project) and re.fullmatch("[A-Za-z0-9_-]{43}", waiting["token"]) and waiting["expires_at"]
    path = link(a, made["id"])
    refused(a.product.get(path, app="videoplanet"), 401, "AUTHENTICATION_REQUIRED")
    c.refused(400, "VALIDATION_ERROR", "GET", path, field="token")
    answer = b.done("GET", path)
    assert answer["result"] == {"project_id": project, "name": "Invited into"}
    shown = a.detail(project)
    assert [(m["user_id"], m["rating"]) for m in shown["member_list"]] == [(b.id, "normal")] and shown["pending_list"] == []
    assert told(a, a)[-1] == f"project|status_change|project|medium|{b.id}|f|{project}"
    assert a.product.sql(f"select action || actor_id from videoplanet.activities where project_id = {project} order by id") \
        == [f"created{a.id}", f"member_joined{b.id}"]
    assert b.done("GET", path + "/")["result"]["project_id"] == project, "again by the same member"
    c.refused(400, "VALIDATION_ERROR", "GET", path, field="token")
    assert len(a.detail(project)["member_list"]) == 1 and len(told(a, a)) == 1
    a.product.sql(f"delete from videoplanet.project_members where project_id = {project}")
    b.refused(400, "VALIDATION_ERROR", "GET", path, field="token")
    b.refused(403, "PERMISSION_DENIED", "GET", f"/projects/detail/{project}")


def test_refusals(people):
    """Story 11."""
    a, project = people.owner, people.project
    path = f"/projects/invite_project/{project}"
    with unchanged(a.product, "project_invites", "notifications"):
        for person in (a, people.manager, people.member):
            for email in (person.email, person.email.upper()):
                a.refused(409, "ALREADY_EXISTS", "POST", path, {"email": email}, field="email")
        people.member.refused(403, "PERMISSION_DENIED", "POST", path, {"email": "x@videoplanet.test"})
        people.outsider.refused(403, "PERMISSION_DENIED", "POST", path, {"email": "x@videoplanet.test"})
        for email in ("", " ", "x", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\nBcc: c@d", "a" * 250 + "@b.test"):
            a.refused(400, "VALIDATION_ERROR", "POST", path, {"email": email}, field="email")
        for email in (5, None, ["a@b.test"], {}):
            assert a.ask("POST", path, {"email": email}).json()["field"] == "email"
        a.refused(400, "REQUIRED_FIELD_MISSING", "POST", path, {}, field="email")
    invite(people.manager, project, "someone@videoplanet.test")
    a.refused(409, "DUPLICATE_INVITATION", "POST", path, {"email": "SOMEONE@videoplanet.test"}, field="email")


def test_cancelled(people):
    """Story 11: by F1's name and by F2's; the link is dead."""
    b = Person(people.owner.product, "Cancelled")
    path = f"/projects/invite_project/{people.project}"
    for name in ("pk", "invitation_id"):
        made = invite(people.owner, people.project, b.email)["id"]
        dead = link(people.owner, made)
        people.member.refused(403, "PERMISSION_DENIED", "DELETE", path, {name: made})
        other = people.outsider.project("Other")
        people.outsider.done("DELETE", f"/projects/invite_project/{other}", {name: made})
        assert made in [p["id"] for p in people.owner.detail(people.project)["pending_list"]], "of another project: left alone"
        people.manager.done("DELETE", path, {name: made})
        people.manager.done("DELETE", path, {name: made})
        assert made not in [p["id"] for p in people.owner.detail(people.project)["pending_list"]]
        assert mail(people.owner, made) is None, "a mail that was not sent is not sent any more"
        b.refused(400, "VALIDATION_ERROR", "GET", dead, field="token")
    people.owner.refused(400, "REQUIRED_FIELD_MISSING", "DELETE", path, field="pk")
    people.owner.refused(400, "REQUIRED_FIELD_MISSING", "DELETE", path, {"pk": None}, field="pk")
    people.owner.refused(400, "VALIDATION_ERROR", "DELETE", path, {"pk": "x"}, field="pk")
    people.owner.done("DELETE", path, {"pk": 999999999})
    b.refused(403, "PERMISSION_DENIED", "GET", f"/projects/detail/{people.project}")


def test_expired(people):
    b = Person(people.owner.product, "Late")
    first = invite(people.owner, people.project, b.email)["id"]
    late = link(people.owner, first)
    people.owner.product.sql(f"update videoplanet.project_invites set expires_at = now() - interval '1 second' where id = {first}")
    assert first not in [p["id"] for p in people.owner.detail(people.project)["pending_list"]]
    b.refused(410, "INVITATION_EXPIRED", "GET", late, field="token")
    people.outsider.refused(400, "VALIDATION_ERROR", "GET", late, field="token")
    second = invite(people.owner, people.project, b.email)["id"]
    b.refused(410, "INVITATION_EXPIRED", "GET", late, field="token")
    b.done("GET", link(people.owner, second))


def test_links_that_lead_nowhere(people):
    made = invite(people.owner, people.project, "nowhere@videoplanet.test")["id"]
    token = link(people.owner, made).rsplit("/", 1)[1]
    other = uid_of(people.outsider.project("Other"))
    with unchanged(people.owner.product, "project_members", "project_invites"):
        for uid in ("x", "M", "MQ==", "%2e%2e", "_-_-", "A" * 500, uid_of("1x"), uid_of("-1"), uid_of(""), uid_of(10 ** 19), uid_of("1 "), "%ea%b0%80"):
            answer = people.outsider.ask("GET", f"/projects/invite/{uid}/{token}")
            assert answer.status in (400, 404), (uid, answer.body)
            refused(answer, answer.status, answer.json()["code"], answer.json().get("field"))
        for uid in (other, uid_of(999999999), uid_of("0" + str(people.project))):
            people.outsider.refused(400, "VALIDATION_ERROR", "GET", f"/projects/invite/{uid}/{token}", field="token")
        for wrong in ("x", "a" * 20, "a" * 4000, token[:-1], token + "a", token.swapcase(), "%27%20or%201=1"):
            people.outsider.refused(400, "VALIDATION_ERROR", "GET", f"/projects/invite/{uid_of(people.project)}/{wrong}", field="token")


def test_two_at_once(people):
    b = Person(people.owner.product, "Double")
    answers = at_once(*[lambda p=p: p.ask("POST", f"/projects/invite_project/{people.project}", {"email": b.email}) for p in (people.owner, people.manager) * 2])
    assert sorted(a.status for a in answers) == [200, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status == 409} == {"DUPLICATE_INVITATION"}
    made = next(a.json()["result"]["id"] for a in answers if a.status == 200)
    path = link(people.owner, made)
    answers = at_once(*[lambda: b.ask("GET", path)] * 4)
    assert [a.status for a in answers] == [200] * 4
    assert [m["user_id"] for m in people.owner.detail(people.project)["member_list"]].count(b.id) == 1
    assert people.owner.product.sql(f"select count(*) from videoplanet.activities where action = 'member_joined' and actor_id = {b.id}") == ["1"]

    c = Person(people.owner.product, "Undecided")
    made = invite(people.owner, people.project, c.email)["id"]
    path = link(people.owner, made)
    accepted, cancelled = at_once(lambda: c.ask("GET", path),
                                  lambda: people.owner.ask("DELETE", f"/projects/invite_project/{people.project}", {"pk": made}))
    assert cancelled.status == 200 and accepted.status in (200, 400)
    member = c.id in [m["user_id"] for m in people.owner.detail(people.project)["member_list"]]
    status = people.owner.product.sql(f"select status from videoplanet.project_invites where id = {made}")
    assert (member, status) == ((True, ["accepted"]) if accepted.status == 200 else (False, ["cancelled"]))


def test_a_member_meanwhile(people):
    """Who became a member on another way comes in by his link as well, with the rating that he has."""
    b = Person(people.owner.product, "Meanwhile")
    path = link(people.owner, invite(people.owner, people.project, b.email)["id"])
    join(people.project, b, "manager")
    b.done("GET", path)
    assert [m["rating"] for m in people.owner.detail(people.project)["member_list"] if m["user_id"] == b.id] == ["manager"]


def too_many(person, project, email):
    """Asserts that another invitation is refused, without a trace."""
    with unchanged(person.product, "project_invites", "notifications"):
        person.refused(429, "RESEND_LIMIT_EXCEEDED", "POST", f"/projects/invite_project/{project}", {"email": email}, field="email")


def invite_and_cancel(person, project, email):
    person.done("DELETE", f"/projects/invite_project/{project}", {"pk": invite(person, project, email)["id"]})


def test_three_an_hour(people):
    """Cancelled invitations count, in any spelling of the address; an hour later the address may be invited again."""
    a, b = people.owner, Person(people.owner.product, "Pestered")
    project = a.project("Pestering")
    for email in (b.email, b.email.upper(), f" {b.email}"):
        invite_and_cancel(a, project, email)
    too_many(a, project, b.email)
    too_many(a, project, b.email.upper())
    assert len(told(a, b)) == 3
    invite(a, project, "another." + b.email)
    a.product.sql(f"update videoplanet.recent_invitations set created = created - interval '1 hour' where email = '{b.email}'")
    invite(a, project, b.email)
    a.refused(409, "DUPLICATE_INVITATION", "POST", f"/projects/invite_project/{project}", {"email": b.email}, field="email")
    assert a.product.sql(f"select count(*) from videoplanet.recent_invitations where email = '{b.email}'") == ["1"], "nothing is kept longer"


def test_three_an_hour_by_person_and_project(people):
    """Neither other projects, deleted ones among them, nor other managers of the project go round the limit; strangers have their own."""
    a, b = people.owner, Person(people.owner.product, "Besieged")
    for number in range(3):
        project = a.project(f"Siege {number}")
        invite(a, project, b.email)
        a.done("DELETE", f"/projects/detail/{project}")
    too_many(a, a.project("Siege 3"), b.email)
    invite(people.outsider, people.outsider.project("Friendly"), b.email)

    c = Person(people.owner.product, "Shared")
    project = a.project("Shared siege")
    join(project, people.manager, "manager")
    for person in (a, people.manager, a):
        invite_and_cancel(person, project, c.email)
    too_many(people.manager, project, c.email)


def test_three_an_hour_at_once(people):
    """Invitations from several projects at the same time are counted one after the other."""
    a, email = people.owner, "at.once@videoplanet.test"
    projects = [a.project(f"At once {number}") for number in range(8)]
    answers = at_once(*[lambda p=p: a.ask("POST", f"/projects/invite_project/{p}", {"email": email}) for p in projects])
    assert sorted(answer.status for answer in answers) == [200] * 3 + [429] * 5
    assert a.product.sql(f"select count(*) from trestle.mail_outbox where recipient = '{email}'") == ["3"]
