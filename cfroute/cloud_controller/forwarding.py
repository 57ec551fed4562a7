"""Requests below one of our paths that others answer: theirs go to them as they came, and their answers to the client."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cfroute.cloud_controller.urls import Urls
from cfroute.http_client import Client

# Headers that belong to one connection, and those that whoever sends the message on makes himself.
_OWN = frozenset(
    ("connection", "content-length", "date", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
_FORWARDED = frozenset(("x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix"))


async def forward(
    http: Client,
    request: Request,
    url: str,
    body: bytes,
    *,
    headers: list[tuple[str, str]],
    timeout: float | None = None,
    first: Callable[[int], Awaitable[None]] | None = None,
) -> Response:
    """The answer of whoever is at `url`, streamed; `first` hears its status before the client does. Raises Unreachable."""
    connection = contextlib.AsyncExitStack()
    asked = http.stream(request.method, url, body, timeout=timeout, headers=headers)
    answer = await connection.enter_async_context(asked)
    if first:
        await first(answer.status)

    async def chunks() -> AsyncIterator[bytes]:
        async with connection:
            async for chunk in answer.chunks():
                yield chunk

    return StreamingResponse(chunks(), answer.status, dict(kept(answer.headers)))


def kept(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that go on to the other side."""
    return [(name, value) for name, value in headers if name not in _OWN]


def public(request: Request, prefix: str, default: str) -> list[tuple[str, str]]:
    """The request's headers, and those that tell whoever answers it by which URL the client has reached us.

    `prefix` is the path of ours that stands for their `/`; `default` is where we are when the request does not say.
    """
    scheme, _, host = Urls.of_request(request.headers, default).base.partition("://")
    told = [("x-forwarded-proto", scheme), ("x-forwarded-host", host), ("x-forwarded-prefix", prefix)]
    return [pair for pair in kept(request.headers.items()) if pair[0] not in _FORWARDED] + told


def target(request: Request, prefix: str) -> str:
    """Path and query as the client wrote them, without the prefix."""
    path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii").removeprefix(prefix).rstrip("/") or "/"
    return f"{path}?{request.url.query}" if request.url.query else path
