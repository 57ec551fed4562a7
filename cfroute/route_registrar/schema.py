"""The configuration as it is written: JSON in the file, and for dynamic routes YAML. Unknown keys are ignored.

What is wrong with the values is for `validation` to say: here everything has a default, and durations are still texts.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from cfroute.go.syscall import reason
from cfroute.unreadable import UNREADABLE

TCP_TYPES: Final = ("tcp", "sni")
"""Types of routes that go to the Routing API; all others are HTTP routes."""


class UnreadableFile(Exception):
    """The file is not there, or is no JSON of the right form."""


class HealthCheckSchema(msgspec.Struct, frozen=True):
    """A script that says by its exit status whether the route's backend is well."""

    name: str = ""
    script_path: str = ""
    timeout: str = ""


class OptionsSchema(msgspec.Struct, frozen=True, omit_defaults=True):
    """How routers treat the route. `loadbalancing` is what newer versions call `lb_algo`; a message says what the file says."""

    lb_algo: str = ""
    loadbalancing: str = ""


class RouteSchema(msgspec.Struct, frozen=True):
    """One route. `prepend_instance_index` is done by BOSH's templates upstream."""

    type: str = ""
    name: str = ""
    host: str = ""
    port: int | None = None
    tls_port: int | None = None
    sni_port: int | None = None
    protocol: str = ""
    tags: dict[str, str] | None = None
    uris: list[str] | None = None
    prepend_instance_index: bool = False
    router_group: str = ""
    external_port: int | None = None
    route_service_url: str = ""
    registration_interval: str = ""
    health_check: HealthCheckSchema | None = None
    server_cert_domain_san: str = ""
    sni_routable_san: str = ""
    options: OptionsSchema | None = None

    @property
    def is_tcp(self) -> bool:
        return self.type in TCP_TYPES


class ServerSchema(msgspec.Struct, frozen=True):
    """A NATS server: `host` has the port."""

    host: str = ""
    user: str = ""
    password: str = ""


class NatsTls(msgspec.Struct, frozen=True):
    """Mutual TLS with NATS: files of PEM."""

    enabled: bool = False
    cert_path: str = ""
    key_path: str = ""
    ca_path: str = ""


class RoutingApiSchema(msgspec.Struct, frozen=True):
    """The Routing API, and the UAA that has the tokens for it. `ca_certs` is a file with the UAA's authority."""

    api_url: str = ""
    oauth_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    ca_certs: str = ""
    skip_ssl_validation: bool = False
    client_cert_path: str = ""
    client_private_key_path: str = ""
    server_ca_cert_path: str = ""
    max_ttl: str = ""


class Extensions(msgspec.Struct, frozen=True):
    """What upstream does not have.

    `health_address` (HOST:PORT) answers 200 once all routes have had their first turn. With `answer_router_start`, a router that
    says that it has started is told at once what is well. `instance_index` is what `prepend_instance_index` puts before URIs.
    """

    health_address: str = ""
    answer_router_start: bool = False
    instance_index: int = 0


class ConfigSchema(msgspec.Struct, frozen=True):
    """The whole file."""

    message_bus_servers: list[ServerSchema] = []
    nats_mtls_config: NatsTls = NatsTls()
    host: str = ""
    availability_zone: str = ""
    unregistration_message_limit: int = 5
    dynamic_config_globs: list[str] = []
    routing_api: RoutingApiSchema = RoutingApiSchema()
    routes: list[RouteSchema] = []
    cfroute: Extensions = Extensions()


class DynamicSchema(msgspec.Struct, frozen=True):
    """A file of dynamic routes."""

    routes: list[RouteSchema] = []


def load(path: str) -> ConfigSchema:
    """Read the file. Raises UnreadableFile."""
    try:
        return parse(Path(path).read_bytes())
    except OSError as error:
        raise UnreadableFile(f"open {path}: {reason(error)}") from error


def parse(text: bytes) -> ConfigSchema:
    """Read the text. `null` is as if it were not there: BOSH writes that where it knows nothing. Raises UnreadableFile."""
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(text)), ConfigSchema)
    except UNREADABLE as error:
        raise UnreadableFile(str(error)) from error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value
