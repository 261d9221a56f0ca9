"""mod_trestle: request ids, and the mend in messages of configtest."""
import re

import pytest

from harness import Httpd


def test_request_id_is_made_or_taken_from_the_client():
    with Httpd() as server:
        first, second = server.get("/"), server.get("/")
        assert re.fullmatch(r"[0-9a-f-]{36}", first.headers["x-request-id"])
        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        assert server.get("/", headers={"X-Request-ID": "abc.1_2-3"}).headers["x-request-id"] == "abc.1_2-3"


@pytest.mark.parametrize("bad", ["a b", "x" * 129, "<script>", "a,b", ""])
def test_request_id_of_other_bytes_is_replaced(bad):
    with Httpd() as server:
        assert re.fullmatch(r"[0-9a-f-]{36}", server.get("/", headers={"X-Request-ID": bad}).headers["x-request-id"])


@pytest.mark.parametrize("line,mend", [
    ("TrestleApplication Video", "write for example videoplanet"),
    ("TrestleApplication " + "a" * 33, "write for example videoplanet"),
    ("TrestlePublicURL localhost", "write for example https://api.example.org"),
    ("TrestlePublicURL https://a.example/path", "write for example https://api.example.org"),
    ("TrestlePublicURL https://user@a.example", "write for example https://api.example.org"),
])
def test_configtest_names_the_mend(line, mend):
    code, output = Httpd(line).configtest()
    assert code != 0 and mend in output


def test_response_time_is_given_where_switched_on():
    with Httpd("<Location /timed>\nTrestleResponseTime On\n</Location>") as server:
        assert re.fullmatch(r"\d+ms", server.get("/timed").headers["x-response-time"])
        assert "x-response-time" not in server.get("/other").headers


def test_response_time_is_on_answers_that_succeed_and_can_be_switched_off_inside():
    with Httpd("TrestleResponseTime On\n<Location /quiet>\nTrestleResponseTime Off\n</Location>") as server:
        (server.path / "htdocs" / "a.txt").write_text("a")
        assert re.fullmatch(r"\d+ms", server.get("/a.txt").headers["x-response-time"])
        assert "x-response-time" not in server.get("/quiet").headers


def test_ids_and_times_do_not_repeat_on_internal_redirects():
    with Httpd("TrestleResponseTime On\nErrorDocument 404 /sorry.txt") as server:
        (server.path / "htdocs" / "sorry.txt").write_text("sorry")
        answer = server.get("/nothing", headers={"X-Request-ID": "kept"})
        assert answer.status == 404
        assert [v for n, v in answer.pairs if n.lower() == "x-request-id"] == ["kept"]
        assert len([v for n, v in answer.pairs if n.lower() == "x-response-time"]) == 1
