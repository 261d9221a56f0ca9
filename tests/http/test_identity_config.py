"""mod_identity: what configtest says of its directives, and what happens where it does not look."""
import pytest

from harness import free_port
from harness import Httpd as Server
from identity_support import configuration, database, httpd, keyfile, login  # noqa: F401


@pytest.mark.parametrize("line,mend", [
    ("IdentityClaimsFunction login_claims", "write for example shop.login_claims"),
    ("IdentityAnswerFunction shop.\"x;y\"", "write for example shop.login_claims"),
    ("IdentityAnswerFunction a.b.c", "write for example shop.login_claims"),
    ("IdentityTokenLifetime 9s", "is not a duration"),
    ("IdentityTokenLifetime 9601h", "from 10s to 9600h"),
    ("IdentityStatus 204", "write 200 or 201"),
    ("IdentityRefusal 400", "write 401 or 403"),
    ("IdentityCookie", "write the name of a cookie"),
    ("IdentityCookie a;b", "no name of a cookie"),
    ("IdentityCookie session Secure", "write SameSite=Lax"),
    ("IdentityCookie session SameSite=Some", "write SameSite=Lax"),
    ("IdentityCookie session \"Path=/;x\"", "write SameSite=Lax"),
    ("IdentityCookie __Host-x Path=/api", "leave Path and Domain away"),
    ("IdentityCookie __Host-x Domain=example.org", "leave Path and Domain away"),
    ("IdentityCookie __host-x Path=/api", "leave Path and Domain away"),
    ("IdentityPlainCookies On\nIdentityCookie __Host-x", "write IdentityPlainCookies Off or take another name"),
    ("<Location /a>\nIdentityCookie __Secure-x Path=/a\nIdentityPlainCookies On\n</Location>",
     "write IdentityPlainCookies Off or take another name"),
    ("IdentityPlainCookies On\n<Location /a>\nIdentityCookie __Secure-x\n</Location>",
     "write IdentityPlainCookies Off or take another name"),
    ("IdentityPlainCookies On\n<VirtualHost *:1>\n<Location /a>\nIdentityCookie __Secure-x\n</Location>\n</VirtualHost>",
     "write IdentityPlainCookies Off or take another name"),
    ("<Location /a>\nSetHandler identity-logn\n</Location>", "write one of identity-register, identity-confirm, identity-login"),
    ("SetHandler Identity-Login", "write one of identity-register"),
    ("IdentityHashGate 0", "from 1 to 1024"),
    ("IdentityHashQueue -1", "from 0 to 4096"),
    ("IdentityHashQueue 4097", "from 0 to 4096"),
    ("<VirtualHost *:1>\nIdentityHashQueue 2\n</VirtualHost>", "cannot occur within <VirtualHost>"),
    ("IdentityHashWait 61s", "is not a duration"),
    ("IdentityHashCost 4K 1", "is not a size"),
    ("IdentityHashCost 19M 11", "from 1 to 10"),
    ("<VirtualHost *:1>\nIdentityHashGate 2\n</VirtualHost>", "cannot occur within <VirtualHost>"),
])
def test_configtest_names_the_mend(line, mend):
    code, output = Server(line, ours=("trestle", "identity")).configtest()
    assert code != 0 and mend in output


@pytest.mark.parametrize("lines", [
    "IdentityCookie __Host-x SameSite=Strict",
    "IdentityCookie __Host-x Path=/",
    "IdentityCookie __Secure-x Path=/api Domain=example.org",
    "IdentityPlainCookies On\n<Location /a>\nIdentityCookie __Host-x\nIdentityPlainCookies Off\n</Location>",
    "IdentityPlainCookies On\n<Location /a>\nIdentityCookie x\n</Location>",
    "IdentityCookie __Host-x\n<VirtualHost *:1>\nIdentityPlainCookies On\nIdentityCookie x\n</VirtualHost>",
])
def test_configtest_accepts_what_browsers_accept(lines):
    code, output = Server(lines, ours=("trestle", "identity")).configtest()
    assert code == 0, output


def test_an_operation_that_there_is_not_is_500_with_the_mend_in_the_log(database, keyfile):
    more = "RewriteEngine On\nRewriteRule ^/typing$ - [H=identity-logn]\nAddHandler identity-login .x"
    with httpd(database, keyfile, more, expected=("TRSID12",)) as server:
        for method in ("POST", "GET"):
            answer = server.request(method, "/typing")
            assert answer.status == 500 and b"logn" not in answer.body
        assert "TRSID12: identity-logn is no operation of mod_identity; write identity-register, " in server.log()


def test_configtest_refuses_plain_cookies_where_others_could_listen():
    port = free_port()

    def check(config):
        return Server(config, ours=("trestle", "identity")).configtest()

    assert check("IdentityPlainCookies On")[0] == 0
    code, output = check(f"Listen {port}\nIdentityPlainCookies On")
    assert code != 0 and f"write Listen 127.0.0.1:{port}" in output
    code, output = check(f"Listen 0.0.0.0:{port}\n<VirtualHost *:{port}>\n<Location /a>\nIdentityPlainCookies On\n"
                         "</Location>\n</VirtualHost>")
    assert code != 0 and f"write Listen 127.0.0.1:{port}" in output
    assert check(f"Listen 0.0.0.0:{port} https\nIdentityPlainCookies On")[0] == 0
    assert check(f"Listen 0.0.0.0:{port}\n<VirtualHost 127.0.0.1:{port}>\nIdentityPlainCookies On\n</VirtualHost>")[0] == 0
    assert check(f"Listen [::1]:{port}\nIdentityPlainCookies On")[0] == 0
