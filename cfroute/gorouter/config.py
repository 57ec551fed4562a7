"""Gorouter's configuration file: upstream's keys, types and defaults.

A file is laid over these defaults by go-yaml's rules (see `go_yaml`), completed, and checked (see `config_validation`). All
times are seconds. What only cfroute knows stands under `cfroute:`, which upstream's binary ignores like any unknown key.
"""

from pathlib import Path

import msgspec
from msgspec import field

from cfroute.gorouter import config_validation, go_yaml
from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.go_yaml import Duration, Int64, Uint, Uint16, Uint32
from cfroute.gorouter.local_ip import outgoing_address

__all__ = ["Config", "ConfigError", "load", "parse"]

_ADDRESSES_OF_NOBODY = ("", "127.0.0.1", "0.0.0.0", "::")  # noqa: S104


class _Section(msgspec.Struct, kw_only=True):
    """A mapping of the file. The names of the classes are upstream's: error messages show them."""


class TLSPem(_Section):
    """A certificate chain and its key, as PEM texts."""

    cert_chain: str = ""
    private_key: str = ""


class StatusTLSConfig(_Section):
    """The health listener with TLS; it is on as soon as this differs from the default."""

    port: Uint16 = 8443
    certificate: str = ""
    key: str = ""


class StatusRoutesConfig(_Section):
    """The listener of the routing table."""

    port: Uint16 = 8082


class StatusConfig(_Section):
    """Health and routes listeners, and the credentials of the latter."""

    host: str = "0.0.0.0"  # noqa: S104  (upstream's default; only used in its deprecated mode)
    port: Uint16 = 8080
    user: str = ""
    password: str = field(default="", name="pass")
    enable_nontls_health_checks: bool = True
    enable_deprecated_varz_healthz_endpoints: bool = False
    tls: StatusTLSConfig = field(default_factory=StatusTLSConfig)
    routes: StatusRoutesConfig = field(default_factory=StatusRoutesConfig)


class NatsHost(_Section):
    """One NATS server."""

    hostname: str = ""
    port: Uint16 = 0


class NatsConfig(_Section):
    """The message bus: its servers, and how to show who we are."""

    hosts: list[NatsHost] = field(default_factory=lambda: [NatsHost(hostname="localhost", port=4222)])
    user: str = ""
    password: str = field(default="", name="pass")
    tls_enabled: bool = False
    ca_certs: str = ""
    cert_chain: str = ""
    private_key: str = ""


class FormatConfig(_Section):
    """How the application log writes times: `unix-epoch` or `rfc3339`."""

    timestamp: str = "unix-epoch"


class LoggingConfig(_Section):
    """The application log, and what of a request may be logged."""

    level: str = "debug"
    syslog: str = ""
    syslog_addr: str = "127.0.0.1:514"
    syslog_network: str = "udp"
    syslog_truncate: int = 0
    loggregator_enabled: bool = False
    metron_address: str = "localhost:3457"
    disable_log_forwarded_for: bool = False
    disable_log_source_ip: bool = False
    redact_query_params: str = "none"
    format: FormatConfig = field(default_factory=FormatConfig)
    extra_access_log_fields: list[str] = []


class AccessLog(_Section):
    """Where access lines go; no file when empty."""

    file: str = ""
    enable_streaming: bool = False


class Tracing(_Section):
    """Which tracing headers are kept up."""

    enable_zipkin: bool = False
    enable_w3c: bool = False
    w3c_tenant_id: str = ""


class BackendConfig(_Section):
    """Limits of backends (0: none), and our certificate towards them."""

    max_conns: Int64 = 0
    max_attempts: int = 0
    cert_chain: str = ""
    private_key: str = ""


class RouteServiceConfig(_Section):
    """Attempts at route services, and our certificate towards them."""

    max_attempts: int = 0
    strict_signature_validation: bool = False
    enable_websockets: bool = False
    cert_chain: str = ""
    private_key: str = ""


class OAuthConfig(_Section):
    """The UAA, for the Routing API's token. The file of `ca_certs` is not read before it is needed."""

    token_endpoint: str = ""
    port: int = 0
    skip_ssl_validation: bool = False
    client_name: str = ""
    client_secret: str = ""
    ca_certs: str = ""


class RoutingApiConfig(_Section):
    """A second source of routes."""

    uri: str = ""
    port: int = 0
    auth_disabled: bool = False
    ca_certs: str = ""
    cert_chain: str = ""
    private_key: str = ""

    @property
    def enabled(self) -> bool:
        return bool(self.uri) and self.port != 0


class CertSubject(_Section):
    """A distinguished name, as certificate rules spell it."""

    country: list[str] = []
    organization: list[str] = []
    organizational_unit: list[str] = []
    common_name: str = ""
    serial_number: str = ""
    locality: list[str] = []
    province: list[str] = []
    street_address: list[str] = []
    postal_code: list[str] = []


