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
