"""The port that health checks ask: one answer, to whoever asks. A web framework for it would hold more memory than the daemon."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

from cfroute.errors import cannot_listen

PATIENCE = 10.0  # seconds that a request may take
_BROKEN = (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@contextlib.asynccontextmanager
async def answering(
    host: str, port: int, body: bytes, *, path: str | None = None, content_type: str = "text/plain; charset=utf-8"
) -> AsyncIterator[int]:
    """Answer with 200 and `body` while the block runs; other paths than `path` (None: none) get a 404. Yields the port.

    Raises ConfigurationError when the address cannot be bound.
    """
    well, lost = _response("200 OK", body, content_type), _response("404 Not Found", b"Not Found", content_type)
    try:
        server = await asyncio.start_server(partial(_answer, path, well, lost), host, port)
    except OSError as error:
        raise cannot_listen(host, port, error) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _response(status: str, body: bytes, content_type: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


async def _answer(path: str | None, well: bytes, lost: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request a connection: those who ask come once in a while."""
    with contextlib.closing(writer), contextlib.suppress(*_BROKEN):
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        method, target, *_ = [*head.split(b"\r\n", 1)[0].split(b" "), b"", b""]
        answer = well if path in (None, target.partition(b"?")[0].decode("latin-1")) else lost
        writer.write(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == b"HEAD" else answer)
