"""What the Routing API keeps, as it is shown: HTTP routes, TCP routes, router groups.

The fields stand in upstream's order. Those with a default are left out where they have it. Ttls are in seconds.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

Action = Literal["Upsert", "Delete"]


class ModificationTag(msgspec.Struct, frozen=True):
    """The version of a route: a route that is deleted and made again has another guid, and each upsert counts one up."""

    guid: str
    index: int

    def next(self) -> "ModificationTag":
        return ModificationTag(self.guid, self.index + 1)


NO_TAG = ModificationTag("", 0)


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A backend of an HTTP route."""

    route: str
    port: int
    ip: str
    ttl: int
    log_guid: str
    route_service_url: str = ""
    modification_tag: ModificationTag

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

    router_group_guid: str
    backend_port: int
    backend_tls_port: int
    backend_ip: str
    backend_sni_hostname: str | None = None
    instance_id: str
    port: int
    modification_tag: ModificationTag
    ttl: int
    isolation_segment: str
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


class Event(NamedTuple):
    """A change that was made."""

    action: Action
    route: AnyRoute


NewGuid = Callable[[], str]
