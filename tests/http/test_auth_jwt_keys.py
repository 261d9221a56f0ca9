"""mod_auth_jwt: every algorithm, with PyJWT as second opinion, by PEM files and by JWK Sets; which sets are refused."""
import json
import os
import shutil

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from harness import SERVER_USER
from jwt_support import OTHER_SECRET, SECRET, b64, bearer, claims, httpd, keys, pem, token  # noqa: F401  pylint: disable=unused-import

KEY_OF = {"HS256": None, "HS384": None, "HS512": None, "RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa",
          "PS384": "rsa", "PS512": "rsa", "ES256": "p256", "ES384": "p384", "ES512": "p521", "EdDSA": "ed"}


def number(value, size):
    return b64(value.to_bytes(size, "big"))


def jwk(key, **more):
    """The public key, or a secret, as JWK: written by PyJWT where it can."""
    if isinstance(key, str):
        made = {"kty": "oct", "k": b64(key)}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        n = key.public_key().public_numbers()
        size = (key.curve.key_size + 7) // 8
        made = {"kty": "EC", "crv": {256: "P-256", 384: "P-384", 521: "P-521"}[key.curve.key_size],
                "x": number(n.x, size), "y": number(n.y, size)}
    elif isinstance(key, rsa.RSAPrivateKey):
        made = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
        made.pop("key_ops")
    else:
        made = json.loads(OKPAlgorithm.to_jwk(key.public_key()))
    return {k: v for k, v in {**made, **more}.items() if v is not None}


def write(path, name, *members, mode=0o600, single=False):
    """A file with a JWK Set, or one JWK."""
    file = path / name
    file.write_text(json.dumps(members[0] if single else {"keys": members}))
    file.chmod(mode)
    if os.geteuid() == 0:
        shutil.chown(file, SERVER_USER, SERVER_USER)
    return file


@pytest.fixture(scope="module")
def server(keys):  # noqa: F811  pylint: disable=redefined-outer-name
    path, made = keys
    whole = [jwk(made[k] if k else SECRET, kid=a, use="sig", alg=a) for a, k in KEY_OF.items()]
    write(path, "whole.jwks", *whole, jwk(made["rsa"], kid="enc", use="enc", alg="RSA-OAEP"))
    write(path, "bare.jwks", jwk(made["rsa"], kid="r", alg=None), jwk(made["p384"], kid="e"), jwk(made["ed"]), mode=0o644)
    write(path, "single.jwk", jwk(made["p521"]), single=True)
    pems = "\n".join(f"AuthJWTKey {a} {path}/{f'{k}.pem' if k else 'secret'} {a}" for a, k in KEY_OF.items())
    config = f"""
<Location />
    AuthType JWT
    AuthName shop
    AuthJWTIssuer https://shop.example
    AuthJWTAudience shop
    SetHandler jwttest-caller
    Require valid-user
</Location>
<Location /pem>
{pems}
</Location>
<Location /set>
    AuthJWTKeySet {path}/whole.jwks
</Location>
<Location /bare>
    AuthJWTKeySet {path}/bare.jwks PS512
    AuthJWTKeySet {path}/single.jwk
    AuthJWTKey HS256 {path}/other
</Location>
<Location /sign/HS384>
    SetHandler jwttest-sign
    AuthJWTKeySet {path}/whole.jwks
    AuthJWTSigningKey HS384 {path}/secret HS384
</Location>
<Location /sign/RS512>
    SetHandler jwttest-sign
    AuthJWTKeySet {path}/whole.jwks
    AuthJWTSigningKey RS512 {path}/rsa.private RS512
</Location>
<Location /sign/ES384>
    SetHandler jwttest-sign
    AuthJWTKeySet {path}/whole.jwks
    AuthJWTSigningKey ES384 {path}/p384.private ES384
</Location>
"""
    with httpd(config, tests=("jwttest",)) as running:
        yield running


def made_by_pyjwt(made, algorithm, kid, **more):
    key = KEY_OF[algorithm]
    return token(pem(made[key], True) if key else SECRET, algorithm, {"kid": kid} if kid else None, **more)


@pytest.mark.parametrize("place", ["pem", "set"])
@pytest.mark.parametrize("algorithm", list(KEY_OF))
def test_what_pyjwt_signs_is_accepted(server, keys, place, algorithm):  # noqa: F811  pylint: disable=redefined-outer-name
    made = keys[1]
    for kid in (algorithm, None):
        answer = server.get("/" + place, headers=bearer(made_by_pyjwt(made, algorithm, kid, name="한국")))
        assert answer.status == 200 and answer.json()["claims"]["name"] == "한국", kid
    for other in KEY_OF:
        if other != algorithm:
            assert server.get("/" + place, headers=bearer(made_by_pyjwt(made, algorithm, other))).status == 401, other
    good = made_by_pyjwt(made, algorithm, algorithm)
    head, payload, signature = good.split(".")
    swapped = "A" if signature[5] != "A" else "B"
    for bad in (f"{head}.{payload}.{signature[:5]}{swapped}{signature[6:]}", f"{head}.{payload}.{signature[:-4]}",
                f"{head}.{payload}.", f"{head}.{made_by_pyjwt(made, algorithm, algorithm, sub='1').split('.')[1]}.{signature}"):
        assert server.get("/" + place, headers=bearer(bad)).status == 401


