"""mod_auth_jwt: callers whom Basic authentication or a client certificate proves."""
import base64
import datetime
import hashlib
import http.client
import json
import os
import shutil
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness import SERVER_USER, free_port, scratch
from jwt_support import bearer, httpd, keys, token  # noqa: F401  pylint: disable=unused-import


def name_of(**parts):
    oids = {"cn": NameOID.COMMON_NAME, "o": NameOID.ORGANIZATION_NAME, "email": NameOID.EMAIL_ADDRESS, "ou": NameOID.ORGANIZATIONAL_UNIT_NAME}
    return x509.Name([x509.NameAttribute(oids[k], v) for k, v in parts.items()])


class Authority:
    """A certificate authority for a test: files with its certificate and those it issues, key and certificate in one."""

    def __init__(self, path, name):
        self.path, self.name, self.key = path, name_of(cn=name), ec.generate_private_key(ec.SECP256R1())
        self.file = self.issue(name, subject=self.name, key=self.key, authority=True)

    def issue(self, file, subject=None, key=None, authority=False, days=1, **parts):
        key = key or ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject or name_of(**parts)).issuer_name(self.name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.RFC822Name("san@shop.example")]), False))
        if not authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), False)
        certificate = builder.sign(self.key, hashes.SHA256())
        target = self.path / f"{file}.pem"
        target.write_bytes(certificate.public_bytes(serialization.Encoding.PEM)
                           + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        target.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(target, SERVER_USER, SERVER_USER)
        return target


@pytest.fixture(scope="module")
def certificates():
    path = scratch("certificates")
    ours, theirs = Authority(path, "ours"), Authority(path, "theirs")
    yield {"authority": ours.file, "server": ours.issue("server", cn="localhost"),
           "alice": ours.issue("alice", cn="alice", o="Shop", email="alice@shop.example", ou="sales"),
           "nameless": ours.issue("nameless", o="Shop"), "odd": ours.issue("odd", cn='a"b\\c 한 é'),
           "control": ours.issue("control", cn="a\r\nX-Evil: 1"),
           "long": ours.issue("long", **{part: part * 20 for part in ("cn", "o", "ou")}, email="e" * 120 + "@" + "e" * 120),
           "expired": ours.issue("expired", days=-1, cn="alice"), "stranger": theirs.issue("stranger", cn="alice")}
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def server(keys, certificates):  # noqa: F811  pylint: disable=redefined-outer-name
    path, _ = keys
    tls = free_port()
    users = path / "users"
    users.write_text("".join(f"{user}:{{SHA}}{base64.b64encode(hashlib.sha1(password).digest()).decode()}\n" for user, password in (
        ("alice", b"wonder"), ("b\u00f6b", b"x"), ("u" * 256, b"x"))))
    users.chmod(0o644)
    config = f"""
LogLevel auth_jwt:info
ProblemDetails On
AuthJWTRole shop_user
Header always set X-User-Id "%{{CALLER_SUBJECT}}e" env=CALLER_SUBJECT
<Location /error>
    AuthType None
    Require all granted
    AuthJWTCallerFrom user
    SetHandler jwttest-caller
</Location>
<LocationMatch ^/basic>
    AuthType Basic
    AuthName shop
    AuthUserFile {users}
    AuthJWTCallerFrom user
    AuthJWTCallerClaim groups "%{{env:GROUPS}}" ";"
    AuthJWTCallerClaim host "%{{HTTP_HOST}}"
    AuthJWTCallerClaim nothing "%{{env:NOTHING}}"
    AuthJWTCallerClaim scope "read write"
    AuthJWTRolesClaim groups
    AuthJWTRoleClaim groups
    AuthJWTRoleAllow shop_staff
    SetEnvIf X-Groups (.+) GROUPS=$1
    SetHandler jwttest-caller
    Require valid-user
</LocationMatch>
<Location /basic/role>
    AuthMerging Off
    Require role editors
</Location>
<Location /basic/claim>
    Require scope write
    Require claim sub alice
</Location>
<Location /basic/staff>
    AuthJWTCallerClaim groups shop_staff
</Location>
<Location /basic/page>
    ErrorDocument 401 /error
</Location>
<Location /basic/off>
    AuthJWTCallerFrom Off
</Location>
<Location /basic/open>
    <RequireAny>
        Require ip 127.0.0.1
        Require valid-user
    </RequireAny>
</Location>
<Location /redirect>
    AuthType Basic
    AuthName shop
    AuthUserFile {users}
    Require valid-user
    SetHandler jwttest-redirect
</Location>
Listen 127.0.0.1:{tls}
<VirtualHost 127.0.0.1:{tls}>
    Protocols h2 http/1.1
    SSLEngine On
    SSLCertificateFile {certificates['server']}
    SSLCACertificateFile {certificates['authority']}
    SSLVerifyClient optional
    <Location />
        AuthType JWT
        AuthName shop
        AuthJWTCallerFrom certificate SSL_CLIENT_S_DN_CN
        AuthJWTCallerClaim email %{{SSL_CLIENT_S_DN_Email}}
        AuthJWTCallerClaim roles %{{SSL_CLIENT_S_DN_OU}}
        AuthJWTRolesClaim roles
        SetHandler jwttest-caller
        Require valid-user
    </Location>
    <Location /sales>
        Require role sales
    </Location>
    <Location /optional>
        AuthJWTAnonymous shop_anonymous
        Require all granted
    </Location>
    <Location /token>
        AuthJWTKey HS256 {path}/secret
        AuthJWTAudience shop
    </Location>
    <Location /san>
        AuthJWTCallerFrom certificate SSL_CLIENT_SAN_Email_0
    </Location>
    <Location /dn>
        AuthJWTCallerFrom certificate SSL_CLIENT_S_DN
    </Location>
</VirtualHost>
Listen 127.0.0.1:{tls + 1}
<VirtualHost 127.0.0.1:{tls + 1}>
    SSLEngine On
    SSLCertificateFile {certificates['server']}
    SSLCACertificateFile {certificates['authority']}
    SSLVerifyClient optional_no_ca
    <Location />
        AuthType JWT
        AuthName shop
        AuthJWTAnonymous shop_anonymous
        AuthJWTCallerFrom certificate SSL_CLIENT_S_DN_CN
        SetHandler jwttest-caller
        Require all granted
    </Location>
</VirtualHost>
"""
    with httpd(config, tests=("jwttest",), modules=("ssl", "socache_shmcb", "authz_host", "http2"),
               expected=("AH01631", "AH01614", "AH01617", "AH01618", "AH01630", "AH01873", "AH02039", "AH10034")) as running:
        running.tls = tls
        yield running


def basic(user="alice", password="wonder"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_user_of_basic_is_the_caller(server):
    answer = server.get("/basic", headers={**basic(), "X-Groups": "editors; authors;;"})
    assert answer.status == 200
    assert answer.json() == {"subject": "alice", "role": "shop_user", "session": None, "proof": "mapped", "user": "alice",
                             "claims": {"sub": "alice", "groups": ["editors", "authors"], "scope": "read write",
                                        "host": f"127.0.0.1:{server.port}"}, "roles": ["editors", "authors"]}
    assert answer.headers["x-user-id"] == "alice"
    assert server.get("/basic", headers=basic("b\u00f6b", "x")).json()["subject"] == "b\u00f6b"
    assert "groups" not in server.get("/basic", headers=basic()).json()["claims"]


def test_the_password_still_decides(server):
    for headers in ({}, basic(password="wrong"), basic("mallory"), bearer("a.b.c")):
        answer = server.get("/basic", headers=headers)
        assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic ")
        assert "x-user-id" not in answer.headers


def test_the_page_of_a_refusal_has_no_caller(server):
    """mod_auth_basic names the user before it knows the password, and ErrorDocument's handler looks at the same request."""
    assert json.loads(server.get("/basic/page", headers=basic()).body)["subject"] == "alice"
    assert b"alice" not in server.get("/basic/page", headers=basic(password="wrong")).body


def test_requirements_know_the_caller(server):
    assert server.get("/basic/role", headers={**basic(), "X-Groups": "editors"}).status == 200
    refused = server.get("/basic/role", headers={**basic(), "X-Groups": "authors"})
    assert refused.status == 401 and refused.headers["www-authenticate"].startswith("Basic ")
    assert server.get("/basic/claim", headers=basic()).status == 200
    assert server.get("/basic/claim", headers=basic("b\u00f6b", "x")).status == 200
    assert server.get("/basic/staff", headers=basic()).json()["role"] == "shop_staff"


def test_a_name_that_is_too_long_is_no_caller(server):
    answer = server.get("/basic", headers=basic("u" * 256, "x"))
    assert answer.status == 204
    assert "TRSAJ06: user uuu" in server.log()


def test_where_it_is_off_or_nobody_signed_in_there_is_no_caller(server):
    assert server.get("/basic/off", headers=basic()).status == 204
    assert server.get("/basic/open").status == 204
    assert server.get("/redirect?/basic/claim", headers=basic()).json()["subject"] == "alice"


def request(server, certificates, path, who=None, headers=None, port=0):
    context = ssl._create_unverified_context()  # pylint: disable=protected-access
    if who:
        context.load_cert_chain(certificates[who])
    connection = http.client.HTTPSConnection("127.0.0.1", server.tls + port, timeout=30, context=context)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_certificate_makes_the_caller(server, certificates):
    status, headers, body = request(server, certificates, "/", "alice")
    assert status == 200 and headers["X-User-Id"] == "alice"
    assert json.loads(body) == {"subject": "alice", "role": "shop_user", "session": None, "proof": "mapped", "user": "alice",
                                "claims": {"sub": "alice", "email": "alice@shop.example", "roles": "sales"}, "roles": ["sales"]}
    assert request(server, certificates, "/sales", "alice")[0] == 200
    assert request(server, certificates, "/sales", "odd")[0] == 403
    # mod_ssl escapes a backslash and control characters (RFC 4514 section 2.4).
    assert json.loads(request(server, certificates, "/odd", "odd")[2])["claims"] == {"sub": 'a"b\\\\c 한 é'}
    status, headers, body = request(server, certificates, "/", "control")
    assert json.loads(body)["subject"] == "a\\0D\\0AX-Evil: 1" and "X-Evil" not in headers
    assert json.loads(request(server, certificates, "/san", "alice")[2])["subject"] == "san@shop.example"
    assert "CN=alice" in json.loads(request(server, certificates, "/dn", "alice")[2])["subject"]


def test_a_certificate_counts_over_http2(server, certificates):
    version = "1.1" if server.mpm == "prefork" else "2"  # httpd offers no HTTP/2 in prefork
    for who, status in (("alice", "200"), (None, "401")):
        done = subprocess.run(["curl", "-sk", "--http2", "-w", " %{http_version} %{http_code}", *(["--cert", certificates[who]] if who else []),
                               f"https://127.0.0.1:{server.tls}/"], capture_output=True, text=True, check=True)
        assert done.stdout.endswith(f" {version} {status}") and ('"subject":"alice"' in done.stdout) == (who is not None)


def test_without_certificate(server, certificates):
    status, headers, body = request(server, certificates, "/")
    assert status == 401 and headers["WWW-Authenticate"] == 'Bearer realm="shop"'
    status, _, body = request(server, certificates, "/optional")
    assert status == 200 and json.loads(body)["proof"] == "anonymous"
    assert json.loads(request(server, certificates, "/optional", "alice")[2])["subject"] == "alice"


def test_a_certificate_without_a_usable_name_is_refused(server, certificates):
    for path, who in (("/", "nameless"), ("/optional", "nameless"), ("/dn", "long")):
        status, headers, _ = request(server, certificates, path, who)
        assert status == 401
        assert headers["WWW-Authenticate"] == 'Bearer realm="shop", error="invalid_token"'
    assert "TRSAJ03: credential refused: " in server.log() and "(certificate, request" in server.log()


@pytest.mark.parametrize("who", ["stranger", "expired"])
def test_a_certificate_that_is_not_verified_proves_nothing(server, certificates, who):
    with pytest.raises(OSError):  # SSLVerifyClient optional: the handshake fails
        request(server, certificates, "/", who)
    status, headers, _ = request(server, certificates, "/", "stranger", port=1)
    assert status == 401 and 'error="invalid_token"' in headers["WWW-Authenticate"]
    assert json.loads(request(server, certificates, "/", "alice", port=1)[2])["subject"] == "alice"
    assert json.loads(request(server, certificates, "/", port=1)[2])["proof"] == "anonymous"


def test_a_token_goes_before_a_certificate(server, certificates):
    good, bad = bearer(token(iss=None)), bearer("junk")
    assert json.loads(request(server, certificates, "/token", "alice", good)[2])["proof"] == "bearer"
    assert json.loads(request(server, certificates, "/token", "alice")[2])["proof"] == "mapped"
    for path in ("/token", "/", "/optional"):
        assert request(server, certificates, path, "alice", bad)[0] == 401
    assert request(server, certificates, "/", "alice", good)[0] == 401  # no key there


@pytest.mark.parametrize("lines,mend", [
    ("AuthJWTCallerFrom anybody", "write user, certificate"),
    ("AuthJWTCallerFrom certificate", "for example certificate SSL_CLIENT_S_DN_CN"),
    ("AuthJWTCallerFrom user SSL_CLIENT_S_DN_CN", "write user, certificate"),
    ("AuthJWTCallerFrom certificate SSL_CLIENT_VERIFY", "does not say whose a certificate is"),
    ("AuthJWTCallerFrom certificate SSL_CLIENT_S_DN_Mail", "does not say whose a certificate is"),
    ("AuthJWTCallerFrom certificate SSL_CLIENT_SAN_Email", "SSL_CLIENT_SAN_Email_0"),
    ("AuthJWTCallerFrom certificate SSL_SERVER_S_DN_CN", "does not say whose a certificate is"),
    ("AuthJWTCallerFrom certificate SSL_CLIENT_S_DN_CN", "load mod_ssl"),
    ("AuthJWTCallerClaim sub a", "name another claim"),
    ("AuthJWTCallerClaim groups \"%{nothing:x\"", "is no expression"),
    ("AuthJWTCallerClaim groups a ::", "is not one character"),
    ("AuthJWTCallerClaim groups a\nAuthJWTCallerClaim groups b", "write it once"),
    ("AuthJWTMalformedStatus 403", "write 400 or 401"),
])
def test_configtest_names_the_mend(lines, mend):
    code, output = httpd(lines).configtest()
    assert code != 0 and mend in output


def test_certificates_alone_need_no_key():
    config = "<Location /a>\nAuthType JWT\nAuthJWTCallerFrom certificate SSL_CLIENT_S_DN_CN\n</Location>"
    code, output = httpd(config, modules=("ssl", "socache_shmcb")).configtest()
    assert code == 0, output
