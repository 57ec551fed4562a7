"""The UAA token that the Routing API wants to see: fetched with client credentials, kept until shortly before its end."""

import base64
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from urllib.parse import quote_plus

import msgspec

from cfroute.clock import Clock
from cfroute.go.quoting import quote
from cfroute.gorouter.config import Config
from cfroute.http_client import Client, Unreachable
from cfroute.logs import Logger
from cfroute.proxy.status import REASONS

_TIMEOUT: Final = 30.0  # seconds
_BODY: Final = b"grant_type=client_credentials&token_format=jwt"


class TokenError(Exception):
    """There is no token."""


class _Answer(msgspec.Struct):
    access_token: str = ""
    expires_in: int = 0


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class Tokens(Protocol):
    """Where tokens come from."""

    async def fetch(self, *, anew: bool = False) -> str:
        """A token; `anew` even if there is one that should still be good. Raises TokenError."""

    async def close(self) -> None:
        """Close what is kept."""


class NoTokens:
    """For a Routing API that wants none."""

    async def fetch(self, *, anew: bool = False) -> str:
        return ""

    async def close(self) -> None:
        """Nothing is kept."""


class UaaTokens:
    """Tokens of the configured UAA client."""

    def __init__(self, config: Config, log: Logger, clock: Clock) -> None:
        """Raises TokenError when the authorities cannot be read."""
        oauth = config.oauth
        self._url = f"https://{oauth.token_endpoint}:{oauth.port}/oauth/token"
        self._headers = (
            ("Accept", "application/json"),
            ("Authorization", _basic(oauth.client_name, oauth.client_secret)),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("X-CF-ENCODED-CREDENTIALS", "true"),
        )
        self._retries = config.token_fetcher_max_retries
        self._retry_after = config.token_fetcher_retry_interval
        self._buffer = config.token_fetcher_expiration_buffer_time
        self._client = Client(_context(oauth.ca_certs, skip=oauth.skip_ssl_validation), _TIMEOUT)
        self._log = log
        self._clock = clock
        self._token = ""
        self._good_until = 0.0

    async def fetch(self, *, anew: bool = False) -> str:
        self._log.debug("started-fetching-token", **{"force-update": anew})
        if not anew and self._token and self._clock.monotonic() < self._good_until:
            return self._token
        answer = await self._patiently(self._ask)
        self._token = answer.access_token
        self._good_until = self._clock.monotonic() + answer.expires_in - self._buffer
        self._log.debug("successfully-fetched-token")
        return self._token

    async def _patiently(self, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Ask until there is an answer or a refusal, as often as is configured."""
        for number in range(1, self._retries + 1):
            try:
                return await ask()
            except Unreachable as error:
                self._log.debug("retry-fetching-token", **{"retry-count": number, "error": error.message})
                await self._clock.sleep(self._retry_after)
        try:
            return await ask()
        except Unreachable as error:
            raise TokenError(error.message) from error

    async def _ask(self) -> _Answer:
        """One try. Raises Unreachable if another one may help, else TokenError."""
        status, body = await self._client.request("POST", self._url, _BODY, self._headers)
        if status >= 500:
            raise Unreachable(_refusal(status, body))
        if status != 200:
            raise TokenError(_refusal(status, body))
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise TokenError(f"oauth2: cannot parse json: {error}") from error
        if not answer.access_token:
            raise TokenError("oauth2: server response missing access_token")
        return answer

    async def close(self) -> None:
        await self._client.aclose()


def _refusal(status: int, body: bytes) -> str:
    """What the UAA says is wrong, as upstream's library shows it."""
    try:
        told = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = _Refusal()
    if told.error:
        return " ".join(["oauth2:", quote(told.error), *([quote(told.error_description)] if told.error_description else ())])
    return f"oauth2: cannot fetch token: {status} {REASONS.get(status, '')}\nResponse: {body.decode('utf-8', 'replace')}"


def _basic(name: str, secret: str) -> str:
    # Both are encoded as in a form first, says RFC 6749.
    return "Basic " + base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()


def _context(authorities: str, *, skip: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if skip:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authorities:
        try:
            context.load_verify_locations(cafile=authorities)
        except OSError as error:
            raise TokenError(f"failed to read ca cert file {authorities}: {(error.strerror or str(error)).lower()}") from error
    return context
