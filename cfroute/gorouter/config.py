"""Gorouter's configuration: upstream's keys, types and defaults.

All times are seconds. What only cfroute knows stands under `cfroute:`, which upstream's binary ignores like any unknown key.
"""

import msgspec
from msgspec import field

from cfroute.go.yaml import Duration, Int64, Uint, Uint16, Uint32
from cfroute.gorouter.config_sections import (
    AccessLog,
    BackendConfig,
    DomainConfig,
    Extensions,
    HTTPRewrite,
    LoggingConfig,
    NatsConfig,
    OAuthConfig,
    PrometheusConfig,
    RouteServiceConfig,
    RoutingApiConfig,
    StatusConfig,
    TLSPem,
    Tracing,
    VerifyClientCertificateMetadataRule,
)
from cfroute.gorouter.local_ip import outgoing_address

_ADDRESSES_OF_NOBODY = ("", "127.0.0.1", "0.0.0.0", "::")  # noqa: S104


class Config(msgspec.Struct, kw_only=True):
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
    domains: list[DomainConfig] = []
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
    http_1_endpoint_timeout: Duration = Duration(0)
    http_2_endpoint_timeout: Duration = Duration(0)
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
    max_header_bytes: int = 0  # how older files call it
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

    def worker_count(self, processors: int) -> int:
        """How many processes serve clients on a machine with so many processors.

        The file's own wish has to say so: `go_max_procs` is -1, all processors, where nobody has thought of it.
        """
        wanted = self.cfroute.workers
        if wanted < 0:
            wanted = self.go_max_procs if self.go_max_procs > 0 else processors
        return max(wanted, 1)
