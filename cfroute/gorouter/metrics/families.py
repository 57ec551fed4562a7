"""Every metric that upstream's Gorouter exposes to Prometheus: names, help, labels."""

from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """How a family is shown."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Family(NamedTuple):
    """One metric. Without labels it is there from the start; with labels each series appears at its first use.

    `shared` tells that workers which serve one port would all count the same thing: NATS messages, routes.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    shared: bool = False


_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

FAMILIES: Final = (
    Family("backend_exhausted_conns", _C, "requests refused because all endpoints of a route were at their connection limit"),
    Family("backend_invalid_id", _C, "requests that failed because a backend showed the certificate of another"),
    Family("backend_invalid_tls_cert", _C, "requests that failed because of the certificate of a backend, or of ours"),
    Family("backend_tls_handshake_failed", _C, "requests that failed in the TLS handshake with a backend"),
    Family("bad_gateways", _C, "requests that failed at a backend and were answered with 502"),
    Family("buffered_messages", _G, "NATS messages that wait to be handled", shared=True),
    Family("empty_content_length_header", _C, "requests with an empty Content-Length header"),
    Family("file_descriptors", _G, "open file descriptors"),
    Family("gorouter_time", _H, "time that requests spent in the router itself, in seconds"),
    Family("http_latency_seconds", _H, "time of requests with that source id, in whole seconds", ("source_id",)),
    Family("latency", _H, "time of requests until the backend's response was over, in ms", ("component",)),
    Family("ms_since_last_registry_update", _G, "time since the last registration at the last pruning, in ms", shared=True),
    Family("registry_message", _C, "registrations, by what came of them", ("action", "component"), shared=True),
    Family("rejected_requests", _C, "requests without a route, or with an unusable Host or instance header"),
    Family("responses", _C, "responses to requests that an endpoint was chosen for", ("status_group",)),
    Family("responses_route_services", _C, "responses of route services", ("status_group",)),
    Family("route_lookup_time", _H, "time to find the route of a request, in ns"),
    Family("route_registration_latency", _H, "time from a change of an LRP to its registration, in ms", shared=True),
    Family("routes_pruned", _C, "endpoints that were removed because they were not registered again in time", shared=True),
    Family("total_dropped_messages", _G, "NATS messages that were dropped unread", shared=True),
    Family("total_requests", _C, "requests sent to backends, attempt by attempt", ("component",)),
    Family("total_routes", _G, "routes at the last pruning", shared=True),
    Family("unregistry_message", _C, "unregistrations", ("component",), shared=True),
    Family("websocket_failures", _C, "WebSocket requests that failed"),
    Family("websocket_upgrades", _C, "WebSocket requests that a backend answered"),
)  # fmt: skip
"""Sorted by name, as they are shown."""

GAUGES: Final = tuple(family.name for family in FAMILIES if family.kind is Kind.GAUGE)
COUNTERS: Final = tuple(family.name for family in FAMILIES if family.kind is Kind.COUNTER and not family.labels)
SHARED: Final = frozenset(family.name for family in FAMILIES if family.shared)
STATUS_GROUPS: Final = ("xxx", "1xx", "2xx", "3xx", "4xx", "5xx", "xxx", "xxx", "xxx", "xxx")
"""The group of a status, by its first digit."""
