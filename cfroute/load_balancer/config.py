"""The load balancer's configuration file."""

from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from cfroute.durations import DurationError, parse
from cfroute.errors import ConfigurationError

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Router(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One Gorouter: where it takes requests, and the port of its `/health`."""

    address: str
    port: Port
    status_port: Port


class TcpRouter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One TCP router: its address, where it listens on the same ports, and the URL that tells how it is."""

    address: str
    health: str


class Tcp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ports for TCP routes, as `1024-1123,2000`, and the TCP routers. A connection may be idle a bit longer than there."""

    ports: str
    routers: list[TcpRouter]
    address: str = "127.0.0.1"
    idle_timeout: str = "350s"

    @property
    def numbers(self) -> list[int]:
        """Each of the ports, in order. Raises ValueError."""
        found: set[int] = set()
        for part in self.ports.split(","):
            first, _, last = part.strip().partition("-")
            found.update(range(int(first), int(last or first) + 1))
        if not found or min(found) < 1 or max(found) > 65535:
            raise ValueError("ports are from 1 to 65535")
        return sorted(found)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses, the certificate for HTTPS (files), and the Gorouters; the TCP side if there is one. A timeout of 0s is none."""

    address: str
    http_port: Port
    https_port: Port
    status_port: Port
    certificate: str
    key: str
    gorouters: list[Router]
    health_check_interval: str = "1s"
    idle_timeout: str = "900s"
    tcp: Tcp | None = None

    @property
    def interval(self) -> float:
        """Seconds between two health checks."""
        return parse(self.health_check_interval)


def load(path: str) -> Config:
    """Read the file. Raises ConfigurationError, which names the key."""
    try:
        config = msgspec.convert(yaml.safe_load(Path(path).read_text()), Config)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    for key in ("health_check_interval", "idle_timeout"):
        try:
            parse(getattr(config, key))
        except DurationError as error:
            raise ConfigurationError(f"{path}: `{key}`: {error}") from error
    if not config.gorouters:
        raise ConfigurationError(f"{path}: `gorouters` is empty: there is nothing to balance")
    if config.tcp is not None:
        _check_tcp(path, config.tcp)
    return config


def _check_tcp(path: str, tcp: Tcp) -> None:
    try:
        parse(tcp.idle_timeout)
    except DurationError as error:
        raise ConfigurationError(f"{path}: `tcp.idle_timeout`: {error}") from error
    try:
        _ = tcp.numbers
    except ValueError as error:
        raise ConfigurationError(f"{path}: `tcp.ports`: {tcp.ports!r}: {error}") from error
    for router in tcp.routers:
        if not router.health.startswith("http://"):
            raise ConfigurationError(f"{path}: `tcp.routers`: `health` has to be a URL with http://, not {router.health!r}")
