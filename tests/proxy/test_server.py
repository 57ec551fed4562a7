"""Listeners, draining, and that nothing is left behind."""

import asyncio
import os
import random
import socket

import pytest

from cfroute.clock import SystemClock
from cfroute.proxy.answer import Answer

from ..waiting import until
from .plumbing import OK, OK_TO_CLIENT, Peer, Rig, get, post, running, serve
from .test_tunnel import tunnel

pytestmark = pytest.mark.anyio


@pytest.fixture
async def real(anyio_backend: object) -> object:
    """A proxy whose time passes."""
    async with running(clock=SystemClock()) as rig:
        yield rig


async def test_an_address_in_use_is_an_error(rig: Rig) -> None:
    with pytest.raises(OSError, match=r"(?i)address already in use"):
        await rig.server.listen("127.0.0.1", rig.port)


async def test_where_a_connection_comes_from_and_goes_to(rig: Rig) -> None:
    client = await rig.client()
    front = await rig.front()
    assert front.peer == client.socket.getsockname()
    assert front.local == ("127.0.0.1", rig.port)
    assert front.tls is None
    assert repr(front) == f"<Front 127.0.0.1:{front.peer[1]} idle>"


async def test_draining_closes_what_is_idle(real: Rig) -> None:
    rig = real
    rig.policy.at_once = lambda exchange: Answer(204)
    idle, used = await rig.client(), await rig.client(get())
    await used.response()
    await until(lambda: len(rig.server.connections) == 2)
    rig.server.stop_listening()
    assert await rig.server.drain(5)
    await idle.nothing_more()
    await used.nothing_more()
    with pytest.raises(ConnectionError):
        await rig.client()


async def test_draining_finishes_what_is_active(real: Rig) -> None:
    rig = real
    app = await rig.application()
    before_head, after_head = await rig.client(get("/1") + get("/never")), await rig.client(get("/2"))
    backends = [await app.request(), await app.request()]
    backends[1].send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    await after_head.head()
    assert rig.server.active == 2
    draining = asyncio.ensure_future(rig.server.drain(5))
    await until(lambda: all(front.closing for front in rig.server.connections))
    backends[0].send(OK)
    backends[1].send(b"cd")
    assert b"\r\nConnection:" not in (await before_head.response())[1]
    assert await after_head.rest() == b"abcd"
    await before_head.nothing_more()
    assert await draining
    assert "begin /never" not in rig.told


async def test_draining_answers_what_is_active_though_it_fails(real: Rig) -> None:
    rig = real
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    draining = asyncio.ensure_future(rig.server.drain(5))
    await until(lambda: all(front.closing for front in rig.server.connections))
    backend.close()
    status, head, _ = await client.response()
    assert (status, b"\r\nConnection:" in head) == (502, False)
    assert await draining


async def test_draining_has_an_end(real: Rig) -> None:
    rig = real
    app = await rig.application()
    client = await rig.client(get())
    await app.request()
    assert await rig.server.drain(0.05) is False
    rig.server.abort()
    await client.nothing_more()
    assert rig.told == ["begin /", "failed CANCELLED", "finished 499"]


async def test_draining_neither_waits_for_tunnels_nor_ends_them(real: Rig) -> None:
    rig = real
    client, backend = await tunnel(rig)
    app = rig.applications[0]
    other = await rig.client(get())
    active = await app.request()
    draining = asyncio.ensure_future(rig.server.drain(5))
    await until(lambda: all(front.closing for front in rig.server.connections))
    client.send(b"still")
    await backend.expect(b"still")
    active.send(OK)
    assert (await other.response())[0] == 200
    assert await draining
    backend.send(b"there")
    await client.expect(b"there")


async def test_an_upgrade_is_finished_once_it_is_a_tunnel(real: Rig) -> None:
    rig = real
    app = await rig.application()
    client = await rig.client(get("/ws", "Connection: Upgrade", "Upgrade: x"))
    backend = await app.request()
    draining = asyncio.ensure_future(rig.server.drain(5))
    await until(lambda: all(front.closing for front in rig.server.connections))
    backend.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
    assert (await client.head()).startswith(b"HTTP/1.1 101 ")
    assert await draining


async def test_a_connection_that_comes_while_draining_is_closed(rig: Rig) -> None:
    assert await rig.server.drain(5)
    client = await rig.client(get())
    assert await client.rest() == b""
    assert rig.told == []


# Nothing is left behind


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def mixed(rig: Rig, number: int, chance: random.Random) -> None:
    """One exchange that goes well, or in one of many ways does not."""
    kind = number % 10
    client = await rig.client()
    match kind:
        case 0:
            client.send(get("/", "Connection: close"))
            await client.rest()
        case 1:
            client.send(get()[: chance.randrange(20)])
            client.reset()
        case 2:
            client.send(b"nonsense\r\n\r\n")
            await client.rest()
        case 3:
            client.send(get("/", "Content-Length: 100000", method="POST") + b"x" * chance.randrange(1000))
            client.reset()
        case 4:
            client.send(get("/hang-up"))
            await client.response()
        case 5:
            client.send(get("/", "Connection: Upgrade", "Upgrade: x"))
            await client.response()
        case 6:
            client.send(get("/", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n")
            await client.rest()
        case 7:
            client.send(get("/half"))
            await client.rest()
        case 8:
            client.send(get() * 3)
            client.reset() if chance.random() < 0.5 else client.close()
        case _:
            client.send(post(b"x" * 10_000) + get())
            await client.response()
            await client.response()
    client.close()


async def moody(peer: Peer) -> None:
    """A backend that answers, hangs up, or stops in the middle."""
    try:
        while True:
            head = await peer.head()
            if head.startswith(b"GET /hang-up "):
                break
            if head.startswith(b"GET /half "):
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                break
            if b"Content-Length: 10000\r\n" in head:
                await peer.read(10_000)
            peer.send(OK)
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        pass
    peer.close()


async def test_no_descriptor_is_left_after_a_thousand_exchanges(real: Rig) -> None:
    rig = real
    app = await rig.application()
    serving = []

    async def accept() -> None:
        while True:
            serving.append(asyncio.ensure_future(moody(await app.arrived.get())))

    accepting = asyncio.ensure_future(accept())
    chance = random.Random(1)
    before = descriptors()
    for start in range(0, 1000, 50):
        await asyncio.gather(*(mixed(rig, number, chance) for number in range(start, start + 50)))
    await until(lambda: not rig.server.connections)
    assert len(rig.server.deadlines) == len(rig.server.idle) == len(rig.server.heads) == 0
    app.destination.close()
    await asyncio.gather(*serving)
    accepting.cancel()
    await until(lambda: descriptors() <= before)
    assert all(backend.exchange is None for backend in app.destination.idle)


async def test_no_descriptor_is_left_by_failed_dials(rig: Rig) -> None:
    rig.nobody()
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        app = await rig.application(dial_timeout=0.01)
        app.destination.port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(2)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        client = await rig.client(get())
        assert (await client.response())[0] == 502
        before = descriptors()
        for _ in range(30):
            client.send(get())
            assert (await client.response())[0] == 502
        await until(lambda: descriptors() <= before)
        for one in waiting:
            one.close()


async def test_idle_connections_are_shared_by_all_clients(rig: Rig) -> None:
    app = await rig.application()
    serving = asyncio.ensure_future(serve(app))
    for _ in range(20):
        client = await rig.client(get())
        await client.expect(OK_TO_CLIENT)
        client.close()
    assert app.connections == 1
    serving.cancel()
