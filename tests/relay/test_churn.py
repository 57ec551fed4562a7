"""Ports and pools change while connections are open: those lose nothing, new ones follow the latest table."""

import asyncio
import random
from typing import Any

import pytest

from cfroute.relay import Backend, Listener

from ..proxy.plumbing import SECONDS, Application, Peer
from .plumbing import HOST, Site, backend, free_port

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
