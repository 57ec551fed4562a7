"""Backends as routes know them.

One registration of a backend under several routes makes one `Endpoint` a route (each is refreshed on its own), and all of
them share one `Backend`: the connection count that limits and balances, and the idle connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfroute.gorouter.metrics.meters import Component

_NO_TAGS: Mapping[str, str] = {}
_LINE_BREAKS = str.maketrans("\r\n", "  ")


@dataclass(frozen=True, slots=True)
class ModificationTag:
    """The Routing API's version of a route; registrations over NATS carry an empty one."""

    guid: str = ""
    index: int = 0

    def is_succeeded_by(self, other: "ModificationTag") -> bool:
        """Whether `other` may replace this one."""
        return not self.guid or not other.guid or self.guid != other.guid or self.index < other.index


NO_TAG = ModificationTag()


class Backend:
    """What the endpoints of one registration share.

    `connections` counts the requests that wait for response headers; `transport` is a place for the data plane's idle
    connections, `meter` for the metrics of its component.
    """

    __slots__ = ("connections", "meter", "transport")

    def __init__(self) -> None:
        self.connections = 0
        self.transport: Any = None
        self.meter: Component | None = None


class Endpoint:
    """A backend of one route: what was registered (never changed), and what is going on with it."""

    __slots__ = (
        "address",
        "app",
        "availability_zone",
        "backend",
        "h_app",
        "h_index",
        "h_instance",
        "host",
        "instance_id",
        "instance_index",
        "isolation_segment",
        "load_balancing",
        "modification_tag",
        "pooled",
        "port",
        "protocol",
        "refreshed",
        "registered",
        "requests",
        "route_service_url",
        "sampled",
        "san",
        "tags",
        "tls",
        "ttl",
        "updated_at_ns",
    )

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tls: bool = False,
        protocol: str = "http1",
        app: str = "",
        instance_id: str = "",
        instance_index: str = "",
        tags: Mapping[str, str] | None = None,
        ttl: float = 120.0,
        route_service_url: str = "",
        isolation_segment: str = "",
        san: str = "",
        availability_zone: str = "",
        updated_at_ns: int = 0,
        modification_tag: ModificationTag = NO_TAG,
        load_balancing: str = "",
    ) -> None:
        self.host = host
        self.port = port
        self.address = f"{host}:{port}"
        self.tls = tls
        self.protocol = protocol
        self.app = app
        self.instance_id = instance_id
        self.instance_index = instance_index
        self.tags = tags
        self.ttl = ttl
        self.route_service_url = route_service_url
        self.isolation_segment = isolation_segment
        self.san = san
        self.availability_zone = availability_zone
        self.updated_at_ns = updated_at_ns
        self.modification_tag = modification_tag
        self.load_balancing = load_balancing
        # The values of X-CF-ApplicationID, X-CF-InstanceID and X-CF-InstanceIndex, ready for the wire.
        self.h_app = _header_value(app)
        self.h_instance = _header_value(instance_id or self.address)
        self.h_index = _header_value(instance_index)
        # What goes on: monotonic seconds and counts.
        self.backend = Backend()
        self.pooled = False
        self.registered = 0.0
        self.refreshed = 0.0
        self.requests = 0
        self.sampled = 0

    @property
    def connections(self) -> int:
        """Requests that wait for this backend's response headers, over all its routes."""
        return self.backend.connections

    @connections.setter
    def connections(self, count: int) -> None:
        self.backend.connections = count

    @property
    def component(self) -> str:
        """The tag that metrics are labelled with, or empty."""
        return (self.tags or _NO_TAGS).get("component", "")

    @property
    def process_id(self) -> str:
        """The tag that `X-CF-Process-Instance` selects by, or empty."""
        return (self.tags or _NO_TAGS).get("process_id", "")

    def for_another_route(self) -> "Endpoint":
        """The same backend for a further route: shares the `Backend`, has its own times and counts."""
        other = Endpoint.__new__(Endpoint)
        for name in Endpoint.__slots__:
            setattr(other, name, getattr(self, name))
        other.pooled = False
        other.requests = other.sampled = 0
        return other

    def same_as(self, other: "Endpoint") -> bool:
        """Whether a registration of `other` tells nothing new. The availability zone is not compared, as upstream."""
        return (
            self.app == other.app
            and self.address == other.address
            and self.protocol == other.protocol
            and self.instance_id == other.instance_id
            and self.instance_index == other.instance_index
            and self.ttl == other.ttl
            and self.tls is other.tls
            and self.updated_at_ns == other.updated_at_ns
            and self.san == other.san
            and self.route_service_url == other.route_service_url
            and self.isolation_segment == other.isolation_segment
            and self.load_balancing == other.load_balancing
            and self.modification_tag == other.modification_tag
            and (self.tags or _NO_TAGS) == (other.tags or _NO_TAGS)
        )

    def __repr__(self) -> str:
        secure = " tls" if self.tls else ""
        return f"<Endpoint {self.address}{secure} app={self.app} index={self.instance_index} requests={self.requests}>"


def _header_value(text: str) -> bytes:
    """A header value as Go writes it: line breaks would end the header, so they become spaces."""
    return (text if text.isprintable() else text.translate(_LINE_BREAKS)).encode()
