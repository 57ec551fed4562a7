"""The three kinds of routes: how the Cloud Controller writes them, and what is said of each for one endpoint.

    cf-router         HTTP routes                for Gorouters, by NATS
    internal-router   names of service discovery for BOSH DNS, by NATS
    tcp-router        TCP routes                 for TCP routers, by the Routing API

These are the keys of a desired LRP's routes.
"""

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

import msgspec

from cfroute.diego.api import DesiredLRP
from cfroute.diego.route_emitter.endpoints import COMPONENT, Endpoint
from cfroute.diego.route_emitter.messages import InternalRegistration, Registration
from cfroute.routing_api.api import TcpRoute as TcpMapping

NO_TLS = -1
"""A `backend_tls_port` that says: no TLS, and that is meant."""

T = TypeVar("T")
TcpPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Which kinds of routes are told, and how.

    `direct`: endpoints are told with the instances' own addresses and ports, not their cell's, where they do not say
    themselves what they prefer. `tcp_ttl` is in seconds.
    """

    http: bool = True
    internal: bool = False
    tcp: bool = False
    tcp_tls: bool = False
    tcp_ttl: int = 120
    direct: bool = False


class HttpRoute(msgspec.Struct, frozen=True):
    """One hostname (with a path, maybe) of one container port."""

    hostname: str
    container_port: int
    route_service_url: str = ""
    isolation_segment: str = ""
    protocol: str = ""
    options: dict[str, Any] = {}

    @property
    def key(self) -> tuple[object, ...]:
        """What makes another route of it."""
        return self.hostname, self.route_service_url, self.isolation_segment, self.protocol

    def message(self, app_guid: str, endpoint: Endpoint) -> Registration:
        lrp = endpoint.lrp
        return Registration(
            host=endpoint.host,
            port=endpoint.port,
            tls_port=endpoint.tls_port,
            uris=(self.hostname,),
            protocol=self.protocol,
            app=app_guid,
            route_service_url=self.route_service_url,
            private_instance_id=lrp.instance_guid,
            private_instance_index=str(lrp.index),
            server_cert_domain_san=lrp.instance_guid,
            isolation_segment=self.isolation_segment,
            endpoint_updated_at_ns=lrp.since,
            tags=endpoint.tags,
            availability_zone=lrp.availability_zone,
            options={} if endpoint.direct else self.options,  # as upstream, which forgets them there
        )


class TcpRoute(msgspec.Struct, frozen=True):
    """One port of a router group that leads to one container port."""

    router_group_guid: str
    external_port: int
    container_port: int
    tls: bool
    ttl: int

    @property
    def key(self) -> tuple[object, ...]:
        """What makes another route of it."""
        return self.router_group_guid, self.external_port

    def message(self, _app_guid: str, endpoint: Endpoint) -> TcpMapping:
        return TcpMapping(
            router_group_guid=self.router_group_guid,
            backend_port=endpoint.port,
            backend_tls_port=endpoint.tls_port if self.tls else NO_TLS,
            backend_ip=endpoint.host,
            instance_id=endpoint.lrp.instance_guid if self.tls else "",
            port=self.external_port,
            ttl=self.ttl,
        )


class InternalRoute(msgspec.Struct, frozen=True):
    """A name of a process; each instance has one more, with its index in front. It is not for any port."""

    hostname: str
    container_port: None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What makes another route of it."""
        return (self.hostname,)

    def message(self, app_guid: str, endpoint: Endpoint) -> InternalRegistration:
        lrp = endpoint.lrp
        return InternalRegistration(
            host=endpoint.host,
            port=endpoint.port,
            uris=(self.hostname, f"{lrp.index}.{self.hostname}"),
            app=app_guid,
            private_instance_index=str(lrp.index),
            endpoint_updated_at_ns=lrp.since,
            tags={"component": COMPONENT},
            availability_zone=lrp.availability_zone,
        )


Route = HttpRoute | TcpRoute | InternalRoute


class _CFRoute(msgspec.Struct):
    """An entry under `cf-router`, as the Cloud Controller writes it; null stands for nothing."""

    port: int
    hostnames: list[str] | None = None
    route_service_url: str | None = ""
    isolation_segment: str | None = ""
    protocol: str | None = ""
    options: dict[str, Any] | None = None


class _TcpRoute(msgspec.Struct):
    """An entry under `tcp-router`. One that the Routing API refuses would take all others of its request with it."""

    router_group_guid: Annotated[str, msgspec.Meta(min_length=1)]
    external_port: TcpPort
    container_port: TcpPort


class _InternalRoute(msgspec.Struct):
    """An entry under `internal-router`."""

    hostname: str


def routes_of(desired: DesiredLRP, rules: Rules) -> Iterator[Route]:
    """The routes of a process, of the kinds that are told."""
    if rules.http:
        yield from _http(_entries(desired, "cf-router", _CFRoute))
    if rules.internal:
        for internal in _entries(desired, "internal-router", _InternalRoute):
            yield InternalRoute(internal.hostname)
    if rules.tcp:
        for tcp in _entries(desired, "tcp-router", _TcpRoute):
            yield TcpRoute(tcp.router_group_guid, tcp.external_port, tcp.container_port, rules.tcp_tls, rules.tcp_ttl)


def _entries(desired: DesiredLRP, key: str, type_: type[T]) -> list[T]:
    """The entries of one kind. Where one makes no sense there are none: upstream refuses the whole."""
    try:
        return msgspec.convert(desired.routes.get(key) or [], list[type_])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        return []


def _http(entries: list[_CFRoute]) -> Iterator[HttpRoute]:
    for entry in entries:
        for hostname in entry.hostnames or []:
            yield HttpRoute(
                hostname,
                entry.port,
                entry.route_service_url or "",
                entry.isolation_segment or "",
                entry.protocol or "",
                entry.options or {},
            )
