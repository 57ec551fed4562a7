"""Counts what happens to requests and routes.

It stands on the path of every request, so it holds plain numbers and lists; what is shown of them is made when somebody asks.
Times are the clock's monotonic seconds where nothing else is said.
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cfroute.gorouter.config import Config
from cfroute.gorouter.metrics.families import COUNTERS, GAUGES, STATUS_GROUPS
from cfroute.gorouter.metrics.meters import Component, Histogram
from cfroute.gorouter.metrics.snapshot import Distribution, Labels, Snapshot

if TYPE_CHECKING:
    from cfroute.gorouter.exchange import RouterExchange
    from cfroute.gorouter.metrics.varz import Varz
    from cfroute.gorouter.routing_table.endpoint import Endpoint
    from cfroute.gorouter.routing_table.pool import Pool

Lookup = Callable[[str, str], "Pool | None"]
Value = tuple[str, float, str]
"""Name, value and unit of a measured value, for metron."""

_UNITS: Final = {
    "buffered_messages": "message",
    "file_descriptors": "file",
    "ms_since_last_registry_update": "ms",
    "total_dropped_messages": "message",
}


class Reporter:
    """The metrics of one process.

    `active` is False while nobody wants to know: then what concerns every single request is not counted. `values` gathers what
    metron is told value by value; it is None while there is no metron. `on_value` is called when `values` is not empty any more.
    """

    def __init__(self, config: Config, monotonic: Callable[[], float], *, varz: "Varz | None" = None) -> None:
        meters = config.prometheus.meters
        self.active = True
        self.values: list[Value] | None = None
        self.on_value: Callable[[], object] = lambda: None
        self.tells_registration_latency = False
        self._monotonic = monotonic
        self._varz = varz
        self._per_request = config.per_request_metrics_reporting
        self._per_app = config.prometheus.enabled and config.per_app_prometheus_http_metrics_reporting
        self._latency_bounds = meters.routing_response_latency_histogram_buckets
        self._app_bounds = meters.http_latency_histogram_buckets
        self._counts = dict.fromkeys(COUNTERS, 0)
        self._gauges = dict.fromkeys(GAUGES, 0.0)
        self._registrations: dict[Labels, int] = {}
        self._unregistrations: dict[Labels, int] = {}
        self._responses = [0] * len(STATUS_GROUPS)
        self._service_responses = [0] * len(STATUS_GROUPS)
        self._components: dict[str, Component] = {}
        self._apps: dict[str, Histogram] = {}
        self._gorouter_time = Histogram(meters.gorouter_time_histogram_buckets)
        self._lookup_time = Histogram(meters.route_lookup_time_histogram_buckets)
        self._registration_latency = Histogram(meters.route_registration_latency_histogram_buckets)

    # Requests

    def timed(self, lookup: "Lookup") -> "Lookup":
        """The same look-up, with its time taken."""
        if not self._per_request:
            return lookup
        monotonic, histogram = self._monotonic, self._lookup_time
        bounds, counts = histogram.bounds, histogram.counts

        def timed_lookup(host: str, path: str) -> "Pool | None":
            if not self.active:
                return lookup(host, path)
            before = monotonic()
            pool = lookup(host, path)
            nanoseconds = (monotonic() - before) * 1e9
            counts[bisect_left(bounds, nanoseconds)] += 1
            histogram.sum += nanoseconds
            if self.values is not None:
                self._tell("route_lookup_time", nanoseconds, "ns")
            return pool

        return timed_lookup

    def count(self, name: str) -> None:
        """One more of a counter without labels."""
        self._counts[name] += 1
        if self._varz is not None:
            self._varz.count(name)

    def sent(self, endpoint: "Endpoint") -> None:
        """A request is sent to that endpoint; retries count again."""
        if not self.active:
            return
        meter = endpoint.backend.meter
        if meter is None:
            meter = endpoint.backend.meter = self._component(endpoint.component)
        meter.requests += 1
        if self._varz is not None:
            self._varz.sent(endpoint)

    def failed(self, metric: str, *, websocket: bool) -> None:
        """A request is answered for its endpoint, with a failure that counts under that name (or none)."""
        if metric:
            self.count(metric)
        if websocket:
            self.count("websocket_failures")

    def service_responded(self, status: int) -> None:
        """A route service has answered."""
        self._service_responses[status // 100] += 1

    def finished(self, exchange: "RouterExchange", now: float) -> None:
        """A request is over, and the client has got all of the response."""
        if not self.active:
            return
        if self._per_app:
            self._note_app(exchange, now)
        endpoint = exchange.endpoint
        if endpoint is not None:
            meter = endpoint.backend.meter or self._component(endpoint.component)
        elif exchange.route_service is not None and exchange.proxy_started:
            meter = self._component("")
        else:
            return
        self._responses[exchange.status // 100] += 1
        if not exchange.proxy_started:
            return
        if self._per_request:
            self._note_times(meter, (now - exchange.started) * 1e3, exchange.proxy_started - exchange.started)
        if self._varz is not None:
            self._varz.responded(endpoint, exchange.status, now - exchange.started)

    def _note_times(self, meter: Component, milliseconds: float, in_router: float) -> None:
        """`in_router` in seconds."""
        histogram = meter.latency
        histogram.counts[bisect_left(histogram.bounds, milliseconds)] += 1
        histogram.sum += milliseconds
        histogram = self._gorouter_time
        histogram.counts[bisect_left(histogram.bounds, in_router)] += 1
        histogram.sum += in_router
        if self.values is not None:
            self._tell_of_request(meter.name, milliseconds, in_router)

    def _component(self, name: str) -> Component:
        component = self._components.get(name)
        if component is None:
            component = self._components[name] = Component(name, self._latency_bounds)
        return component

    def _note_app(self, exchange: "RouterExchange", now: float) -> None:
        """Upstream divides durations as integers: a request of less than a second took none."""
        endpoint = exchange.endpoint
        tags = endpoint.tags if endpoint is not None else None
        source = (tags or {}).get("source_id") or "gorouter"
        histogram = self._apps.get(source)
        if histogram is None:
            histogram = self._apps[source] = Histogram(self._app_bounds)
        histogram.observe(float(int(now - exchange.started)))

    def _tell_of_request(self, component: str, milliseconds: float, in_router: float) -> None:
        whole = float(int(milliseconds))  # upstream divides durations as integers here, too
        self._tell("latency", whole, "ms")
        if component:
            self._tell(f"latency.{component}", whole, "ms")
        self._tell("gorouter_time", in_router * 1e3, "ms")

    def _tell(self, name: str, value: float, unit: str) -> None:
        values = self.values
        if values is not None:
            values.append((name, value, unit))
            if len(values) == 1:
                self.on_value()

    # Routes

    def registered(self, endpoint: "Endpoint", result: str, now_ns: int) -> None:
        """A registration was taken; `result` is `added`, `updated` or `unmodified`, now_ns nanoseconds since the epoch."""
        labels = (result, endpoint.component)
        self._registrations[labels] = self._registrations.get(labels, 0) + 1
        if result == "added" and endpoint.updated_at_ns:
            milliseconds = (now_ns - endpoint.updated_at_ns) / 1e6
            self._registration_latency.observe(milliseconds)
            if self.tells_registration_latency:
                self._tell("route_registration_latency", float(int(milliseconds)), "ms")

    def unregistered(self, endpoint: "Endpoint") -> None:
        """An unregistration was heard, whether or not there was anything to remove."""
        labels = (endpoint.component,)
        self._unregistrations[labels] = self._unregistrations.get(labels, 0) + 1

    def pruned(self, endpoints: int, routes: int, milliseconds: int) -> None:
        """A pruning cycle is over: what it removed, what is left, and how long ago anything was registered."""
        self._counts["routes_pruned"] += endpoints
        self.gauge("total_routes", routes)
        self.gauge("ms_since_last_registry_update", milliseconds)

    def gauge(self, name: str, value: float) -> None:
        """The present value of a gauge."""
        self._gauges[name] = value
        self._tell(name, value, _UNITS.get(name, ""))

    def tell(self, name: str, value: float, unit: str) -> None:
        """A value that only metron is told."""
        self._tell(name, value, unit)

    # What is shown

    def counters(self) -> dict[str, dict[Labels, int]]:
        """The counters as they are now, in copy."""
        counters: dict[str, dict[Labels, int]] = {name: {(): count} for name, count in self._counts.items()}
        counters["registry_message"] = dict(self._registrations)
        counters["unregistry_message"] = dict(self._unregistrations)
        counters["total_requests"] = {(c.name,): c.requests for c in self._components.values() if c.requests}
        counters["responses"] = _by_group(self._responses)
        counters["responses_route_services"] = _by_group(self._service_responses)
        return counters

    def snapshot(self) -> Snapshot:
        """All counts as they are now, in copy."""
        plain = {
            "gorouter_time": self._gorouter_time,
            "route_lookup_time": self._lookup_time,
            "route_registration_latency": self._registration_latency,
        }
        histograms: dict[str, dict[Labels, Distribution]] = {name: {(): histogram.seen()} for name, histogram in plain.items()}
        components = self._components.values()
        histograms["latency"] = {(c.name,): c.latency.seen() for c in components if any(c.latency.counts)}
        histograms["http_latency_seconds"] = {(source,): histogram.seen() for source, histogram in self._apps.items()}
        bounds = {name: histogram.bounds for name, histogram in plain.items()}
        bounds["latency"] = Histogram(self._latency_bounds).bounds
        bounds["http_latency_seconds"] = Histogram(self._app_bounds).bounds
        return Snapshot(self.counters(), dict(self._gauges), histograms, bounds)


def _by_group(counts: list[int]) -> dict[Labels, int]:
    groups: dict[Labels, int] = {}
    for group, count in zip(STATUS_GROUPS, counts, strict=True):
        if count:
            groups[(group,)] = groups.get((group,), 0) + count
    return groups
