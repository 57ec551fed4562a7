"""The egress proxy: what it understands, and how it relays."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.diego.cell.egress import Egress
from cfroute.diego.cell.proxy_request import BadRequest, ProxyRequest, parse
from cfroute.logs import ERROR, Logger
from cfroute.resolver import Mapping

from ..ports import free_port
from .conftest import eventually


def test_understands_connect() -> None:
    assert parse(b"CONNECT a.cf.localhost:443 HTTP/1.1\r\nHost: x\r\n\r\n") == ProxyRequest("a.cf.localhost", 443, None)
    assert parse(b"CONNECT [::1]:80 HTTP/1.1\r\n\r\n") == ProxyRequest("::1", 80, None)


def test_understands_absolute_urls_and_keeps_the_hop_to_itself() -> None:
    request = parse(
        b"GET http://u:p@a.b:81/c?d HTTP/1.1\r\nHost: a.b:81\r\nProxy-Connection: keep-alive\r\n"
        b"Connection: keep-alive\r\nX-Mine: 1\r\n\r\n"
    )
    assert request == ProxyRequest("a.b", 81, b"GET /c?d HTTP/1.1\r\nHost: a.b:81\r\nX-Mine: 1\r\nConnection: close\r\n\r\n")
    assert parse(b"GET http://a HTTP/1.0\r\n\r\n").head == b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n"


def test_lets_upgrades_pass() -> None:
    head = parse(b"GET http://a/ HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").head
    assert head == b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1",
        b"GET ftp://a/ HTTP/1.1",
        b"GET http:///x HTTP/1.1",
        b"GET http://[::1/ HTTP/1.1",
        b"CONNECT a HTTP/1.1",
        b"CONNECT a:0 HTTP/1.1",
        b"CONNECT a:99999 HTTP/1.1",
        b"CONNECT a:b HTTP/1.1",
        b"CONNECT :443 HTTP/1.1",
        b"CONNECT a:443 HTTP/2",
        b"CONNECT  a:443 HTTP/1.1",
        b"GET http://a/ HTTP/1.1\r\n folded: x",
        b"GET http://a/ HTTP/1.1\r\n: x",
        b"\x16\x03\x01",
        b"",
    ],
)
def test_refuses_what_makes_no_sense(head: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(head + b"\r\n\r\n")


@given(st.binary(max_size=100))
def test_no_bytes_surprise_the_parser(data: bytes) -> None:
    with contextlib.suppress(BadRequest):
        parse(data + b"\r\n\r\n")
    with contextlib.suppress(BadRequest):
        parse(b"CONNECT " + data + b" HTTP/1.1\r\n\r\n")
    with contextlib.suppress(BadRequest):
        parse(b"GET http://" + data + b" HTTP/1.1\r\n\r\n")


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Scene = Callable[[Egress, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def through(outside: Serve) -> AsyncIterator[tuple[Egress, str, int]]:
    server = await asyncio.start_server(outside, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    egress = Egress([Mapping("*.cf.localhost", 443, "127.0.0.1", port)], Logger("egress", ERROR))
    async with egress.serving("127.0.0.1") as url:
        host, _, number = url.removeprefix("http://").partition(":")
        yield egress, host, int(number)
    server.close()
    await server.wait_closed()


def play(outside: Serve, scene: Scene) -> None:
    async def play_() -> None:
        async with through(outside) as (egress, host, port):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                async with asyncio.timeout(30):
                    await scene(egress, reader, writer)
            finally:
                writer.close()

    asyncio.run(play_())


async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"CONNECT app.cf.localhost:443 HTTP/1.1\r\nHost: app\r\n\r\n")
    return await reader.readuntil(b"\r\n\r\n")


async def echo_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


def test_a_side_that_ends_can_still_get_its_answer() -> None:
    async def scene(egress: Egress, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await connect(reader, writer)).startswith(b"HTTP/1.1 200 ")
        writer.write(b"x" * 1_000_000)
        writer.write_eof()
        assert len(await reader.read()) == 1_000_000

    play(echo_all, scene)


def test_back_pressure_reaches_the_sender() -> None:
    seen = 0
    go_on = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        reader._limit = 1024  # type: ignore[attr-defined]
        await go_on.wait()
        while data := await reader.read(65536):
            seen += len(data)
        writer.close()

    async def scene(egress: Egress, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connect(reader, writer)
        size = 64 * 1024 * 1024
        writer.write(b"x" * size)
        writer.write_eof()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await writer.drain()
        go_on.set()
        assert await reader.read() == b""
        assert seen == size

    play(slow, scene)


def test_nothing_leaks_when_a_side_dies() -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        linger = struct.pack("ii", 1, 0)  # closing sends a reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def scene(egress: Egress, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connect(reader, writer)
        writer.write(b"0123456789")
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        await asyncio.to_thread(eventually, lambda: not egress.connections)

    play(dies, scene)


def test_plain_requests_are_forwarded() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"GET /x HTTP/1.1\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def scene(egress: Egress, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET http://app.cf.localhost:443/x HTTP/1.1\r\nHost: app.cf.localhost\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nok")

    play(answer, scene)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"x" * 100_000 + b"\r\n\r\n", b"400 Bad Request"),
        (f"CONNECT 127.0.0.1:{free_port()} HTTP/1.1\r\n\r\n".encode(), b"502 Bad Gateway"),
        (b"CONNECT no-such-name.invalid:443 HTTP/1.1\r\n\r\n", b"502 Bad Gateway"),
    ],
    ids=["no tunnel", "too long", "nobody there", "no such name"],
)
def test_says_in_one_line_why_not(request_: bytes, status: bytes) -> None:
    async def scene(egress: Egress, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request_)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert answer.rpartition(b"\r\n\r\n")[2].count(b"\n") == 1

    play(echo_all, scene)
