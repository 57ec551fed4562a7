"""What the deprecated page tells of requests."""

from collections.abc import Callable
from random import Random

import pytest

from cfroute.gorouter.metrics.varz import TopApps, Varz
from cfroute.gorouter.metrics.varz_counts import RequestCounts, VarzCounts
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.testing import ManualClock

Make = Callable[..., Endpoint]


@pytest.fixture
def varz(clock: ManualClock) -> Varz:
    return Varz(Random(1), clock.monotonic)


def test_requests_and_responses(varz: Varz, endpoint: Make) -> None:
    web = endpoint(1, app="guid", tags={"component": "web"})
    for status in (200, 301, 404, 502, 101):
        varz.sent(web)
        varz.responded(web, status, 0.25)
    varz.sent(endpoint(2))
    varz.responded(None, 200, 0.5)
    shown = varz.counts().shown()
    assert shown["requests"] == 6
    assert [shown[f"responses_{group}"] for group in ("2xx", "3xx", "4xx", "5xx", "xxx")] == [2, 1, 1, 1, 1]
    component = shown["tags"]["component"]
    assert list(component) == ["web"]
    assert (component["web"]["requests"], component["web"]["responses_2xx"]) == (5, 1)
    latency = component["web"]["latency"]
    assert latency == {"50": 0.25, "75": 0.25, "90": 0.25, "95": 0.25, "99": 0.25, "samples": 1, "value": 5e-7}
    assert shown["top10_app_requests"] == [{"application_id": "guid", "rpm": 5, "rps": 0}]


def test_what_goes_wrong(varz: Varz) -> None:
    for name in ("rejected_requests", "bad_gateways", "bad_gateways", "websocket_upgrades"):
        varz.count(name)
    assert (varz.counts().shown()["bad_requests"], varz.counts().shown()["bad_gateways"]) == (1, 2)


def test_rates(varz: Varz, endpoint: Make) -> None:
    for _ in range(10):
        varz.sent(endpoint(1, tags={"component": "web"}))
    varz.tick()
    shown = varz.counts().shown()
    assert shown["requests_per_sec"] == 2.0
    assert shown["rate"] == shown["tags"]["component"]["web"]["rate"] == [2.0, 2.0, 2.0]


def test_the_ten_busiest_apps_of_the_last_minute() -> None:
    apps = TopApps()
    for number in range(12):
        for _ in range(number + 1):
            apps.mark(f"app-{number}", 100.5)
    counts = RequestCounts(0, [0.0], {}, [])
    shown = VarzCounts(counts, {}, apps.counts(101.0), 0, 0).shown()["top10_app_requests"]
    assert [app["rpm"] for app in shown] == list(range(12, 2, -1))
    apps.mark("app-0", 130.0)
    assert apps.counts(161.5) == {"app-0": 1}
    assert apps.counts(300.0) == {}