def test_keys_without_alg_have_that_of_their_curve_or_of_the_directive(server, keys):  # noqa: F811  pylint: disable=redefined-outer-name
    made = keys[1]
    for algorithm, key, kid in (("PS512", "rsa", "r"), ("ES384", "p384", "e"), ("EdDSA", "ed", None), ("ES512", "p521", None)):
        assert server.get("/bare", headers=bearer(token(pem(made[key], True), algorithm, {"kid": kid} if kid else None))).status == 200
    assert server.get("/bare", headers=bearer(token(OTHER_SECRET))).status == 200
    for algorithm, key, kid in (("RS512", "rsa", "r"), ("PS256", "rsa", "r"), ("ES512", "p521", "r"), ("ES256", "p256", None)):
        assert server.get("/bare", headers=bearer(token(pem(made[key], True), algorithm, {"kid": kid} if kid else None))).status == 401


@pytest.mark.parametrize("algorithm", ["HS384", "RS512", "ES384"])
def test_what_is_signed_here_pyjwt_accepts(server, keys, algorithm):  # noqa: F811  pylint: disable=redefined-outer-name
    made = keys[1]
    answer = server.post(f"/sign/{algorithm}", json.dumps(claims(name="한")), headers=bearer(made_by_pyjwt(made, "HS256", "HS256")))
    assert answer.status == 200
    signed = answer.body.decode()
    key = KEY_OF[algorithm]
    assert jwt.get_unverified_header(signed) == {"alg": algorithm, "typ": "JWT", "kid": algorithm}
    assert jwt.decode(signed, pem(made[key]) if key else SECRET, [algorithm], audience="shop")["name"] == "한"
    assert server.get("/set", headers=bearer(signed)).status == 200


def test_configtest_refuses_bad_sets(keys):  # noqa: F811  pylint: disable=redefined-outer-name
    path, made = keys
    good = jwk(made["p256"], kid="1")
    small = rsa.generate_private_key(65537, 1024)
    cases = [
        ([jwk(small, alg="RS256", kid="s")], "", "key 1 has 1024 bits"),
        ([good, jwk(made["rsa"], alg="RS256", e="AQ")], "", "key 2 is not a sound public key"),
        ([{**good, "y": good["x"]}], "", "key 1 is no point of its curve"),
        ([good, good], "", "key 2 cannot be told from another"),
        ([jwk(made["rsa"], alg=None)], "", "key 1 names no alg"),
        ([jwk("short", alg="HS256")], "", "key 1 is too short"),
        ([jwk(made["rsa"], use="enc")], "", "has no key that verifies signatures"),
        ([{**good, "kid": "a b"}], "", "has no proper kid"),
        ([good], "HS257", "is no algorithm; write one of HS256"),
    ]
    for members, algorithm, mend in cases:
        file = write(path, "bad.jwks", *members)
        code, output = httpd(f"AuthJWTKeySet {file} {algorithm}").configtest()
        assert code != 0 and mend in output, (mend, output)
    for text, mend in (("", "is empty"), ("[]", "must be a JSON object"), ("{", "must be a JSON object"),
                       ('{"keys":[],"keys":[]}', "no member twice")):
        file.write_text(text)
        code, output = httpd(f"AuthJWTKeySet {file}").configtest()
        assert code != 0 and mend in output, (mend, output)
    code, output = httpd(f"AuthJWTKeySet {path}/nothing").configtest()
    assert code != 0 and "name a readable key file" in output


def test_a_set_and_a_key_must_be_told_apart(keys):  # noqa: F811  pylint: disable=redefined-outer-name
    path, made = keys
    file = write(path, "one.jwks", jwk(made["p256"], kid="1"))
    for lines in (f"AuthJWTKeySet {file}\nAuthJWTKey HS256 {path}/secret 1", f"AuthJWTKey HS256 {path}/secret 1\nAuthJWTKeySet {file}"):
        code, output = httpd(lines).configtest()
        assert code != 0 and "two keys have the kid '1'; give each its own" in output


def test_configtest_looks_at_the_rights_of_sets(keys):  # noqa: F811  pylint: disable=redefined-outer-name
    path, made = keys
    private = {**jwk(made["p256"]), "d": number(made["p256"].private_numbers().private_value, 32)}
    for member, mode, mend in ((jwk(SECRET, alg="HS256"), 0o644, "run chmod o-r on it"), (private, 0o644, "run chmod o-r on it"),
                               (jwk(made["p256"]), 0o602, "run chmod o-w on it"), (jwk(made["p256"]), 0o644, None),
                               (private, 0o600, None), (jwk(SECRET, alg="HS256"), 0o640, None)):
        code, output = httpd(f"AuthJWTKeySet {write(path, 'rights.jwks', member, mode=mode)}").configtest()
        assert code == 0 if mend is None else code != 0 and mend in output, (mode, output)
