"""What the tests of mod_auth_jwt share: keys in files, tokens made with them by PyJWT or by hand."""
import base64
import hashlib
import hmac
import os
import shutil
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from harness import SERVER_USER, Httpd, scratch

SECRET = "a secret of this test, long enough for HS512: 64 bytes or more!!!"
OTHER_SECRET = "another application's secret, long enough as well: 64 bytes!!!!!!"


def httpd(config="", **more):
    """A server with what this module needs, and no more: it stands alone."""
    return Httpd(config, ours=("trestle", "problem", "auth_jwt"), **more)


def pem(key, private=False):
    if private:
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()).decode()
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def keys():
    """Files with keys, and the keys."""
    path = scratch("keys")
    made = {"rsa": rsa.generate_private_key(65537, 2048), "p256": ec.generate_private_key(ec.SECP256R1()),
            "p384": ec.generate_private_key(ec.SECP384R1()), "p521": ec.generate_private_key(ec.SECP521R1()),
            "ed": ed25519.Ed25519PrivateKey.generate()}
    files = {name + ".pem": pem(key) for name, key in made.items()}
    files |= {name + ".private": pem(key, True) for name, key in made.items()}
    files |= {"secret": SECRET + "\n", "other": OTHER_SECRET, "empty": "", "short": "too short"}
    for name, text in files.items():
        (path / name).write_text(text)
        (path / name).chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(path / name, SERVER_USER, SERVER_USER)
    yield path, made
    shutil.rmtree(path)


def claims(**more):
    made = {"sub": "7", "iat": int(time.time()), "exp": int(time.time()) + 600, "iss": "https://shop.example",
            "aud": "shop", "token_type": "session", "sid": "s-1"}
    return {k: v for k, v in {**made, **more}.items() if v is not None}


def token(secret=SECRET, algorithm="HS256", headers=None, **more):
    return jwt.encode(claims(**more), secret, algorithm, headers)


def b64(data):
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def signed(header, payload, secret=SECRET):
    text = f"{b64(header)}.{b64(payload)}"
    return text + "." + b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def bearer(text):
    return {"Authorization": f"Bearer {text}"}
