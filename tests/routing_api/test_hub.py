"""Who listens, and who listens too slowly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from cfroute.routing_api import hub as hubs
from cfroute.routing_api.api import Event, Route, TcpRoute
from cfroute.routing_api.hub import Hub

from .examples import http, tcp


@pytest.fixture
def counted() -> list[int]:
    return []


@pytest.fixture
def hub(counted: list[int]) -> Hub:
    return Hub(TcpRoute, counted.append)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scenario()

    asyncio.run(whole())


async def all_of(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


def test_events_are_numbered_and_of_one_kind(hub: Hub, counted: list[int]) -> None:
    async def scenario() -> None:
        stream = hub.listen()
        hub.publish([Event("Upsert", tcp()), Event("Upsert", http()), Event("Delete", tcp(backend_ip="<"))])
        hub.publish([Event("Upsert", http())])
        hub.publish([Event("Upsert", tcp())])
        first, second = await anext(stream), await anext(stream)
        assert first.startswith(b'id: 0\nevent: Upsert\ndata: {"router_group_guid":"group",')
        assert b'\n\nid: 1\nevent: Delete\ndata: {"router_group_guid":"group"' in first
        assert b'"backend_ip":"\\u003c"' in first
        assert second.startswith(b"id: 2\nevent: Upsert\n")
        assert second.endswith(b"}\n\n")
        hub.close()
        assert await all_of(stream) == b""
        assert await all_of(hub.listen()) == b""

    run(scenario)
    assert counted == [1, -1, 1, -1]


@pytest.mark.statement("Routing API 7", "a subscriber with 1024 requests' events waiting is dropped: its stream ends")
def test_who_does_not_keep_up_is_dropped(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        slow, quick = hub.listen(), hub.listen()
        for _ in range(hubs.QUEUE):
            hub.publish([Event("Upsert", tcp())])
            await anext(quick)
        hub.publish([Event("Upsert", tcp())])
        assert await all_of(slow) == b""
        assert (await anext(quick)).startswith(b"id: %d\n" % hubs.QUEUE)
        hub.publish([Event("Upsert", tcp()) for _ in range(2 * hubs.QUEUE)])  # one request is never too much
        told, pieces = 0, 0
        while told < 2 * hubs.QUEUE:
            piece = await anext(quick)
            assert len(piece) < hubs.PIECE + 1000
            told, pieces = told + piece.count(b"event: "), pieces + 1
        assert pieces > 1

    run(scenario)


def test_what_waits_for_somebody_is_bounded(hub: Hub) -> None:
    """A single request may be as large as it likes; the next one is too much then."""

    async def scenario() -> None:
        slow = hub.listen()
        large = tcp(isolation_segment="x" * hubs.HELD)
        hub.publish([Event("Upsert", large), Event("Delete", large)])
        first = await anext(slow)
        assert first.startswith(b"id: 0\n")
        assert (await anext(slow)).startswith(b"id: 1\n")
        for _ in range(2):
            hub.publish([Event("Upsert", large)])
        assert await all_of(slow) == b""

    run(scenario)


def test_nobody_listens() -> None:
    Hub(Route, lambda by: None).publish([Event("Upsert", http())])
