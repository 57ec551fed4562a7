"""The UAA as the Routing API knows it: who issues tokens, and the key that they are signed with."""

import ssl
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cfroute.clock import Clock
from cfroute.http_client import Client, Unreachable
from cfroute.lager import Lager
from cfroute.routing_api import tokens
from cfroute.routing_api.config import Config
from cfroute.routing_api.errors import unauthorized
from cfroute.routing_api.tokens import TokenError, WrongSignature

NO_ISSUER: Final = "Failed to get issuer configuration from UAA"
NO_KEY: Final = "Failed to get verification key from UAA"

_TIMEOUT: Final = 10.0  # seconds
_HEADERS: Final = (("Accept", "application/json"), ("User-Agent", "go-uaa"), ("X-Identity-Zone-Id", ""))


class UaaError(Exception):
    """The UAA does not say what is needed to start. `message` is the log's, None where it has none of its own."""

    def __init__(self, error: str, message: str | None = None) -> None:
        super().__init__(error)
        self.message = message


class Everybody:
    """Lets everybody do everything: development mode."""

    token_errors = 0
    key_refreshes = 0

    async def check(self, authorization: str | None, scope: str) -> None:
        """Raises nothing."""

    async def close(self) -> None:
        """Nothing is kept."""


class Uaa:
    """Checks tokens. Anybody can send one with a wrong signature, and each makes us look for a new key: as upstream."""

    def __init__(self, config: Config, clock: Clock) -> None:
        """Raises UaaError when the authorities that its certificate is checked with cannot be read."""
        oauth = config.oauth
        self._url = f"https://{oauth.token_endpoint}" + (f":{oauth.port}" if oauth.port else "")
        self._clock = clock
        self._client = Client(_context(config), _TIMEOUT)
        self._issuer = ""
        self._key: RSAPublicKey | None = None
        self.token_errors = 0
        self.key_refreshes = 0

    async def start(self, log: Lager) -> None:
        """Get issuer and key. Raises UaaError."""
        self._issuer = await self._field("/.well-known/openid-configuration", "issuer", NO_ISSUER)
        log.info("received-issuer", issuer=self._issuer)
        self._key = await self._fetch_key()

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
        try:
            return self._verified(token)
        except WrongSignature:
            self.key_refreshes += 1
            try:
                self._key = await self._fetch_key()
            except UaaError as error:
                raise TokenError(str(error)) from error
        return self._verified(token)

    def _verified(self, token: str) -> Any:
        assert self._key is not None
        return tokens.verify(token, self._key, self._issuer, self._clock.now())

    async def _fetch_key(self) -> RSAPublicKey:
        pem = await self._field("/token_key", "value", NO_KEY)
        try:
            return tokens.public_key(pem.encode())
        except ValueError as error:
            raise UaaError("Public uaa token must be PEM encoded") from error

    async def _field(self, path: str, name: str, message: str) -> str:
        """A text of a JSON object. Redirects are not followed."""
        try:
            status, body = await self._client.request("GET", self._url + path, headers=_HEADERS)
        except Unreachable as error:
            raise UaaError(error.message, message) from error
        if status // 100 != 2:
            raise UaaError(f"An error occurred while calling {self._url}{path}: {status}", message)
        try:
            value = msgspec.json.decode(body, type=dict[str, Any]).get(name, "")
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            told = f"An unknown error occurred while parsing response from {self._url}{path}: {error}"
            raise UaaError(told, message) from error
        return value if isinstance(value, str) else ""


Guard = Uaa | Everybody


def _context(config: Config) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.oauth.ca_certs or None)
    except OSError as error:  # SSLError is one
        raise UaaError(f"{config.oauth.ca_certs}: {error.strerror or error}", "Failed to create UAA client") from error
    if config.skip_ssl_validation:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
