"""The configuration file of a cell."""

from pathlib import Path
from typing import Annotated

import msgspec

from cfroute.config_file import load_yaml
from cfroute.resolver import Mapping

TCPPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`rep-N.yml`. Instances listen on `address`; files are PEM; `system_ca` is what apps are to trust.

    `heartbeat_interval`, `drain_time` and `graceful_shutdown` are in seconds: between heartbeats (the BBS loses a cell after
    15 without one), between leaving the routes and SIGTERM, and between SIGTERM and SIGKILL. The instance identity authority
    signs a certificate for each instance, valid for `instance_identity_validity_period` seconds; with
    `enable_container_proxy` a TLS proxy that shows it stands in front of each. All these have their names in Diego's rep.
    """

    cell_id: str
    address: str
    health_port: int = 1800
    bbs_url: str
    ca: str
    client_certificate: str
    client_key: str
    directory: str
    app_logs: str
    availability_zone: str = "z1"
    resolver: tuple[Mapping, ...] = ()
    system_ca: str = ""
    port_range: tuple[TCPPort, TCPPort] = (61000, 65000)
    memory_mb: int = 8192
    heartbeat_interval: float = 5.0
    drain_time: float = 1.0
    graceful_shutdown: float = 10.0
    instance_identity_ca_path: str = ""
    instance_identity_private_key_path: str = ""
    instance_identity_validity_period: Annotated[float, msgspec.Meta(gt=0)] = 86_400.0
    enable_container_proxy: bool = False
    container_proxy_require_and_verify_client_certificates: bool = False
    container_proxy_trusted_ca_certs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.port_range[0] > self.port_range[1]:
            raise ValueError("port_range: the first port must not be above the last")
        if bool(self.instance_identity_ca_path) != bool(self.instance_identity_private_key_path):
            raise ValueError("instance_identity_ca_path and instance_identity_private_key_path: one needs the other")
        if self.enable_container_proxy and not self.instance_identity_ca_path:
            raise ValueError("enable_container_proxy: a proxy needs the instance identity authority")
        if self.container_proxy_require_and_verify_client_certificates and not self.container_proxy_trusted_ca_certs:
            raise ValueError("container_proxy_require_and_verify_client_certificates: container_proxy_trusted_ca_certs is empty")


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    return load_yaml(path, Config)
