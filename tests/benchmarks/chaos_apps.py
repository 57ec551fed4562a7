"""Apps whose instances come and go, and which look at every request whether it was meant for them.

/          200 with the number of bytes of the request's body and their checksum, whatever the method
/stream    200, chunked, in pieces
/socket    101, and then everything back

Each response names its app in `X-App`.
"""

import asyncio
import re
import socket
import zlib
from collections import Counter
from dataclasses import dataclass, field

_HEAD = re.compile(rb"([A-Z]+) (\S+) HTTP/1.1\r\n")
_HOST = re.compile(rb"\r\nHost: ([^\r]*)")
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")
STREAM = [b"%d\n" % number * 50 for number in range(20)]


@dataclass
class App:
    """One app. Its hosts are `name.chaos.test`, or everything that begins with the name if it is open."""

    name: str
    open: bool = False
    instances: "list[Instance]" = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"{self.name}.chaos.test"

    def means(self, host: str) -> bool:
        """Whether a request for that host is for this app."""
        return host.startswith(self.name) if self.open else host == self.host


class Instance:
    """One process of an app, as far as a router sees it: a port, and connections."""

    def __init__(self, app: App, counts: Counter[str]) -> None:
        self.app = app
        self.counts = counts
        self.port = 0
        self.connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        """Listen; on the port that somebody else has left, if there is one."""
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port = int(listener.getsockname()[1])
        self._server = await asyncio.start_server(self._serve, sock=listener)

    def stop(self) -> None:
        """End at once, with all connections."""
        if self._server is not None:
            self._server.close()
        for writer in self.connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.counts["backend connections cut"] += 1
        except asyncio.CancelledError:
            return  # the run is over
        finally:
            self.connections.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; False at the end of the connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return False
        first, host = _HEAD.match(head), _HOST.search(head)
        if first is None or host is None:
            self.counts["requests that are none"] += 1
            return False
        if not self.app.means(host[1].decode()):
            self.counts["MISROUTED"] += 1
        self.counts["requests at backends"] += 1
        if first[2] == b"/socket":
            await self._echo(head, reader, writer)
            return False
        size, checksum = await _body(head, reader)
        writer.write(self._answer(first[1], first[2], size, checksum))
        await writer.drain()
        return not self.app.open

    def _answer(self, method: bytes, path: bytes, size: int, checksum: int) -> bytes:
        begin = b"HTTP/1.1 200 OK\r\nX-App: %b\r\n" % self.app.name.encode()
        if self.app.open:  # else routers would keep connections for each host that was ever asked for
            begin += b"Connection: close\r\n"
        if path == b"/stream":
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in STREAM)
            return begin + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        body = b"%d %d" % (size, checksum)
        return begin + b"Content-Length: %d\r\n\r\n%b" % (len(body), b"" if method == b"HEAD" else body)

    async def _echo(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"X-App: %b\r\n\r\n" % self.app.name.encode())
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def _body(head: bytes, reader: asyncio.StreamReader) -> tuple[int, int]:
    """Size and checksum of the request's body."""
    size, checksum = 0, 0
    if length := _LENGTH.search(head):
        left = int(length[1])
        while left:
            data = await reader.read(min(left, 65536))
            if not data:
                raise ConnectionError
            left -= len(data)
            size, checksum = size + len(data), zlib.crc32(data, checksum)
    elif b"\r\nTransfer-Encoding: chunked\r\n" in head:
        while count := int(await reader.readuntil(b"\r\n"), 16):
            data = (await reader.readexactly(count + 2))[:-2]
            size, checksum = size + len(data), zlib.crc32(data, checksum)
        await reader.readexactly(2)
    return size, checksum
