"""Which tokens are good enough."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from cfroute import jwt as ours
from cfroute.routing_api import tokens
from cfroute.routing_api.tokens import TokenError, WrongSignature

NOW = 1000.0
ISSUER = "https://uaa.test/oauth/token"
CLAIMS = {"iss": ISSUER, "exp": 2000, "scope": ["routing.routes.read"]}


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def check(token: str, key: RSAPrivateKey) -> Any:
    return tokens.verify(token, key.public_key(), ISSUER, NOW)


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_good_tokens(key: RSAPrivateKey) -> None:
    assert check(ours.sign(CLAIMS, key), key) == CLAIMS
    assert check(ours.sign({"iss": ISSUER, "iat": 5000}, key), key)
    for algorithm in ("RS256", "RS384", "RS512"):
        signed = jwt.encode({"alg": algorithm, "kid": "whatever"}, CLAIMS, RSAKey.import_key(key), algorithms=[algorithm])
        assert check(signed, key) == CLAIMS


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"exp": 999}, "Token is expired"),
        ({"nbf": 1001}, "Token is not valid yet"),
        ({"iss": "https://evil.test"}, "invalid issuer"),
        ({"iss": None}, "invalid issuer"),
    ],
)
def test_claims_that_do_not_do(key: RSAPrivateKey, claims: dict[str, Any], error: str) -> None:
    with pytest.raises(TokenError, match=f"^{error}$"):
        check(ours.sign({**CLAIMS, **claims}, key), key)


def test_another_key(key: RSAPrivateKey) -> None:
    with pytest.raises(WrongSignature, match=r"^crypto/rsa: verification error$"):
        check(ours.sign({**CLAIMS, "exp": 1}, generate_private_key(65537, 2048)), key)


def test_a_token_does_not_choose_how_it_is_checked(key: RSAPrivateKey) -> None:
    unsigned = f"{part({'alg': 'none'})}.{part(CLAIMS)}."
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{part({'alg': 'HS256'})}.{part(CLAIMS)}"
    mac = OctKey.import_key(pem.hex())
    symmetric = jwt.encode({"alg": "HS256"}, CLAIMS, mac)
    for token in (unsigned, f"{body}.{part('x')}", symmetric):
        with pytest.raises(TokenError, match=r"^invalid signing method$"):
            check(token, key)


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", "token contains an invalid number of segments"),
        ("a.b", "token contains an invalid number of segments"),
        ("!.b.c", "illegal base64 data at input byte 0"),
        ("e30.a!b.c", "illegal base64 data at input byte 1"),
        ("e30.e30e3.c", "illegal base64 data at input byte 4"),
        ("e30.W10.c", "token cannot be read: "),
        ("_w.e30.c", "token cannot be read: "),
    ],
)
def test_what_is_no_token(key: RSAPrivateKey, token: str, error: str) -> None:
    with pytest.raises(TokenError, match=f"^{error}"):
        check(token, key)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, "Invalid token format"),
        ("", "Invalid token format"),
        ("bearer", "Invalid token format"),
        ("bearer a b", "Invalid token format"),
        ("basic x", "Invalid token type: basic"),
    ],
)
def test_headers(header: str | None, error: str) -> None:
    with pytest.raises(TokenError, match=f"^{error}$"):
        tokens.bearer(header)
    assert tokens.bearer("BeArEr x") == "x"


@pytest.mark.parametrize("scope", [[], ["other"], "routing.routes.read", None])
def test_scopes(scope: Any) -> None:
    with pytest.raises(TokenError, match=r"^You are not authorized to perform the requested action$"):
        tokens.permit({"scope": scope}, "routing.routes.read")
    tokens.permit(CLAIMS, "routing.routes.read")


def test_keys(key: RSAPrivateKey) -> None:
    public = key.public_key()
    assert tokens.public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)) == public
    for pem in (b"", b"rsa", b"-----BEGIN CERTIFICATE-----\nx"):
        with pytest.raises(ValueError, match=r"."):
            tokens.public_key(pem)
