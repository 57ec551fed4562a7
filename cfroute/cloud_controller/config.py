"""The Cloud Controller's configuration file, `cloud_controller_ng.yml`."""

from pathlib import Path

import msgspec

from cfroute.config_file import load_yaml
from cfroute.resolver import Mapping


class QuotaDefinition(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An organization quota that there is from the beginning, in upstream's words; -1 is no limit. memory_limit in MiB."""

    memory_limit: int = 102_400
    total_services: int = -1
    total_service_keys: int = -1
    non_basic_services_allowed: bool = True
    total_routes: int = 1000
    total_reserved_route_ports: int = 100
    total_private_domains: int = -1


DEFAULT_QUOTA_NAME = "default"


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where it listens, where it keeps things, and whom it talks to.

    ca and uaa_ca are PEM files with the authorities of Diego's components, and of the UAA.
    external: what people reach, plain HTTP; internal: what cells and the BBS reach, mutual TLS.
    metron_address and metron_port are where Gorouters tell it of requests, for the logs of the apps; 0 for nowhere.
    external_url stands in links when a request names no host, and in VCAP_APPLICATION.
    uaa_public_key: a PEM file with the key that tokens are checked with when there is no UAA to ask for it.
    uaa_client_name and uaa_client_secret: the UAA's client that may ask there for the names of users.
    system_hosts are the host names of `domain` that no app may take.
    tcp_domain belongs to the router group tcp_router_group, which has tcp_reservable_ports until the Routing API says otherwise.
    routing_api_url is what `/v1/router_groups` is appended to; empty for no Routing API. With https, routing_api_ca (or `ca`) has
    to have signed its certificate, and it is shown routing_api_certificate (or client_certificate). Tokens for it are those of
    the UAA's client routing_api_client_name.
    maximum_app_disk_in_mb and maximum_health_check_timeout (seconds): what no process gets more of, whatever its quotas say.
    quota_definitions: organization quotas by name; organizations get `default` until they are given another one.
    broker_client_timeout_seconds: how long a service broker may take for one answer. What it does in the background is asked for
    every broker_client_default_async_poll_interval_seconds, if it names no other time, for at most
    broker_client_max_async_poll_duration_minutes. broker_ca: a PEM file with authorities that brokers' certificates may be
    signed by, besides those that this machine trusts; with skip_cert_verify nobody looks at them. resolver: names and ports of
    brokers that are dialled elsewhere.
    max_service_credential_bindings_per_app_service_instance: how many bindings an app may have to one service instance, where
    several are asked for.
    max_package_size: bytes that an uploaded package or droplet may have.
    """

    database: str
    blobs: str
    app_logs: str
    domain: str
    uaa_url: str
    uaa_issuer: str
    external_url: str
    uaa_ca: str = ""
    uaa_public_key: str = ""
    uaa_client_name: str = "cloud_controller_username_lookup"
    uaa_client_secret: str = ""
    external_address: str = "127.0.0.1"
    external_port: int = 9022
    internal_address: str = "127.0.0.1"
    internal_port: int = 9023
    metron_address: str = "127.0.0.1"
    metron_port: int = 0
    internal_certificate: str = ""
    internal_key: str = ""
    ca: str = ""
    client_certificate: str = ""
    client_key: str = ""
    bbs_url: str = ""
    tcp_domain: str = ""
    tcp_router_group: str = "default-tcp"
    tcp_reservable_ports: str = "1024-1123"
    routing_api_url: str = ""
    routing_api_client_name: str = "cc_routing"
    routing_api_client_secret: str = ""
    routing_api_ca: str = ""
    routing_api_certificate: str = ""
    routing_api_key: str = ""
    maximum_app_disk_in_mb: int = 2048
    maximum_health_check_timeout: int = 180
    quota_definitions: dict[str, QuotaDefinition] = msgspec.field(default_factory=lambda: {DEFAULT_QUOTA_NAME: QuotaDefinition()})
    broker_client_timeout_seconds: float = 60.0
    broker_client_default_async_poll_interval_seconds: float = 60.0
    broker_client_max_async_poll_duration_minutes: float = 10_080.0
    broker_ca: str = ""
    skip_cert_verify: bool = False
    max_service_credential_bindings_per_app_service_instance: int = 1
    max_package_size: int = 1_073_741_824
    resolver: list[Mapping] = []
    organization: str = "local"
    space: str = "dev"
    admin_user: str = "admin"
    system_hosts: list[str] = []

    @property
    def internal_url(self) -> str:
        """What cells download droplets from and upload them to."""
        return f"https://{self.internal_address}:{self.internal_port}"


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    return load_yaml(path, Config)
