"""A proxy between a router and an app, over real sockets; both are played by asyncio's streams or plain sockets."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from cfroute.daemon import spawn
from cfroute.diego.cell import relay
from cfroute.diego.cell.identity import Identity
from cfroute.diego.cell.proxy import Proxy
from cfroute.errors import ConfigurationError
from cfroute.logs import Logger

from ..ports import free_port
from .tls import Authorities

App = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SOON = 5.0  # s


@pytest.fixture
def authorities(tmp_path: Path) -> Authorities:
    return Authorities(tmp_path)


class Place:
    """A proxy with the app behind it."""

    def __init__(self, proxy: Proxy, port: int, identity: Identity, authorities: Authorities) -> None:
        self.proxy = proxy
        self.port = port
        self.identity = identity
        self.authorities = authorities

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = self.authorities.router()
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=self.identity.guid)

    def dial(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A blocking connection, for threads."""
        plain = socket.create_connection(("127.0.0.1", self.port), SOON)
        return (context or self.authorities.router()).wrap_socket(plain, server_hostname=self.identity.guid)


@contextlib.asynccontextmanager
async def place(app: App, authorities: Authorities) -> AsyncIterator[Place]:
    server = await asyncio.start_server(app, "127.0.0.1", 0)
    identity = authorities.identity()
    target = server.sockets[0].getsockname()[:2]
    proxy = Proxy(target, identity, [authorities.router_ca], Logger("proxy"))
    port = free_port()
    await proxy.listen("127.0.0.1", port)
    try:
        yield Place(proxy, port, identity, authorities)
    finally:
        await proxy.close(0)
        server.close()
        await server.wait_closed()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write(b"end")
    writer.close()


