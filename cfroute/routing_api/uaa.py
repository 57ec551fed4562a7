"""The UAA as the Routing API knows it: who issues tokens, and the key that they are signed with."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.routing_api import tokens
from cfroute.routing_api.config import Config
from cfroute.routing_api.errors import unauthorized
from cfroute.routing_api.tokens import TokenError, WrongSignature
from cfroute.uaa import client
from cfroute.uaa.client import UaaClient, UaaError

NO_CLIENT: Final = "Failed to create UAA client"
NO_ISSUER: Final = "Failed to get issuer configuration from UAA"
NO_KEY: Final = "Failed to get verification key from UAA"


class Everybody:
    """Lets everybody do everything: development mode."""

    token_errors = 0
    key_refreshes = 0

    async def check(self, authorization: str | None, scope: str) -> None:
        """Raises nothing."""

    async def close(self) -> None:
        """Nothing is kept."""


class Uaa:
    """Checks tokens.

    Anybody can send one with a wrong signature, and each makes us look for a new key, as upstream; but the UAA is asked by one at
    a time, and whoever comes meanwhile waits for what that brings.
    """

    def __init__(self, config: Config, clock: Clock, log: Lager) -> None:
        """Raises UaaError when the authorities that its certificate is checked with cannot be read."""
        oauth = config.oauth
        with _told(log, NO_CLIENT):
            context = client.tls_context(oauth.ca_certs, skip=config.skip_ssl_validation)
        self._client = UaaClient(client.url_of(oauth.token_endpoint, oauth.port), context)
        self._clock = clock
        self._log = log
        self._issuer = ""
        self._key: RSAPublicKey | None = None
        self._refreshing = asyncio.Lock()
        self.token_errors = 0
        self.key_refreshes = 0

    async def start(self) -> None:
        """Get issuer and key. Raises UaaError."""
        with _told(self._log, NO_ISSUER):
            self._issuer = await self._client.issuer()
        self._log.info("received-issuer", issuer=self._issuer)
        with _told(self._log, NO_KEY):
            pem = await self._client.token_key()
        self._key = _public_key(pem)

    async def check(self, authorization: str | None, scope: str) -> None:
        """Raises ApiError unless the header has a token with that scope."""
        try:
            tokens.permit(await self._claims(tokens.bearer(authorization)), scope)
        except TokenError as error:
            self.token_errors += 1
            raise unauthorized(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _claims(self, token: str) -> Any:
        key = self._key
        try:
            return self._verified(token)
        except WrongSignature:
            self.key_refreshes += 1
            try:
                await self._refresh(key)
            except UaaError as error:
                raise TokenError(str(error)) from error
        return self._verified(token)

    async def _refresh(self, key: RSAPublicKey | None) -> None:
        """Fetch the key that comes after `key`, unless that has just been done."""
        async with self._refreshing:
            if self._key is key:
                self._key = _public_key(await self._client.token_key())

    def _verified(self, token: str) -> Any:
        assert self._key is not None
        return tokens.verify(token, self._key, self._issuer, self._clock.now())


def _public_key(pem: str) -> RSAPublicKey:
    try:
        return tokens.public_key(pem.encode())
    except ValueError as error:
        raise UaaError("Public uaa token must be PEM encoded") from error


@contextlib.contextmanager
def _told(log: Lager, message: str) -> Iterator[None]:
    """Say what could not be had."""
    try:
        yield
    except UaaError as error:
        log.error(message, error=str(error))
        raise


Guard = Uaa | Everybody
