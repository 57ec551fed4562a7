"""Keys from the UAA: fetched once, again when a token has another signature, and not endlessly."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from cfroute.cloud_controller.errors import ApiError
from cfroute.cloud_controller.uaa.keys import UAAKeys
from cfroute.cloud_controller.uaa.tokens import TokenChecker
from cfroute.http_client import Client
from cfroute.testing import ManualClock

ISSUER = "https://uaa.test/oauth/token"


class UAA:
    """Answers /token_keys with some keys, or not at all."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"GET /token_keys HTTP/1.1\r\n")
            self.asked += 1
            if self.keys:
                body = json.dumps({"keys": self.keys}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def public(pem: bytes) -> dict[str, Any]:
    return {**RSAKey.import_key(pem).as_dict(private=False), "kid": "k1", "value": "PEM"}


def play(uaa: UAA, clock: ManualClock, scene: Callable[[TokenChecker], Awaitable[None]]) -> None:
    async def main() -> None:
        server = await asyncio.start_server(uaa.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            await scene(TokenChecker(UAAKeys(Client(None, 5), url, clock), ISSUER, clock))
        finally:
            server.close()

    asyncio.run(main())


def test_keys_are_fetched_once(signing_pem: bytes, sign: Callable[..., str], clock: ManualClock) -> None:
    uaa = UAA(public(signing_pem))

    async def scene(tokens: TokenChecker) -> None:
        for _ in range(3):
            user = await tokens.user(sign(["cloud_controller.read"], name="dev"))
            assert (user.guid, user.name, user.may_read, user.may_write) == ("guid-of-dev", "dev", True, False)

    play(uaa, clock, scene)
    assert uaa.asked == 1


def test_a_client_is_its_own_user(signing_pem: bytes, sign: Callable[..., str], clock: ManualClock) -> None:
    async def scene(tokens: TokenChecker) -> None:
        user = await tokens.user(sign(["cloud_controller.admin"], user_id=None, user_name=None, client_id="tool"))
        assert (user.guid, user.name, user.admin) == ("tool", "tool", True)

    play(UAA(public(signing_pem)), clock, scene)


def test_a_changed_key_is_found_but_not_looked_for_all_the_time(
    signing_pem: bytes, sign: Callable[..., str], clock: ManualClock
) -> None:
    old = RSAKey.import_key(rsa.generate_private_key(public_exponent=65537, key_size=2048)).as_dict(private=False)
    uaa = UAA({**old, "kid": "k1"})
    token = sign(["cloud_controller.read"])

    async def scene(tokens: TokenChecker) -> None:
        for _ in range(3):
            with pytest.raises(ApiError) as caught:
                await tokens.user(token)
            assert caught.value.kind.code == 1000
        assert uaa.asked == 1
        uaa.keys = [public(signing_pem)]
        clock.advance(5)
        assert (await tokens.user(token)).name == "admin"

    play(uaa, clock, scene)
    assert uaa.asked == 2


@pytest.mark.parametrize("keys", [[], [{"kty": "RSA"}], [{"kty": "RSA", "kid": "k1", "n": 1, "e": 2}], ["x"]])
def test_without_a_uaa_nobody_can_be_known(keys: list[Any], sign: Callable[..., str], clock: ManualClock) -> None:
    async def scene(tokens: TokenChecker) -> None:
        with pytest.raises(ApiError) as caught:
            await tokens.user(sign(["cloud_controller.read"]))
        assert (caught.value.kind.status, caught.value.kind.code) == (503, 20004)

    play(UAA(*keys), clock, scene)
