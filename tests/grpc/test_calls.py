"""Our server with a real client, our client with a real server, and both with those who do not keep to the rules."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from cfroute.clock import SystemClock
from cfroute.errors import ConfigurationError
from cfroute.grpc import serving, wire
from cfroute.grpc.channel import Channel
from cfroute.grpc.status import Code, RpcError
from cfroute.http2 import frames
from cfroute.http2.hpack_blocks import field
from cfroute.testing import ManualClock

from ..ports import free_port

PATH = "/test.Echo/Echo"


async def echo(message: bytes) -> bytes:
    """Answers with what it gets; `fail` fails, `break` is a defect, `wait` takes a moment."""
    if message == b"fail":
        raise RpcError(Code.FAILED_PRECONDITION, "not now: 50 % ✓")
    if message == b"break":
        raise ZeroDivisionError
    if message == b"wait":
        waiting, go_on = WAITING.pop()
        waiting.set()
        await go_on.wait()
    return message


WAITING: list[tuple[asyncio.Event, asyncio.Event]] = []
"""What a call of `wait` sets, and what it then waits for."""


@contextlib.asynccontextmanager
async def server(identities: Path, clock: Any = None, refused: list[str] | None = None) -> AsyncIterator[int]:
    """Our server; yields its port."""
    context = serving.tls_context(*(str(identities / name) for name in ("id.pem", "id.key", "ca.pem")))
    told: list[str] = [] if refused is None else refused
    made = serving.Server({PATH: echo}, clock or SystemClock(), lambda peer, why: told.append(why))
    async with serving.serving(made, "127.0.0.1", 0, context) as port:
        yield port


def context(identities: Path, identity: str = "id") -> ssl.SSLContext:
    """A client's."""
    made = ssl.create_default_context(cafile=identities / "ca.pem")
    if identity:
        made.load_cert_chain(identities / f"{identity}.pem", identities / f"{identity}.key")
    return made


def channel(identities: Path, port: int, identity: str = "id") -> Channel:
    return Channel(f"127.0.0.1:{port}", context(identities, identity), SystemClock())


# Our server


def with_grpcio(identities: Path, use: Callable[[grpc.aio.Channel], Awaitable[None]]) -> None:
    """Let a client of grpcio use our server."""

    async def scenario() -> None:
        ca, chain, key = ((identities / name).read_bytes() for name in ("ca.pem", "id.pem", "id.key"))
        async with (
            server(identities) as port,
            grpc.aio.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials(ca, key, chain)) as there,
        ):
            await use(there)

    asyncio.run(scenario())


async def refusal(call: Any) -> tuple[Any, str]:
    with pytest.raises(grpc.RpcError) as refused:
        await call
    return refused.value.code(), refused.value.details()


def test_grpcio_calls_our_server(identities: Path) -> None:
    async def use(there: grpc.aio.Channel) -> None:
        call = there.unary_unary(PATH)
        for message in (b"", b"x", b"y" * wire.MOST_BYTES):
            assert await call(message) == message
        many = [b"%d" % number for number in range(1500)]  # with each call, grpcio sends frames that cost it nothing
        assert await asyncio.gather(*map(call, many)) == many
        assert await refusal(call(b"fail")) == (grpc.StatusCode.FAILED_PRECONDITION, "not now: 50 % ✓")
        assert await refusal(call(b"y" * (wire.MOST_BYTES + 1))) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "grpc: received message larger than max (65537 vs. 65536)",
        )
        assert await refusal(call(b"y" * 500_000)) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "grpc: received message larger than max (500000 vs. 65536)",
        )
        assert await refusal(there.unary_unary("/test.Echo/No")(b"")) == (
            grpc.StatusCode.UNIMPLEMENTED,
            "unknown method No for service test.Echo",
        )
        assert await refusal(there.unary_unary("/No/No")(b"")) == (grpc.StatusCode.UNIMPLEMENTED, "unknown service No")
        WAITING.append((asyncio.Event(), asyncio.Event()))
        assert (await refusal(call(b"wait", timeout=0.01)))[0] == grpc.StatusCode.DEADLINE_EXCEEDED
        assert await call(b"still there") == b"still there"

    with_grpcio(identities, use)


