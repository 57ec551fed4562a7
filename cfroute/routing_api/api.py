"""What the Routing API keeps, as it is shown: HTTP routes, TCP routes, router groups. The server and its clients share it.

The fields stand in upstream's order. Those with a plain default are left out where they have it; the others are always
written, and may be missing in what an older server says. Ttls are in seconds.
"""

from typing import Annotated, Final, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, field

UPSERT: Final = "Upsert"
DELETE: Final = "Delete"

Port = Annotated[int, Meta(ge=0, le=0xFFFF)]


class ModificationTag(msgspec.Struct, frozen=True):
    """The version of a route: a route that is deleted and made again has another guid, and each upsert counts one up."""

    guid: str = ""
    index: int = 0

    def next(self) -> "ModificationTag":
        return ModificationTag(self.guid, self.index + 1)

    def succeeds(self, other: "ModificationTag") -> bool:
        """Whether it is newer than `other`, as far as can be told."""
        return not self.guid or not other.guid or self.guid != other.guid or other.index < self.index


NO_TAG: Final = ModificationTag()


def _no_tag() -> ModificationTag:
    return NO_TAG


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A backend of an HTTP route."""

    route: str = field(default_factory=str)
    port: Port = field(default_factory=int)
    ip: str = field(default_factory=str)
    ttl: int = field(default_factory=int)
    log_guid: str = field(default_factory=str)
    route_service_url: str = ""
    modification_tag: ModificationTag = field(default_factory=_no_tag)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other routes."""
        return self.route, self.ip, self.port, self.route_service_url

    def renewed(self, by: "Route") -> "Route":
        """What an upsert makes of a route that is there."""
        log_guid = by.log_guid or self.log_guid
        return msgspec.structs.replace(self, ttl=by.ttl, log_guid=log_guid, modification_tag=self.modification_tag.next())

    def tagged(self, tag: ModificationTag) -> "Route":
        return msgspec.structs.replace(self, modification_tag=tag)


class TcpRoute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A backend of a TCP route. `port` is the external one; a `backend_tls_port` of -1 says that there is no TLS."""

    router_group_guid: str = field(default_factory=str)
    backend_port: Port = field(default_factory=int)
    backend_tls_port: int = field(default_factory=int)
    backend_ip: str = field(default_factory=str)
    backend_sni_hostname: str | None = None
    instance_id: str = field(default_factory=str)
    port: Port = field(default_factory=int)
    modification_tag: ModificationTag = field(default_factory=_no_tag)
    ttl: int = field(default_factory=int)
    isolation_segment: str = field(default_factory=str)
    sni_rewrite_hostname: str | None = None
    terminate_frontend_tls: bool = False
    alpns: str = ""
    enable_backend_mtls: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other routes."""
        return (
            self.router_group_guid,
            self.backend_ip,
            self.backend_port,
            self.port,
            self.backend_tls_port,
            self.backend_sni_hostname,
            self.enable_backend_mtls,
        )

    @property
    def front(self) -> tuple[str, int]:
        """What clients see: routes that have it in common must treat TLS alike."""
        return self.backend_sni_hostname or "", self.port

    def renewed(self, by: "TcpRoute") -> "TcpRoute":
        """What an upsert makes of a route that is there: the instance stays what it was."""
        return msgspec.structs.replace(
            self,
            ttl=by.ttl,
            isolation_segment=by.isolation_segment,
            sni_rewrite_hostname=by.sni_rewrite_hostname,
            terminate_frontend_tls=by.terminate_frontend_tls,
            alpns=by.alpns,
            modification_tag=self.modification_tag.next(),
        )

    def tagged(self, tag: ModificationTag) -> "TcpRoute":
        return msgspec.structs.replace(self, modification_tag=tag)


class RouterGroup(msgspec.Struct, frozen=True):
    """A set of routers with the ports that may be reserved there."""

    guid: str = ""
    name: str = ""
    type: str = ""
    reservable_ports: str = ""


AnyRoute = Route | TcpRoute
R = TypeVar("R", Route, TcpRoute)


class Event(NamedTuple, Generic[R]):
    """A change that was made: UPSERT or DELETE, and the route as it is, or was. (Clients may hear of other actions.)"""

    action: str
    route: R


AnyEvent = Event[Route] | Event[TcpRoute]
