"""Clients that look at every response whether it is the one to their request."""

import asyncio
import re
import ssl
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import h2.config
import h2.connection
import h2.events

from .chaos_apps import STREAM

PATIENCE = 20.0  # seconds
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")
_APP = re.compile(rb"\r\nX-App: ([^\r]*)")


@dataclass(frozen=True)
class Target:
    """Where to connect, whom to ask for, and whether that may be gone meanwhile."""

    port: int
    tls_port: int
    host: Callable[[], tuple[str, str, bool]]


class Wrong(Exception):
    """A response that is not the one to the request."""


class Clients:
    """Clients of every kind, each of which goes on until `ending` is set."""

    def __init__(self, target: Target, counts: Counter[str], ending: asyncio.Event, seed: int) -> None:
        self._target = target
        self._counts = counts
        self._ending = ending
        self._random = Random(seed)
        self.problems: list[str] = []
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._context2 = ssl.create_default_context()
        self._context2.check_hostname, self._context2.verify_mode = False, ssl.CERT_NONE
        self._context2.set_alpn_protocols(["h2"])

    async def go_on(self, kind: str) -> None:
        """One client, with one connection after the other."""
        once = {"plain": self._http1, "tls": self._http1, "socket": self._socket, "h2": self._http2}[kind]
        while not self._ending.is_set():
            try:
                async with asyncio.timeout(PATIENCE):
                    await once(kind)
            except (Wrong, OSError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError) as error:
                self._counts["PROBLEMS"] += 1
                if len(self.problems) < 20:
                    self.problems.append(f"{kind}: {error!r}")

    async def _connect(self, context: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = self._target.tls_port if context else self._target.port
        return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="chaos.test" if context else None)

    # HTTP/1

    async def _http1(self, kind: str) -> None:
        reader, writer = await self._connect(self._context if kind == "tls" else None)
        try:
            for left in range(self._random.randrange(1, 40), -1, -1):
                await self._request(reader, writer, kind, last=left == 0)
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str, *, last: bool) -> None:
        host, app, may_be_gone = self._target.host()
        method = self._random.choice(("GET", "GET", "HEAD", "POST", "chunked", "stream"))
        body = self._random.randbytes(self._random.choice((0, 1, 300, 70_000))) if method in ("POST", "chunked") else b""
        path = "/stream" if method == "stream" else "/"
        lines = [f"{ {'chunked': 'POST', 'stream': 'GET'}.get(method, method) } {path} HTTP/1.1", f"Host: {host}"]
        if last:
            lines.append("Connection: close")
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        if method == "chunked":
            lines.append("Transfer-Encoding: chunked")
        data = "\r\n".join((*lines, "", "")).encode()
        if method == "chunked":
            pieces = [body[at : at + 30_000] for at in range(0, len(body), 30_000)]
            data += b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        else:
            data += body
        writer.write(data)
        status, head, answer = await self._response(reader, method)
        self._judge(status, head, f"{kind} {method}", host, app, may_be_gone)
        if status == 200 and method != "HEAD":
            expected = b"".join(STREAM) if method == "stream" else b"%d %d" % (len(body), zlib.crc32(body) if body else 0)
            if answer != expected:
                raise Wrong(f"{method} {host}: {answer[:60]!r}")

    def _judge(self, status: int, head: bytes, kind: str, host: str, app: str, may_be_gone: bool) -> None:
        self._counts[f"{kind} {status}"] += 1
        if status == 404 and may_be_gone:
            return
        if status not in (200, 101):
            raise Wrong(f"{host}: {head[:200]!r}")
        named = _APP.search(head)
        if named is None or named[1].decode() != app:
            self._counts["MISROUTED"] += 1
            raise Wrong(f"{host}: answered by {named and named[1]!r}")

    async def _response(self, reader: asyncio.StreamReader, method: str) -> tuple[int, bytes, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        if method == "HEAD":
            return status, head, b""
        if length := _LENGTH.search(head):
            return status, head, await reader.readexactly(int(length[1]))
        if b"\r\nTransfer-Encoding: chunked\r\n" not in head:
            raise Wrong(f"no length: {head!r}")
        body = b""
        while count := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(count + 2))[:-2]
        await reader.readexactly(2)
        return status, head, body

    async def _socket(self, kind: str) -> None:
        reader, writer = await self._connect(None)
        try:
            host, app, may_be_gone = self._target.host()
            writer.write(f"GET /socket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            self._judge(status, head, kind, host, app, may_be_gone)
            for _ in range(10 if status == 101 else 0):
                data = self._random.randbytes(self._random.choice((1, 2000, 40_000)))
                writer.write(data)
                if await reader.readexactly(len(data)) != data:
                    raise Wrong(f"{host}: another echo")
        finally:
            writer.close()

    # HTTP/2

    async def _http2(self, kind: str) -> None:
        reader, writer = await self._connect(self._context2)
        try:
            connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
            connection.initiate_connection()
            for _ in range(self._random.randrange(1, 20)):
                await self._round(connection, reader, writer)
        finally:
            writer.close()

    async def _round(
        self, connection: h2.connection.H2Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Some requests at a time, and all of their responses."""
        asked, heads, bodies = {}, {}, Counter[int]()
        for _ in range(self._random.randrange(1, 6)):
            stream_id = connection.get_next_available_stream_id()
            body = self._random.randbytes(self._random.choice((0, 500, 5000)))
            asked[stream_id] = host, *_ = self._target.host()
            fields = [(":method", "POST"), (":scheme", "https"), (":authority", host), (":path", "/")]
            connection.send_headers(stream_id, fields, end_stream=False)
            connection.send_data(stream_id, body, end_stream=True)
            bodies[stream_id] = len(body)
        left = set(asked)
        while left:
            writer.write(connection.data_to_send())
            data = await reader.read(65536)
            if not data:
                raise ConnectionError("the connection has ended")
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    lines = b"".join(b"\r\n%b: %b" % (name.title(), value) for name, value in event.headers)
                    heads[event.stream_id] = int(dict(event.headers)[b":status"]), lines + b"\r\n"
                elif isinstance(event, h2.events.DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    if heads[event.stream_id][0] == 200 and not event.data.startswith(b"%d " % bodies[event.stream_id]):
                        raise Wrong(f"h2: {event.data!r}")
                elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                    raise Wrong(f"h2: {event!r}")
                elif isinstance(event, h2.events.StreamEnded):
                    left.discard(event.stream_id)
        for stream_id, (status, lines) in heads.items():
            host, app, may_be_gone = asked[stream_id]
            self._judge(status, lines, "h2", host, app, may_be_gone)
