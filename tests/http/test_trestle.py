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
    ("TrestleApplication Video", "write for example shop"),
    ("TrestleApplication " + "a" * 33, "write for example shop"),
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


@pytest.mark.parametrize("problems", ["On", "Off"])
def test_errors_of_every_kind_carry_the_id(problems):
    config = f"ProblemDetails {problems}\nLimitRequestBody 10\nRequestReadTimeout header=1\n<Location /read>\nSetHandler problemtest\n</Location>"
    with Httpd(config, tests=("problemtest",), expected=(r"\[core:error\]", r"\[http:error\]")) as server:
        (server.path / "htdocs" / "a.txt").write_text("a")
        for request, status in (("GET /nothing HTTP/1.1\r\n", 404), ("GET /a.txt HTTP/1.1\r\nRange: bytes=9-\r\n", 416),
                                ("GET /a.txt HTTP/1.1\r\nIf-Match: \"b\"\r\n", 412), ("FROB /a.txt HTTP/1.1\r\n", 501),
                                ("POST /read?read HTTP/1.1\r\nContent-Length: 11\r\n", 413),
                                ("POST /read?read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 413),
                                ("GET / HTTP/1.1\r\nbad header\r\n", 400), ("GET /\x01 HTTP/1.1\r\n", 400)):
            with server.raw_connect() as connection:
                connection.sendall(f"{request}Host: a\r\nX-Request-ID: kept\r\nConnection: close\r\n\r\n14\r\n{'x' * 20}\r\n0\r\n\r\n".encode())
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
            head = answer.split(b"\r\n\r\n")[0].decode().lower()
            assert head.split()[1] == str(status), request
            assert len(re.findall(r"^x-request-id: (kept|[0-9a-f-]{36})\r?$", head, re.M)) == 1, (request, head)
            assert status == 400 or "x-request-id: kept" in head, (request, head)


@pytest.mark.parametrize("trace,status,allow", [("Off", 405, "GET, HEAD"), ("On", 200, None)])
def test_handlers_of_the_suite_refuse_trace_themselves(trace, status, allow):
    with Httpd(f"TraceEnable {trace}\n<Location /live>\nSetHandler health-live\n</Location>") as server:
        answer = server.request("TRACE", "/live")
        assert answer.status == status and answer.headers.get("allow") == allow


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
