"""mod_problem: every error of httpd, of modules and of what is behind them, as JSON."""
import json
import os
import re
import socket
import subprocess
import threading
import time

import pytest

from harness import ROOT, Httpd

OURS = ("trestle", "problem")
CONFIG = """
LimitRequestLine 4000
LimitRequestFieldSize 1000
LimitRequestBody 2000000
RequestReadTimeout header=1 body=1
ProblemDetails On
<Location /test>
    SetHandler problemtest
</Location>
<Location /small>
    SetHandler problemtest
    LimitRequestBody 100
</Location>
<Location /forbidden>
    Require all denied
</Location>
<Location /private>
    AuthType Basic
    AuthName "test"
    AuthBasicProvider file
    AuthUserFile /dev/null
    Require valid-user
</Location>
<Location /file.txt>
    Header always set Access-Control-Allow-Origin https://a.example
    Header always set Cache-Control "private, max-age=3"
</Location>
<Location /pages>
    ProblemDetails Off
</Location>
"""


@pytest.fixture(scope="module")
def server():
    with Httpd(CONFIG, ours=OURS, tests=("problemtest",),
               expected=(r"\[core:error\].*AH00126",  # invalid URI
                         r"AH01630",                  # client denied by server configuration
                         r"\[reqtimeout:", r"AH10244", r"AH00135", r"AH00566", r"AH01587")) as running:
        yield running


def raw(server, request, timeout=10):
    """Sends bytes and reads to the end of the connection: (status line, headers, body)."""
    with server.raw_connect(timeout) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status, {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}, body


def assert_problem(status, headers, body, method="GET"):
    """What is true of every problem; its members."""
    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    assert headers["content-language"] == "en" and "Accept-Language" in headers["vary"]
    if method == "HEAD":
        assert body == b"" and int(headers["content-length"]) > 100
        return None
    assert int(headers["content-length"]) == len(body)
    problem = json.loads(body)
    assert problem["status"] == status and problem["title"] and problem["detail"] and problem["type"] == "about:blank"
    assert re.fullmatch(r"[A-Z_]+", problem["code"])
    assert problem["instance"] == "urn:uuid:" + headers["x-request-id"]
    return problem


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path,status,code", [
    ("/nothing", 404, "NOT_FOUND"), ("/forbidden", 403, "FORBIDDEN"), ("/private", 401, "UNAUTHORIZED"),
    ("/test?return=415", 415, "UNSUPPORTED_MEDIA_TYPE"), ("/test?return=422", 422, "UNPROCESSABLE_CONTENT"),
    ("/test?return=429", 429, "TOO_MANY_REQUESTS"), ("/test?return=409", 409, "CONFLICT"),
    ("/test?return=500", 500, "INTERNAL_SERVER_ERROR"), ("/test?return=501", 501, "NOT_IMPLEMENTED"),
    ("/test?return=502", 502, "BAD_GATEWAY"), ("/test?return=503", 503, "SERVICE_UNAVAILABLE"),
    ("/test?return=507", 507, "INSUFFICIENT_STORAGE"),
])
def test_errors_are_problems(server, method, path, status, code):
    answer = server.request(method, path)
    assert answer.status == status
    problem = assert_problem(status, answer.headers, answer.body, method)
    assert problem is None or problem["code"] == code
    assert "www-authenticate" in answer.headers or status != 401


def test_head_has_the_headers_of_get(server):
    get, head = (server.request(m, "/test?return=404", headers={"X-Request-ID": "one"}) for m in ("GET", "HEAD"))
    drop = ("date",)
    assert {n: v for n, v in get.headers.items() if n not in drop} \
        == {n: v for n, v in head.headers.items() if n not in drop}


def test_wrong_method_keeps_allow_and_headers_of_errors(server):
    (server.path / "htdocs" / "file.txt").write_text("x")
    answer = server.request("PUT", "/file.txt", body=b"")
    assert answer.status == 405 and {"GET", "HEAD"} <= set(answer.headers["allow"].split(","))
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert answer.headers["cache-control"] == "private, max-age=3"
    assert [v for n, v in answer.pairs if n.lower() == "cache-control"] == ["private, max-age=3"]
    assert answer.json()["code"] == "METHOD_NOT_ALLOWED"


# What httpd's own error pages are for: the statuses of ap_get_status_line, and some that it has no line for.
STATUSES = [*range(400, 418), 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, *range(500, 509), 510, 511]


