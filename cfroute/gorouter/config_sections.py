"""The sections of Gorouter's configuration file. Keys, types and defaults are upstream's; all times are seconds."""

import msgspec
from msgspec import field

from cfroute.go.yaml import Duration, Int64, Uint16


class Section(msgspec.Struct, kw_only=True):
    """A mapping of the file. The names of the classes are upstream's: error messages show them."""


class TLSPem(Section):
    """A certificate chain and its key, as PEM texts."""

    cert_chain: str = ""
    private_key: str = ""


class StatusTLSConfig(Section):
    """The health listener with TLS; it is on as soon as this differs from the default."""

    port: Uint16 = 8443
    certificate: str = ""
    key: str = ""


class StatusRoutesConfig(Section):
    """The listener of the routing table."""

    port: Uint16 = 8082


class StatusConfig(Section):
    """Health and routes listeners, and the credentials of the latter."""

    host: str = "0.0.0.0"  # noqa: S104  (upstream's default; only used in its deprecated mode)
    port: Uint16 = 8080
    user: str = ""
    password: str = field(default="", name="pass")
    enable_nontls_health_checks: bool = True
    enable_deprecated_varz_healthz_endpoints: bool = False
    tls: StatusTLSConfig = field(default_factory=StatusTLSConfig)
    routes: StatusRoutesConfig = field(default_factory=StatusRoutesConfig)


class NatsHost(Section):
    """One NATS server."""

    hostname: str = ""
    port: Uint16 = 0


class NatsConfig(Section):
    """The message bus: its servers, and how to show who we are."""

    hosts: list[NatsHost] = field(default_factory=lambda: [NatsHost(hostname="localhost", port=4222)])
    user: str = ""
    password: str = field(default="", name="pass")
    tls_enabled: bool = False
    ca_certs: str = ""
    cert_chain: str = ""
    private_key: str = ""


class FormatConfig(Section):
    """How the application log writes times: `unix-epoch` or `rfc3339`."""

    timestamp: str = "unix-epoch"


class LoggingConfig(Section):
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
    enable_attempts_details: bool = False  # how older files ask for some of these fields


class AccessLog(Section):
    """Where access lines go; no file when empty."""

    file: str = ""
    enable_streaming: bool = False


class Tracing(Section):
    """Which tracing headers are kept up."""

    enable_zipkin: bool = False
    enable_w3c: bool = False
    w3c_tenant_id: str = ""


class BackendConfig(Section):
    """Limits of backends (0: none), and our certificate towards them."""

    max_conns: Int64 = 0
    max_attempts: int = 0
    cert_chain: str = ""
    private_key: str = ""


class RouteServiceConfig(Section):
    """Attempts at route services, and our certificate towards them."""

    max_attempts: int = 0
    strict_signature_validation: bool = False
    enable_websockets: bool = False
    cert_chain: str = ""
    private_key: str = ""


class OAuthConfig(Section):
    """The UAA, for the Routing API's token. The file of `ca_certs` is not read before it is needed."""

    token_endpoint: str = ""
    port: int = 0
    skip_ssl_validation: bool = False
    client_name: str = ""
    client_secret: str = ""
    ca_certs: str = ""


class RoutingApiConfig(Section):
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


class CertSubject(Section):
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


class VerifyClientCertificateMetadataRule(Section):
    """Client certificates under that CA must have one of these subjects."""

    issuer_in_chain: CertSubject = field(default_factory=CertSubject)
    valid_cert_subjects: list[CertSubject] = []


class DomainConfig(Section):
    """A domain whose clients show certificates of their own, and how the backends hear of them."""

    domain: str = ""
    ca_certs: str = ""
    forwarded_client_cert: str = ""
    xfcc_format: str = ""


class HeaderNameValue(Section):
    """A header; without a value where it is to be removed."""

    name: str = ""
    value: str = ""


class HTTPRewriteResponses(Section):
    """What is changed in the headers of every response."""

    add_headers_if_not_present: list[HeaderNameValue] = []
    remove_headers: list[HeaderNameValue] = []


class HTTPRewrite(Section):
    """Changes of messages on their way."""

    responses: HTTPRewriteResponses = field(default_factory=HTTPRewriteResponses)


def _latencies() -> list[float]:
    return [1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0, 40.0, 50.0, 100.0, 500.0, 1000.0]


class MetersConfig(Section):
    """Buckets of the histograms: nanoseconds, milliseconds (two), and seconds (two)."""

    route_lookup_time_histogram_buckets: list[float] = field(default_factory=lambda: [1e4 * i for i in range(1, 11)])
    route_registration_latency_histogram_buckets: list[float] = field(
        default_factory=lambda: [0.1, *(0.5 * i for i in range(1, 9))]
    )
    routing_response_latency_histogram_buckets: list[float] = field(default_factory=_latencies)
    gorouter_time_histogram_buckets: list[float] = field(default_factory=_latencies)
    http_latency_histogram_buckets: list[float] = field(default_factory=lambda: [0.1 * 2**i for i in range(9)])


class PrometheusConfig(Section):
    """The metrics listener."""

    enabled: bool = False
    port: Uint16 = 0
    cert_path: str = ""
    key_path: str = ""
    ca_path: str = ""
    meters: MetersConfig = field(default_factory=MetersConfig)


class Resolver(Section):
    """Connections to `name`:`port` go to `address`:`to_port`; a name may begin with `*.`."""

    name: str = ""
    port: Uint16 = 0
    address: str = ""
    to_port: Uint16 = 0


class Extensions(Section):
    """What cfroute adds."""

    address: str = "127.0.0.1"  # every listener is bound here; empty: where upstream binds it, which is everywhere for most
    start_delay: Duration | None = None  # instead of sleeping start_response_delay_interval
    start_when_quiet_for: Duration | None = None  # then start once no registration has come for so long
    public_http_port: Uint16 = 80  # the ports people reach the router under, for forwarded URLs
    public_https_port: Uint16 = 443
    resolver: list[Resolver] = []
    workers: int = 1  # processes that serve clients; -1: as go_max_procs says
    vcap_id_meta: bool = False  # keep the attributes of sticky cookies in a second one, __VCAP_ID_META__
    access_log_json: str = ""  # a second access log, of JSON objects
    start_without_routing_api: bool = False  # do not wait for it and the UAA, and do not end when they are away
    routes_on_status_port: bool = False  # answer for the routing table there, too (with the same password)
