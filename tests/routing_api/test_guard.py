"""Who may do what, while the UAA changes its key."""

import asyncio
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cfroute import jwt
from cfroute.clock import SystemClock
from cfroute.lager import Lager, Sink
from cfroute.routing_api.config import Config
from cfroute.routing_api.errors import Unauthorized
from cfroute.routing_api.uaa import Uaa
from cfroute.uaa.client import UaaClient, UaaError

SCOPE = "routing.routes.read"
OLD, NEW = (generate_private_key(65537, 2048) for _ in range(2))


class Keys:
    """What a UAA says of itself: its key, and how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.key = OLD
        self.asked = 0
        self.away = False
        monkeypatch.setattr(UaaClient, "issuer", lambda _: self.issuer())
        monkeypatch.setattr(UaaClient, "token_key", lambda _: self.token_key())

    async def issuer(self) -> str:
        return "uaa"

    async def token_key(self) -> str:
        self.asked += 1
        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        await asyncio.sleep(0)
        if self.away:
            raise UaaError("it is away")
        return pem.decode()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    return Keys(monkeypatch)


def token(key: object, **claims: object) -> str:
    return "bearer " + jwt.sign({"iss": "uaa", "scope": [SCOPE], "exp": time.time() + 60, **claims}, key)  # type: ignore[arg-type]


async def started() -> Uaa:
    guard = Uaa(Config(skip_ssl_validation=True), SystemClock(), Lager("x", Sink(level=9)))
    await guard.start()
    return guard


def test_a_new_key_is_fetched_once_for_all_who_come_with_it(keys: Keys) -> None:
    async def scenario() -> None:
        guard = await started()
        await guard.check(token(OLD), SCOPE)
        keys.key = NEW
        await asyncio.gather(*(guard.check(token(NEW), SCOPE) for _ in range(50)))
        assert keys.asked == 2
        with pytest.raises(Unauthorized, match="crypto/rsa: verification error"):
            await guard.check(token(OLD), SCOPE)
        assert guard.token_errors == 1
        await guard.close()

    asyncio.run(scenario())


def test_forged_tokens_do_not_flood_the_uaa(keys: Keys) -> None:
    async def scenario() -> None:
        guard = await started()
        results = await asyncio.gather(*(guard.check(token(NEW), SCOPE) for _ in range(50)), return_exceptions=True)
        assert {str(result) for result in results} == {"crypto/rsa: verification error"}
        assert keys.asked == 2
        assert (guard.token_errors, guard.key_refreshes) == (50, 50)
        await guard.check(token(OLD), SCOPE)
        await guard.close()

    asyncio.run(scenario())


def test_a_uaa_that_is_away_takes_nothing_from_those_who_are_known(keys: Keys) -> None:
    async def scenario() -> None:
        guard = await started()
        keys.away = True
        with pytest.raises(Unauthorized, match="it is away"):
            await guard.check(token(NEW), SCOPE)
        await guard.check(token(OLD), SCOPE)
        await guard.close()

    asyncio.run(scenario())