def test_a_defect_ends_one_call_and_is_shown(identities: Path) -> None:
    async def use(there: grpc.aio.Channel) -> None:
        shown: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: shown.append(told["exception"]))
        call = there.unary_unary(PATH)
        assert await refusal(call(b"break")) == (grpc.StatusCode.INTERNAL, "internal error")
        assert await call(b"x") == b"x"
        assert [type(error) for error in shown] == [ZeroDivisionError]

    with_grpcio(identities, use)


def test_calls_under_way_are_finished_when_the_server_ends(identities: Path) -> None:
    async def scenario() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()
        WAITING.append((begun, go_on))
        async with server(identities) as port:
            client = channel(identities, port)
            waiting = asyncio.create_task(client.call(PATH, b"wait"))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert await waiting == b"wait"
        with pytest.raises(RpcError) as refused:
            await client.call(PATH, b"x")
        assert refused.value.code is Code.UNAVAILABLE
        assert "connection refused" in refused.value.message

    asyncio.run(scenario())


# Our client


class Echo(grpc.GenericRpcHandler):
    """The same, of grpcio. `late` answers when it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.metadata: dict[str, Any] = {}
        self.left: float | None = None

    def service(self, details: Any) -> Any:
        self.metadata = dict(details.invocation_metadata)
        return grpc.unary_unary_rpc_method_handler(self.answer) if details.method == PATH else None

    def answer(self, request: bytes, context: Any) -> bytes:
        self.left = context.time_remaining()
        if request == b"fail":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now: 50 % ✓")
        if request == b"large":
            return b"x" * (wire.MOST_BYTES + 1)
        if request == b"late":
            self.released.wait(30)
        return request


class EchoServer:
    def __init__(self, identities: Path, port: int = 0) -> None:
        self.echo = Echo()
        self.server = grpc.server(ThreadPoolExecutor(4), options=(("grpc.so_reuseport", 0),))
        self.server.add_generic_rpc_handlers((self.echo,))
        ca, chain, key = ((identities / name).read_bytes() for name in ("ca.pem", "id.pem", "id.key"))
        credentials = grpc.ssl_server_credentials([(key, chain)], ca, require_client_auth=True)
        self.port = self.server.add_secure_port(f"127.0.0.1:{port}", credentials)
        self.server.start()

    def stop(self) -> None:
        self.echo.released.set()
        self.server.stop(None).wait()


@pytest.fixture
def grpcio(identities: Path) -> Iterator[EchoServer]:
    made = EchoServer(identities)
    yield made
    made.stop()


async def failed(call: Awaitable[bytes]) -> tuple[Code, str]:
    with pytest.raises(RpcError) as refused:
        await call
    return refused.value.code, refused.value.message


def test_our_client_calls_grpcio(identities: Path, grpcio: EchoServer) -> None:
    async def scenario() -> None:
        client = channel(identities, grpcio.port)
        for message in (b"", b"x", b"y" * wire.MOST_BYTES):
            assert await client.call(PATH, message) == message
        assert (grpcio.echo.left or 0) > 1e9  # for ever
        many = (client.call(PATH, b"%d" % number) for number in range(200))
        assert await asyncio.gather(*many) == [b"%d" % number for number in range(200)]
        assert await client.call(PATH, b"x", metadata=(("uuid", "a-guid"),), timeout=7) == b"x"
        assert grpcio.echo.metadata["uuid"] == "a-guid"
        assert 5 < (grpcio.echo.left or 0) <= 7
        assert await failed(client.call(PATH, b"fail")) == (Code.FAILED_PRECONDITION, "not now: 50 % ✓")
        assert (await failed(client.call("/test.Echo/No", b"")))[0] is Code.UNIMPLEMENTED
        assert (await failed(client.call(PATH, b"large")))[0] is Code.RESOURCE_EXHAUSTED
        assert await client.call(PATH, b"still there") == b"still there"
        await client.aclose()

    asyncio.run(scenario())


def test_who_does_not_answer_in_time_is_dialled_anew(identities: Path, grpcio: EchoServer) -> None:
    async def scenario() -> None:
        client = channel(identities, grpcio.port)
        assert await failed(client.call(PATH, b"late", timeout=0.2)) == (Code.DEADLINE_EXCEEDED, "context deadline exceeded")
        assert await client.call(PATH, b"x", timeout=5) == b"x"
        giving_up = asyncio.create_task(client.call(PATH, b"late"))
        beside = asyncio.create_task(client.call(PATH, b"beside"))
        await asyncio.sleep(0)
        giving_up.cancel()
        assert await beside == b"beside"  # whoever cancels a call says nothing against the server
        await client.aclose()

    asyncio.run(scenario())


def test_a_server_that_comes_back(identities: Path) -> None:
    async def scenario() -> None:
        first = EchoServer(identities)
        client = channel(identities, first.port)
        assert await client.call(PATH, b"1") == b"1"
        await asyncio.to_thread(first.stop)
        code, message = await failed(client.call(PATH, b"2"))
        assert (code, message.startswith("connection error: desc = ")) == (Code.UNAVAILABLE, True)
        assert (await failed(client.call(PATH, b"3", timeout=0.3, wait_for_ready=True)))[0] is Code.DEADLINE_EXCEEDED
        patient = asyncio.create_task(client.call(PATH, b"4", timeout=10, wait_for_ready=True))
        second = await asyncio.to_thread(EchoServer, identities, first.port)
        assert await patient == b"4"
        await client.aclose()
        await asyncio.to_thread(second.stop)

    asyncio.run(scenario())


def test_addresses_that_are_none(identities: Path) -> None:
    for address in ("", "host", ":1", "host:x", "host:65536"):
        with pytest.raises(ConfigurationError, match="is no address"):
            Channel(address, context(identities), SystemClock())


# Those who do not keep to the rules


async def dial(identities: Path, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, ssl=context(identities))


def head(stream: int, *pairs: tuple[bytes, bytes], end: bool = False) -> bytes:
    """A request's HEADERS; without `pairs`, those of a good call."""
    good = ((b":method", b"POST"), (b":path", PATH.encode()), (b"content-type", b"application/grpc"))
    return frames.headers(stream, b"".join(field(*pair) for pair in pairs or good), end_stream=end)


