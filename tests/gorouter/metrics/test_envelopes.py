"""What metron is told."""

from collections.abc import Callable
from typing import Any

import pytest

from cfroute.gorouter.metrics.envelopes import Envelopes, envelope_counters
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.testing import ManualClock

Make = Callable[..., Endpoint]


class Metron:
    """Writes down what it is told, unless it is deaf."""

    def __init__(self) -> None:
        self.deaf = False
        self.values: list[tuple[str, float, str]] = []
        self.counters: list[tuple[str, int]] = []

    def value_metrics(self, values: list[tuple[str, float, str]]) -> None:
        if not self.deaf:
            self.values += values

    def counter_event(self, name: str, delta: int) -> None:
        if not self.deaf:
            self.counters.append((name, delta))


@pytest.fixture
def metron() -> Metron:
    return Metron()


@pytest.fixture
def envelopes(reporter: Reporter, metron: Metron, clock: ManualClock) -> Envelopes:
    made = Envelopes(reporter, metron, clock, also_needed=False)
    made.start()
    return made


def test_counters_are_told_as_what_was_added(
    envelopes: Envelopes, reporter: Reporter, metron: Metron, clock: ManualClock
) -> None:
    reporter.count("bad_gateways")
    reporter.count("bad_gateways")
    clock.advance(4.9)
    assert metron.counters == []
    clock.advance(0.1)
    assert metron.counters == [("bad_gateways", 2)]
    clock.advance(5)
    assert metron.counters == [("bad_gateways", 2)]
    reporter.count("bad_gateways")
    clock.advance(5)
    assert metron.counters[1:] == [("bad_gateways", 1)]


def test_values_are_told_soon_and_one_by_one(
    envelopes: Envelopes, reporter: Reporter, metron: Metron, clock: ManualClock
) -> None:
    reporter.gauge("file_descriptors", 1)
    reporter.gauge("file_descriptors", 2)
    assert metron.values == []
    clock.advance(0.05)
    assert metron.values == [("file_descriptors", 1, "file"), ("file_descriptors", 2, "file")]
    reporter.tell("uptime", 1, "seconds")
    clock.advance(0.05)
    assert metron.values[2:] == [("uptime", 1, "seconds")]


def test_while_nobody_listens_requests_are_not_counted(
    envelopes: Envelopes, reporter: Reporter, metron: Metron, clock: ManualClock, endpoint: Make
) -> None:
    metron.deaf = True
    reporter.tell("uptime", 1, "seconds")
    clock.advance(0.05)
    assert (reporter.active, reporter.values) == (False, None)
    clock.advance(3)
    metron.deaf = False
    clock.advance(1)
    assert (reporter.active, reporter.values) == (True, [])


def test_what_is_shown_elsewhere_too_is_always_counted(reporter: Reporter, metron: Metron, clock: ManualClock) -> None:
    metron.deaf = True
    Envelopes(reporter, metron, clock, also_needed=True).start()
    assert (reporter.active, reporter.values) == (True, None)


def test_the_end(envelopes: Envelopes, reporter: Reporter, metron: Metron, clock: ManualClock) -> None:
    reporter.count("rejected_requests")
    reporter.tell("uptime", 1, "seconds")
    envelopes.close()
    assert (metron.counters, metron.values) == ([("rejected_requests", 1)], [("uptime", 1, "seconds")])
    assert clock.waiting == 0
    assert reporter.values is None


def test_dots_stand_for_labels(reporter: Reporter, endpoint: Make, exchange: Any) -> None:
    for component, status in (("web", 200), ("dea-1", 101), ("", 503)):
        to = endpoint(1, tags={"component": component})
        reporter.sent(to)
        reporter.finished(exchange(status, to), now=1.0)
        reporter.registered(to, "added", 0)
        reporter.unregistered(to)
    reporter.service_responded(302)
    counted = {name: count for name, count in envelope_counters(reporter.counters()).items() if count}
    assert counted == {
        "total_requests": 3,
        "requests.web": 1,
        "requests.dea-1": 1,
        "routed_app_requests": 1,
        "responses": 3,
        "responses.2xx": 1,
        "responses.xxx": 1,
        "responses.5xx": 1,
        "responses.route_services": 1,
        "responses.route_services.3xx": 1,
        "registry_message": 1,
        "registry_message.web": 1,
        "registry_message.dea-1": 1,
        "unregistry_message": 1,
        "unregistry_message.web": 1,
        "unregistry_message.dea-1": 1,
    }


def test_actions_are_not_told_apart() -> None:
    counters = {"registry_message": {("added", "web"): 1, ("updated", "web"): 2}}
    assert envelope_counters(counters) == {"registry_message.web": 3}
