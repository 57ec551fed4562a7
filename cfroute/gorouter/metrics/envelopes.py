"""Metrics for metron: counters as what was added to them every five seconds, values one by one."""

from collections.abc import Callable, Mapping
from typing import Protocol

from cfroute.clock import Clock, Timer
from cfroute.gorouter.metrics.reporter import Reporter, Value
from cfroute.gorouter.metrics.snapshot import Labels

_COUNTERS_EVERY = 5.0  # seconds
_VALUES_AFTER = 0.05
_ASK_AGAIN_AFTER = 1.0  # when nobody listened


class Metron(Protocol):
    """Where envelopes go; `deaf` while nobody listens there."""

    deaf: bool

    def value_metrics(self, values: list[Value], /) -> None: ...

    def counter_event(self, name: str, delta: int, /) -> None: ...


class Envelopes:
    """Sends what a reporter counts. Where nothing else needs them, the counts of requests rest while nobody listens."""

    def __init__(self, reporter: Reporter, metron: Metron, clock: Clock, *, also_needed: bool) -> None:
        """`also_needed` tells that the counts are shown elsewhere, too, and never rest."""
        self._reporter = reporter
        self._metron = metron
        self._clock = clock
        self._also_needed = also_needed
        self._sent: dict[str, int] = {}
        self._timers: dict[Callable[[], object], Timer] = {}

    def start(self) -> None:
        """Begin to listen to the reporter."""
        self._reporter.on_value = lambda: self._later(_VALUES_AFTER, self._send_values)
        self._listen()
        self._later(_COUNTERS_EVERY, self._send_counters)

    def close(self) -> None:
        """Send what there is, and no more."""
        self._send_values()
        self._emit_counters()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._reporter.values = None

    def _listen(self) -> None:
        if self._metron.deaf:
            self._rest()
            return
        self._reporter.values = []
        self._reporter.active = True

    def _rest(self) -> None:
        self._reporter.values = None
        self._reporter.active = self._also_needed
        self._later(_ASK_AGAIN_AFTER, self._listen)

    def _send_values(self) -> None:
        values = self._reporter.values
        if values is None:
            return
        self._reporter.values = []
        self._metron.value_metrics(values)
        if self._metron.deaf:
            self._rest()

    def _send_counters(self) -> None:
        self._later(_COUNTERS_EVERY, self._send_counters)
        self._emit_counters()

    def _emit_counters(self) -> None:
        totals = envelope_counters(self._reporter.counters())
        for name, total in totals.items():
            delta = total - self._sent.get(name, 0)
            if delta:
                self._metron.counter_event(name, delta)
        self._sent = totals

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        self._timers[call] = self._clock.call_later(seconds, call)


def envelope_counters(counters: Mapping[str, Mapping[Labels, int]]) -> dict[str, int]:
    """The counters under the names that they have in envelopes: where Prometheus has labels there are dots."""
    totals = {name: counts[()] for name, counts in counters.items() if () in counts}
    for (component,), count in counters.get("total_requests", {}).items():
        _add(totals, "total_requests", count)
        if component:
            _add(totals, f"requests.{component}", count)
        if component.startswith("dea-"):
            _add(totals, "routed_app_requests", count)
    for family, name in (("responses", "responses"), ("responses_route_services", "responses.route_services")):
        for (group,), count in counters.get(family, {}).items():
            _add(totals, name, count)
            _add(totals, f"{name}.{'xxx' if group == '1xx' else group}", count)
    for name in ("registry_message", "unregistry_message"):
        for labels, count in counters.get(name, {}).items():
            _add(totals, f"{name}.{labels[-1]}" if labels[-1] else name, count)
    return totals


def _add(totals: dict[str, int], name: str, count: int) -> None:
    totals[name] = totals.get(name, 0) + count
