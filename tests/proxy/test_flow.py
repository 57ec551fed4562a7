"""Large bodies: whoever is slow slows the other down, and nothing piles up in between."""

import asyncio

import pytest

from cfroute.proxy.answer import Answer

from ..waiting import until
from .plumbing import Gate, Peer, Rig, get, narrow

pytestmark = pytest.mark.anyio

SIZE = 64 << 20
BLOCK = bytes(range(256)) * 1024
MOST = 1 << 20  # bytes that may wait in the proxy, for one connection


async def pour(peer: Peer, size: int = SIZE) -> None:
    for _ in range(size // len(BLOCK)):
        await peer.send_all(BLOCK)


async def drink(peer: Peer, rig: Rig, size: int = SIZE) -> int:
    """Take that much; the most that waited in the proxy meanwhile."""
    most = 0
    for _ in range(size // len(BLOCK)):
        assert await peer.read(len(BLOCK)) == BLOCK
        most = max(most, waiting(rig))
    return most


def waiting(rig: Rig) -> int:
    """Bytes that wait in the proxy."""
    fronts = rig.server.connections
    backends = [front.exchange.backend for front in fronts if front.exchange and front.exchange.backend]
    return sum(one.transport.get_write_buffer_size() + len(one._buffer) for one in (*fronts, *backends))


async def test_a_large_body_each_way_at_once(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get("/", f"Content-Length: {SIZE}", method="POST"))
    backend = await app.request()
    backend.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE + 1}\r\n\r\n".encode())
    await client.head()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pour(client))
        tasks.create_task(pour(backend))
        up, down = tasks.create_task(drink(backend, rig)), tasks.create_task(drink(client, rig))
    assert max(up.result(), down.result()) < 2 * MOST
    backend.send(b"x")
    await client.expect(b"x")
    assert rig.policy.exchanges[0].request_bytes == rig.policy.exchanges[0].response_bytes - 1 == SIZE
    await client.nothing_more()  # so it was announced: when the response began, too much of the body was still to come


@pytest.mark.parametrize("framing", [f"Content-Length: {SIZE}", "Transfer-Encoding: chunked", "X: until close"])
async def test_a_slow_client_stops_the_backend(rig: Rig, framing: str) -> None:
    app = await rig.application()
    client = await rig.client(get(), receive_buffer=4096)
    backend = await app.request()
    client.stop_reading()
    backend.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
    if "chunked" in framing:
        backend.send(b"%x\r\n" % SIZE)
    pouring = asyncio.ensure_future(pour(backend))
    front = await rig.front()
    await until(lambda: front._blocked)
    exchange = front.exchange
    assert exchange is not None
    assert exchange.backend is not None
    assert exchange.backend.paused
    before = exchange.response_bytes
    assert waiting(rig) < MOST
    assert before < MOST * 8
    client.go_on_reading()
    await client.head()
    while exchange.response_bytes == before:
        assert await client.reader.read(1 << 18)
    pouring.cancel()


async def test_a_slow_backend_stops_the_client(rig: Rig) -> None:
    app = await rig.application(receive_buffer=4096)
    client = await rig.client(get("/", f"Content-Length: {SIZE}", method="POST"))
    backend = await app.request()
    backend.stop_reading()
    pouring = asyncio.ensure_future(pour(client))
    front = await rig.front()
    await until(lambda: front._paused)
    assert rig.policy.exchanges[0].request_bytes < MOST * 8
    assert waiting(rig) < MOST
    backend.go_on_reading()
    assert await drink(backend, rig) < MOST
    await pouring


async def test_a_backend_that_is_slow_from_its_first_byte_stops_the_client(rig: Rig) -> None:
    """What came while it was dialled is already more than it takes."""
    app, gate = await rig.gate(receive_buffer=4096)
    client = await rig.client(get("/", f"Content-Length: {SIZE}", method="POST"))
    await until(lambda: gate.dialled)
    pouring = asyncio.ensure_future(pour(client))
    front = await rig.front()
    await until(lambda: front._paused)
    assert rig.policy.exchanges[0].request_bytes < MOST
    gate.open.set()
    backend = await app.connection()
    backend.stop_reading()
    await backend.head()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(pouring), 0.3)
    assert waiting(rig) < MOST
    backend.go_on_reading()
    assert await drink(backend, rig) < MOST
    await pouring


async def test_a_client_is_stopped_while_its_backend_is_dialled(rig: Rig) -> None:
    _, gate = await rig.gate()
    client = await rig.client(get("/", f"Content-Length: {SIZE}", method="POST"))
    pouring = asyncio.ensure_future(pour(client))
    front = await rig.front()
    await until(lambda: front._paused)
    assert rig.policy.exchanges[0].request_bytes < MOST
    pouring.cancel()
    assert isinstance(gate, Gate)


async def test_a_slow_client_does_not_stop_others(rig: Rig) -> None:
    app = await rig.application()
    slow = await rig.client(get(), receive_buffer=4096)
    slow.stop_reading()
    backend = await app.request()
    backend.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode())
    pouring = asyncio.ensure_future(pour(backend))
    front = await rig.front()
    await until(lambda: front._blocked)
    rig.policy.at_once = lambda exchange: Answer(204)
    assert (await (await rig.client(get())).response())[0] == 204
    pouring.cancel()


async def test_a_slow_client_that_goes_frees_the_backend(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get(), receive_buffer=4096)
    client.stop_reading()
    backend = await app.request()
    backend.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode())
    pouring = asyncio.ensure_future(pour(backend))
    front = await rig.front()
    await until(lambda: front._blocked)
    client.reset()
    await rig.finished()
    assert rig.told[-1] == "finished 200 incomplete"
    with pytest.raises(ConnectionError):
        await pouring


async def test_a_response_that_ends_while_the_client_is_stopped(rig: Rig) -> None:
    """The connection to the backend was paused for the client's sake; the next exchange must find it reading again."""
    app = await rig.application()
    client = await rig.client(get(), receive_buffer=4096)
    client.stop_reading()
    backend = await app.request()
    front = await rig.front()
    narrow(front)
    backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000)
    await until(lambda: front._blocked)
    client.go_on_reading()
    assert len((await client.response())[2]) == 200_000
    await until(lambda: app.destination.idle)
    assert not app.destination.idle[0].paused
    other = await rig.client(get())
    await backend.head()
    backend.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (await other.response())[2] == b"ok"
