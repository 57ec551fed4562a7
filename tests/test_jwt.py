"""Tokens against an independent implementation of the standards, and everything that must not be taken for one."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import joserfc.jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey

from cfroute import certificates, jwt
from cfroute.errors import ConfigurationError

CLAIMS = {"user_name": "Grüße", "exp": 1_700_000_000, "scope": ["openid"], "revocable": False}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    path.write_bytes(certificates.make_signing_key())
    return path


@pytest.fixture(scope="module")
def private(path: Path) -> RSAPrivateKey:
    return jwt.private_key(path)


@pytest.fixture(scope="module")
def keys(private: RSAPrivateKey) -> dict[str, RSAPublicKey]:
    return {jwt.KEY_ID: private.public_key()}


def encoded(part: Any) -> str:
    return urlsafe_b64encode(part if isinstance(part, bytes) else json.dumps(part).encode()).rstrip(b"=").decode()


def pem(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_others_read_our_tokens(private: RSAPrivateKey, keys: dict[str, RSAPublicKey]) -> None:
    theirs = RSAKey.import_key(pem(keys["k1"]))
    read = joserfc.jwt.decode(jwt.sign(CLAIMS, private), theirs, algorithms=["RS256"])
    assert read.claims == CLAIMS
    assert read.header == {"alg": "RS256", "kid": "k1", "typ": "JWT"}


def test_we_read_theirs(path: Path, keys: dict[str, RSAPublicKey]) -> None:
    theirs = RSAKey.import_key(path.read_bytes())
    for header in ({"alg": "RS256", "kid": "k1"}, {"alg": "RS256"}):
        assert jwt.verified(joserfc.jwt.encode(header, CLAIMS, theirs), keys) == CLAIMS


def test_a_key_as_json_and_back(keys: dict[str, RSAPublicKey]) -> None:
    described = jwt.to_jwk(keys["k1"])
    theirs = RSAKey.import_key(pem(keys["k1"])).as_dict(private=False)
    assert {name: described[name] for name in ("kty", "n", "e")} == {name: theirs[name] for name in ("kty", "n", "e")}
    assert jwt.from_jwk(described) == keys["k1"]
    for broken in ({"kty": "EC"}, {"kty": "RSA", "n": "x y", "e": "AQAB"}, {"kty": "RSA", "n": "", "e": "AQAB"}):
        with pytest.raises((ValueError, KeyError)):
            jwt.from_jwk(broken)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "k1"},
        {"alg": "RS512", "kid": "k1"},
        {"alg": "RS256", "kid": "k2"},
        {"alg": "RS256", "kid": 1},
        {"kid": "k1"},
        [],
        b"no json",
    ],
)
def test_a_header_that_says_anything_else(header: Any, private: RSAPrivateKey, keys: dict[str, RSAPublicKey]) -> None:
    _, claims, signature = jwt.sign(CLAIMS, private).split(".")
    for forged in (f"{encoded(header)}.{claims}.{signature}", f"{encoded(header)}.{claims}."):
        assert jwt.verified(forged, keys) is None


def test_the_public_key_is_no_secret_to_sign_with(keys: dict[str, RSAPublicKey]) -> None:
    secret = OctKey.import_key(pem(keys["k1"]).hex())
    forged = joserfc.jwt.encode({"alg": "HS256", "kid": "k1"}, CLAIMS, secret, algorithms=["HS256"])
    assert jwt.verified(forged, keys) is None


def test_changed_claims_and_other_keys(private: RSAPrivateKey, keys: dict[str, RSAPublicKey], tmp_path: Path) -> None:
    header, _, signature = jwt.sign(CLAIMS, private).split(".")
    assert jwt.verified(f"{header}.{encoded({**CLAIMS, 'scope': ['cloud_controller.admin']})}.{signature}", keys) is None
    other = tmp_path / "other.pem"
    other.write_bytes(certificates.make_signing_key())
    assert jwt.verified(jwt.sign(CLAIMS, jwt.private_key(other)), keys) is None


def test_brackets_without_end(keys: dict[str, RSAPublicKey]) -> None:
    header = b'{"x":' + b"[" * 60_000
    assert jwt.verified(f"{encoded(header)}.{encoded(CLAIMS)}.AAAA", keys) is None


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_any_other_text_is_no_token(keys: dict[str, RSAPublicKey], text: str) -> None:
    assert jwt.verified(text, keys) is None


@given(st.data())
def test_no_character_can_be_changed(private: RSAPrivateKey, keys: dict[str, RSAPublicKey], data: st.DataObject) -> None:
    token = jwt.sign(CLAIMS, private)
    where = data.draw(st.integers(0, len(token) - 2))  # of the last character two bits are padding
    changed = data.draw(st.sampled_from("ABCxyz019-_.=+ é").filter(lambda each: each != token[where]))
    assert jwt.verified(token[:where] + changed + token[where + 1 :], keys) is None


def test_unusable_files_say_which(path: Path, tmp_path: Path) -> None:
    public = tmp_path / "key.pub"
    public.write_bytes(certificates.public_half(path.read_bytes()))
    assert jwt.public_key(public) == jwt.private_key(path).public_key()
    bad = tmp_path / "bad.pem"
    bad.write_text("no key")
    for file in (bad, tmp_path / "none.pem", path):
        with pytest.raises(ConfigurationError, match=file.name):
            jwt.public_key(file)
    elliptic = tmp_path / "ec.pem"
    elliptic.write_bytes(certificates.make_authority("x", 0).key)
    for file in (bad, tmp_path / "none.pem", public, elliptic):
        with pytest.raises(ConfigurationError, match=file.name):
            jwt.private_key(file)
