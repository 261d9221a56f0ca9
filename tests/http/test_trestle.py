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
    ("TrestlePublicURL https://a.example:99999", "write for example https://api.example.org"),
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


NO_FILES = """
<Directory />
    Require all denied
</Directory>
<LocationMatch "^/(live|a+)">
    SetHandler health-live
    Require all granted
</LocationMatch>
LogFormat "%f" name
CustomLog logs/names name
"""


def test_urls_of_the_suites_handlers_name_no_files():
    server = Httpd(NO_FILES, expected=["AH01630.*htdocs/other"])
    (server.path / "htdocs" / "live").mkdir()
    (server.path / "logs").mkdir()
    with server:
        assert server.get("/live").status == 200, "a directory of the same name is nobody's business"
        assert server.get("/live/x").status == 200
        assert server.get("/" + "a" * 300).status == 200, "nor is the longest name of a file"
        assert server.get("/other").status == 403, "files keep their rules"


@pytest.mark.parametrize("handler", ["restx", "health", "none"])
def test_foreign_handlers_keep_the_rules_of_their_files(handler):
    with Httpd(f"<Directory />\nRequire all denied\n</Directory>\n<Location /x>\nSetHandler {handler}\n</Location>",
               expected=["AH01630"]) as server:
        assert server.get("/x").status == 403
