"""What a person decides about a foundation: the options of `up`, which the state folder remembers for the next one."""

import re
from typing import Literal

import msgspec

from cfroute.errors import UsageError
from cfroute.foundation.option_values import database_url, left_out, locket_address, nats_urls, port_range, web_url

MOST_GOROUTERS = 20
MOST_CELLS = 100
MOST_TCP_ROUTERS = 10
MOST_ROUTING_APIS = 5

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_ROUTING_API_PORTS = {"http": 3000, "https": 3001}
_UAA_PORTS = {"https": 8443}


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of `cfroute up`. A port of 0 means: any that is free.

    nats holds the URLs of an existing cluster, without credentials (those are secrets); empty means a server of our own.
    With route_integrity, routers reach app instances through TLS proxies that prove which instance they belong to.
    tcp_routers: without any, there is no TCP routing at all. tcp_ports: first and last, or 0 for some that are free.
    routing_database: a URL without its password; empty is a file of ours.
    without: components that somebody else starts, at their places and with the files that we write for them.
    routing_api, uaa and locket say where else they are; external_ca, _cert and _key are files for mutual TLS with those.
    """

    domain: str = "cf.localhost"
    http_port: int = 8080
    https_port: int = 8443
    api_port: int = 9022
    single_address: bool = False
    gorouters: int = 1
    cells: int = 1
    nats: tuple[str, ...] = ()
    route_integrity: bool = True
    tcp_routers: int = 1
    tcp_ports: str = "1024-1123"
    tcp_engine: Literal["embedded", "haproxy"] = "embedded"
    routing_apis: int = 1
    routing_database: str = ""
    without: tuple[str, ...] = ()
    routing_api: str = ""
    uaa: str = ""
    locket: str = ""
    external_ca: str = ""
    external_cert: str = ""
    external_key: str = ""

    @property
    def tcp_domain(self) -> str:
        return f"tcp.{self.domain}"

    @property
    def has_tcp(self) -> bool:
        """Whether there is TCP routing: Routing API, Locket, TCP routers and their emitter."""
        return self.tcp_routers > 0

    @property
    def tcp_port_range(self) -> tuple[int, int] | None:
        """The first and the last port that TCP routes may have, if they were chosen."""
        return port_range(self.tcp_ports) if self.has_tcp else None

    @property
    def not_ours(self) -> frozenset[str]:
        """The components that this foundation does not start."""
        elsewhere = {"nats": self.nats, "routing_api": self.routing_api, "uaa": self.uaa, "locket": self.locket}
        return frozenset({*self.without, *(name for name, place in elsewhere.items() if place)})


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """What this command line says; None where it says nothing. `nats` and `routing_database` may hold credentials."""

    domain: str | None = None
    http_port: int | None = None
    https_port: int | None = None
    api_port: int | None = None
    single_address: bool | None = None
    gorouters: int | None = None
    cells: int | None = None
    nats: str | None = None
    route_integrity: bool | None = None
    tcp_routers: int | None = None
    tcp_ports: str | None = None
    tcp_engine: Literal["embedded", "haproxy"] | None = None
    routing_apis: int | None = None
    routing_database: str | None = None
    without: tuple[str, ...] | None = None
    routing_api: str | None = None
    uaa: str | None = None
    locket: str | None = None
    external_ca: str | None = None
    external_cert: str | None = None
    external_key: str | None = None


_READ = {
    "domain": lambda text: text.lower().strip("."),
    "nats": lambda text: nats_urls(text)[0],
    "routing_database": lambda text: database_url(text)[0],
    "without": left_out,
    "routing_api": lambda text: web_url("--routing-api", text, _ROUTING_API_PORTS),
    "uaa": lambda text: web_url("--uaa", text, _UAA_PORTS),
    "locket": locket_address,
}
"""What becomes of a given value before it is remembered."""


def merge(remembered: Options, given: Given) -> Options:
    """The remembered options, replaced by those that were given. Raises UsageError for impossible ones."""
    changes = {
        field: _READ[field](value) if field in _READ else value
        for field in given.__struct_fields__
        if (value := getattr(given, field)) is not None
    }
    options = msgspec.structs.replace(remembered, **changes)
    _check(options)
    return options


def _check(options: Options) -> None:
    if len(options.domain) > 200 or not _DOMAIN.fullmatch(options.domain):
        raise UsageError(f"--domain: {options.domain!r} is no domain name", "for example: --domain cf.localhost")
    _check_ports(options)
    _within("--gorouters", options.gorouters, 1, MOST_GOROUTERS)
    _within("--cells", options.cells, 1, MOST_CELLS)
    _within("--tcp-routers", options.tcp_routers, 0, MOST_TCP_ROUTERS)
    _within("--routing-apis", options.routing_apis, 1, MOST_ROUTING_APIS)
    if bool(options.external_cert) != bool(options.external_key):
        raise UsageError("--external-cert and --external-key belong together: a certificate, and its key")
    if options.routing_api.startswith("https:") and not (options.external_ca and options.external_cert):
        raise UsageError(
            f"--routing-api: {options.routing_api} wants mutual TLS", "give --external-ca, --external-cert and --external-key too"
        )


def _check_ports(options: Options) -> None:
    ports = {"--http-port": options.http_port, "--https-port": options.https_port, "--api-port": options.api_port}
    for option, port in ports.items():
        if not 0 <= port <= 65535:
            raise UsageError(f"{option}: {port} is no port", "ports go from 1 to 65535; 0 picks a free one")
    chosen = [port for port in ports.values() if port]
    if len(set(chosen)) != len(chosen):
        raise UsageError(
            "--http-port, --https-port and --api-port must differ from each other", "0 picks a free port for any of them"
        )
    tcp = options.tcp_port_range
    for option, port in ports.items():
        if tcp and tcp[0] <= port <= tcp[1]:
            raise UsageError(f"--tcp-ports: {options.tcp_ports} has {port} in it, which is that of {option}", "choose others")


def _within(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{option}: {value} is not between {least} and {most}")
