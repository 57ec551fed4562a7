"""Ports and pools change while connections are open: those lose nothing, new ones follow the latest table."""

import asyncio
import contextlib
import random
from typing import Any

import pytest

from cfroute.relay import Backend, Listener

from ..ports import free_port
from ..proxy.plumbing import SECONDS, Application, Peer
from ..waiting import until
from .plumbing import HOST, Site, backend

pytestmark = pytest.mark.anyio

CHANGES = 200
CONVERSATIONS = 12


async def echo(application: Application) -> None:
    """Send everything back, and end when the other end does."""
    async with asyncio.TaskGroup() as tasks:
        while True:
            tasks.create_task(_echo(await application.arrived.get()))


async def _echo(peer: Peer) -> None:
    while data := await peer.reader.read(65536):
        await peer.send_all(data)
    peer.end()


async def converse(site: Site, chance: random.Random, stop: asyncio.Event) -> int:
    """One connection after the other, each with a few messages; returns the number of messages, all of which came back."""
    count = 0
    while not stop.is_set():
        client = await site.client()
        for _ in range(chance.randrange(1, 20)):
            message = chance.randbytes(chance.choice((1, 100, 5000, 200_000)))
            client.send(message)
            await client.expect(message)
            count += 1
        client.end()
        await client.nothing_more()
        client.close()
    return count


@pytest.mark.parametrize("seed", range(3))
async def test_the_table_changes_under_traffic(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    site.applications += [await site.application() for _ in range(2)]
    echoing = [asyncio.ensure_future(echo(application)) for application in site.applications]
    stop = asyncio.Event()
    talking = [asyncio.ensure_future(converse(site, random.Random(f"{seed} {number}"), stop)) for number in range(CONVERSATIONS)]
    others = [free_port() for _ in range(20)]
    dead = Backend(HOST, free_port())
    for _ in range(CHANGES):
        alive = chance.sample(site.applications, chance.randrange(1, 3))
        pool = (*map(backend, alive), *([dead] if chance.random() < 0.3 else []))
        table = {port: Listener(pool) for port in chance.sample(others, chance.randrange(20))}
        table[site.port] = Listener(pool)
        assert site.relay.apply(table) == {}
        assert set(site.relay.ports) == set(table)
        await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(SECONDS * 2):
        counts = await asyncio.gather(*talking)
    assert min(counts) > 0
    for one in echoing:
        one.cancel()


async def rude(site: Site, chance: random.Random) -> None:
    """A client that ends in any way at any moment. What comes back is what it has sent, or the beginning of that."""
    client = await site.client()
    sent = chance.randbytes(chance.choice((0, 1, 100, 70_000, 3_000_000)))
    client.send(sent)
    if chance.random() < 0.3:
        client.stop_reading()
    end = chance.choice((Peer.end, Peer.close, Peer.reset, None))
    for _ in range(chance.randrange(5)):
        await asyncio.sleep(0)
    with contextlib.suppress(RuntimeError, AttributeError):  # the connection has gone meanwhile
        if end is not None:
            end(client)
    if end is Peer.end or (end is None and not client.reader.at_eof()):
        client.go_on_reading()
        back = await client.rest() if end is not None else await client.reader.read(len(sent) or 1) if sent else b""
        assert sent.startswith(back)
    client.writer.transport.abort()


async def moody(application: Application, chance: random.Random) -> None:
    """Send back what comes, or hang up in some way."""

    async def one(peer: Peer) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError, AttributeError):  # the connection has gone meanwhile
            if chance.random() < 0.3:
                chance.choice((Peer.close, Peer.reset, Peer.end))(peer)
            else:
                await _echo(peer)

    async with asyncio.TaskGroup() as tasks:
        while True:
            tasks.create_task(one(await application.arrived.get()))


@pytest.mark.parametrize("seed", range(3))
async def test_rude_clients_and_moody_backends_leave_nothing_behind(site: Site, seed: int) -> None:
    defects: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: defects.append(context))
    chance = random.Random(seed)
    serving = asyncio.ensure_future(moody(site.applications[0], chance))
    for _ in range(15):
        async with asyncio.timeout(SECONDS * 2):
            await asyncio.gather(*(rude(site, random.Random(chance.random())) for _ in range(20)))
    for peer in site.applications[0].peers:
        peer.writer.transport.abort()
    await until(lambda: site.relay.current == 0)
    counts = site.relay.ports[site.port].counts
    assert (counts.sessions, counts.current) == (300, 0)
    assert not [told for told in defects if "failed" in told["message"]]
    serving.cancel()


async def test_a_connection_outlives_its_port(site: Site) -> None:
    client, server = await site.pair()
    listener = site.relay.ports[site.port].listener
    site.relay.apply({})
    with pytest.raises(ConnectionRefusedError):
        await site.client()
    client.send(b"still here")
    await server.expect(b"still here")
    site.relay.apply({site.port: listener})
    other, _ = await site.pair()
    client.close()
    await server.nothing_more()
    assert site.relay.ports[site.port].counts.sessions == 1
    other.close()


async def test_a_port_that_is_taken_comes_later(site: Site) -> None:
    taken: Any = await site.application()
    table = {site.port: site.relay.ports[site.port].listener, taken.port: Listener((backend(site.applications[0]),))}
    assert site.relay.apply(table) == {taken.port: "address already in use"}
    await site.pair()
    taken.listener.close()
    await taken.listener.wait_closed()
    assert site.relay.apply(table) == {}
    site.port = taken.port
    client, server = await site.pair()
    client.send(b"x")
    await server.expect(b"x")
