"""The configuration file: upstream's keys, types and defaults; unknown keys are ignored. Ours stand under `cfroute:`.

Times are seconds.
"""

from pathlib import Path
from typing import Final

import msgspec

from cfroute.go.syscall import reason
from cfroute.go.yaml import Duration, Uint16, YAMLError, decode
from cfroute.tcp_router import backend_tls
from cfroute.tcp_router.backend_tls import PemError

_USUAL_DRAIN_WAIT: Final = Duration(20)


class ConfigError(Exception):
    """The file cannot be used; the message is upstream's."""


class OAuth(msgspec.Struct, frozen=True):
    """The UAA: a host, the port of its TLS listener, and who we are there. `ca_certs` is a file."""

    token_endpoint: str = ""
    port: int = 0
    skip_ssl_validation: bool = False
    client_name: str = ""
    client_secret: str = ""
    ca_certs: str = ""


class RoutingApi(msgspec.Struct, frozen=True):
    """The Routing API: `uri` is scheme and host. The files are for mutual TLS."""

    uri: str = ""
    port: int = 0
    auth_disabled: bool = False
    client_cert_path: str = ""
    client_private_key_path: str = ""
    ca_cert_path: str = ""

    @property
    def url(self) -> str:
        return f"{self.uri}:{self.port}"


class BackendTls(msgspec.Struct, frozen=True):
    """How backends with a TLS port are spoken to. The client's file has certificate and key."""

    enabled: bool = False
    ca_cert_path: str = ""
    client_cert_and_key_path: str = ""


class Extensions(msgspec.Struct, frozen=True):
    """What upstream does not have.

    `name` is what the router is called in its table. `address` is where external ports are opened; empty means everywhere, as
    upstream. `health_port` 0 means that there is no such listener. With `exact_sync`, a bulk sync leaves the routes that the
    Routing API lists and no others. The timeouts are those of the embedded engine; `haproxy` is the program, and
    `haproxy_folder` where its files are kept (empty: in a temporary folder), when HAProxy is started here.
    """

    name: str = "tcp_router"
    address: str = "127.0.0.1"
    health_address: str = "127.0.0.1"
    health_port: Uint16 = 0
    exact_sync: bool = False
    connect_timeout: Duration = Duration(30)
    idle_timeout: Duration = Duration(300)
    haproxy: str = "haproxy"
    haproxy_folder: str = ""


class Config(msgspec.Struct, frozen=True):
    """The whole file."""

    oauth: OAuth = OAuth()
    routing_api: RoutingApi = RoutingApi()
    haproxy_pid_file: str = ""
    isolation_segments: list[str] = []
    reserved_system_component_ports: list[Uint16] = []
    drain_wait: Duration = Duration(0)
    backend_tls: BackendTls = BackendTls()
    cfroute: Extensions = Extensions()


def load(path: str, *, pid_file_needed: bool) -> Config:
    """Read and check the file; `pid_file_needed` tells that somebody else starts HAProxy. Raises ConfigError."""
    try:
        config = decode(_read(path), Config(), "config.Config")
    except YAMLError as error:
        raise ConfigError(str(error)) from error
    if pid_file_needed and not config.haproxy_pid_file:
        raise ConfigError("haproxy_pid_file is required")
    _check(config.backend_tls)
    return msgspec.structs.replace(
        config,
        drain_wait=_USUAL_DRAIN_WAIT if config.drain_wait < 0 else config.drain_wait,
        backend_tls=config.backend_tls if config.backend_tls.enabled else BackendTls(),
    )


def _check(tls: BackendTls) -> None:
    if not tls.enabled:
        return
    if not tls.ca_cert_path:
        raise ConfigError("Backend TLS was enabled but no CA certificates were specified")
    try:
        backend_tls.check_authorities(tls.ca_cert_path, _read(tls.ca_cert_path))
        if tls.client_cert_and_key_path:
            backend_tls.check_client(tls.client_cert_and_key_path, _read(tls.client_cert_and_key_path))
    except PemError as error:
        raise ConfigError(str(error)) from error


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"open {path}: {reason(error)}") from error