def data(stream: int, payload: bytes, *, end: bool = True) -> bytes:
    return frames.frame_header(len(payload), frames.DATA, frames.END_STREAM if end else 0, stream) + payload


HELLO = frames.PREFACE + frames.settings({})
GARBAGE = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\0" * 100,
    frames.PREFACE + b"\xff" * 100,
    HELLO + head(2),
    HELLO + data(1, b"x"),
    HELLO + frames.frame_header(3, frames.HEADERS, 4, 1) + b"\xff\xff\xff",
    HELLO + frames.frame_header(8, frames.PING, 0, 0) * 3,
    HELLO + (frames.frame_header(8, frames.PING, 0, 0) + b"12345678") * 40_000,
    HELLO + b"".join(head(number) + frames.rst_stream(number, 8) for number in range(1, 4001, 2)),
]


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_ends_its_connection_and_no_other(identities: Path, sent: bytes) -> None:
    async def scenario() -> None:
        async with server(identities) as port:
            client = channel(identities, port)
            assert await client.call(PATH, b"1") == b"1"
            reader, writer = await dial(identities, port)
            writer.write(sent)
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(30):
                    answer = await reader.read()
                assert frames.frame_header(8, frames.GOAWAY, 0, 0)[3:4] in answer
            writer.close()
            assert await client.call(PATH, b"2") == b"2"
            await client.aclose()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "call",
    [
        head(1, (b":method", b"GET"), (b":path", PATH.encode()), end=True),
        head(1, (b":method", b"POST"), (b":path", b"\xff"), (b"content-type", b"application/grpc"), end=True),
        head(1, end=True),
        head(1) + data(1, b""),
        head(1) + data(1, b"\0\0\0\0\5x"),
        head(1) + data(1, b"\1\0\0\0\1x"),
        head(1) + head(1, (b"trailer", b"x"), end=True),
        head(1) + head(1),
    ],
    ids=range(8),
)
def test_a_bad_call_ends_and_the_connection_goes_on(identities: Path, call: bytes) -> None:
    async def scenario() -> None:
        async with server(identities) as port:
            reader, writer = await dial(identities, port)
            writer.write(HELLO + call + head(3) + data(3, wire.framed(b"good")))
            answer = b""
            async with asyncio.timeout(30):
                while b"good" not in answer:
                    answer += await reader.read(1000)
            writer.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("begin", [b"", frames.PREFACE[:5]])
