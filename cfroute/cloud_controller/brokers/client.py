"""Asking one broker: its URL, its credentials, and how long it may take."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Collection, Sequence
from urllib.parse import urljoin, urlsplit

import msgspec

from cfroute.cloud_controller.brokers.outcomes import (
    Answer,
    Outcome,
    interrupted,
    judge,
    timed_out,
    too_long,
    unreachable,
)
from cfroute.cloud_controller.brokers.requests import Request
from cfroute.http_client import Client, Interrupted, TimedOut, Unreachable

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_LARGEST = 16 * 1024 * 1024  # bytes of an answer
_ALONE = ("Connection", "close")  # nobody knows how long a broker keeps one, and to ask it a second time is not always the same

Headers = Sequence[tuple[str, str]]


class _TooLong(Exception):
    """The answer is larger than any that makes sense."""


class BrokerClient:
    """One broker. Its `ask` never raises: a broker that is away is an outcome like others.

    `seconds` is how long one answer may take, from the first byte of the question to the last of the answer.
    """

    def __init__(self, client: Client, url: str, username: str, password: str, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._url = url.rstrip("/")
        self._credentials = "Basic " + b64encode(f"{username}:{password}".encode()).decode()

    async def ask(self, request: Request, headers: Headers, *, requires: Collection[str] = ()) -> Outcome:
        """What comes of it. requires: see `outcomes.judge`."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._answer(request, headers)
        except (TimedOut, TimeoutError):
            return timed_out(request.call)
        except Interrupted:
            return interrupted(request.call)
        except Unreachable as error:
            return unreachable(request.call, _distrust(error))
        except _TooLong:
            return too_long(request.call, _LARGEST)
        return judge(request.call, answer, requires=requires)

    async def _answer(self, request: Request, headers: Headers) -> Answer:
        url = first = self._url + request.path
        method, body = request.method, msgspec.json.encode(request.body) if request.body is not None else b""
        for _ in range(_MOST_REDIRECTS):
            answer = await self._once(method, url, body, headers, trusted=_origin(url) == _origin(first))
            following = _following(url, answer)
            if following is None:
                break
            url = following
            if answer.status == 303:
                method, body = "GET", b""
        return answer

    async def _once(self, method: str, url: str, body: bytes, headers: Headers, *, trusted: bool) -> Answer:
        sent = [*headers, _ALONE]
        if trusted:
            sent.append(("Authorization", self._credentials))  # others get no password of ours
        async with self._client.stream(method, url, body, headers=sent) as response:
            pieces, size = [], 0
            async for piece in response.chunks():
                pieces.append(piece)
                size += len(piece)
                if size > _LARGEST:
                    raise _TooLong
            return Answer(response.status, b"".join(pieces), dict(response.headers))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _following(url: str, answer: Answer) -> str | None:
    """Where the answer leads to; None if it is not to be followed: what was encrypted stays that."""
    if answer.status not in _REDIRECTS or "location" not in answer.headers:
        return None
    try:
        following = urljoin(url, answer.headers["location"])
        exposed = _origin(url)[0] == "https" and _origin(following)[0] != "https"
    except ValueError:
        return None
    return None if exposed else following


def _distrust(error: Unreachable) -> str:
    """What is wrong with the broker's certificate; empty if that is not the reason."""
    cause = error.__cause__
    return f"certificate verify failed: {cause.verify_message}" if isinstance(cause, ssl.SSLCertVerificationError) else ""
