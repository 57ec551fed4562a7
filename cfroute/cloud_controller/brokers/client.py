"""Asking one broker: its URL, its credentials, and how long it may take."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

import msgspec

from cfroute.cloud_controller.brokers.outcomes import Answer, Outcome, judge, timed_out, unreachable
from cfroute.cloud_controller.brokers.requests import Request
from cfroute.http_client import Client, TimedOut, Unreachable

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_LARGEST = 16 * 1024 * 1024  # bytes of an answer

Headers = Sequence[tuple[str, str]]


class BrokerClient:
    """One broker. Its `ask` never raises: a broker that is away is an outcome like others.

    `seconds` is how long one answer may take, from the first byte of the question to the last of the answer.
    """

    def __init__(self, client: Client, url: str, username: str, password: str, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._url = url.rstrip("/")
        self._credentials = "Basic " + b64encode(f"{username}:{password}".encode()).decode()

    async def ask(self, request: Request, headers: Headers, *, route_forwarding: bool = False) -> Outcome:
        """What comes of it. route_forwarding: see `outcomes.judge`."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._answer(request, headers)
        except (TimedOut, TimeoutError):
            return timed_out(request.call)
        except Unreachable:
            return unreachable(request.call)
        return judge(request.call, answer, route_forwarding=route_forwarding)

    async def _answer(self, request: Request, headers: Headers) -> Answer:
        url = first = self._url + request.path
        body = msgspec.json.encode(request.body) if request.body is not None else b""
        for _ in range(_MOST_REDIRECTS):
            answer = await self._once(request.method, url, body, headers, trusted=_origin(url) == _origin(first))
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                break
            url = urljoin(url, answer.headers["location"])
        return answer

    async def _once(self, method: str, url: str, body: bytes, headers: Headers, *, trusted: bool) -> Answer:
        sent = [*headers, ("Authorization", self._credentials)] if trusted else headers  # others get no password of ours
        async with self._client.stream(method, url, body, headers=sent) as response:
            pieces, size = [], 0
            async for piece in response.chunks():
                pieces.append(piece)
                size += len(piece)
                if size > _LARGEST:
                    raise Unreachable(f"{method} {url}: the answer is larger than {_LARGEST} bytes")
            return Answer(response.status, b"".join(pieces), dict(response.headers))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
