"""What no client should send: each gets a clear refusal in the application's own error body, and the server goes on."""
import json
import re
import socket
import ssl

import pytest


def raw(product, data, tls=False, half_close=True):
    """Sends bytes and returns everything that comes back until the server closes or is silent."""
    https, http = product.ports("videoplanet")
    with socket.create_connection(("127.0.0.1", https if tls else http), 20) as s:
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            s = context.wrap_socket(s)
        try:
            s.sendall(data)
            if half_close and not tls:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while chunk := s.recv(65536):
                answer += chunk
        except OSError:
            pass
        return answer


def parts(answer):
    """(status, headers, body) of the first answer in the bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return int(lines[0].split()[1]), {l.split(":", 1)[0].lower(): l.split(":", 1)[1].strip() for l in lines[1:]}, body


def is_error_body(body, status):
    value = json.loads(body)
    assert value["statusCode"] == status and value["success"] is False and value["message"] and value["code"]
    assert not re.search(r"/usr/|/var/|select |apache|\.conf", body.decode(), re.I), body
    return value


@pytest.mark.parametrize("request_bytes,status", [
    (b"nonsense\r\n\r\n", 400),
    (b"GET\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", (400, 404, 505)),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nbroken\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9000 + b"\r\n\r\n", (400, 431)),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", (400, 431)),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    (b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    (b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: nonsense\r\n\r\n", (400, 501)),
    (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", (404, 405)),
    (b"OPTIONS * HTTP/1.0\r\nContent-Length: x\r\n\r\n", 400),
    (b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nExpect: nonsense\r\nContent-Length: 2\r\n\r\n{}", 417),
], ids=lambda v: v[:34].decode("latin-1") if isinstance(v, bytes) else "")
def test_unparsable_requests(product, request_bytes, status):
    code, headers, body = parts(raw(product, request_bytes))
    assert code == status or isinstance(status, tuple) and code in status
    assert headers["content-type"].startswith("application/json")
    is_error_body(body, code)


def test_bodies_past_the_limit(product):
    announced = b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{"
    code, _, body = parts(raw(product, announced, half_close=False))
    assert code == 413
    is_error_body(body, 413)
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked = b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    code, _, body = parts(raw(product, chunked + chunk * 64, half_close=False))
    assert code == 413
    is_error_body(body, 413)
    code, _, body = parts(raw(product, chunked + b"zz\r\n"))
    assert code == 400


def test_a_body_that_ends_early(product):
    code, _, _ = parts(raw(product, b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{\"email\"") or
                       b"HTTP/1.1 400 none\r\n\r\n")
    assert code in (400, 408)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "FOO", "get", "PROPFIND", "TRACE"])
def test_wrong_methods(product, method):
    answer = product.request(method, "/users/login", app="videoplanet")
    assert answer.status in (405, 501)
    assert "POST" in answer.headers["allow"]
    is_error_body(answer.body, answer.status)


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer a, Bearer b"}, {"Authorization": "Bearer"}, {"Authorization": "Basic eDp5"},
    {"Authorization": "Bearer " + "a" * 8000}, {"Cookie": "vridge_session=a; vridge_session=b"},
    {"Authorization": "Bearer \u00e9.b.c"}])
def test_bad_credentials(product, headers):
    answer = product.get("/projects/project_list", app="videoplanet", headers={k: v.encode("latin-1") for k, v in headers.items()})
    assert (answer.status, answer.json()["message"]) == (401, "NEED_ACCESS_TOKEN"), answer.body
    is_error_body(answer.body, answer.status)


@pytest.mark.parametrize("path", ["/projects/detail/%2e%2e%2f1", "/projects//detail/1", "/projects/detail/1/../2", "/projects/detail/",
                                  "/projects/detail/1/2", "/projects/detail/1%2F2", "/PROJECTS/project_list", "/projects/detail/1;x"])
def test_odd_paths_are_no_500(product, path):
    token = product.login("owner")
    answer = product.get(path, app="videoplanet", token=token)
    assert answer.status in (200, 400, 403, 404), (path, answer.status)
    if answer.status != 200:
        is_error_body(answer.body, answer.status)


@pytest.mark.parametrize("query", ["?search=%00", "?limit=abc", "?limit=-1", "?offset=99999999999999999999", "?nonsense=1", "?search=%ff",
                                   "?limit=1&limit=2", "?search=" + "x" * 5000, "?%zz", "?search='%20or%201=1--", "?sort_by=password"], ids=lambda q: q[:24])
def test_odd_queries_are_no_500(product, query):
    token = product.login("owner")
    answer = product.get("/projects/project_list" + query, app="videoplanet", token=token)
    assert answer.status in (200, 400, 414), (query, answer.status, answer.body[:300])
    if answer.status == 400:
        is_error_body(answer.body, 400)


@pytest.mark.parametrize("line,more,status", [
    ("POST /projects/project_list", "Authorization: Bearer bad\r\n", 401), ("PUT /users/login", "", 405),
    ("POST /health/live", "", 405), ("POST /nothing", "", 404)])
def test_a_refused_upload_is_answered_before_it_has_arrived(product, line, more, status):
    head = f"{line} HTTP/1.1\r\nHost: localhost\r\n{more}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{{".encode()
    with socket.create_connection(("127.0.0.1", product.ports("videoplanet")[1]), 5) as s:
        s.sendall(head)
        answer = s.recv(65536)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in answer.lower()


def test_the_server_is_well_afterwards(product):
    assert product.get("/health/ready", app="videoplanet").status == 200
    log = (product.var / "log" / "error.log").read_text(errors="replace")
    assert not re.search(r"exit signal|Segmentation|AddressSanitizer|:(emerg|alert|crit)\]", log)