def test_who_does_not_greet_is_cut_off(identities: Path, begin: bytes) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        async with server(identities, clock) as port:
            reader, writer = await dial(identities, port)
            writer.write(begin)
            await until(clock, asyncio.create_task(reader.read()))
            writer.close()

    asyncio.run(scenario())


def test_a_request_that_does_not_end_ends(identities: Path) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        async with server(identities, clock) as port:
            reader, writer = await dial(identities, port)
            writer.write(HELLO + head(1) + data(1, b"\0\0", end=False))
            await until(clock, asyncio.create_task(reader.readuntil(b"request did not come in time")))
            writer.write(head(3) + data(3, wire.framed(b"good")))
            await until(clock, asyncio.create_task(reader.readuntil(b"good")))
            writer.close()

    asyncio.run(scenario())


async def until(clock: ManualClock, task: asyncio.Task[bytes]) -> None:
    """Let time pass until it is done."""
    async with asyncio.timeout(30):
        while not task.done():
            clock.advance(1)
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("identity", ["", "strange"])
def test_only_clients_of_the_authority_are_let_in(identities: Path, identity: str) -> None:
    async def scenario() -> None:
        refused: list[str] = []
        async with server(identities, refused=refused) as port:
            assert (await failed(channel(identities, port, identity).call(PATH, b"x")))[0] is Code.UNAVAILABLE
            assert len(refused) == 1

    asyncio.run(scenario())


def test_a_server_that_is_not_who_it_should_be(identities: Path) -> None:
    async def scenario() -> None:
        strange = ssl.create_default_context(cafile=identities / "strange.pem")
        async with server(identities) as port:
            code, message = await failed(Channel(f"127.0.0.1:{port}", strange, SystemClock()).call(PATH, b"x"))
            assert (code, "failed to verify certificate" in message) == (Code.UNAVAILABLE, True)

    asyncio.run(scenario())


def test_of_too_many_connections_the_one_that_is_not_used_goes(identities: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_MOST_CONNECTIONS", 3)

    async def scenario() -> None:
        async with server(identities) as port:
            used = channel(identities, port)
            await used.connect(5)
            idle = [await dial(identities, port) for _ in range(2)]
            assert await used.call(PATH, b"1") == b"1"
            connection = repr(used)
            last = await dial(identities, port)
            async with asyncio.timeout(30):
                await idle[0][0].read()
            assert await used.call(PATH, b"2") == b"2"
            assert repr(used) == connection
            for _, writer in (*idle, last):
                writer.close()
            await used.aclose()

    asyncio.run(scenario())


READY = frames.settings({})
HEAD = frames.headers(1, field(b":status", b"200"), end_stream=False)
SERVERS = [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""),
    (b"", b""),
    (READY + frames.goaway(0, 0), b""),
    (READY, frames.goaway(0, 0)),
    (READY, frames.rst_stream(1, 7)),
    (READY, frames.headers(2, field(b":status", b"200"), end_stream=True)),
    (READY, frames.headers(1, field(b":status", b"503"), end_stream=True)),
    (READY, HEAD + data(1, wire.framed(b"x"))),
    (READY, HEAD + data(1, b"x" * 9000, end=False) * 9),
    (READY, frames.headers(1, field(b":status", b"200") + field(b"grpc-status", b"0"), end_stream=True)),
]


@pytest.mark.parametrize(("first", "then"), SERVERS, ids=range(len(SERVERS)))
def test_servers_that_break_off(identities: Path, first: bytes, then: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        if first == READY:
            await reader.readuntil(PATH.encode())
            writer.write(then)
            await reader.read()
        writer.close()

    async def scenario() -> None:
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(identities / "id.pem", identities / "id.key")
        port = free_port()
        async with await asyncio.start_server(answer, "127.0.0.1", port, ssl=own):
            client = channel(identities, port)
            code, _ = await failed(client.call(PATH, b"x", timeout=5))
            assert code in (Code.UNAVAILABLE, Code.UNKNOWN, Code.INTERNAL, Code.RESOURCE_EXHAUSTED)
            await client.aclose()

    asyncio.run(scenario())
