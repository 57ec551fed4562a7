"""How the table follows the Routing API, and what becomes of it when that is away or talks nonsense."""

import socket
from collections.abc import Callable

import msgspec
import pytest

from ..ports import free_port
from ..waiting import eventually
from .daemons import Backend, ScriptedApi, TcpRouter, ask, connected, line
from .examples import delete, route, upsert

Start = Callable[..., TcpRouter]

SUBSCRIBING = "watcher.Subscribing-to-routing-api-event-stream"
SUBSCRIBED = "watcher.Successfully-subscribed-to-routing-api-event-stream"


@pytest.mark.statement(
    "TCP router 6", "all routes are fetched at the start and every -syncInterval, and applied before that is logged"
)
def test_bulk_syncs(start: Start, api: ScriptedApi, backend: Backend) -> None:
    port = free_port()
    api.routes = [route(port, "127.0.0.1", backend.port)]
    router = start("-syncInterval", "200ms")
    router.until_said("bulk-sync.applied-fetched-routes-to-routing-table", 2)
    sync = [message for message in router.messages() if message.startswith("bulk-sync.")][:5]
    assert sync == [
        "bulk-sync.starting",
        "bulk-sync.fetched-tcp-routes",
        "bulk-sync.applying-cached-events",
        "bulk-sync.applied-fetched-routes-to-routing-table",
        "bulk-sync.completed",
    ]
    assert router.said("bulk-sync.fetched-tcp-routes")[0]["num-routes"] == 1
    assert ask(port) == "backend"
    api.routes = []
    eventually(lambda: not router.routes(), "the end of the route")


@pytest.mark.statement("TCP router 5", "an event is applied at once, and the connections that are there stay")
def test_events(start: Start, api: ScriptedApi, backend: Backend) -> None:
    port, other = free_port(), Backend("other")
    router = start().until_healthy()
    api.until_listened_to().send(upsert(port, "127.0.0.1", backend.port))
    assert router.until_said(SUBSCRIBED)
    with connected(port) as connection:
        assert line(connection) == "backend"
        api.send(upsert(port, "127.0.0.1", other.port), delete(port, "127.0.0.1", backend.port))
        eventually(lambda: ask(port) == "other", "the other backend")
        connection.sendall(b"still here\n")
        assert line(connection) == "still here"
        api.send(delete(port, "127.0.0.1", other.port))
        eventually(lambda: not router.routes(), "the end of the route")
        connection.sendall(b"and now\n")
        assert line(connection) == "and now"
    other.close()


@pytest.mark.statement("TCP router 6", "events that come while routes are fetched are applied after them")
def test_an_event_while_syncing(start: Start, api: ScriptedApi) -> None:
    ports = free_port(), free_port()
    api.routes = [route(ports[0])]
    api.gate.clear()
    router = start()
    router.until_said("bulk-sync.starting")
    api.until_listened_to().send(upsert(ports[1]), delete(ports[0]))
    router.until_said("caching-events", 2)
    assert router.health() == 503
    api.gate.set()
    router.until_said("bulk-sync.completed")
    assert list(router.routes()) == [(ports[1], "")]


@pytest.mark.statement("TCP router 5", "while the Routing API is in trouble it is asked every second, and silently")
def test_a_routing_api_in_trouble(start: Start, api: ScriptedApi) -> None:
    api.statuses["tcp_routes/events"] = [503, 500]
    router = start().until_healthy()
    assert api.count("tcp_routes/events") == 3
    assert router.messages().count(SUBSCRIBING) == 1
    assert "watcher.failed-subscribing-to-routing-api-event-stream" not in router.messages()


@pytest.mark.statement(
    "TCP router 5", "a refused token, and any other answer, are logged, and tried again after -subscriptionRetryInterval"
)
def test_a_subscription_that_is_refused(start: Start, api: ScriptedApi) -> None:
    api.statuses["tcp_routes/events"] = [401, 404]
    router = start().until_healthy()
    assert [data["error"] for data in router.said("watcher.invalid-oauth-token")] == ["unauthorized"]
    failed = router.said("watcher.failed-subscribing-to-routing-api-event-stream")
    assert [data["error"] for data in failed] == ["unauthorized", "as told"]
    assert router.messages().count(SUBSCRIBING) == 3