class VerifyClientCertificateMetadataRule(_Section):
    """Client certificates under that CA must have one of these subjects."""

    issuer_in_chain: CertSubject = field(default_factory=CertSubject)
    valid_cert_subjects: list[CertSubject] = []


class HeaderNameValue(_Section):
    """A header; without a value where it is to be removed."""

    name: str = ""
    value: str = ""


class HTTPRewriteResponses(_Section):
    """What is changed in the headers of every response."""

    add_headers_if_not_present: list[HeaderNameValue] = []
    remove_headers: list[HeaderNameValue] = []


class HTTPRewrite(_Section):
    """Changes of messages on their way."""

    responses: HTTPRewriteResponses = field(default_factory=HTTPRewriteResponses)


def _latencies() -> list[float]:
    return [1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0, 40.0, 50.0, 100.0, 500.0, 1000.0]


class MetersConfig(_Section):
    """Buckets of the histograms: nanoseconds, milliseconds (two), and seconds (two)."""

    route_lookup_time_histogram_buckets: list[float] = field(default_factory=lambda: [1e4 * i for i in range(1, 11)])
    route_registration_latency_histogram_buckets: list[float] = field(
        default_factory=lambda: [0.1, *(0.5 * i for i in range(1, 9))]
    )
    routing_response_latency_histogram_buckets: list[float] = field(default_factory=_latencies)
    gorouter_time_histogram_buckets: list[float] = field(default_factory=_latencies)
    http_latency_histogram_buckets: list[float] = field(default_factory=lambda: [0.1 * 2**i for i in range(9)])


class PrometheusConfig(_Section):
    """The metrics listener."""

    enabled: bool = False
    port: Uint16 = 0
    cert_path: str = ""
    key_path: str = ""
    ca_path: str = ""
    meters: MetersConfig = field(default_factory=MetersConfig)


class Resolver(_Section):
    """Connections to `name`:`port` go to `address`:`to_port`; a name may begin with `*.`."""

    name: str = ""
    port: Uint16 = 0
    address: str = ""
    to_port: Uint16 = 0


class Extensions(_Section):
    """What cfroute adds."""

    address: str = ""  # every listener is bound here; empty: where upstream binds it, which is everywhere for most
    start_delay: Duration | None = None  # instead of sleeping start_response_delay_interval
    start_when_quiet_for: Duration | None = None  # then start once no registration has come for so long
    public_http_port: Uint16 = 80  # the ports people reach the router under, for forwarded URLs
    public_https_port: Uint16 = 443
    resolver: list[Resolver] = []
    vcap_id_meta: bool = False  # keep the attributes of sticky cookies in a second one, __VCAP_ID_META__
    routes_on_status_port: bool = False  # answer for the routing table there, too (with the same password)


