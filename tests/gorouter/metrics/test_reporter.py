"""What is counted, and what is not."""

from collections.abc import Callable
from typing import Any

import pytest

from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.testing import ManualClock

Make = Callable[..., Endpoint]


def test_everything_without_labels_is_there_from_the_start(reporter: Reporter) -> None:
    shown = reporter.snapshot()
    assert set(shown.counters["bad_gateways"].values()) == {0}
    assert set(shown.gauges.values()) == {0.0}
    assert shown.counters["responses"] == {}
    assert shown.histograms["latency"] == {}
    assert shown.histograms["gorouter_time"][()].counts == [0] * 13


def test_a_request_to_a_backend(reporter: Reporter, endpoint: Make, exchange: Any) -> None:
    web = endpoint(1, tags={"component": "web"})
    reporter.sent(web)
    reporter.sent(web)  # a retry
    reporter.finished(exchange(endpoint=web), now=0.005)
    shown = reporter.snapshot()
    assert shown.counters["total_requests"] == {("web",): 2}
    assert shown.counters["responses"] == {("2xx",): 1}
    latency = shown.histograms["latency"][("web",)]
    assert (latency.counts.index(1), latency.sum) == (3, pytest.approx(5.0))  # ms: more than 4, at most 6
    assert shown.histograms["gorouter_time"][()].sum == pytest.approx(0.001)  # seconds


def test_a_value_on_a_bound_belongs_to_its_bucket(make_reporter: Callable[..., Reporter], endpoint: Make, exchange: Any) -> None:
    reporter = make_reporter("prometheus: {meters: {routing_response_latency_histogram_buckets: [8, 2]}}")
    for seconds in (0.002, 0.0021, 0.1):
        reporter.finished(exchange(endpoint=endpoint(1)), now=seconds)
    assert reporter.snapshot().histograms["latency"][("",)].counts == [1, 1, 1]
    assert reporter.snapshot().bounds["latency"] == [2.0, 8.0]


@pytest.mark.parametrize(
    ("status", "group"),
    [(101, "1xx"), (204, "2xx"), (304, "3xx"), (404, "4xx"), (599, "5xx"), (0, "xxx"), (600, "xxx"), (999, "xxx")],
)
def test_responses_by_group(reporter: Reporter, endpoint: Make, exchange: Any, status: int, group: str) -> None:
    reporter.finished(exchange(status, endpoint(1)), now=1.0)
    reporter.service_responded(status)
    counters = reporter.snapshot().counters
    assert counters["responses"] == counters["responses_route_services"] == {(group,): 1}


def test_what_got_to_no_endpoint_is_no_response(reporter: Reporter, exchange: Any) -> None:
    reporter.finished(exchange(404, proxy_started=0.0), now=1.0)
    assert reporter.snapshot().counters["responses"] == {}


def test_a_route_service_that_was_never_asked_is_no_response(reporter: Reporter, exchange: Any) -> None:
    reporter.finished(exchange(502, route_service="https://rs.test", proxy_started=0.0), now=1.0)
    assert reporter.snapshot().counters["responses"] == {}


def test_what_an_endpoint_was_only_chosen_for_took_no_time(reporter: Reporter, endpoint: Make, exchange: Any) -> None:
    reporter.finished(exchange(431, endpoint(1), proxy_started=0.0), now=1.0)
    shown = reporter.snapshot()
    assert shown.counters["responses"] == {("4xx",): 1}
    assert shown.histograms["latency"] == {}


def test_a_request_to_a_route_service_has_no_component(reporter: Reporter, exchange: Any) -> None:
    reporter.finished(exchange(route_service="https://rs.test"), now=0.5)
    shown = reporter.snapshot()
    assert list(shown.histograms["latency"]) == [("",)]
    assert shown.counters["total_requests"] == {}


def test_the_time_of_lookups(make_reporter: Callable[..., Reporter], clock: ManualClock) -> None:
    def lookup(host: str, path: str) -> None:
        assert (host, path) == ("a.test", "/")
        clock.advance(25e-6)

    reporter = make_reporter()
    assert reporter.timed(lookup)("a.test", "/") is None
    seen = reporter.snapshot().histograms["route_lookup_time"][()]
    assert (seen.counts.index(1), round(seen.sum)) == (2, pytest.approx(25000, rel=0.01))
    assert make_reporter("per_request_metrics_reporting: false").timed(lookup) is lookup


