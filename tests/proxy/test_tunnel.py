"""Changes of protocol: from the request on, bytes are bytes."""

import asyncio

import pytest

from cfroute.proxy.server import Limits

from ..waiting import until
from .plumbing import DATE, OK, OK_TO_CLIENT, Peer, Rig, get, running

pytestmark = pytest.mark.anyio

UPGRADE = get("/ws", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Key: x")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


async def tunnel(rig: Rig) -> tuple[Peer, Peer]:
    """Both ends of a tunnel."""
    app = rig.applications[0] if rig.applications else await rig.application()
    client = await rig.client(UPGRADE)
    backend = await app.request()
    backend.send(SWITCHED)
    await client.expect(SWITCHED)
    return client, backend


async def test_a_tunnel_passes_everything_both_ways(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(UPGRADE)
    backend = await app.connection()
    assert await backend.head() == (
        b"GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nSec-Websocket-Key: x\r\nUpgrade: WebSocket\r\n\r\n"
    )
    backend.send(SWITCHED)
    await client.expect(SWITCHED)
    for _ in range(3):
        client.send(b"GET / HTTP/1.1\r\n\r\n\x00")
        await backend.expect(b"GET / HTTP/1.1\r\n\r\n\x00")
        backend.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await client.expect(b"HTTP/1.1 200 OK\r\n\r\n")
    assert rig.told == ["begin /ws", "response 101"]


async def test_early_bytes_of_both_sides(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(UPGRADE + b"early")
    backend = await app.request()
    client.send(b" bird")
    backend.send(SWITCHED + b"worm")
    await backend.expect(b"early bird")
    await client.expect(SWITCHED + b"worm")
    assert rig.policy.exchanges[0].response_bytes == rig.policy.exchanges[0].request_bytes == 0


async def test_more_early_bytes_than_are_kept(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(UPGRADE)
    backend = await app.request()
    sending = asyncio.ensure_future(client.send_all(b"x" * 8_000_000))
    front = await rig.front()
    await until(lambda: front._paused)
    backend.send(SWITCHED)
    for _ in range(8):
        assert await backend.read(1_000_000) == b"x" * 1_000_000
    await sending


async def test_the_client_ends_a_tunnel(rig: Rig) -> None:
    client, backend = await tunnel(rig)
    client.send(b"last words")
    client.close()
    assert await backend.rest() == b"last words"
    await rig.finished()
    assert rig.told == ["begin /ws", "response 101", "finished 101"]


async def test_the_backend_ends_a_tunnel(rig: Rig) -> None:
    client, backend = await tunnel(rig)
    backend.send(b"last words")
    backend.close()
    assert await client.rest() == b"last words"
    assert rig.told == ["begin /ws", "response 101", "finished 101"]


@pytest.mark.parametrize("client_goes", [True, False])
async def test_a_tunnel_that_is_reset(rig: Rig, client_goes: bool) -> None:
    client, backend = await tunnel(rig)
    (client if client_goes else backend).reset()
    await (backend if client_goes else client).nothing_more()
    await rig.finished()
    assert rig.told == ["begin /ws", "response 101", "finished 101"]
    assert not rig.server.connections


async def test_the_last_words_of_a_client_are_not_lost_on_a_slow_backend(rig: Rig) -> None:
    app, gate = await rig.gate(receive_buffer=4096)
    gate.open.set()
    client = await rig.client(UPGRADE)
    backend = await app.request()
    backend.send(SWITCHED)
    await client.expect(SWITCHED)
    backend.stop_reading()
    client.send(b"x" * 50_000)
    client.close()
    await rig.finished()
    backend.go_on_reading()
    assert len(await backend.rest()) == 50_000


async def test_the_last_words_of_a_backend_are_not_lost_on_a_slow_client(rig: Rig) -> None:
    client, backend = await tunnel(rig)
    client.stop_reading()
    await backend.send_all(b"x" * 5_000_000)
    backend.close()
    client.go_on_reading()
    assert len(await client.rest()) == 5_000_000


async def test_a_slow_end_stops_the_other(rig: Rig) -> None:
    for slow, fast in (await tunnel(rig), reversed(await tunnel(rig))):
        slow.stop_reading()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fast.send_all(b"x" * 32_000_000), 0.3)
        for front in rig.server.connections:
            assert front.exchange is not None
            assert front.exchange.backend is not None
            for one in (front, front.exchange.backend):
                assert one.transport.get_write_buffer_size() < 1 << 20
        slow.go_on_reading()
        received = 0
        while received < 16_000_000:
            received += len(await slow.reader.read(1 << 18))


async def test_a_tunnel_has_no_deadline() -> None:
    async with running(Limits(exchange_timeout=60, idle_timeout=60, head_timeout=60)) as rig:
        client, backend = await tunnel(rig)
        rig.advance(1000)
        client.send(b"ping")
        await backend.expect(b"ping")


async def test_a_websocket_that_is_not_answered_has_no_deadline_but_others_have() -> None:
    async with running(Limits(exchange_timeout=60)) as rig:
        app = await rig.application()
        await rig.client(UPGRADE)
        await app.request()
        other = await rig.client(UPGRADE.replace(b"WebSocket", b"h2c"))
        await app.request()
        rig.advance(100)
        assert (await other.response())[0] == 502
        assert rig.told.count("failed TIMEOUT") == 1


async def test_an_upgrade_may_be_declined(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(UPGRADE)
    backend = await app.request()
    backend.send(OK)
    await client.expect(OK_TO_CLIENT)
    client.send(get())
    await backend.head()


MISMATCHES = {
    "not asked for": (get("/"), SWITCHED),
    "asked for without Connection": (get("/", "Upgrade: websocket"), SWITCHED),
    "another protocol": (UPGRADE, SWITCHED.replace(b"websocket", b"h2c")),
    "no protocol": (UPGRADE, b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n"),
}


@pytest.mark.parametrize("case", MISMATCHES)
async def test_a_change_that_was_not_asked_for(rig: Rig, case: str) -> None:
    sent, answered = MISMATCHES[case]
    app = await rig.application()
    client = await rig.client(sent)
    backend = await app.request()
    backend.send(answered)
    await client.expect(b"HTTP/1.1 502 Bad Gateway\r\n" + DATE + b"Content-Length: 0\r\n\r\n")
    await backend.nothing_more()
    assert rig.told[1:] == ["response 101", "finished 502"]


async def test_a_preliminary_response_before_the_change(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(UPGRADE)
    backend = await app.request()
    backend.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHED)
    await client.expect(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHED)
