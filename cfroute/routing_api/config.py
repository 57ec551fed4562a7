"""The configuration file: upstream's keys, types and defaults; unknown keys are ignored. Ours stand under `cfroute:`."""

from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from cfroute import durations
from cfroute.go.syscall import reason
from cfroute.routing_api import router_groups
from cfroute.routing_api.api import RouterGroup
from cfroute.routing_api.router_groups import GroupError

NO_LOCK: Final = ("", "-")
"""Values of `locket.locket_address` that mean: there is no Locket, and no second Routing API."""

_LARGEST_PORT: Final = 65535
_TRUE: Final = ("y", "yes", "on")
_DEFAULT_TTL: Final = 120.0
_RETRY_INTERVAL: Final = 5.0
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ConfigError(Exception):
    """The file cannot be used; the message is upstream's."""


class Duration(float):
    """Seconds, written as a Go duration."""


class Api(msgspec.Struct, frozen=True):
    """Where routes are read and written: with `http_enabled` plainly too, always with mutual TLS."""

    listen_port: int = 0
    http_enabled: bool = False
    mtls_listen_port: int = 0
    mtls_client_ca_file: str = ""
    mtls_server_cert_file: str = ""
    mtls_server_key_file: str = ""


class OAuth(msgspec.Struct, frozen=True):
    """The UAA: a host, and the port of its TLS listener."""

    token_endpoint: str = ""
    port: int = 0
    ca_certs: str = ""


class SqlDB(msgspec.Struct, frozen=True):
    """The routing database. `schema` is its name there, or with the type `sqlite`, its file. `ca_cert` is PEM."""

    type: str = "sqlite"
    schema: str = ""
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = ""
    ca_cert: str = ""
    skip_hostname_validation: bool = False
    connections_max_lifetime_seconds: int = 0


class Locket(msgspec.Struct, frozen=True):
    """Who grants the lock that only one of several Routing APIs can have, whom we trust to be it, and who we are."""

    locket_address: str = ""
    locket_ca_cert_file: str = ""
    locket_client_cert_file: str = ""
    locket_client_key_file: str = ""


class Seed(msgspec.Struct, frozen=True):
    """A router group of an empty database."""

    name: str = ""
    type: str = ""
    reservable_ports: str | list[str] = ""

    @property
    def group(self) -> RouterGroup:
        """The group, which has no guid yet."""
        ports = self.reservable_ports
        return RouterGroup(name=self.name, type=self.type, reservable_ports=ports if isinstance(ports, str) else ",".join(ports))


class Nats(msgspec.Struct, frozen=True):
    """Where the route of the Routing API itself is registered besides: URLs (`nats://HOST:PORT`), and who we are there."""

    servers: list[str] = []
    user: str = ""
    password: str = ""


class Extensions(msgspec.Struct, frozen=True):
    """What upstream does not have. `address`: where the API listens; empty means everywhere, as upstream.

    `admin_address`: where the admin server listens, which asks for no token. With `update_router_groups`, the groups of the file
    get the ports that they have there, in a database that has them already, too. With `leave_at_once`, one that has to end does
    not go on until another one has taken over, so that several can listen at the same place, one after the other.
    """

    address: str = "127.0.0.1"
    admin_address: str = "127.0.0.1"
    update_router_groups: bool = False
    leave_at_once: bool = False
    nats: Nats = Nats()


class Config(msgspec.Struct, frozen=True):
    """The whole file. Intervals are in seconds."""

    api: Api = Api()
    admin_port: int = 0
    debug_address: str = ""
    log_guid: str = ""
    max_ttl: Duration = Duration(_DEFAULT_TTL)
    system_domain: str = ""
    metrics_reporting_interval: str = ""
    statsd_endpoint: str = ""
    statsd_client_flush_interval: str = ""
    oauth: OAuth = OAuth()
    skip_ssl_validation: bool = False
    router_groups: list[Seed] = []
    reserved_system_component_ports: list[int] = []
    fail_on_router_port_conflicts: bool = False
    sqldb: SqlDB = SqlDB()
    locket: Locket = Locket()
    lock_resource_key: str = "routing_api_lock"
    uuid: str = ""
    retry_interval: Duration = Duration(_RETRY_INTERVAL)
    cfroute: Extensions = Extensions()

    @property
    def ttl(self) -> int:
        """The longest, and the usual time to live of a route."""
        return int(self.max_ttl)

    @property
    def reserved_ports(self) -> list[int]:
        """The ports that no router group may have."""
        return self.reserved_system_component_ports if self.fail_on_router_port_conflicts else []

    @property
    def reporting_interval(self) -> float:
        return durations.parse(self.metrics_reporting_interval)

    @property
    def flush_interval(self) -> float:
        return durations.parse(self.statsd_client_flush_interval)


def load(path: str, *, dev_mode: bool) -> Config:
    """Read and check the file. Raises ConfigError."""
    try:
        return parse(Path(path).read_bytes(), dev_mode=dev_mode)
    except OSError as error:
        raise ConfigError(f"open {path}: {reason(error)}") from error


def parse(text: bytes, *, dev_mode: bool) -> Config:
    """Read and check the text. Without `dev_mode`, there has to be a UAA. Raises ConfigError."""
    try:
        document = _plain(yaml.compose(text, Loader=_Loader))
        config = msgspec.convert({} if document is None else document, Config, strict=False, dec_hook=_duration)
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"yaml: {error}") from error
    _check(config, dev_mode=dev_mode)
    return config


def _plain(node: yaml.Node | None) -> Any:
    """Every scalar as text, for a key says itself what it wants; `null` is as if it were not there, as with Go."""
    if isinstance(node, yaml.MappingNode):
        pairs = ((_plain(key), _plain(value)) for key, value in node.value)
        return {key: value for key, value in pairs if value is not None}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in node.value]
    if node is None or node.tag.endswith(":null"):
        return None
    if node.tag.endswith(":bool"):
        return "true" if node.value.lower() in (*_TRUE, "true") else "false"
    return node.value


def _duration(wanted: type, value: Any) -> Any:
    if wanted is not Duration:
        raise TypeError(f"no {wanted.__name__}")
    return Duration(durations.parse(str(value)))


def _check(config: Config, *, dev_mode: bool) -> None:
    for wrong, problem in (
        (not config.system_domain, "No system_domain specified"),
        (not config.log_guid, "No log_guid specified"),
        (not dev_mode and not config.oauth.token_endpoint, "No token endpoint specified"),
        (not dev_mode and config.oauth.port == -1, "Routing API requires TLS enabled to get OAuth token"),
        (not config.uuid, "No UUID is specified"),
    ):
        if wrong:
            raise ConfigError(problem)
    _check_port("admin", config.admin_port)
    _check_port("API listen", config.api.listen_port)
    _check_port("API mTLS listen", config.api.mtls_listen_port)
    for port in config.reserved_system_component_ports:
        if not 0 <= port <= _LARGEST_PORT:
            raise ConfigError(f"Invalid reserved system component port '{port}'. Ports must be between 0 and {_LARGEST_PORT}.")
    try:
        router_groups.check((seed.group for seed in config.router_groups), config.reserved_ports)
        durations.parse(config.metrics_reporting_interval)
        durations.parse(config.statsd_client_flush_interval)
    except (GroupError, durations.DurationError) as error:
        raise ConfigError(str(error)) from error


def _check_port(name: str, port: int) -> None:
    if not 0 < port <= _LARGEST_PORT:
        raise ConfigError(f"invalid {name} port: port number is invalid: {port} (1-{_LARGEST_PORT})")