def test_without_per_request_metrics_only_counters_are_kept(
    make_reporter: Callable[..., Reporter], endpoint: Make, exchange: Any
) -> None:
    reporter = make_reporter("per_request_metrics_reporting: false")
    reporter.sent(endpoint(1))
    reporter.finished(exchange(endpoint=endpoint(1)), now=1.0)
    shown = reporter.snapshot()
    assert shown.counters["responses"] == {("2xx",): 1}
    assert shown.histograms["latency"] == {}
    assert sum(shown.histograms["gorouter_time"][()].counts) == 0


def test_while_nobody_wants_to_know_requests_are_not_counted(reporter: Reporter, endpoint: Make, exchange: Any) -> None:
    reporter.active = False
    reporter.sent(endpoint(1))
    reporter.finished(exchange(endpoint=endpoint(1)), now=1.0)
    assert reporter.timed(lambda host, path: None)("a", "b") is None
    reporter.count("bad_gateways")
    shown = reporter.snapshot()
    assert (shown.counters["total_requests"], shown.counters["responses"]) == ({}, {})
    assert sum(shown.histograms["route_lookup_time"][()].counts) == 0
    assert shown.counters["bad_gateways"] == {(): 1}


def test_latency_by_app_is_in_whole_seconds(make_reporter: Callable[..., Reporter], endpoint: Make, exchange: Any) -> None:
    reporter = make_reporter("prometheus: {enabled: true}\nper_app_prometheus_http_metrics_reporting: true")
    reporter.finished(exchange(endpoint=endpoint(1, tags={"source_id": "app-1"})), now=0.999)
    reporter.finished(exchange(endpoint=endpoint(1, tags={"source_id": "app-1"})), now=2.9)
    reporter.finished(exchange(404), now=0.1)
    seen = reporter.snapshot().histograms["http_latency_seconds"]
    assert {labels: distribution.sum for labels, distribution in seen.items()} == {("app-1",): 2.0, ("gorouter",): 0.0}


def test_failures(reporter: Reporter) -> None:
    reporter.failed("bad_gateways", websocket=False)
    reporter.failed("", websocket=True)
    counters = reporter.snapshot().counters
    assert (counters["bad_gateways"], counters["websocket_failures"]) == ({(): 1}, {(): 1})


def test_routes(reporter: Reporter, endpoint: Make) -> None:
    reporter.registered(endpoint(1, tags={"component": "web"}), "added", 0)
    reporter.registered(endpoint(1), "updated", 0)
    reporter.unregistered(endpoint(1))
    reporter.pruned(3, 7, 1500)
    shown = reporter.snapshot()
    assert shown.counters["registry_message"] == {("added", "web"): 1, ("updated", ""): 1}
    assert shown.counters["unregistry_message"] == {("",): 1}
    assert shown.counters["routes_pruned"] == {(): 3}
    assert (shown.gauges["total_routes"], shown.gauges["ms_since_last_registry_update"]) == (7, 1500)


def test_only_new_endpoints_tell_how_long_their_registration_took(reporter: Reporter, endpoint: Make) -> None:
    changed = endpoint(1, updated_at_ns=1_000_000_000)
    reporter.registered(changed, "added", 1_002_600_000)
    reporter.registered(changed, "updated", 9_000_000_000)
    reporter.registered(endpoint(2), "added", 9_000_000_000)
    seen = reporter.snapshot().histograms["route_registration_latency"][()]
    assert (sum(seen.counts), seen.sum) == (1, pytest.approx(2.6))


def test_values_for_metron(reporter: Reporter, endpoint: Make, exchange: Any) -> None:
    woken: list[bool] = []
    reporter.on_value = lambda: woken.append(True)
    reporter.values = []
    web = endpoint(1, tags={"component": "web"})
    reporter.sent(web)
    reporter.finished(exchange(endpoint=web, proxy_started=0.0005), now=0.0129)
    reporter.gauge("file_descriptors", 9)
    reporter.registered(endpoint(1, updated_at_ns=1), "added", 3_000_001)
    reporter.tells_registration_latency = True
    reporter.registered(endpoint(1, updated_at_ns=1), "added", 3_900_001)
    assert reporter.values == [
        ("latency", 12.0, "ms"),
        ("latency.web", 12.0, "ms"),
        ("gorouter_time", 0.5, "ms"),
        ("file_descriptors", 9, "file"),
        ("route_registration_latency", 3.0, "ms"),
    ]
    assert woken == [True]