@pytest.mark.statement("TCP router 5", "a stream that ends is subscribed to again at once, and the table stays")
def test_a_stream_that_ends(start: Start, api: ScriptedApi) -> None:
    port = free_port()
    router = start().until_healthy()
    api.until_listened_to().send(upsert(port))
    eventually(router.routes, "the route")
    api.routes = [route(port), route(port, "10.0.0.2")]
    api.send(b"")
    assert router.until_said(SUBSCRIBED, 2)
    assert [data["error"] for data in router.said("watcher.failed-to-get-next-routing-api-event")] == ["EOF"]
    eventually(lambda: len(router.routes()[port, ""]) == 2, "what happened meanwhile")


@pytest.mark.parametrize("nonsense", [b"event: Upsert\ndata: {\n\n", b'event: Upsert\ndata: {"port":70000}\n\n'])
def test_a_stream_that_talks_nonsense(start: Start, api: ScriptedApi, nonsense: bytes) -> None:
    port = free_port()
    api.routes = [route(port)]
    router = start().until_healthy()
    api.until_listened_to().send(nonsense)
    (failed,) = router.until_said("watcher.failed-to-get-next-routing-api-event")
    assert "cannot be read" in failed["error"]
    router.until_said(SUBSCRIBED, 2)
    assert list(router.routes()) == [(port, "")]


@pytest.mark.statement("TCP router 5", "an event that is no upsert and no delete is logged and ignored")
def test_an_unknown_event(start: Start, api: ScriptedApi) -> None:
    router = start().until_healthy()
    api.until_listened_to().send(upsert()._replace(action="Odd"))
    assert router.until_said("handle-event.unknown-event-action")
    assert router.routes() == {}


@pytest.mark.statement(
    "TCP router 6", "a sync whose token is refused is tried again with another one; after other errors the table stays"
)
def test_syncs_that_fail(start: Start, api: ScriptedApi) -> None:
    port = free_port()
    api.routes = [route(port)]
    api.statuses["tcp_routes"] = [401]
    router = start("-syncInterval", "100ms").until_healthy()
    assert [data["error"] for data in router.said("bulk-sync.error-fetching-routes")] == ["unauthorized"]
    assert router.said("bulk-sync.retrying-sync")
    api.statuses["tcp_routes"] = [500, 401, 401, 404]
    errors = router.until_said("bulk-sync.error-fetching-routes", 5)[1:]
    assert [data["error"] for data in errors] == ["as told", "unauthorized", "unauthorized", "as told"]
    assert list(router.routes()) == [(port, "")]


@pytest.mark.statement("TCP router 8", "routes that are not renewed are removed, and the engine hears of it")
def test_pruning(start: Start, api: ScriptedApi, backend: Backend) -> None:
    short, long = free_port(), free_port()
    api.routes = [route(short, "127.0.0.1", backend.port, ttl=2), route(long, "127.0.0.1", backend.port, ttl=0)]
    router = start("-staleRouteCheckInterval", "100ms", "-defaultRouteExpiry", "1m").until_healthy()
    assert router.said("bulk-sync.fetched-tcp-routes")[0]["num-routes"] == 2
    eventually(lambda: list(router.routes()) == [(long, "")], "the end of the route")
    assert ask(long) == "backend"
    eventually(lambda: _is_closed(short), "the end of the listener")
    assert router.said("prune-stale-routes.completed")


def _is_closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.statement("TCP router 15", "every route of every router group and isolation segment is served")
def test_isolation_segments(start: Start, api: ScriptedApi) -> None:
    routes = [route(free_port(), isolation_segment=segment) for segment in ("a", "b", "")]
    api.routes = [msgspec.structs.replace(each, router_group_guid=str(number)) for number, each in enumerate(routes)]
    router = start(isolation_segments=["a"]).until_healthy()
    assert sorted(router.routes()) == sorted((each.port, "") for each in routes)
    assert api.count("tcp_routes") == 1


def test_nothing_is_pruned_while_the_routing_api_is_away(start: Start, api: ScriptedApi) -> None:
    port = free_port()
    api.routes = [route(port, ttl=1)]
    router = start("-syncInterval", "100ms", "-staleRouteCheckInterval", "50ms").until_healthy()
    api.close()
    router.until_said("bulk-sync.error-fetching-routes")
    seen = len(router.said("prune-stale-routes.completed"))
    router.until_said("prune-stale-routes.completed", seen + 30)
    assert list(router.routes()) == [(port, "")]


def test_a_burst_of_events_is_applied_whole(start: Start, api: ScriptedApi) -> None:
    ports = [free_port() for _ in range(200)]
    router = start("-logLevel", "info").until_healthy()
    api.until_listened_to().send(*(upsert(port, tag=("guid", number)) for port in ports for number in range(5)))
    eventually(lambda: sorted(port for port, _ in router.routes()) == sorted(ports), "all routes")
