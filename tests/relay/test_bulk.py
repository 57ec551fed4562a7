"""Large transfers: every byte arrives, and who reads slowly makes the other wait, not the relay grow."""

import asyncio
import hashlib
import random
import socket

import pytest

from ..proxy.plumbing import Peer
from ..waiting import until
from .plumbing import Site

pytestmark = pytest.mark.anyio

SIZE = 100_000_000
BLOCK = random.Random(1).randbytes(1 << 20)


async def send(peer: Peer, size: int) -> bytes:
    """Send so much; returns its digest."""
    digest = hashlib.blake2b()
    while size:
        data = BLOCK[: min(size, len(BLOCK))]
        digest.update(data)
        await peer.send_all(data)
        size -= len(data)
    peer.end()
    return digest.digest()


async def take(peer: Peer) -> bytes:
    """Read to the end; returns the digest of what has come."""
    digest = hashlib.blake2b()
    async with asyncio.timeout(60):
        while data := await peer.reader.read(1 << 20):
            digest.update(data)
    return digest.digest()


async def test_100_megabytes_each_way_at_once(site: Site) -> None:
    client, server = await site.pair()
    up, down, got_up, got_down = await asyncio.gather(send(client, SIZE), send(server, SIZE), take(server), take(client))
    assert (got_up, got_down) == (up, down)
    site.relay.count()
    counts = site.relay.ports[site.port].counts
    assert (counts.bytes_in, counts.bytes_out) == (SIZE, SIZE)
    await until(lambda: site.relay.current == 0)


@pytest.mark.parametrize("slow", ["client", "server"])
async def test_who_does_not_read_stops_the_other(site: Site, slow: str) -> None:
    one, other = await site.pair() if slow == "client" else reversed(await site.pair())
    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    one.stop_reading()
    sending = asyncio.ensure_future(send(other, SIZE))
    await stalled(other)
    assert not sending.done()
    one.go_on_reading()
    assert await take(one) == await sending


async def stalled(peer: Peer) -> None:
    """Return when the kernel takes nothing more."""
    before, same = 0, 0
    async with asyncio.timeout(30):
        while same < 20:
            now = peer.writer.transport.get_write_buffer_size()
            same = same + 1 if now == before != 0 else 0
            before = now
            await asyncio.sleep(0.005)


async def test_small_pieces_among_large_ones(site: Site) -> None:
    client, server = await site.pair()
    chance = random.Random(2)
    sizes = [chance.choice((1, 10, 1000, 65536, 65537, 300_000)) for _ in range(300)]
    expected = b"".join(BLOCK[:size] for size in sizes)

    async def write() -> None:
        for size in sizes:
            await client.send_all(BLOCK[:size])
            await asyncio.sleep(0)
        client.end()

    writing = asyncio.ensure_future(write())
    assert await take(server) == hashlib.blake2b(expected).digest()
    await writing


async def test_a_reset_in_the_middle(site: Site) -> None:
    for _ in range(5):
        client, server = await site.pair()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.stop_reading()
        sending = asyncio.ensure_future(send(server, SIZE))
        await stalled(server)
        client.reset()
        with pytest.raises(ConnectionError):
            await sending
    await until(lambda: site.relay.current == 0)
