"""What the tests of the data plane share: peers that speak raw bytes, the simplest policy, and a proxy between the two.

A test drives both ends itself, one after the other: what the client sends, what the backend then gets, what it answers, what
the client then gets. Nothing here sleeps but `eventually`.
"""

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

from cfroute.clock import Clock
from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Backend, Destination
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure
from cfroute.proxy.front import Front
from cfroute.proxy.head import BadRequest, RequestHead, ResponseHead
from cfroute.proxy.server import Limits, Observer, ProxyServer
from cfroute.proxy.sides import RequestLine
from cfroute.testing import ManualClock

from ..waiting import until

SECONDS = 30.0  # that anything may take
DATE = b"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"  # of a new ManualClock
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK_TO_CLIENT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + DATE + b"\r\nok"


def get(path: str = "/", *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request without a body."""
    lines = (f"{method} {path} HTTP/{version}", "Host: a.test", *headers, "", "")
    return "\r\n".join(lines).encode()


def post(body: bytes, *headers: str) -> bytes:
    """A request with a body of known length."""
    return get("/", f"Content-Length: {len(body)}", *headers, method="POST") + body


def later(data: bytes, seconds: int) -> bytes:
    """The same message, sent so much later."""
    return data.replace(DATE, DATE.replace(b":20 GMT", b":%d GMT" % (20 + seconds)))


class Peer:
    """One end of a connection, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def socket(self) -> socket.socket:
        return self.writer.get_extra_info("socket")  # type: ignore[no-any-return]

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def send_all(self, data: bytes) -> None:
        """Send, and wait until it is taken."""
        self.writer.write(data)
        async with asyncio.timeout(30):
            await self.writer.drain()

    async def trickle(self, data: bytes, size: int = 7) -> None:
        """Send in small packets, as long as the other end listens."""
        for position in range(0, len(data), size):
            self.writer.write(data[position : position + size])
            await until(lambda: self.writer.transport.is_closing() or not self.writer.transport.get_write_buffer_size())

    async def read(self, size: int) -> bytes:
        async with asyncio.timeout(SECONDS):
            return await self.reader.readexactly(size)

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(SECONDS):
            return await self.reader.readuntil(end)

    async def head(self) -> bytes:
        return await self.until(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """All up to the end of the connection; a reset counts as an end."""
        received = bytearray()
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(ConnectionError):
                while data := await self.reader.read(1 << 18):
                    received += data
        return bytes(received)

    async def expect(self, data: bytes) -> None:
        """The very next bytes are these."""
        try:
            received = await self.read(len(data))
        except asyncio.IncompleteReadError as error:
            received = error.partial
        assert received == data

    async def nothing_more(self) -> None:
        """The connection ends here."""
        assert await self.rest() == b""

    async def response(self, *, body: bool = True) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next response that is not preliminary; the body must have a length or be chunked."""
        head = await self.head()
        status = int(head.split(b" ", 2)[1])
        if not body or status in (204, 304):
            return status, head, b""
        if b"\r\nTransfer-Encoding: chunked\r\n" in head:
            return status, head, await self.chunks()
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        return status, head, await self.read(int(length[1])) if length else await self.rest()

    async def chunks(self) -> bytes:
        body = bytearray()
        while size := int(await self.until(b"\r\n"), 16):
            body += await self.read(size)
            await self.expect(b"\r\n")
        while await self.until(b"\r\n") != b"\r\n":
            pass  # trailers
        return bytes(body)

    async def next_request(self) -> bytes:
        """The body of the next request; its length must be known."""
        head = await self.head()
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        return await self.read(int(length[1]) if length else 0)

    def stop_reading(self) -> None:
        """Take no more bytes from the kernel."""
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]

    def go_on_reading(self) -> None:
        self.writer.transport.resume_reading()  # type: ignore[attr-defined]

    def end(self) -> None:
        """Send no more."""
        self.writer.write_eof()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Close with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def narrow(connection: Front | Backend) -> None:
    """Let the kernel take hardly any of what the proxy writes."""
    connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


class Gate(Destination):
    """A destination whose connections are made only when the gate is open; and it is narrow."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.open = asyncio.Event()
        self.dialled = 0

    async def dial(self) -> Backend:
        self.dialled += 1
        await self.open.wait()
        backend = await super().dial()
        narrow(backend)
        return backend


class Application:
    """A backend whose connections are taken and served by the test, or by a function."""

    def __init__(self, host: str, port: int, listener: asyncio.Server, arrived: asyncio.Queue[Peer], **options: Any) -> None:
        self.host = host
        self.port = port
        self.destination: Destination = Destination(host, port, **options)
        self.listener = listener
        self.peers: list[Peer] = []
        self.arrived = arrived

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self.peers)

    async def connection(self) -> Peer:
        """The next connection that the proxy made."""
        async with asyncio.timeout(SECONDS):
            return await self.arrived.get()

    async def request(self) -> Peer:
        """The next connection, with the head of its first request read."""
        peer = await self.connection()
        await peer.head()
        return peer


async def listen(
    *, identity: ssl.SSLContext | None = None, receive_buffer: int = 0, host: str = "127.0.0.1", port: int = 0, **options: Any
) -> Application:
    """A backend on a port of its own; `identity` makes it speak TLS. The options are those of its Destination."""
    arrived: asyncio.Queue[Peer] = asyncio.Queue()
    listener = socket.socket()
    if receive_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listener.bind((host, port))
    port = listener.getsockname()[1]

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        application.peers.append(peer)
        arrived.put_nowait(peer)

    server = await asyncio.start_server(take, sock=listener, ssl=identity)
    application = Application(host, port, server, arrived, **options)
    return application


async def serve(application: Application, answer: bytes = OK) -> None:
    """Answer every request that comes on any connection, for ever."""

    async def one(peer: Peer) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await peer.next_request()
                peer.send(answer)
        peer.close()

    async with asyncio.TaskGroup() as tasks:
        while True:
            tasks.create_task(one(await application.arrived.get()))


class Forward:
    """The simplest policy: each attempt goes to the next application; it writes down what it is told.

    `answers` are given to a failed attempt in turn; with none left, it is tried again as long as there is an application left.
    `at_once` answers a request before it goes anywhere.
    """

    def __init__(self) -> None:
        self.destinations: list[Destination] = []
        self.told: list[str] = []
        self.failures: list[Failure] = []
        self.exchanges: list[Exchange] = []
        self.finished_times: dict[int, int] = {}
        self.at_once: Callable[[Exchange], Answer | None] = lambda exchange: None
        self.instead: Callable[[Exchange, ResponseHead], Answer | None] = lambda exchange, response: None
        self.close = False
        self._attempts: dict[int, int] = {}

    def exchange(self, front: Front, request: RequestHead) -> Exchange:
        exchange = Exchange(front, request)
        self.exchanges.append(exchange)
        return exchange

    def begin(self, exchange: Exchange) -> Answer | None:
        self.told.append(f"begin {exchange.request.target.decode('latin-1')}")
        headers = exchange.request.headers
        upgrade = headers.get(b"Upgrade") if exchange.upgrade else None
        exchange.request.remove_hop_by_hop()
        if upgrade:
            headers[b"Connection"], headers[b"Upgrade"] = (b"Upgrade",), upgrade
        return self.at_once(exchange)

    def destination(self, exchange: Exchange) -> Destination | Answer:
        attempt = self._attempts.get(id(exchange), 0)
        self._attempts[id(exchange)] = attempt + 1
        if attempt >= len(self.destinations):
            return Answer(503, b"nowhere\n")
        return self.destinations[attempt]

    def request_line(self, exchange: Exchange) -> RequestLine:
        return exchange.request.target, exchange.request.host, self.close

    def failed(self, exchange: Exchange, failure: Failure) -> Answer | None:
        self.told.append(f"failed {failure.kind.name}")
        self.failures.append(failure)
        if self._attempts.get(id(exchange), 0) < len(self.destinations):
            return None
        return Answer(502, f"{failure.text}\n".encode())

    def response(self, exchange: Exchange, response: ResponseHead) -> Answer | None:
        self.told.append(f"response {response.status}")
        response.remove_hop_by_hop()
        return self.instead(exchange, response)

    def finished(self, exchange: Exchange) -> None:
        self.finished_times[id(exchange)] = self.finished_times.get(id(exchange), 0) + 1
        self.told.append(f"finished {exchange.status}{'' if exchange.complete else ' incomplete'}")


class Witness(Observer):
    """Writes down what the proxy tells of its connections."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.cuts: list[str] = []
        self.handshakes: list[tuple[str, str]] = []

    def refused(self, front: Front, refused: BadRequest) -> None:
        self.refusals.append(refused.status)

    def cut_short(self, exchange: Exchange, reason: str) -> None:
        self.cuts.append(reason)

    def handshake_failed(self, peer: str, reason: str) -> None:
        self.handshakes.append((peer, reason))


class Rig:
    """A proxy with its policy, clients and applications. Its time stands still until `clock` is moved."""

    def __init__(self, limits: Limits, clock: Clock, context: ssl.SSLContext | None) -> None:
        self.policy = Forward()
        self.witness = Witness()
        self.clock = clock
        self.server = ProxyServer(self.policy, clock, limits, self.witness)
        self.context = context
        self.port = 0
        self._peers: list[Peer] = []
        self.applications: list[Application] = []

    @property
    def told(self) -> list[str]:
        return self.policy.told

    def advance(self, seconds: float) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(seconds)

    async def client(self, data: bytes = b"", *, receive_buffer: int = 0, trust: ssl.SSLContext | None = None) -> Peer:
        """A client's connection; `trust` is for TLS."""
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        name = "a.test" if trust else None
        peer = Peer(*await asyncio.open_connection(sock=connection, ssl=trust, server_hostname=name))
        self._peers.append(peer)
        if data:
            peer.send(data)
        return peer

    async def application(self, **options: Any) -> Application:
        """One more application for the policy to send requests to."""
        application = await listen(**options)
        self.applications.append(application)
        self.policy.destinations.append(application.destination)
        return application

    async def gate(self, **options: Any) -> tuple[Application, Gate]:
        """One more application, which cannot be reached yet."""
        application = await self.application(**options)
        gate = application.destination = Gate(application.host, application.port)
        self.policy.destinations[-1] = gate
        return application, gate

    def nobody(self) -> Destination:
        """A destination where nothing listens."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            destination = Destination("127.0.0.1", unused.getsockname()[1])
        self.policy.destinations.append(destination)
        return destination

    async def front(self) -> Front:
        """The proxy's end of the only client connection."""
        await until(lambda: len(self.server.connections) == 1)
        return next(iter(self.server.connections))

    async def finished(self, count: int = 1) -> None:
        """So many exchanges are over."""
        await until(lambda: sum(line.startswith("finished") for line in self.told) >= count)

    async def stop(self) -> None:
        """End everything, and check what must hold after any test: each exchange is over, and was so once."""
        self.server.abort()
        for peer in self._peers:
            peer.writer.transport.abort()
        for application in self.applications:
            application.listener.close()
            application.destination.close()
            for peer in application.peers:
                peer.writer.transport.abort()
        await until(lambda: not self.server.connections)
        assert all(self.policy.finished_times.get(id(one)) == 1 for one in self.policy.exchanges)


@contextlib.asynccontextmanager
async def running(
    limits: Limits | None = None, clock: Clock | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Rig]:
    """A proxy on a port of its own."""
    rig = Rig(limits or Limits(), clock or ManualClock(), context)
    rig.port = await rig.server.listen("127.0.0.1", 0, context)
    try:
        yield rig
    finally:
        await rig.stop()
