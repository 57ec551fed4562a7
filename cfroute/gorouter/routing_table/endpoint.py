"""Backends as routes know them.

One registration of a backend under several routes makes one `Endpoint` a route (each is refreshed on its own), and all of
them share one `Backend`: the connection count that limits and balances, and the idle connections.

A router may hold hundreds of thousands of these, most of which never see a request. So what only a request needs is made at
the first one, and what many have in common is kept once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from cfroute.gorouter.routing_table.route_options import NO_OPTIONS, RouteOptions
from cfroute.gorouter.routing_table.tags import Tags

if TYPE_CHECKING:
    from cfroute.gorouter.metrics.meters import Component

_NO_TAGS: Mapping[str, str] = {}
_LINE_BREAKS = str.maketrans("\r\n", "  ")
_UNPOOLED = -1.0


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
    connections, `meter` for the metrics of its component. Where several workers send requests to it, `slot` is the number by
    which they all know it, and -1 elsewhere.
    """

    __slots__ = ("connections", "meter", "slot", "transport")

    def __init__(self) -> None:
        self.connections = 0
        self.slot = -1
        self.transport: Any = None
        self.meter: Component | None = None


class Identity(NamedTuple):
    """The values of X-CF-ApplicationID, X-CF-InstanceID and X-CF-InstanceIndex, ready for the wire."""

    application_id: bytes
    instance_id: bytes
    instance_index: bytes


class Endpoint:
    """A backend of one route: what was registered (never changed), and what is going on with it."""

    __slots__ = (
        "_identity",
        "address",
        "app",
        "availability_zone",
        "backend",
        "instance_id",
        "instance_index",
        "isolation_segment",
        "modification_tag",
        "options",
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
        options: RouteOptions = NO_OPTIONS,
    ) -> None:
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
        self.options = options
        # What goes on: monotonic seconds and counts.
        self.backend = Backend()
        self.registered = _UNPOOLED
        self.refreshed = 0.0
        self.requests = 0
        self.sampled = 0
        self._identity: Identity | None = None

    @property
    def identity(self) -> "Identity":
        """The headers that name the endpoint, made for the first request."""
        identity = self._identity
        if identity is None:
            names = (self.app, self.instance_id or self.address, self.instance_index)
            identity = self._identity = Identity(*map(_header_value, names))
        return identity

    @property
    def host(self) -> str:
        """The name or address that was registered."""
        return self.address.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The port that is dialled, whether with TLS or without."""
        return int(self.address.rpartition(":")[2])

    @property
    def load_balancing(self) -> str:
        """The algorithm that the registration asks for, or empty."""
        return self.options.loadbalancing

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

    def pooled(self, now: float, beside: "Endpoint | None" = None) -> "Endpoint":
        """What a pool keeps of a registration: the endpoint for its first route, a sibling for every further one.

        `beside` is another endpoint of the pool, which most likely belongs to the same app.
        """
        if self.registered != _UNPOOLED:
            return self._sibling(now)
        self.registered = self.refreshed = now
        if beside is not None and beside.app == self.app:
            self.app = beside.app
        if self.san == self.instance_id:
            self.san = self.instance_id
        self.instance_index = intern(self.instance_index)
        self.protocol = intern(self.protocol)
        self.availability_zone = intern(self.availability_zone)
        self.isolation_segment = intern(self.isolation_segment)
        self.route_service_url = intern(self.route_service_url)
        if self.tags:
            self.tags = Tags(self.tags, {self.app: self.app, self.instance_id: self.instance_id})
        return self

    def _sibling(self, now: float) -> "Endpoint":
        """The same backend for a further route: shares the `Backend`, has its own times and counts."""
        other = Endpoint(
            host=self.host,
            port=self.port,
            tls=self.tls,
            protocol=self.protocol,
            app=self.app,
            instance_id=self.instance_id,
            instance_index=self.instance_index,
            tags=self.tags,
            ttl=self.ttl,
            route_service_url=self.route_service_url,
            isolation_segment=self.isolation_segment,
            san=self.san,
            availability_zone=self.availability_zone,
            updated_at_ns=self.updated_at_ns,
            modification_tag=self.modification_tag,
            options=self.options,
        )
        other.address = self.address
        other.backend = self.backend
        other.registered = other.refreshed = now
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
            and (self.options is other.options or self.options == other.options)
            and (self.modification_tag is other.modification_tag or self.modification_tag == other.modification_tag)
            and (self.tags == other.tags or not (self.tags or other.tags))
        )

    def __repr__(self) -> str:
        secure = " tls" if self.tls else ""
        return f"<Endpoint {self.address}{secure} app={self.app} index={self.instance_index} requests={self.requests}>"


def _header_value(text: str) -> bytes:
    """A header value as Go writes it: line breaks would end the header, so they become spaces."""
    return (text if text.isprintable() else text.translate(_LINE_BREAKS)).encode()
