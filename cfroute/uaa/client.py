"""The UAA as its clients know it: tokens for a client's name and secret, the issuer, and the key that tokens are signed with.

One `TokenFetcher` serves all who need a token in a process: it is kept until shortly before its end, and whoever asks while it
is being fetched waits for that.
"""

import asyncio
import base64
import ssl
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote_plus

import msgspec

from cfroute.clock import Clock
from cfroute.go.quoting import quote
from cfroute.go.syscall import reason
from cfroute.http_client import Client, Unreachable
from cfroute.proxy.status import REASONS
from cfroute.unreadable import UNREADABLE

_BODY: Final = b"grant_type=client_credentials&token_format=jwt"
_ANONYMOUS: Final = (("Accept", "application/json"), ("User-Agent", "go-uaa"), ("X-Identity-Zone-Id", ""))


class UaaError(Exception):
    """The UAA is not there, refuses, or cannot be understood."""


class Log(Protocol):
    """What is used of a logger."""

    def debug(self, message: str, **data: Any) -> None: ...

    def error(self, message: str, **data: Any) -> None: ...


class Tokens(Protocol):
    """Where tokens come from."""

    async def fetch(self, *, anew: bool = False) -> str:
        """A token; `anew` even if there is one that should still be good. Raises UaaError."""

    async def aclose(self) -> None:
        """Close what is kept."""


class NoTokens:
    """For servers that want none."""

    async def fetch(self, *, anew: bool = False) -> str:
        return ""

    async def aclose(self) -> None:
        """Nothing is kept."""


class Credentials(NamedTuple):
    """Who a client of the UAA is."""

    name: str
    secret: str


class Patience(NamedTuple):
    """How a token is kept, and waited for. Times are in seconds; the defaults are upstream's."""

    retries: int = 3
    """Tries after the first one, where the UAA is away or in trouble."""
    pause: float = 5.0
    """Between two tries."""
    buffer: float = 30.0
    """So long before its end a token counts as expired."""


PATIENCE: Final = Patience()


def url_of(host: str, port: int) -> str:
    """Where a UAA is: it is always asked over TLS."""
    return f"https://{host}:{port}" if port else f"https://{host}"


def tls_context(authorities: str, *, skip: bool) -> ssl.SSLContext:
    """What a UAA's certificate is checked with: the file `authorities`, the system's if that is "", or nothing to `skip` it.

    Raises UaaError when the file cannot be read.
    """
    if skip:
        unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE
        return unchecked
    try:
        return ssl.create_default_context(cafile=authorities or None)
    except OSError as error:  # SSLError is one
        raise UaaError(f"failed to read ca cert file {authorities}: {reason(error)}") from error


class UaaClient:
    """Asks what everybody may know."""

    def __init__(self, url: str, context: ssl.SSLContext, *, timeout: float = 10.0) -> None:
        """`url` has scheme, host and port; `timeout` is in seconds."""
        self._url = url
        self._client = Client(context, timeout)

    async def issuer(self) -> str:
        """Who issues the tokens. Raises UaaError."""
        return await self._text("/.well-known/openid-configuration", "issuer")

    async def token_key(self) -> str:
        """The public key of the tokens' signatures, which should be PEM. Raises UaaError."""
        return await self._text("/token_key", "value")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _text(self, path: str, name: str) -> str:
        """A text of a JSON object. Redirects are not followed."""
        try:
            status, body = await self._client.request("GET", self._url + path, headers=_ANONYMOUS)
        except Unreachable as error:
            raise UaaError(error.message) from error
        if status // 100 != 2:
            raise UaaError(f"An error occurred while calling {self._url}{path}: {status}")
        try:
            value = msgspec.json.decode(body, type=dict[str, Any]).get(name, "")
        except UNREADABLE as error:
            raise UaaError(f"An unknown error occurred while parsing response from {self._url}{path}: {error}") from error
        return value if isinstance(value, str) else ""


class _Answer(msgspec.Struct):
    access_token: str = ""
    expires_in: int = 0


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class TokenFetcher:
    """Tokens of one client."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        context: ssl.SSLContext,
        log: Log,
        clock: Clock,
        patience: Patience = PATIENCE,
        *,
        timeout: float = 30.0,
    ) -> None:
        """`url` has scheme, host and port; `timeout` is in seconds."""
        self._url = f"{url}/oauth/token"
        self._headers = (
            ("Accept", "application/json"),
            ("Authorization", _basic(credentials)),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("X-CF-ENCODED-CREDENTIALS", "true"),
        )
        self._client = Client(context, timeout)
        self._patience = patience
        self._log = log
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._fetched = 0
        self._token = ""
        self._good_until = 0.0

    async def fetch(self, *, anew: bool = False) -> str:
        """A token; `anew` even if there is one that should still be good. Raises UaaError."""
        self._log.debug("started-fetching-token", **{"force-update": anew})
        before = self._fetched
        async with self._fetching:
            fetched_meanwhile = self._fetched != before
            if not fetched_meanwhile and (anew or not self._token or self._clock.monotonic() >= self._good_until):
                await self._renew()
            return self._token

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _renew(self) -> None:
        answer = await self._patiently()
        self._token = answer.access_token
        self._good_until = self._clock.monotonic() + answer.expires_in - self._patience.buffer
        self._fetched += 1
        self._log.debug("successfully-fetched-token")

    async def _patiently(self) -> _Answer:
        """Ask until there is an answer, or a refusal, or no patience left."""
        for number in range(1, self._patience.retries + 1):
            try:
                return await self._ask()
            except Unreachable as error:
                self._log.error("error-fetching-token", error=error.message)
                self._log.debug("retry-fetching-token", **{"retry-count": number})
                await self._clock.sleep(self._patience.pause)
        try:
            return await self._ask()
        except Unreachable as error:
            self._log.error("error-fetching-token", error=error.message)
            raise UaaError(error.message) from error

    async def _ask(self) -> _Answer:
        """One try. Raises Unreachable if another one may help, else UaaError."""
        status, body = await self._client.request("POST", self._url, _BODY, self._headers)
        if status >= 500:
            raise Unreachable(_refusal(status, body))
        if status != 200:
            raise self._final(_refusal(status, body))
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except UNREADABLE as error:
            raise self._final(f"oauth2: cannot parse json: {error}") from error
        if not answer.access_token:
            raise self._final("oauth2: server response missing access_token")
        return answer

    def _final(self, why: str) -> UaaError:
        self._log.error("error-fetching-token", error=why)
        return UaaError(why)


def _refusal(status: int, body: bytes) -> str:
    """What the UAA says is wrong, as upstream's library shows it."""
    try:
        told = msgspec.json.decode(body, type=_Refusal)
    except UNREADABLE:
        told = _Refusal()
    if told.error:
        return " ".join(["oauth2:", quote(told.error), *([quote(told.error_description)] if told.error_description else ())])
    return f"oauth2: cannot fetch token: {status} {REASONS.get(status, '')}\nResponse: {body.decode('utf-8', 'replace')}"


def _basic(credentials: Credentials) -> str:
    # Both are encoded as in a form first, says RFC 6749.
    pair = f"{quote_plus(credentials.name)}:{quote_plus(credentials.secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
