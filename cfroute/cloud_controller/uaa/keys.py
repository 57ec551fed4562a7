"""The keys that tokens are signed with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cfroute import jwt
from cfroute.clock import Clock
from cfroute.cloud_controller.errors import UAA_UNAVAILABLE, ApiError
from cfroute.http_client import Client, Unreachable

# A token with a wrong signature makes us look for a new key; anybody can send one, so not more often than this (seconds).
_REFETCH_INTERVAL = 5.0

Keys = Mapping[str, RSAPublicKey]


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
