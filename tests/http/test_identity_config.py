"""mod_identity: what configtest says of its directives, and what happens where it does not look."""
import pytest

from harness import free_port
from harness import Httpd as Server
from identity_support import configuration, database, httpd, keyfile, login, write_key  # noqa: F401


@pytest.mark.parametrize("line,mend", [
    ("IdentityClaimsFunction login_claims", "write for example shop.login_claims"),
    ("IdentityAnswerFunction shop.\"x;y\"", "write for example shop.login_claims"),
    ("IdentityAnswerFunction a.b.c", "write for example shop.login_claims"),
    ("IdentityTokenLifetime 9s", "is not a duration"),
    ("IdentityTokenLifetime 9601h", "from 10s to 9600h"),
    ("IdentityStatus 204", "write 200, 201 or 202"),
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
    ("IdentityStatus 500", "write 200, 201 or 202"),
    ("IdentityTaken 403", "write hide, 400, 409 or 422"),
    ("IdentityConfirm sms", "write email or Off"),
    ("IdentityConfirm Off 5min", "takes no duration"),
    ("IdentityConfirm email 2d", "is not a duration"),
    ("IdentityConfirm email 25h", "from 10s to 24h"),
    ("IdentityNameField a@b", "no name of a field"),
    ("IdentityPasswordRepeat \"a b\"", "no name of a field"),
    ("IdentityPasswordLength 0", "from 1 to 128"),
    ("IdentityPasswordLength 8 32", "from 64 to 256"),
    ("IdentityPasswordLength 8 257", "from 64 to 256"),
    ("IdentityPasswordLength 100 64", "the first number is greater"),
    ("IdentityRefreshLifetime 0 1h", "is not a duration"),
    ("IdentityRefreshLifetime 2h 1h", "cannot idle longer than it lives"),
    ("IdentityRefreshGrace 61s", "is not a duration"),
    ("IdentityRefreshGrace 10s 0", "from 1 to 1000"),
    ("IdentityRefreshCookie __Host-rt Path=/auth", "let its name begin with __Secure-"),
    ("IdentityPlainCookies On\nIdentityRefreshCookie __Secure-rt", "write IdentityPlainCookies Off or take another name"),
    ("IdentityClient \"a b\"", "write for example"),
    ("IdentityOrigin app.example.org", "write for example https://app.example.org"),
    ("IdentityOrigin https://app.example.org/", "write for example https://app.example.org"),
    ("IdentityOrigin https://App.example.org", "write for example https://app.example.org"),
    ("IdentityOrigin https://app.example.org:443", "a port if it is not the usual one"),
    ("IdentityContentType text/plain", "write strict, any or json"),
    ("IdentityInheritedHash md5 1", "write Off, pbkdf2_sha256 with its rounds"),
    ("IdentityInheritedHash bcrypt 16", "write Off, pbkdf2_sha256 with its rounds"),
    ("IdentityInheritedHash pbkdf2_sha256", "write Off, pbkdf2_sha256 with its rounds"),
    ("IdentityInheritedHash pbkdf2_sha256 10000001", "write Off, pbkdf2_sha256 with its rounds"),
    ("PgUse shop", "load mod_pg"),
    ("AuthJWTSigningKey HS256 x", "load mod_auth_jwt"),
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


ALL = ("trestle", "problem", "pg", "auth_jwt", "identity")
POOL = '<PgPool shop>\nPgConnect "host=/nowhere"\n</PgPool>\n'


def location(path, *lines):
    return f"<Location {path}>\n" + "\n".join(lines) + "\n</Location>\n"


def check(config, keys):
    """configtest of a configuration in which TOKEN and REFRESH stand for directives that name a key."""
    config = config.replace("TOKEN", f"AuthJWTSigningKey HS256 {keys}").replace("REFRESH", f"IdentityRefreshKey {keys.with_name('refresh')}")
    return Server(POOL + config, ours=ALL).configtest()


LOGIN = "SetHandler identity-login"


@pytest.mark.parametrize("config,mend", [
    (location("/login", LOGIN), "add PgUse with the name of a pool"),
    (location("/login", LOGIN, "PgUse shop"), "add AuthJWTSigningKey"),
    (location("/login", LOGIN, "TOKEN"), "add PgUse"),
    (location("/login", LOGIN, "TOKEN") + location("/other", "PgUse shop"), "add PgUse"),
    (location("/login", LOGIN, "TOKEN") + location("/log", "PgUse shop"), "add PgUse"),
    ("<VirtualHost *:1>\nPgUse shop\n</VirtualHost>\n<VirtualHost *:2>\n" + location("/login", LOGIN, "TOKEN") + "</VirtualHost>", "add PgUse"),
    (location("/refresh", "SetHandler identity-refresh", "PgUse shop", "TOKEN"), "add IdentityRefreshKey"),
    (location("/me", "SetHandler identity-me"), "add PgUse"),
    (location("/register", "SetHandler identity-register", "PgUse shop", "IdentityConfirm Off"), "add AuthJWTSigningKey"),
    ("IdentityTaken hide\nPgUse shop\nTOKEN\n" + location("/register", "SetHandler identity-register", "IdentityConfirm Off"),
     "IdentityTaken hide needs IdentityConfirm email"),
])
def test_what_an_operation_needs_is_missed_at_configtest(keyfile, config, mend):  # noqa: F811
    code, output = check(config, keyfile)
    assert code != 0 and mend in output and "SetHandler identity-" in output


@pytest.mark.parametrize("config", [
    "PgUse shop\nTOKEN\n" + location("/login", LOGIN),
    location("/login", LOGIN, "PgUse shop", "TOKEN"),
    location("/", "PgUse shop", "TOKEN") + location("/login", LOGIN),
    location("/users", "PgUse shop", "TOKEN") + location("/users/login", LOGIN),
    location("/", "PgUse shop") + '<LocationMatch "^/login/?$">\n' + LOGIN + "\nTOKEN\n</LocationMatch>\n",
    '<LocationMatch "^/log">\nPgUse shop\nTOKEN\n</LocationMatch>\n' + location("/login", LOGIN),
    "PgUse shop\nTOKEN\n<VirtualHost *:1>\n" + location("/login", LOGIN) + "</VirtualHost>",
    location("/login", LOGIN) + "<VirtualHost *:1>\nPgUse shop\nTOKEN\n</VirtualHost>",
    location("/register", "SetHandler identity-register", "PgUse shop"),
    location("/refresh", "SetHandler identity-refresh", "PgUse shop", "TOKEN", "REFRESH", "REFRESH 2"),
    location("/me", "SetHandler identity-me", "PgUse shop"),
    "SetHandler none\n<Location /b>\nSetHandler server-status\n</Location>",
])
def test_what_may_work_passes_configtest(keyfile, config):  # noqa: F811
    code, output = check(config, keyfile)
    assert code == 0, output


def test_keys_of_refresh_tokens_are_checked(keyfile):  # noqa: F811
    refresh = keyfile.with_name("refresh")
    for line, mend in ((f"IdentityRefreshKey {refresh}\nIdentityRefreshKey {refresh}", "there is a key 1 here already"),
                       (f"IdentityRefreshKey {refresh} 0", "from 1 to 32767"), ("IdentityRefreshKey /nowhere", "name a readable key file"),
                       ("IdentityRefreshKey /tmp", "no regular file of at most"), ("IdentityRefreshKey /dev/null", "no regular file of at most"),
                       (f"IdentityRefreshKey /{'x' * 5000}", "misformatted")):
        code, output = Server(line, ours=ALL).configtest()
        assert code != 0 and mend in output and "IdentityRefreshKey: " in output, line
    for name, content, mode, mend in (("short", b"x" * 31 + b"\n", 0o600, "not 32 to 4096 bytes long"),
                                      ("long", b"x" * 4097, 0o600, "not 32 to 4096 bytes long"), ("shared", b"x" * 40, 0o644, "run chmod o-r on it"),
                                      ("open", b"x" * 40, 0o602, "run chmod o-w on it"), ("good", b"x" * 4096 + b"\r\n", 0o640, None)):
        path = write_key(keyfile.with_name(name), "")
        path.write_bytes(content)
        path.chmod(mode)
        code, output = Server(f"IdentityRefreshKey {path}", ours=ALL).configtest()
        assert code == 0 if mend is None else code != 0 and mend in output, name


def test_what_configtest_cannot_see_is_500_with_the_mend_in_the_log(database, keyfile):  # noqa: F811
    config = configuration(database, keyfile).split("<Location /login>")[0].replace("PgUse shop\n", "").replace("AuthJWTSigningKey", "# ")
    rules = "RewriteEngine On\n" + "".join(f"RewriteRule ^/{name}$ - [H=identity-{name}]\n" for name in ("login", "check"))
    with Server(config + rules, ours=ALL, expected=("TRSID08",)) as server:
        assert login(server, "/login").status == 500
        assert "add PgUse" in server.log()
    with Server(config + rules + "PgUse shop", ours=ALL, expected=("TRSID10",)) as server:
        assert login(server, "/login").status == 500
        assert "add AuthJWTSigningKey" in server.log()
    with Server((config + rules).replace("AuthJWTKey", "# "), ours=ALL, expected=("TRSID17",)) as server:
        assert server.get("/check").status == 500
        assert "add AuthJWTKey" in server.log()


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
