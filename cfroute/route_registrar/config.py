"""The configuration as the registrar works with it: what `validation` has let pass. Times are in seconds."""

from typing import NamedTuple

import msgspec

from cfroute.route_registrar.schema import Extensions, NatsTls, OptionsSchema, RoutingApiSchema


class HealthCheck(msgspec.Struct, frozen=True):
    """A script, and how long it may take."""

    name: str
    script_path: str
    timeout: float


class HttpRoute(msgspec.Struct, frozen=True, kw_only=True):
    """URIs that are answered at `host`: on `tls_port` over TLS, if that is not 0, else on `port`. It is told by NATS."""

    name: str
    host: str
    port: int
    tls_port: int
    uris: list[str]
    protocol: str
    tags: dict[str, str] | None
    route_service_url: str
    server_cert_domain_san: str
    options: OptionsSchema | None
    registration_interval: float
    health_check: HealthCheck | None


class TcpRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a router group that leads to `host` and `port`; with `sni_hostname` only for that. The Routing API is told."""

    name: str
    host: str
    port: int
    external_port: int
    router_group: str
    sni_hostname: str
    registration_interval: float
    health_check: HealthCheck | None


Route = HttpRoute | TcpRoute


class NatsServer(NamedTuple):
    """A server of the cluster, and who we are there."""

    host: str
    port: int
    user: str
    password: str


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `unregistration_limit` is how often in a row a route is told to be gone; `routing_api` is None without one."""

    host: str
    availability_zone: str
    servers: list[NatsServer]
    nats_tls: NatsTls
    routing_api: RoutingApiSchema | None
    max_ttl: float
    unregistration_limit: int
    dynamic_globs: list[str]
    routes: list[Route]
    extensions: Extensions