def everything(tls: ssl.SSLSocket) -> bytes:
    """What comes until the end."""
    return b"".join(iter(lambda: tls.recv(1 << 20), b""))


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run the work on the event loop that daemons have."""
    import uvloop

    async def limited() -> None:
        async with asyncio.timeout(4 * SOON):
            await work()

    uvloop.run(limited())


def test_bytes_go_through_unchanged_and_a_certificate_is_needed(authorities: Authorities) -> None:
    async def work() -> None:
        async with place(echo, authorities) as here:
            reader, writer = await here.connect()
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()

            stranger = authorities.router(known=False)
            with pytest.raises((ssl.SSLError, ConnectionError)):  # TLS 1.3 tells it with the first read
                await asyncio.to_thread(lambda: here.dial(stranger).recv(1))

    run(work)


@pytest.mark.parametrize(("offered", "chosen"), [(["h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
def test_http2_is_offered_to_who_wants_it(authorities: Authorities, offered: list[str], chosen: str | None) -> None:
    async def work() -> None:
        async with place(echo, authorities) as here:
            context = authorities.router()
            if offered:
                context.set_alpn_protocols(offered)
            tls = await asyncio.to_thread(here.dial, context)
            with tls:
                assert tls.selected_alpn_protocol() == chosen

    run(work)


def test_the_end_of_one_direction_does_not_end_the_other(authorities: Authorities) -> None:
    heard = asyncio.Queue[bytes]()

    async def app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"first I talk")
        writer.write_eof()
        heard.put_nowait(await reader.read())
        writer.close()

    def router(tls: ssl.SSLSocket) -> bytes:
        got = everything(tls)
        tls.sendall(b"then I do")  # the app has ended already
        tls.close()
        return got

    async def work() -> None:
        async with place(app, authorities) as here:
            tls = await asyncio.to_thread(here.dial)
            assert await asyncio.to_thread(router, tls) == b"first I talk"
            assert await heard.get() == b"then I do"

        async with place(echo, authorities) as here:
            tls = await asyncio.to_thread(here.dial)

            def ask() -> bytes:
                tls.sendall(b"all of it, ")
                socket.socket.shutdown(tls, socket.SHUT_WR)  # without a word of TLS
                return everything(tls)

            assert await asyncio.to_thread(ask) == b"all of it, end"
            tls.close()

    run(work)


def test_who_cannot_take_more_stops_the_other(authorities: Authorities) -> None:
    total = 64 << 20
    sent = [0]

    async def app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while sent[0] < total:
                writer.write(b"x" * 65536)
                sent[0] += 65536
                await writer.drain()
        writer.close()

    async def settled() -> int:
        before = -1
        while before != sent[0]:
            before = sent[0]
            await asyncio.sleep(0.2)
        return before

    async def work() -> None:
        async with place(app, authorities) as here:
            tls = await asyncio.to_thread(here.dial)
            assert await settled() < 24 << 20  # what the kernel's buffers take

            assert len(await asyncio.to_thread(everything, tls)) == total
            tls.close()

    run(work)


def test_large_bodies_both_ways_at_once(authorities: Authorities) -> None:
    body = bytes(range(256)) * (8 << 12)

    async def work() -> None:
        async with place(echo, authorities) as here:
            reader, writer = await here.connect()
            writer.write(body)
            assert await reader.readexactly(len(body)) == body
            writer.close()

    run(work)


def test_many_connections_at_once(authorities: Authorities) -> None:
    async def one(here: Place, number: int) -> None:
        reader, writer = await here.connect()
        text = b"%d" % number
        writer.write(text)
        assert await reader.readexactly(len(text)) == text
        writer.close()

    async def work() -> None:
        async with place(echo, authorities) as here:
            await asyncio.gather(*(one(here, number) for number in range(200)))

    run(work)


def test_a_renewed_certificate_is_for_new_connections_and_the_old_ones_go_on(authorities: Authorities) -> None:
    def shown(tls: ssl.SSLSocket) -> bytes:
        certificate = tls.getpeercert(binary_form=True)
        assert certificate
        return certificate

    def ask(tls: ssl.SSLSocket) -> bytes:
        tls.sendall(b"still there?")
        return tls.recv(100)

    async def work() -> None:
        async with place(echo, authorities) as here:
            before = await asyncio.to_thread(here.dial)
            here.identity.renew_at = 0.0
            authorities.identities.renew()
            after = await asyncio.to_thread(here.dial)
            assert shown(before) != shown(after)
            assert await asyncio.to_thread(ask, before) == b"still there?"
            assert await asyncio.to_thread(ask, after) == b"still there?"
            before.close()
            after.close()

    run(work)


def test_a_dead_app_is_noticed_before_the_handshake(authorities: Authorities) -> None:
    async def work() -> None:
        async with place(echo, authorities) as here:
            here.proxy.target = ("127.0.0.1", free_port())
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await here.connect()

    run(work)


def test_what_an_app_said_last_arrives_though_the_proxy_closes(authorities: Authorities) -> None:
    size = 4 << 20

    async def app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"x" * size)
        writer.close()

    async def work() -> None:
        async with place(app, authorities) as here:
            tls = await asyncio.to_thread(here.dial)
            tls.sendall(b"?")
            assert await asyncio.to_thread(tls.recv, 1) == b"x"
            closing = spawn(here.proxy.close(SOON), name="close")
            assert await asyncio.to_thread(everything, tls) == b"x" * (size - 1)
            tls.close()
            await closing
            with pytest.raises(ConnectionError):
                await here.connect()

    run(work)


def test_what_does_not_end_is_cut(authorities: Authorities) -> None:
    async def work() -> None:
        async with place(echo, authorities) as here:
            reader, writer = await here.connect()
            writer.write(b"?")
            await reader.readexactly(1)
            await here.proxy.close(0.05)
            assert await reader.read() == b""
            writer.close()

    run(work)


def test_a_port_that_is_taken_is_named(authorities: Authorities) -> None:
    async def work() -> None:
        proxy = Proxy(("127.0.0.1", 1), authorities.identity(), [], Logger("proxy"))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}: address already in use"):
                await proxy.listen("127.0.0.1", port)

    run(work)


def test_who_says_nothing_or_no_tls_is_let_go(authorities: Authorities, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "OPENING", 0.2)

    async def work() -> None:
        async with place(echo, authorities) as here:
            reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()

            reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
            writer.write(b"\x16\x03\x01\x00\x05hello")
            assert (await reader.read())[:1] == b"\x15"  # an alert
            writer.close()

    run(work)


def test_nothing_is_left_of_connections_however_they_end(authorities: Authorities) -> None:
    open_at_app: set[asyncio.StreamWriter] = set()

    async def app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_at_app.add(writer)
        asked = b""
        with contextlib.suppress(ConnectionError):
            asked = await reader.read(10)
            if asked == b"reset":
                writer.transport.abort()
            elif asked == b"stay":
                await reader.read()
        writer.close()
        open_at_app.discard(writer)

    def end(here: Place, how: str) -> None:
        if how in {"early", "half"}:
            plain = socket.create_connection(("127.0.0.1", here.port), SOON)
            plain.sendall(b"\x16\x03\x01" if how == "half" else b"")
            plain.close()
            return
        with here.dial() as tls:
            tls.sendall(how.encode())
            if how != "stay":
                with contextlib.suppress(OSError):
                    everything(tls)

    async def work() -> None:
        async with place(app, authorities) as here:
            for how in ("early", "half", "ask", "reset", "stay"):
                await asyncio.to_thread(end, here, how)
            while "relays=0" not in repr(here.proxy) or open_at_app:
                await asyncio.sleep(0.01)

    run(work)