@pytest.mark.parametrize("status", [*STATUSES, 418, 499, 509, 599])
def test_every_status_is_told(server, status):
    answer = server.get(f"/test?return={status}")
    assert answer.status == status
    problem = assert_problem(status, answer.headers, answer.body)
    assert (problem["code"] in ("BAD_REQUEST", "INTERNAL_SERVER_ERROR")) == (status not in STATUSES or status in (400, 500))
    assert answer.headers.get("allow") != ""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name,value,status", [
    ("If-Match", '"other"', 412), ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT", 412),
    ("Range", "bytes=1000-", 416),
])
def test_files_that_do_not_fit_the_request_s_conditions(server, method, name, value, status):
    (server.path / "htdocs" / "file.txt").write_text("x")
    answer = server.request(method, "/file.txt", headers={name: value})
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert not {"etag", "last-modified", "accept-ranges", "content-range"} & set(answer.headers)
    assert answer.headers["content-type"] == "application/problem+json" and answer.headers["x-request-id"]
    if method == "HEAD":
        assert answer.body == b"" and int(answer.headers["content-length"]) > 100
    else:
        assert answer.json()["status"] == status and answer.headers["content-length"] == str(len(answer.body))
        assert answer.json()["instance"] == "urn:uuid:" + answer.headers["x-request-id"]


def test_conditions_that_hold_change_nothing(server):
    file = server.path / "htdocs" / "file.txt"
    file.write_text("x")
    os.utime(file, (0, 1000000000))  # the tag of a file that has just changed is weak and matches nothing
    tag = server.get("/file.txt").headers["etag"]
    for name, value, status in (("If-Match", tag, 200), ("If-Match", "*", 200), ("If-None-Match", tag, 304)):
        answer = server.get("/file.txt", headers={name: value})
        assert answer.status == status and answer.body == (b"x" if status == 200 else b"")
        assert answer.headers["etag"] == tag


def test_a_handler_s_own_412_stays(server):
    answer = server.get("/test?own=412", headers={"If-Match": '"x"'})
    assert (answer.status, answer.body) == (412, b"my own words")


