"""Signatures of route services, against what real Gorouters sent, accepted and refused."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go import time as go_time
from cfroute.gorouter.signature import (
    RouteServiceCrypto,
    Signature,
    SignatureError,
    SignatureExpired,
    derive_key,
    parse_forwarded_url,
    validate_age,
)

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "fixtures/route-service-vectors.json").read_text())
CONFIG = VECTORS["config_used_for_accepted_and_rejected"]
NOW = go_time.parse_rfc3339("2026-11-22T00:00:00Z")
PREFIX = "Failed to validate Route Service Signature: "


@pytest.mark.statement("6.2", "the key is PBKDF2-HMAC-SHA256 of the secret as text, without salt, 100001 times, 16 bytes")
@pytest.mark.parametrize("vector", VECTORS["derived_keys"], ids=lambda vector: repr(vector["secret"]))
def test_keys(vector: dict[str, str]) -> None:
    assert derive_key(vector["secret"]).hex() == vector["key_hex"]


@pytest.mark.statement("D", "each signature that was recorded from a real router is opened")
@pytest.mark.parametrize("vector", VECTORS["captured"])
def test_captured_signatures_are_opened(vector: dict[str, Any]) -> None:
    headers = vector["headers"]
    opened = RouteServiceCrypto(vector["secret"]).open(headers["X-Cf-Proxy-Signature"], headers["X-Cf-Proxy-Metadata"])
    assert opened.forwarded_url == headers["X-Cf-Forwarded-Url"] == vector["decoded"]["forwarded_url"]
    assert go_time.format_rfc3339(opened.requested_time_ns) == vector["decoded"]["requested_time"]


@pytest.mark.statement("6.2", "with its nonce and its time, a recorded signature is made again byte for byte")
@pytest.mark.parametrize("vector", VECTORS["captured"])
def test_captured_signatures_are_made_again_byte_for_byte(vector: dict[str, Any]) -> None:
    decoded, headers = vector["decoded"], vector["headers"]
    sealed = RouteServiceCrypto(vector["secret"]).seal(
        decoded["forwarded_url"], go_time.parse_rfc3339(decoded["requested_time"]), bytes.fromhex(vector["nonce_hex"])
    )
    assert sealed == (headers["X-Cf-Proxy-Signature"], headers["X-Cf-Proxy-Metadata"])


def judge(vector: dict[str, Any], crypto: RouteServiceCrypto) -> tuple[str, str]:
    """What this module has to say of a vector's headers: host and path of the URL. Raises SignatureError."""
    headers = vector["headers"]
    opened = crypto.open(headers["X-CF-Proxy-Signature"], headers.get("X-CF-Proxy-Metadata"))
    validate_age(opened, NOW, 3.0)
    return parse_forwarded_url(opened.forwarded_url)


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["desc"])
def test_accepted(vector: dict[str, Any]) -> None:
    crypto = RouteServiceCrypto(CONFIG["route_services_secret"], CONFIG["route_services_secret_decrypt_only"])
    assert judge(vector, crypto)[0].lower() == "rsapp.test"


def expect_refusal(vector: dict[str, Any], crypto: RouteServiceCrypto) -> None:
    status, body = vector["result"]["status"], vector["result"]["body"]
    message = body.partition(PREFIX)[2].removesuffix("\n")
    if message.startswith(("original request URL", "route service forwarded URL")):
        host, path = judge(vector, crypto)  # refused for its route, which the signature knows nothing of
        assert f"{host}{path}" in message
        return
    with pytest.raises(SignatureError) as refused:
        judge(vector, crypto)
    assert str(refused.value) == message
    assert (status == 504) is isinstance(refused.value, SignatureExpired)


@pytest.mark.parametrize("vector", VECTORS["rejected"], ids=lambda vector: vector["desc"])
def test_rejected(vector: dict[str, Any]) -> None:
    expect_refusal(vector, RouteServiceCrypto(CONFIG["route_services_secret"], CONFIG["route_services_secret_decrypt_only"]))


@pytest.mark.parametrize("vector", VECTORS["rejected_without_decrypt_only_secret"], ids=lambda vector: vector["desc"])
def test_rejected_without_a_previous_secret(vector: dict[str, Any]) -> None:
    expect_refusal(vector, RouteServiceCrypto(CONFIG["route_services_secret"]))


def test_the_age_limit() -> None:
    signed = Signature("https://a/", 1_000_000_000)
    validate_age(signed, 4_000_000_000, 3.0)
    validate_age(signed, 0, 3.0)
    with pytest.raises(SignatureExpired, match="route service request expired"):
        validate_age(signed, 4_000_000_001, 3.0)


def test_bytes_that_are_no_text_are_replaced() -> None:
    crypto = RouteServiceCrypto("a")
    sealed = crypto.seal(b"https://a/\xff".decode("utf-8", "surrogateescape"), 0, bytes(12))
    assert crypto.open(*sealed).forwarded_url == "https://a/\ufffd"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (b"[]", "json: cannot unmarshal array into Go value of type routeservice.Metadata"),
        (b'{"nonce":5}', "json: cannot unmarshal number into Go struct field Metadata.nonce of type []uint8"),
    ],
)
def test_metadata_of_another_shape(metadata: bytes, message: str) -> None:
    with pytest.raises(SignatureError) as refused:
        RouteServiceCrypto("a").open("AAAA", base64.urlsafe_b64encode(metadata).decode())
    assert str(refused.value) == message


def test_contents_of_another_shape() -> None:
    crypto = RouteServiceCrypto("a")
    sealed = base64.urlsafe_b64encode(crypto._current.encrypt(bytes(12), b"[]", None)).decode()
    with pytest.raises(SignatureError) as refused:
        crypto.open(sealed, crypto.seal("", 0, bytes(12))[1])
    assert str(refused.value) == "json: cannot unmarshal array into Go value of type routeservice.SignatureContents"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 4 * 10**18), st.binary(min_size=12, max_size=12))
def test_what_is_sealed_is_opened(url: str, moment: int, nonce: bytes) -> None:
    crypto = RouteServiceCrypto("a")
    assert crypto.open(*crypto.seal(url, moment, nonce)) == Signature(url, moment)
