"""What upstream checks in a configuration, in its order and words. The first failure is the one that is reported."""

from collections.abc import Iterator

from cfroute import durations
from cfroute.go import pem
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.nats.subjects import certificate_rdn_string, rdn_string
from cfroute.gorouter.tls.ciphers import OPENSSL_NAMES

_CLIENT_VALIDATIONS = ("none", "request", "require")
_MIN_VERSIONS = ("", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_MAX_VERSIONS = ("", "TLSv1.2", "TLSv1.3")
_FORWARDED_CLIENT_CERT = ("always_forward", "forward", "sanitize_set")
_XFCC_FORMATS = ("raw", "envoy")
_SHARDING_MODES = ("all", "segments", "shared-and-segments")
_REDACTIONS = ("none", "all", "hash")
_ALGORITHMS = ("round-robin", "least-connection")
_ZONE_PREFERENCES = ("none", "locally-optimistic")
_DEFAULT_STATUS_TLS_PORT = 8443
MOST_WORKERS = 256


def check(config: Config) -> None:
    """Raise ConfigError with the first problem, if there is one."""
    for problem in _problems(config):
        raise ConfigError(problem)


def _problems(config: Config) -> Iterator[str]:
    yield from _client_pairs(config)
    yield from _nats(config)
    yield from _status(config)
    if config.enable_ssl:
        yield from _front_tls(config)
    elif config.disable_http:
        yield "neither http nor https listener is enabled: router.enable_ssl: false, router.disable_http: true"
    yield from _routing(config)
    yield from _authorities(config)
    if not -1 <= config.cfroute.workers <= MOST_WORKERS:
        yield f"Invalid value for cfroute.workers: {config.cfroute.workers}. Allowed values are -1 to {MOST_WORKERS}"


def _client_pairs(config: Config) -> Iterator[str]:
    for section in (config.backends, config.route_services):
        if section.cert_chain and section.private_key:
            yield from _pair(section.cert_chain, section.private_key, "Error loading key pair: ")
    api = config.routing_api
    if api.enabled:
        yield from _pair(api.cert_chain, api.private_key, "Error loading key pair: ")
        if not pem.has_certificate(api.ca_certs):
            yield _unusable_routing_api_ca(api.ca_certs)


def _nats(config: Config) -> Iterator[str]:
    nats = config.nats
    if nats.tls_enabled:
        yield from _pair(nats.cert_chain, nats.private_key, "Error loading NATS key pair: ")
        if not pem.has_certificate(nats.ca_certs):
            yield _unusable_routing_api_ca(nats.ca_certs)


def _unusable_routing_api_ca(certificates: str) -> str:
    return f"Error while adding CACerts to gorouter's routing-api cert pool: \n{certificates}\n"


def _pair(chain: str, key: str, prefix: str) -> Iterator[str]:
    problem = pem.pair_problem(chain, key)
    if problem is not None:
        yield prefix + problem


def _status(config: Config) -> Iterator[str]:
    tls = config.status.tls
    if tls.port == _DEFAULT_STATUS_TLS_PORT and not tls.certificate and not tls.key:
        if not config.status.enable_nontls_health_checks:
            yield "Neither TLS nor non-TLS health endpoints are enabled. Refusing to start gorouter."
        return
    if not tls.key:
        yield "router.status.tls.key must be provided"
    if not tls.certificate:
        yield "router.status.tls.certificate must be provided"
    if tls.port == 0:
        yield "router.status.tls.port must not be 0"
    yield from _pair(tls.certificate, tls.key, "Error loading router.status.tls certificate/key pair: ")


def _front_tls(config: Config) -> Iterator[str]:
    if config.client_cert_validation not in _CLIENT_VALIDATIONS:
        yield "router.client_cert_validation must be one of 'none', 'request' or 'require'."
    if config.min_tls_version not in _MIN_VERSIONS:
        yield 'router.min_tls_version should be one of "", "TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0"'
    if config.max_tls_version not in _MAX_VERSIONS:
        yield 'router.max_tls_version should be one of "TLSv1.2" or "TLSv1.3"'
    if not config.tls_pem:
        yield "router.tls_pem must be provided if router.enable_ssl is set to true"
    for pair in config.tls_pem:
        if not pair.private_key or not pair.cert_chain:
            yield "Error parsing PEM blocks of router.tls_pem, missing cert or key."
        yield from _pair(pair.cert_chain, pair.private_key, "Error loading key pair: ")
    if not config.cipher_suites.strip():
        yield "must specify list of cipher suite when ssl is enabled"
    for name in config.cipher_suites.split(":"):
        if name not in OPENSSL_NAMES:
            known = " ".join(OPENSSL_NAMES)
            yield f"Invalid cipher string configuration: {name}, please choose from [{known}]"
    yield from _domains(config)


def _domains(config: Config) -> Iterator[str]:
    for domain in config.domains:
        if not domain.domain.removeprefix("*."):
            yield "Every entry of domains must have a domain"
        if not pem.has_certificate(domain.ca_certs):
            yield f"Error while adding the ca_certs of domain {domain.domain} to its cert pool"
        yield from _one_of("forwarded client cert mode: ", domain.forwarded_client_cert, ("", *_FORWARDED_CLIENT_CERT))
        yield from _one_of("xfcc format: ", domain.xfcc_format, ("", *_XFCC_FORMATS))


def _routing(config: Config) -> Iterator[str]:
    yield from _one_of("load balancing algorithm ", config.balancing_algorithm, _ALGORITHMS)
    yield from _one_of("load balancing AZ preference ", config.balancing_algorithm_az_preference, _ZONE_PREFERENCES)
    if config.load_balancer_healthy_threshold < 0:
        yield f"Invalid load balancer healthy threshold: {durations.format(config.load_balancer_healthy_threshold)}"
    yield from _one_of("forwarded client cert mode: ", config.forwarded_client_cert, _FORWARDED_CLIENT_CERT)
    yield from _one_of("sharding mode: ", config.routing_table_sharding_mode, _SHARDING_MODES)
    if config.routing_table_sharding_mode == "segments" and not config.isolation_segments:
        yield "Expected isolation segments; routing table sharding mode set to segments and none provided."
    yield from _one_of("query param redaction mode: ", config.logging.redact_query_params, _REDACTIONS)


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value not in allowed:
        yield f"Invalid {what}{value}. Allowed values are [{' '.join(allowed)}]"


def _authorities(config: Config) -> Iterator[str]:
    for position, bundle in enumerate(config.ca_certs):
        if not pem.has_certificate(bundle):
            yield f"Error while adding {position} cert in CACerts to gorouter's cert pool"
    asks_clients = config.enable_ssl and config.client_cert_validation != "none"
    if not config.client_ca_certs:
        if config.only_trust_client_ca_certs and asks_clients:
            yield (
                "router.client_ca_certs cannot be empty if router.only_trust_client_ca_certs is 'true' and "
                "router.client_cert_validation is set to 'request' or 'require'."
            )
    elif not pem.has_certificate(config.client_ca_certs):
        yield f"Error while adding ClientCACerts to gorouter's client cert pool: \n{config.client_ca_certs}\n"
    if config.enable_verify_client_certificate_metadata:
        yield from _metadata_rules(config)


def _metadata_rules(config: Config) -> Iterator[str]:
    known = {certificate_rdn_string(subject) for subject in pem.subjects(config.client_ca_certs)}
    for rule in config.verify_client_certificate_metadata:
        wanted = rdn_string(rule.issuer_in_chain)
        if wanted not in known:
            yield f"no CA certificate found for rule with ca subject {wanted}"
