"""Who is asking: bearer tokens, signed by the UAA."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cfroute import jwt
from cfroute.clock import Clock
from cfroute.cloud_controller.call import User
from cfroute.cloud_controller.errors import INVALID_TOKEN, NOT_AUTHENTICATED, UAA_UNAVAILABLE, ApiError
from cfroute.http_client import Client, Unreachable

# A token with a wrong signature makes us look for a new key; anybody can send one, so not more often than this (seconds).
_REFETCH_INTERVAL = 5.0

Keys = Mapping[str, RSAPublicKey]


class TokenExpired(ApiError):
    """The token was good once."""

    def __init__(self) -> None:
        super().__init__(INVALID_TOKEN)


class KeySource(Protocol):
    """Where the keys are had from that tokens may be signed with."""

    async def keys(self, *, newer: bool = False) -> Keys:
        """The keys by their ids; with `newer`, look again whether there are others by now. Raises ApiError."""


class FileKeys:
    """The key in a PEM file."""

    def __init__(self, path: str | Path) -> None:
        self._keys = {jwt.KEY_ID: jwt.public_key(path)}

    async def keys(self, *, newer: bool = False) -> Keys:
        return self._keys


class UAAKeys:
    """The keys that the UAA shows, fetched when they are first needed and when they have changed."""

    def __init__(self, client: Client, uaa_url: str, clock: Clock) -> None:
        self._client = client
        self._url = f"{uaa_url.rstrip('/')}/token_keys"
        self._clock = clock
        self._known: Keys | None = None
        self._fetched = 0.0

    async def keys(self, *, newer: bool = False) -> Keys:
        stale = newer and self._clock.monotonic() - self._fetched >= _REFETCH_INTERVAL
        if self._known is None or stale:
            self._known = await self._fetch()
            self._fetched = self._clock.monotonic()
        return self._known

    async def _fetch(self) -> Keys:
        try:
            status, answer = await self._client.request("GET", self._url)
            if status != 200:
                raise ApiError(UAA_UNAVAILABLE)
            keys = msgspec.json.decode(answer)["keys"]
            return {str(key["kid"]): jwt.from_jwk(key) for key in keys}
        except (Unreachable, msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ApiError(UAA_UNAVAILABLE) from error


class TokenChecker:
    """Turns an Authorization header into a user."""

    def __init__(self, source: KeySource, issuer: str, clock: Clock) -> None:
        self._source = source
        self._issuer = issuer
        self._clock = clock

    async def user(self, authorization: str | None) -> User:
        """Whom the token speaks for. Raises ApiError: 10002 without a token, 1000 for a bad one (TokenExpired for an old one)."""
        if not authorization:
            raise ApiError(NOT_AUTHENTICATED)
        scheme, _, token = authorization.partition(" ")
        claims = await self._claims(token.strip()) if scheme.lower() == "bearer" else None
        if claims is None or not acceptable(claims, self._issuer):
            raise ApiError(INVALID_TOKEN)
        if claims["exp"] <= self._clock.now():
            raise TokenExpired
        guid = str(claims.get("user_id") or claims.get("client_id", ""))
        return User(guid, str(claims.get("user_name") or guid), frozenset(claims["scope"]))

    async def _claims(self, token: str) -> dict[str, Any] | None:
        for newer in (False, True):
            claims = jwt.verified(token, await self._source.keys(newer=newer))
            if claims is not None:
                return claims
        return None


def acceptable(claims: dict[str, Any], issuer: str) -> bool:
    """Whether these are the claims of an access token of our UAA, expired or not."""
    return (
        claims.get("iss") == issuer
        and isinstance(claims.get("exp"), int | float)
        and isinstance(claims.get("scope"), list)
        and not str(claims.get("jti", "")).endswith("-r")
    )
