"""How long routes stay (section 3.7)."""

import threading

import pytest

from ..waiting import eventually
from .conftest import Nats
from .routing import asked, named, register, tell, unregister

FAST = {"prune_stale_droplets_interval": "100ms", "start_response_delay_interval": "0s"}


@pytest.mark.statement("E", "26: a plain endpoint goes after its time, one with TLS stays")
@pytest.mark.statement("12", "An endpoint that was not refreshed for droplet_stale_threshold is pruned, at the next cycle")
@pytest.mark.statement("3.7", "a plain endpoint that is not refreshed within its time is removed, one with TLS never is")
@pytest.mark.statement("3.7", "pruned-route has the route, the addresses and the isolation segment")
@pytest.mark.statement("2.3", "a negative stale threshold lets an endpoint go at the next cycle")
def test_time_to_live(start, backend):
    router = start(**FAST, droplet_stale_threshold="2s")
    tell(router, "router.register", 1, "stays37.test")
    tell(router, "router.register", 2, "tls37.test", tls_port=3, stale_threshold_in_seconds=-1)
    for port, segment in ((4, "is"), (5, "")):
        tell(router, "router.register", port, "Goes37.test/P", stale_threshold_in_seconds=-1, isolation_segment=segment)
        eventually(lambda: "goes37.test/p" not in router.routes(), "the end of a route")
    ours = [line for line in router.log("pruned-route") if line["uri"] == "goes37.test/p"]
    assert ours == [
        {"uri": "goes37.test/p", "endpoints": ["127.0.0.1:4"], "isolation_segment": "is"},
        {"uri": "goes37.test/p", "endpoints": ["127.0.0.1:5"], "isolation_segment": "-"},
    ]
    for _ in range(12):
        tell(router, "router.register", 1, "stays37.test")
        threading.Event().wait(0.2)  # more than the time to live, together
    assert {"stays37.test", "tls37.test"} <= set(router.routes())
    eventually(lambda: "stays37.test" not in router.routes(), "the end of the default time to live")
    assert "tls37.test" in router.routes()


@pytest.mark.statement("E", "27: routes outlive NATS; when it is back, router.start is published again")
@pytest.mark.statement("3.7", "while NATS is down each cycle logs prune-suspended; after that all endpoints count as refreshed")
def test_suspended_pruning(start, tmp_path):
    nats = Nats()
    try:
        router = start(nats, **FAST, droplet_stale_threshold="2s", suspend_pruning_if_nats_unavailable=True)
        tell(router, "router.register", 1, "s37.test", stale_threshold_in_seconds=1)
        nats.stop()
        eventually(lambda: len(router.log("prune-suspended")) > 12, "a dozen cycles")
        assert "s37.test" in router.routes()
        nats.start()
        nats.subscribe("router.start")
        assert nats.next()[0] == "router.start"
        eventually(lambda: "s37.test" not in router.routes(), "the end of the route")
        (refreshed,) = router.lines("prune-unsuspended-refresh-routes-complete")
        (pruned,) = router.lines("pruned-route")
        assert pruned["timestamp"] - refreshed["timestamp"] >= 1
    finally:
        nats.stop()


@pytest.mark.statement("3.7", "an emptied route is kept for empty_pool_timeout and answered with 503, then it is unknown")
@pytest.mark.statement("3.7", "a later unregistration removes an empty route whose time is over, too")
def test_empty_routes(start, backend):
    router = start(**FAST, empty_pool_response_code_503=True, empty_pool_timeout="2s")
    (app,) = named(backend, "app")
    register(router, app, "e37.test")
    unregister(router, app, "e37.test")
    answer = router.get("e37.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (503, "no_endpoints")
    assert answer.body == b"503 Service Unavailable: Requested route ('e37.test') has no available endpoints.\n"
    register(router, app, "e37.test")
    assert asked(router, "e37.test") == "app"
    unregister(router, app, "e37.test")
    eventually(lambda: asked(router, "e37.test") == "404", "the end of the empty route")
    assert router.log("pruned-route") == []

    slow = start(prune_stale_droplets_interval="1h", empty_pool_response_code_503=True, empty_pool_timeout="100ms")
    register(slow, app, "later37.test")
    unregister(slow, app, "later37.test")
    threading.Event().wait(0.2)
    assert asked(slow, "later37.test") == "503"
    unregister(slow, app, "later37.test")
    assert asked(slow, "later37.test") == "404"


@pytest.mark.statement("3.7", "without empty_pool_response_code_503, or without a timeout, an emptied route is removed at once")
@pytest.mark.parametrize(
    "settings", [{"empty_pool_timeout": "1m"}, {"empty_pool_response_code_503": True, "empty_pool_timeout": "0s"}]
)
def test_empty_routes_that_are_not_kept(start, backend, settings):
    router, app = start(**settings), backend()
    register(router, app, "n37.test")
    unregister(router, app, "n37.test")
    assert "n37.test" not in router.routes()
    assert asked(router, "n37.test") == "404"