class Config(_Section):
    """The whole file."""

    port: Uint16 = 8081
    disable_http: bool = False
    enable_ssl: bool = False
    ssl_port: Uint16 = 443
    enable_http2: bool = True
    enable_http1_concurrent_read_write: bool = False
    enable_proxy: bool = False
    index: Uint = 0
    zone: str = ""
    go_max_procs: int = -1
    debug_addr: str = ""
    pid_file: str = ""
    status: StatusConfig = field(default_factory=StatusConfig)
    nats: NatsConfig = field(default_factory=NatsConfig)
    nats_client_ping_interval: Duration = Duration(20)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    access_log: AccessLog = field(default_factory=AccessLog)
    tracing: Tracing = field(default_factory=Tracing)
    trace_key: str = ""
    extra_headers_to_log: list[str] = []
    tls_pem: list[TLSPem] = []
    ca_certs: list[str] = []
    client_ca_certs: str = ""
    only_trust_client_ca_certs: bool = False
    client_cert_validation: str = ""
    enable_verify_client_certificate_metadata: bool = False
    verify_client_certificate_metadata: list[VerifyClientCertificateMetadataRule] = []
    cipher_suites: str = ""
    min_tls_version: str = ""
    max_tls_version: str = ""
    tls_handshake_timeout: Duration = Duration(10)
    skip_ssl_validation: bool = False
    forwarded_client_cert: str = "always_forward"
    force_forwarded_proto_https: bool = False
    sanitize_forwarded_proto: bool = False
    hop_by_hop_headers_to_filter: list[str] = []
    http_rewrite: HTTPRewrite = field(default_factory=HTTPRewrite)
    isolation_segments: list[str] = []
    routing_table_sharding_mode: str = "all"
    suspend_pruning_if_nats_unavailable: bool = False
    prune_stale_droplets_interval: Duration = Duration(30)
    droplet_stale_threshold: Duration = Duration(120)
    publish_active_apps_interval: Duration = Duration(0)
    publish_start_message_interval: Duration = Duration(30)
    start_response_delay_interval: Duration = Duration(5)
    route_latency_metric_muzzle_duration: Duration = Duration(20)
    endpoint_timeout: Duration = Duration(60)
    endpoint_dial_timeout: Duration = Duration(5)
    websocket_dial_timeout: Duration = Duration(0)
    endpoint_keep_alive_probe_interval: Duration = Duration(1)
    route_services_timeout: Duration = Duration(60)
    frontend_idle_timeout: Duration = Duration(900)
    read_header_timeout: Duration = Duration(0)
    drain_wait: Duration = Duration(0)
    drain_timeout: Duration = Duration(0)
    disable_keep_alives: bool = True
    max_idle_conns: int = 100
    max_idle_conns_per_host: int = 2
    keep_alive_100_continue_requests: bool = False
    max_request_header_bytes: int = 0
    max_request_headers: int = 0
    max_response_header_bytes: int = 0
    max_response_headers: int = 0
    backends: BackendConfig = field(default_factory=BackendConfig)
    route_services: RouteServiceConfig = field(default_factory=RouteServiceConfig)
    route_services_secret: str = ""
    route_services_secret_decrypt_only: str = ""
    route_services_recommend_https: bool = False
    route_services_hairpinning: bool = False
    route_services_hairpinning_allowlist: list[str] = []
    route_services_internal_server_port: Uint16 = 7070
    balancing_algorithm: str = "round-robin"
    balancing_algorithm_az_preference: str = "none"
    load_balancer_healthy_threshold: Duration = Duration(0)
    secure_cookies: bool = False
    sticky_session_cookie_names: list[str] = field(default_factory=lambda: ["JSESSIONID"])
    sticky_sessions_for_auth_negotiate: bool = False
    healthcheck_user_agent: str = "HTTP-Monitor/1.1"
    empty_pool_response_code_503: bool = False
    empty_pool_timeout: Duration = Duration(0)
    html_error_template_file: str = ""
    per_request_metrics_reporting: bool = True
    enable_envelope_v1_metrics: bool = True
    send_http_start_stop_server_event: bool = True
    send_http_start_stop_client_event: bool = True
    per_app_prometheus_http_metrics_reporting: bool = False
    prometheus: PrometheusConfig = field(default_factory=PrometheusConfig)
    oauth: OAuthConfig = field(default_factory=OAuthConfig)
    routing_api: RoutingApiConfig = field(default_factory=RoutingApiConfig)
    token_fetcher_max_retries: Uint32 = 3
    token_fetcher_retry_interval: Duration = Duration(5)
    token_fetcher_expiration_buffer_time: Int64 = 30
    healthcheck_poll_interval: Duration = Duration(10)
    healthcheck_timeout: Duration = Duration(5)
    cfroute: Extensions = field(default_factory=Extensions)

    @property
    def local_host(self) -> str:
        """Where the listeners are that only this machine should reach."""
        return self.cfroute.address or "127.0.0.1"

    @property
    def ip(self) -> str:
        """The address that the router calls itself by, in its start message and in `X-Vcap-Router`."""
        ours = self.cfroute.address
        return outgoing_address() if ours in _ADDRESSES_OF_NOBODY else ours

    @property
    def failed_cool_down(self) -> float:
        """How long round robin avoids an endpoint that failed."""
        return self.droplet_stale_threshold / 4

    @property
    def start_delay(self) -> float:
        """How long to collect registrations before the listeners open."""
        ours = self.cfroute.start_delay
        return self.start_response_delay_interval if ours is None else ours


def load(path: str | Path | None) -> Config:
    """The configuration in that file; without one, the defaults. Raises ConfigError."""
    if path is None:
        return parse("")
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        verb = "read" if isinstance(error, IsADirectoryError) else "open"
        raise ConfigError(f"{verb} {path}: {(error.strerror or str(error)).lower()}") from error
    return parse(text)


def parse(text: str | bytes) -> Config:
    """The configuration in that text, completed and checked. Raises ConfigError."""
    try:
        config = go_yaml.decode(text, Config(), "config.Config")
    except go_yaml.YAMLError as error:
        raise ConfigError(str(error)) from error
    config.droplet_stale_threshold = max(config.droplet_stale_threshold, config.start_response_delay_interval)
    config.drain_timeout = config.drain_timeout or config.endpoint_timeout
    config.websocket_dial_timeout = config.websocket_dial_timeout or config.endpoint_dial_timeout
    config.sticky_session_cookie_names = list(dict.fromkeys(config.sticky_session_cookie_names))
    config_validation.check(config)
    return config