@pytest.mark.parametrize("request_bytes,status,allow", [
    (b"TRACE /nothing", 405, "GET,HEAD,OPTIONS"),
    (b"TRACE /test", 405, None), (b"CONNECT a:80", 405, "GET,HEAD,OPTIONS,POST"), (b"PATCH /nothing", 405, "GET,HEAD,OPTIONS,POST"),
    (b"FROB /nothing", 501, "GET,HEAD,OPTIONS,POST"), (b"get /nothing", 501, "GET,HEAD,OPTIONS,POST"),
    (b"CONNECT /file.txt", 400, None), (b"FROB *", 400, None),
])
def test_methods_that_files_do_not_take(server, request_bytes, status, allow):
    line, headers, body = raw(server, request_bytes + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert line.split()[1] == str(status)
    assert (",".join(sorted(headers["allow"].split(","))) if "allow" in headers else None) == allow
    assert_problem(status, headers, body)


@pytest.mark.parametrize("request_bytes,status", [
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2000 + b"\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\nConnection: close\r\n\r\n", 400),
    (b"G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
    (b"GET /\xff\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nConnection: close\r\n\r\n", 417),
    (b"POST /test?read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\nConnection: close\r\n\r\n", 400),
    (b"FROB /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 501),
])
def test_what_httpd_cannot_take_is_a_problem(server, request_bytes, status):
    line, headers, body = raw(server, request_bytes)
    assert line.split()[1] == str(status)
    problem = assert_problem(status, headers, body)
    assert "bad header" not in body.decode() and "xxxx" not in body.decode() and problem


def test_http_1_0_and_0_9(server):
    line, headers, body = raw(server, b"GET /nothing HTTP/1.0\r\n\r\n")
    assert " 404 " in line and headers["connection"] == "close"
    assert_problem(404, headers, body)
    with server.raw_connect() as connection:
        connection.sendall(b"GET /nothing\r\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert json.loads(answer)["status"] == 404


def test_slow_headers_and_bodies_are_408(server):
    for request in (b"GET / HTTP/1.1\r\nHost: a\r\nX:", b"POST /test?read HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"):
        line, headers, body = raw(server, request)
        assert " 408 " in line and headers["connection"] == "close"
        assert_problem(408, headers, body)


def test_body_too_large_before_and_in_its_middle(server):
    line, headers, body = raw(server, b"POST /small?read HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n")
    assert " 413 " in line
    assert_problem(413, headers, body)
    line, headers, body = raw(server, b"POST /small?read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                              b"40\r\n" + b"x" * 64 + b"\r\n40\r\n" + b"x" * 64 + b"\r\n0\r\n\r\n")
    assert " 413 " in line and headers["connection"] == "close"
    assert assert_problem(413, headers, body)["code"] == "CONTENT_TOO_LARGE"
    line, headers, body = raw(server, b"POST /test?read HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n")
    assert " 413 " in line
    assert_problem(413, headers, body)


def test_a_bad_chunk_is_400_and_ends_the_connection(server):
    line, headers, body = raw(server, b"POST /test?read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert " 400 " in line and headers["connection"] == "close"
    assert_problem(400, headers, body)


def test_the_connection_goes_on_as_httpd_means_it(server):
    with server.raw_connect() as connection:
        answers = connection.makefile("rb")
        for path, status in (("/nothing", 404), ("/forbidden", 403), ("/test?send=422", 422), ("/test?return=429", 429),
                             ("/test", 200)):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert f" {status} " in answers.readline().decode()
            headers = {}
            while (line := answers.readline().decode().strip()):
                name, _, value = line.partition(": ")
                headers[name.lower()] = value
            body = answers.read(int(headers["content-length"]))
            assert status == 200 or json.loads(body)["status"] == status
        connection.sendall(b"GET /test?return=503 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"Connection: close" in answers.read()


def test_a_hook_s_refusal_is_told_with_its_details(server):
    answer = server.get("/test?refuse=422")
    assert answer.status == 422 and answer.headers["retry-after"] == "7" and "x-lost" not in answer.headers
    problem = answer.json()
    assert problem["detail"] == 'A hook "refused".' and problem["code"] == "TEST_CODE"
    assert problem["errors"] == [{"field": "name", "code": "TEST_CODE", "detail": 'A hook "refused".'}]
    assert problem["title"] == "Unprocessable Content" and answer.headers["content-language"] == "en"


def test_a_handler_sends_a_problem(server):
    answer = server.get("/test?send=400")
    assert answer.status == 400 and answer.headers["x-kept"] == "1" and "etag" not in answer.headers
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["errors"] == [{"field": "a.b", "code": "REQUIRED_FIELD_MISSING",
                                        "detail": "A field that is required is missing."},
                                       {"field": "c", "detail": "It is too long."}]
    head = server.request("HEAD", "/test?send=400")
    assert head.body == b"" and head.headers["content-length"] == str(len(answer.body))


def test_a_body_of_the_handler_s_own_stays(server):
    answer = server.get("/test?own=404")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (404, b"my own words", "text/plain")


def test_successes_and_redirects_are_untouched(server):
    assert server.get("/test").body == b"fine" and "vary" not in server.get("/test").headers
    moved = server.get("/test?return=302")
    assert moved.status == 302 and b"<html" in moved.body.lower()
    assert server.get("/test?return=304").body == b""


def test_off_is_httpd_s_own_page(server):
    answer = server.get("/pages/nothing")
    assert answer.status == 404 and b"<html" in answer.body.lower() and answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("header,language", [
    (None, "en"), ("ko", "ko"), ("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en,ko;q=0.5", "en"), ("fr", "en"), ("ko;q=0", "en"),
])
def test_language_is_negotiated(server, header, language):
    answer = server.get("/nothing", headers={"Accept-Language": header} if header else {})
    assert answer.headers["content-language"] == language and answer.headers["vary"] == "Accept-Language"
    assert bool(re.search("[가-힣]", answer.json()["title"])) == (language == "ko")
    assert bool(re.search("[가-힣]", answer.json()["detail"])) == (language == "ko")


def test_an_id_that_is_no_uuid_is_a_relative_reference(server):
    assert server.get("/nothing", headers={"X-Request-ID": "abc.1"}).json()["instance"] == "abc.1"


def test_h2(server):
    config = CONFIG + "\nProtocols h2c http/1.1\n"
    with Httpd(config, ours=OURS, modules=("http2",), tests=("problemtest",),
               expected=(r"AH01630", r"AH10034", r"AH10244", r"\[http2:")) as h2:
        def curl(path, *options):
            done = subprocess.run(["curl", "-s", "-i", "--http2-prior-knowledge", "--max-time", "10", *options,
                                   f"http://127.0.0.1:{h2.port}{path}"], capture_output=True, check=False)
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            return lines[0], {n.lower(): v for n, _, v in (x.partition(": ") for x in lines[1:])}, body
        (h2.path / "htdocs" / "other.txt").write_text("x")
        for path, status, *more in (("/nothing", 404), ("/forbidden", 403), ("/private", 401), ("/test?send=400", 400),
                                    ("/test?return=503", 503), ("/test?refuse=429", 429), ("/%zz", 400),
                                    ("/other.txt", 412, "If-Match: \"y\""), ("/other.txt", 416, "Range: bytes=9-"),
                                    ("/test?return=451", 451), ("/nothing", 404, "Accept-Language: ko")):
            header = more[0] if more else "X-Other: 1"
            line, headers, body = curl(path, "-H", header, "-H", "X-Request-ID: same")
            assert line.split()[:2] == ["HTTP/2", str(status)] and headers["content-type"] == "application/problem+json"
            assert json.loads(body)["status"] == status and headers["content-length"] == str(len(body))
            assert headers["cache-control"] == "no-store" and headers["x-request-id"] == "same"
            name, value = header.split(": ")
            assert h2.get(path, headers={name: value, "X-Request-ID": "same"}).body == body
        for method in ("TRACE", "PATCH"):
            line, headers, body = curl("/other.txt", "-X", method)
            assert line.split()[1] == "405" and "GET" in headers["allow"] and json.loads(body)["status"] == 405
        # mod_http2 resets every fifth stream whose body is refused, with or without us.
        answers = (curl("/small?read", "--data", "x" * 101) for _ in range(20))
        line, headers, body = next(a for a in answers if a[0])
        assert " 413" in line and json.loads(body)["code"] == "CONTENT_TOO_LARGE"
        line, headers, body = curl("/nothing", "-I")
        assert " 404" in line and int(headers["content-length"]) > 100 and body == b""


def answer_once(port_of, respond):
    """A backend of one answer each: runs respond(connection) for every connection until it is closed."""
    listener = socket.create_server(("127.0.0.1", 0))
    port_of.append(listener.getsockname()[1])

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                respond(connection)

    threading.Thread(target=serve, daemon=True).start()
    return listener


def test_errors_of_and_behind_a_proxy():
    ports = []
    own = answer_once(ports, lambda c: c.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
                                                 b"Content-Length: 7\r\nWWW-Authenticate: x\r\n\r\n{\"a\":1}"))
    garbage = answer_once(ports, lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nsecret backend words\r\n\r\n"))
    silent = answer_once(ports, lambda c: time.sleep(3))
    closed = socket.create_server(("127.0.0.1", 0))
    ports.append(closed.getsockname()[1])
    closed.close()
    config = "ProblemDetails On\nProxyTimeout 1\n" + "\n".join(
        f"ProxyPass /{name}/ http://127.0.0.1:{port}/ retry=0"
        for name, port in zip(("own", "garbage", "silent", "closed"), ports)) + f"""
<Location /overridden/>
    ProxyPass http://127.0.0.1:{ports[0]}/ retry=0
    ProxyErrorOverride On
</Location>
"""
    try:
        with Httpd(config, ours=OURS, modules=("proxy", "proxy_http"), expected=(r"\[proxy", )) as server:
            answer = server.get("/own/x")
            assert (answer.status, answer.body) == (404, b'{"a":1}')
            answer = server.get("/overridden/x")
            assert answer.status == 404 and answer.json()["code"] == "NOT_FOUND"
            for path, status in (("/garbage/x", 502), ("/silent/x", 504), ("/closed/x", 503)):
                answer = server.get(path)
                assert answer.status in (status, 502) and answer.json()["status"] == answer.status
                assert b"127.0.0.1" not in answer.body and b"secret" not in answer.body
                assert answer.headers["content-type"] == "application/problem+json"
    finally:
        for listener in (own, garbage, silent):
            listener.close()


def test_error_documents_that_are_pages_win_and_texts_do_not():
    config = """
ProblemDetails On
ErrorDocument 404 /sorry.txt
ErrorDocument 403 "<b>no</b>"
ErrorDocument 410 /missing.txt
<Location /forbidden>
    Require all denied
</Location>
<Location /api>
    ErrorDocument 404 default
</Location>
<Location /gone>
    Redirect 410
</Location>
"""
    with Httpd(config, ours=OURS, expected=("AH01630",)) as server:
        (server.path / "htdocs" / "sorry.txt").write_text("sorry")
        assert (server.get("/x").status, server.get("/x").body) == (404, b"sorry")
        assert server.get("/api/x").json()["status"] == 404
        assert server.get("/forbidden").json()["code"] == "FORBIDDEN"
        gone = server.get("/gone")
        assert gone.status == 410 and gone.json()["code"] == "GONE" and gone.json()["status"] == 410


def test_parts_of_a_page_are_not_replaced():
    config = """
ProblemDetails On
Options +Includes
AddOutputFilter INCLUDES .shtml
AddType text/html .shtml
"""
    with Httpd(config, ours=OURS, modules=("include",), expected=(r"\[include:",)) as server:
        (server.path / "htdocs" / "page.shtml").write_text('before<!--#include virtual="/missing.txt" -->after')
        answer = server.get("/page.shtml")
        assert answer.status == 200 and answer.body.startswith(b"before") and answer.body.endswith(b"after")
        assert b"problem" not in answer.body and b'"status"' not in answer.body


@pytest.mark.parametrize("path,method,allow", [
    ("/reading/", "POST", "GET,HEAD,OPTIONS"), ("/reading/x", "DELETE", "GET,HEAD,OPTIONS"), ("/reading/test", "POST", None),
    ("/writing/", "GET", None), ("/writing/", "HEAD", None),
])
def test_methods_that_another_module_refuses(path, method, allow):
    config = """
ProblemDetails On
<Location /reading>
    AllowMethods GET HEAD OPTIONS
</Location>
<Location /reading/test>
    SetHandler problemtest
</Location>
<Location /writing>
    AllowMethods POST
</Location>
"""
    with Httpd(config, ours=OURS, modules=("allowmethods",), tests=("problemtest",), expected=("AH01623",)) as server:
        for name in ("reading", "writing"):
            (server.path / "htdocs" / name).mkdir(mode=0o755)
        answer = server.request(method, path)
        assert answer.status == 405 and answer.headers.get("allow") == allow


def test_errors_of_the_search_for_a_file_are_the_location_s():
    config = """
ProblemCode 403 OF_THE_SERVER
<Location /api>
    ProblemDetails On
    ProblemCode 403 OF_THE_LOCATION
</Location>
Options None
<If "true">
    ProblemCode 404 OF_THE_CONDITION
</If>
"""
    with Httpd(config, ours=OURS, expected=(r"\[core:error\]",)) as server:
        (server.path / "htdocs" / "api").mkdir()
        (server.path / "htdocs" / "api" / "link").symlink_to("/etc/hostname")
        for path in ("/api/link", "/api/" + "x" * 300):
            answer = server.get(path)
            assert answer.status == 403 and answer.json()["code"] == "OF_THE_LOCATION"
        assert server.request("TRACE", "/api/x").json()["code"] == "METHOD_NOT_ALLOWED"
        assert server.get("/api/x").json()["code"] == "OF_THE_CONDITION"
        assert b"<html" in server.get("/link").body.lower()


def test_virtual_hosts_and_locations_have_their_own():
    config = """
ProblemLanguage ko
<VirtualHost *:*>
    ServerName a
    ProblemDetails On
    ProblemTypeBase https://a.example/p#
    ProblemCode 404 A_NOT_FOUND
    ProblemCode 410 A_GONE
    <Location /in>
        ProblemMediaType application/json
        ProblemLanguage en
        ProblemCode 404 IN_NOT_FOUND
        ProblemTypeBase about:blank
        ProblemTemplate '{"c": "{code}", "t": "{type}"}'
    </Location>
    <Location /auto>
        ProblemLanguage auto ko
    </Location>
</VirtualHost>
<VirtualHost *:*>
    ServerName b
    <Location /on>
        ProblemDetails On
    </Location>
</VirtualHost>
"""
    with Httpd(config, ours=OURS) as server:
        a = server.get("/x", headers={"Host": "a"})
        assert a.json()["code"] == "A_NOT_FOUND" and a.json()["type"] == "https://a.example/p#a-not-found"
        assert a.headers["content-language"] == "ko" and "vary" not in a.headers
        inner = server.get("/in/x", headers={"Host": "a"})
        assert inner.json() == {"c": "IN_NOT_FOUND", "t": "about:blank"}
        assert inner.headers["content-type"] == "application/json" and inner.headers["content-language"] == "en"
        auto = server.get("/auto/x", headers={"Host": "a"})
        assert auto.headers["content-language"] == "ko" and auto.headers["vary"] == "Accept-Language"
        assert server.get("/auto/x", headers={"Host": "a", "Accept-Language": "en"}).headers["content-language"] == "en"
        assert b"<html" in server.get("/x", headers={"Host": "b"}).body.lower()
        assert server.get("/on/x", headers={"Host": "b"}).json()["code"] == "NOT_FOUND"


def test_htaccess_may_shape_problems_but_name_no_file():
    config = """
<Directory />
    AllowOverride FileInfo
</Directory>
"""
    with Httpd(config, ours=OURS, expected=("may not name a file",)) as server:
        page = server.path / "htdocs" / "in"
        page.mkdir()
        page.chmod(0o755)
        (page / ".htaccess").write_text("ProblemDetails On\nProblemText 404 * \"Nothing here.\"\n"
                                        "ProblemTemplate '{\"say\": \"{detail}\"}'\n")
        assert server.get("/in/x").json() == {"say": "Nothing here."}
        assert b"<html" in server.get("/x").body.lower()
        (page / ".htaccess").write_text("ProblemDetails On\nProblemTemplate /etc/passwd\n")
        assert server.get("/in/x").status == 500 and b"passwd" not in server.get("/in/x").body


def test_the_template_of_an_application():
    config = f"""
ProblemDetails On
ProblemMediaType application/json
ProblemTemplate {ROOT}/conf/problem/videoplanet.json
ProblemCode 401 AUTHENTICATION_REQUIRED
<Location /private>
    AuthType Basic
    AuthName x
    Require valid-user
</Location>
"""
    with Httpd(config, ours=OURS) as server:
        answer = server.get("/private/a%20b?secret=1", headers={"X-Request-ID": "r1"})
        body = answer.json()
        assert answer.status == 401 and answer.headers["content-type"] == "application/json"
        assert body["message"] == "NEED_ACCESS_TOKEN" and body["code"] == body["error"] == "AUTHENTICATION_REQUIRED"
        assert body["path"] == "/private/a%20b" and body["request_id"] == body["meta"]["request_id"] == "r1"
        assert body["success"] is False and body["result"] is None and body["statusCode"] == 401
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", body["timestamp"])
        assert body["errors"] == [{"code": "AUTHENTICATION_REQUIRED", "message": body["detail"], "field": None,
                                   "detail": body["detail"]}]


def test_without_mod_trestle():
    with Httpd("ProblemDetails On", ours=("problem",)) as server:
        assert server.get("/x").json()["instance"]


@pytest.mark.parametrize("line,mend", [
    ("ProblemDetails Maybe", "must be On or Off"),
    ("ProblemMediaType json", "write for example application/json"),
    ("ProblemMediaType application/json;a=b", "write for example application/json"),
    ("ProblemTemplate '{\"a\": \"{nothing}\"}'", "line 1, column 7: unknown name 'nothing'; known are status code"),
    ("ProblemTemplate '{\"a\" 1}'", "line 1, column 6: a colon must stand here"),
    ("ProblemTemplate no/such/file.json", "name a file that exists"),
    ("ProblemTemplate /dev/null", "is not a file"),
    ("ProblemTemplate defaults", "name a file that exists"),
    ("ProblemLanguage fr", "is not en, ko or auto"),
    ("ProblemLanguage auto fr", "is not en, ko or auto"),
    ("ProblemLanguage ko en", "write auto en, or ko alone"),
    ("ProblemTypeBase problems/", "write for example https://api.example.org/problems/"),
    ("ProblemTypeBase https://a.example/p", "ends in /, #, : or ="),
    ("ProblemCode 200 OK", "neither a status from 400 to 599 nor a code"),
    ("ProblemCode 404 4x", "write for example NOT_FOUND"),
    ("ProblemText 404 en", "takes a status or code, a language and a text"),
    ("ProblemText 404 fr \"x\"", "is not en, ko or *"),
    ("ProblemText 404 en \"\"", "takes a status or code, a language and a text"),
])
def test_configtest_names_the_mend(line, mend):
    code, output = Httpd(line, ours=OURS).configtest()
    assert code != 0 and mend in output, output


def test_a_template_s_file_is_named_with_line_and_column():
    server = Httpd("", ours=OURS)
    (server.path / "bad.json").write_text('{\n  "a": "{detial}"\n}')
    server.config = "ProblemTemplate bad.json"
    code, output = server.configtest()
    assert code != 0 and "bad.json: line 2, column 8: unknown name 'detial'" in output
