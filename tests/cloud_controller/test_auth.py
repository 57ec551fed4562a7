"""Keys from the UAA: fetched once, again when a token has another signature, and not endlessly."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from cfroute.cloud_controller.auth import TokenChecker, UAAKeys
from cfroute.cloud_controller.errors import ApiError
from cfroute.testing import ManualClock

ISSUER = "https://uaa.test/oauth/token"


class UAA:
    """Answers /token_keys with some keys, or not at all."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url == "https://uaa.test/token_keys"
        self.asked += 1
        if not self.keys:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={"keys": self.keys})


def public(pem: bytes) -> dict[str, Any]:
    return {**RSAKey.import_key(pem).as_dict(private=False), "kid": "k1", "value": "PEM"}


def checker(uaa: UAA, clock: ManualClock) -> TokenChecker:
    client = httpx.AsyncClient(transport=httpx.MockTransport(uaa))
    return TokenChecker(UAAKeys(client, "https://uaa.test/", clock), ISSUER, clock)


def test_keys_are_fetched_once(signing_pem: bytes, sign: Callable[..., str], clock: ManualClock) -> None:
    uaa = UAA(public(signing_pem))
    tokens = checker(uaa, clock)
    for _ in range(3):
        user = asyncio.run(tokens.user(sign(["cloud_controller.read"], name="dev")))
        assert (user.guid, user.name, user.may_read, user.may_write) == ("guid-of-dev", "dev", True, False)
    assert uaa.asked == 1


def test_a_client_is_its_own_user(signing_pem: bytes, sign: Callable[..., str], clock: ManualClock) -> None:
    token = sign(["cloud_controller.admin"], user_id=None, user_name=None, client_id="tool")
    user = asyncio.run(checker(UAA(public(signing_pem)), clock).user(token))
    assert (user.guid, user.name, user.admin) == ("tool", "tool", True)


def test_a_changed_key_is_found_but_not_looked_for_all_the_time(
    signing_pem: bytes, sign: Callable[..., str], clock: ManualClock
) -> None:
    old = RSAKey.import_key(rsa.generate_private_key(public_exponent=65537, key_size=2048)).as_dict(private=False)
    uaa = UAA({**old, "kid": "k1"})
    tokens, token = checker(uaa, clock), sign(["cloud_controller.read"])
    for _ in range(3):
        with pytest.raises(ApiError) as caught:
            asyncio.run(tokens.user(token))
        assert caught.value.kind.code == 1000
    assert uaa.asked == 1
    uaa.keys = [public(signing_pem)]
    clock.advance(5)
    assert asyncio.run(tokens.user(token)).name == "admin"
    assert uaa.asked == 2


def test_without_a_uaa_nobody_can_be_known(sign: Callable[..., str], clock: ManualClock) -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(checker(UAA(), clock).user(sign(["cloud_controller.read"])))
    assert (caught.value.kind.status, caught.value.kind.code) == (503, 20004)
    with pytest.raises(ApiError):
        asyncio.run(checker(UAA({"kty": "RSA"}), clock).user(sign(["cloud_controller.read"])))
