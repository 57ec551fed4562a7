"""The route emitter's configuration file: JSON, with upstream's keys. Like Go, it ignores those it does not know."""

from pathlib import Path
from typing import Annotated

import msgspec

from cfroute import durations
from cfroute.config_file import load_json
from cfroute.lager import LEVELS

_DURATIONS = (
    "sync_interval",
    "unregistration_interval",
    "communication_timeout",
    "tcp_route_ttl",
    "lock_ttl",
    "lock_retry_interval",
)
TcpPort = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class RoutingApiConfig(msgspec.Struct, kw_only=True):
    """Where the Routing API is: `url` without the port. With all three files the client shows a certificate."""

    url: str = ""
    port: TcpPort = 0
    ca_cert_file: str = ""
    client_cert_file: str = ""
    client_key_file: str = ""
    auth_enabled: bool = False

    @property
    def address(self) -> str:
        """The URL with the port."""
        return f"{self.url}:{self.port}"


class OAuthConfig(msgspec.Struct, kw_only=True):
    """The UAA, and who we are there. `ca_certs` is a file."""

    uaa_url: str = ""
    uaa_request_timeout: str = "10s"
    client_name: str = ""
    client_secret: str = ""
    ca_certs: str = ""
    skip_cert_verify: bool = False

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise ValueError(f"uaa_request_timeout is not positive: {self.uaa_request_timeout}")

    @property
    def timeout(self) -> float:
        """Seconds that a request to the UAA may take."""
        return durations.parse(self.uaa_request_timeout)


class Extensions(msgspec.Struct, kw_only=True):
    """What upstream does not have. With `tcp_only` nothing but TCP routes is told, and there is no NATS."""

    tcp_only: bool = False


class Config(msgspec.Struct, kw_only=True):
    """What of upstream's configuration has a meaning here. Durations are Go's; `cell_id` "" means global mode."""

    bbs_address: str
    bbs_ca_cert_file: str
    bbs_client_cert_file: str
    bbs_client_key_file: str
    communication_timeout: str = "30s"
    cell_id: str = ""
    uuid: str = ""
    locket_enabled: bool = False
    locket_session_name: str = "route-emitter"
    locket_address: str = ""
    locket_ca_cert_file: str = ""
    locket_client_cert_file: str = ""
    locket_client_key_file: str = ""
    lock_ttl: str = "15s"
    lock_retry_interval: str = "5s"
    nats_addresses: str = ""
    nats_username: str = ""
    nats_password: str = ""
    nats_tls_enabled: bool = False
    nats_ca_cert_file: str = ""
    nats_client_cert_file: str = ""
    nats_client_key_file: str = ""
    healthcheck_address: str = "127.0.0.1:17011"
    debug_address: str = ""
    sync_interval: str = "60s"
    jitter_factor: float = 0.2
    register_direct_instance_routes: bool = False
    enable_internal_emitter: bool = False
    enable_tcp_emitter: bool = False
    tcp_enable_tls: bool = False
    tcp_route_ttl: str = "2m"
    routing_api: RoutingApiConfig = msgspec.field(default_factory=RoutingApiConfig)
    oauth: OAuthConfig = msgspec.field(default_factory=OAuthConfig)
    unregistration_interval: str = "30s"
    unregistration_send_count: int = 20
    log_level: str = "info"
    time_format: str | int = "unix-epoch"
    redact_secrets: bool = False
    redact_patterns: list[str] = []
    max_data_string_length: int = 0
    cfroute: Extensions = msgspec.field(default_factory=Extensions)

    def __post_init__(self) -> None:
        for name in _DURATIONS:
            if self.seconds(name) <= 0:
                raise ValueError(f"{name} is not positive: {getattr(self, name)}")
        if self.log_level not in LEVELS:
            raise ValueError(f"unknown log level: {self.log_level}")
        if not self.nats_addresses and not self.cfroute.tcp_only:
            raise ValueError("nats_addresses is empty")

    def seconds(self, name: str) -> float:
        """The duration under this key. Raises DurationError."""
        return durations.parse(getattr(self, name))

    @property
    def servers(self) -> list[str]:
        """The URLs of the NATS servers."""
        scheme = "tls" if self.nats_tls_enabled else "nats"
        return [f"{scheme}://{each.strip()}" for each in self.nats_addresses.split(",")]

    @property
    def health_listener(self) -> tuple[str, int]:
        """Where the health check listens."""
        host, _, port = self.healthcheck_address.rpartition(":")
        return host, int(port)


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    return load_json(path, Config)
