"""The egress proxy of a cell: how apps reach public names that no name server knows.

It takes CONNECT and absolute-form requests, dials through the resolver map, and relays bytes; what is inside of a
tunnel is none of its business. One connection of an app is one connection to the outside.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from cfroute.daemon import spawn
from cfroute.diego.cell.proxy_request import BadRequest, ProxyRequest, parse
from cfroute.logs import Logger
from cfroute.resolver import Mapping, resolve

CHUNK = 64 * 1024  # bytes read at once
MAX_HEAD = 64 * 1024  # bytes
MAX_CONNECTIONS = 1024
HEAD_TIMEOUT = 15.0  # s
DIAL_TIMEOUT = 10.0  # s
HALF_OPEN = 60.0  # s of silence after which a connection is given up when one side of it has ended
CLOSE_TIMEOUT = 10.0  # s

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Egress:
    """The proxy. Call `serving` to run it."""

    def __init__(self, resolver: Sequence[Mapping], log: Logger) -> None:
        self._resolver = resolver
        self._log = log
        self._open: set[asyncio.Task[None] | None] = set()

    @property
    def connections(self) -> int:
        """How many connections of apps are open."""
        return len(self._open)

    @contextlib.asynccontextmanager
    async def serving(self, address: str) -> AsyncIterator[str]:
        """Run while the block runs; yields the proxy's URL."""
        server = await asyncio.start_server(self._serve, address, 0, limit=MAX_HEAD)
        host, port = server.sockets[0].getsockname()[:2]
        try:
            yield f"http://{host}:{port}"
        finally:
            server.close()
            await server.wait_closed()
            serving = [task for task in self._open if task]
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open.add(task)
        try:
            await self._handle(reader, writer)
        except OSError as error:  # the app went away
            self._log.debug("connection-lost", error=str(error))
        except asyncio.CancelledError:
            return  # the proxy ends; nobody awaits what the stream server has started
        finally:
            self._open.discard(task)
            await _close(writer)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) > MAX_CONNECTIONS:
            await self._refuse(writer, 503, "too many connections")
            return
        try:
            request = await _read(reader)
            if request is None:
                return
            outside = await self._dial(request)
        except BadRequest as error:
            await self._refuse(writer, 400, str(error))
        except OSError as error:
            await self._refuse(writer, 502, f"cannot connect: {error.strerror or error or 'timed out'}")
        else:
            await self._relay((reader, writer), outside, request)

    async def _dial(self, request: ProxyRequest) -> Stream:
        address, port = resolve(self._resolver, request.host, request.port)
        self._log.debug("dial", host=request.host, port=request.port, address=address, to_port=port)
        async with asyncio.timeout(DIAL_TIMEOUT):
            return await asyncio.open_connection(address, port, limit=CHUNK)

    async def _relay(self, app: Stream, outside: Stream, request: ProxyRequest) -> None:
        try:
            if request.head is None:
                app[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                outside[1].write(request.head)
            await relay(app, outside)
        finally:
            await _close(outside[1])

    async def _refuse(self, writer: asyncio.StreamWriter, status: int, reason: str) -> None:
        self._log.info("refused", status=status, reason=reason)
        body = f"{reason}\n".encode()
        writer.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (status, REASONS[status], len(body), body)
        )
        await writer.drain()


REASONS = {400: b"Bad Request", 502: b"Bad Gateway", 503: b"Service Unavailable"}


@dataclass
class _Progress:
    moved: int = 0  # bytes


async def relay(one: Stream, other: Stream) -> None:
    """Copy both ways until both sides have ended, or one of them breaks.

    A side that ends is passed on as an end, so that an answer can still come back; but a connection that is half open
    and silent is given up.
    """
    progress = _Progress()
    ways = {
        spawn(_copy(one[0], other[1], progress), name="egress: out"),
        spawn(_copy(other[0], one[1], progress), name="egress: in"),
    }
    try:
        done, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        seen = -1
        while pending and seen != progress.moved and all(way.result() for way in done):
            seen = progress.moved
            done, pending = await asyncio.wait(pending, timeout=HALF_OPEN)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, progress: _Progress) -> bool:
    """Copy to the end; False when one of the two broke."""
    try:
        while data := await reader.read(CHUNK):
            progress.moved += len(data)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        return False
    return True


async def _read(reader: asyncio.StreamReader) -> ProxyRequest | None:
    try:
        async with asyncio.timeout(HEAD_TIMEOUT):
            return parse(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest("the request ended too early") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("the request head is too long") from error
    except TimeoutError as error:
        raise BadRequest("the request did not come in time") from error


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()  # the other side does not read what is still to be sent
    except OSError:
        return
