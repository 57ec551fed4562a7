"""The port that health checks ask: small answers, to whoever asks. A web framework would hold more memory than the daemon."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import NamedTuple

from cfroute.errors import cannot_listen

PATIENCE = 10.0  # seconds that a request may take
_BROKEN = (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Answer(NamedTuple):
    """What is answered: the status with its reason, the body, and what that is."""

    status: str
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Responder = Callable[[str], Awaitable[Answer]]
"""Answers a request for a path, which comes without its query."""


@contextlib.asynccontextmanager
async def answering(
    host: str, port: int, body: bytes, *, path: str | None = None, content_type: str = "text/plain; charset=utf-8"
) -> AsyncIterator[int]:
    """Answer with 200 and `body` while the block runs; other paths than `path` (None: none) get a 404. Yields the port.

    Raises ConfigurationError when the address cannot be bound.
    """
    well, lost = Answer("200 OK", body, content_type), Answer("404 Not Found", b"Not Found", content_type)

    async def respond(asked: str) -> Answer:
        return well if path in (None, asked) else lost

    async with responding(host, port, respond) as chosen:
        yield chosen


@contextlib.asynccontextmanager
async def responding(host: str, port: int, respond: Responder) -> AsyncIterator[int]:
    """Answer while the block runs, each time as `respond` says. Yields the port.

    Raises ConfigurationError when the address cannot be bound.
    """
    try:
        server = await asyncio.start_server(partial(_answer, respond), host, port)
    except OSError as error:
        raise cannot_listen(host, port, error) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _answer(respond: Responder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request a connection: those who ask come once in a while."""
    with contextlib.closing(writer), contextlib.suppress(*_BROKEN):
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        method, target, *_ = [*head.split(b"\r\n", 1)[0].split(b" "), b"", b""]
        answer = await respond(target.partition(b"?")[0].decode("latin-1"))
        length = f"Content-Length: {len(answer.body)}\r\nConnection: close\r\n\r\n"
        writer.write(f"HTTP/1.1 {answer.status}\r\nContent-Type: {answer.content_type}\r\n{length}".encode())
        writer.write(b"" if method == b"HEAD" else answer.body)
