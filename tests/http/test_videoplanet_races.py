"""A project that is deleted while somebody adds to it: one of the two comes first, and nobody is told of a conflict."""
import contextlib
import functools
import subprocess
import threading
import time

from harness import ROOT
from test_videoplanet_invitations import invite, link
from videoplanet_support import Person, join, people, refused  # noqa: F401 pylint: disable=unused-import


@contextlib.contextmanager
def locked(product, table, condition):
    """Another client holds these rows of videoplanet meanwhile."""
    with subprocess.Popen([ROOT / "bin" / "trestle", "psql", "videoplanet", "-AtqX"], cwd=ROOT, env=product.environment, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        client.stdin.write(f"begin;\nselect 'held' from videoplanet.{table} where {condition} for update;\n")
        client.stdin.flush()
        assert client.stdout.readline() == "held\n"
        yield
        client.stdin.close()  # the end of the client is the end of its transaction


def wait_for_waiting(product, number):
    """Returns when so many statements of the application wait for a lock."""
    deadline = time.monotonic() + 10
    while product.sql("select count(*) from pg_stat_activity where datname = 'videoplanet' and usename = 'videoplanet_login' "
                      "and wait_event_type = 'Lock'") != [str(number)]:
        assert time.monotonic() < deadline, "they do not wait"
        time.sleep(0.05)


def in_turn(product, table, condition, *calls):
    """Makes the calls one after the other, each waiting for a lock as the one before it, then lets all go on; what they returned."""
    answers = [None] * len(calls)

    def run(place):
        answers[place] = calls[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    with locked(product, table, condition):
        for place, thread in enumerate(threads):
            thread.start()
            wait_for_waiting(product, place + 1)
    for thread in threads:
        thread.join()
    return answers


def deletion(person, project):
    return functools.partial(person.ask, "DELETE", f"/projects/detail/{project}")


def test_an_invitation_is_accepted(people):
    a = people.owner
    b = Person(a.product, "Accepting")
    for deleted_first in (False, True):
        project = a.project("Accepted and deleted")
        made = invite(a, project, b.email)["id"]
        path = link(a, made)
        accept = functools.partial(b.ask, "GET", path)
        if deleted_first:
            deleted, accepted = in_turn(a.product, "feedbacks", f"project_id = {project}", deletion(a, project), accept)
            refused(accepted, 400, "VALIDATION_ERROR", "token")
        else:
            accepted, deleted = in_turn(a.product, "project_invites", f"id = {made}", accept, deletion(a, project))
            assert accepted.status == 200, accepted.body
        assert deleted.status == 200, deleted.body
        a.refused(404, "NOT_FOUND", "GET", f"/projects/detail/{project}")


def test_a_remark_is_written(people):
    a = people.owner
    for deleted_first in (False, True):
        project = a.project("Remarked on and deleted")
        write = functools.partial(a.ask, "PUT", f"/feedbacks/{project}", {"section": "01:05", "contents": "too loud"})
        if deleted_first:
            deleted, written = in_turn(a.product, "feedbacks", f"project_id = {project}", deletion(a, project), write)
            refused(written, 404, "NOT_FOUND")
        else:
            join(project, people.member)
            written, deleted = in_turn(a.product, "feedbacks", f"project_id = {project}", write, deletion(a, project))
            assert written.status == 200, written.body
        assert deleted.status == 200, deleted.body
        a.refused(404, "NOT_FOUND", "GET", f"/projects/detail/{project}")
