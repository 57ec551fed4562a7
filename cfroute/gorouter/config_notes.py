"""What a configuration file says in vain, or gets something else for than it might expect: key by key, with the reason."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from cfroute.go.yaml import Key
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_support import without_effect

IGNORED, NO_EFFECT, DIFFERS = "ignored", "no effect", "differs"


class Note(NamedTuple):
    """A key of the file, what is to be said of it (one of the words above), and why."""

    key: str
    kind: str
    reason: str


class _Rule(NamedTuple):
    kind: str
    reason: str
    applies: Callable[[Config], bool]


def _always(config: Config) -> bool:
    return True


def _upstream_too(reason: str) -> _Rule:
    return _Rule(NO_EFFECT, f"nor with the real Gorouter: {reason}", _always)


def _only_with(what: str, applies: Callable[[Config], bool]) -> _Rule:
    return _Rule(NO_EFFECT, f"only with {what}", applies)


_WITHOUT_TLS: Final = _only_with("enable_ssl: true", lambda config: not config.enable_ssl)
_WITHOUT_ROUTING_API: Final = _only_with("routing_api.uri and routing_api.port", lambda config: not config.routing_api.enabled)
_WITHOUT_NATS_TLS: Final = _only_with("nats.tls_enabled: true", lambda config: not config.nats.tls_enabled)
_WITHOUT_SECRET: Final = _only_with("route_services_secret", lambda config: not config.route_services_secret)
_WITHOUT_PROMETHEUS: Final = _only_with("prometheus.enabled: true", lambda config: not config.prometheus.enabled)
_WITHOUT_STREAMING: Final = _only_with("access_log.enable_streaming: true", lambda config: not config.access_log.enable_streaming)
_HALF_A_PAIR: Final = "only with both cert_chain and private_key, as with the real Gorouter"

# A key stands for all keys below it.
_RULES: Final[dict[str, _Rule]] = {
    "pid_file": _upstream_too("it writes no such file"),
    "publish_start_message_interval": _upstream_too("the start message goes out at each connect"),
    "websocket_dial_timeout": _upstream_too("endpoint_dial_timeout holds for all connections"),
    "load_balancer_healthy_threshold": _upstream_too("it is only checked not to be negative"),
    "healthcheck_poll_interval": _upstream_too("it is for the separate health checker"),
    "healthcheck_timeout": _upstream_too("it is for the separate health checker"),
    "max_header_bytes": _Rule(DIFFERS, "the older name of max_request_header_bytes: taken where that is not set", _always),
    "logging.enable_attempts_details": _Rule(
        DIFFERS, "the older way to ask for extra_access_log_fields: taken where that is empty", _always
    ),
    "html_error_template_file": _Rule(
        DIFFERS,
        "a subset of Go's templates (cfroute docs configuration); what goes beyond it ends the start",
        lambda config: bool(config.html_error_template_file),
    ),
    "port": _Rule(
        DIFFERS,
        "listens on 127.0.0.1 only, as do all other listeners; cfroute.address: '' opens them to all addresses",
        lambda config: config.cfroute.address == "127.0.0.1",
    ),
    "go_max_procs": _only_with("cfroute.workers: -1", lambda config: config.cfroute.workers != -1),
    "max_idle_conns": _Rule(NO_EFFECT, "idle connections are limited by max_idle_conns_per_host", _always),
    "debug_addr": _Rule(
        DIFFERS, "only /log-level is there; py-spy looks into a running process", lambda config: bool(config.debug_addr)
    ),
    "route_services.max_attempts": _Rule(
        DIFFERS,
        "0 counts as 1; the real Gorouter answers every such request with 502",
        lambda config: not config.route_services.max_attempts,
    ),
    "route_services.cert_chain": _Rule(
        NO_EFFECT, _HALF_A_PAIR, lambda config: bool(config.route_services.cert_chain) != bool(config.route_services.private_key)
    ),
    "backends.cert_chain": _Rule(
        NO_EFFECT, _HALF_A_PAIR, lambda config: bool(config.backends.cert_chain) != bool(config.backends.private_key)
    ),
    "ssl_port": _WITHOUT_TLS,
    "tls_pem": _WITHOUT_TLS,
    "cipher_suites": _WITHOUT_TLS,
    "client_cert_validation": _WITHOUT_TLS,
    "verify_client_certificate_metadata": _only_with(
        "enable_verify_client_certificate_metadata: true", lambda config: not config.enable_verify_client_certificate_metadata
    ),
    "isolation_segments": _only_with(
        "routing_table_sharding_mode segments or shared-and-segments", lambda config: config.routing_table_sharding_mode == "all"
    ),
    "empty_pool_timeout": _only_with(
        "empty_pool_response_code_503: true", lambda config: not config.empty_pool_response_code_503
    ),
    "status.host": _only_with(
        "status.enable_deprecated_varz_healthz_endpoints: true",
        lambda config: not config.status.enable_deprecated_varz_healthz_endpoints,
    ),
    "nats.ca_certs": _WITHOUT_NATS_TLS,
    "nats.cert_chain": _WITHOUT_NATS_TLS,
    "nats.private_key": _WITHOUT_NATS_TLS,
    "logging.syslog_addr": _WITHOUT_STREAMING,
    "logging.syslog_network": _WITHOUT_STREAMING,
    "logging.syslog_truncate": _WITHOUT_STREAMING,
    "route_services_secret_decrypt_only": _WITHOUT_SECRET,
    "route_services_hairpinning": _WITHOUT_SECRET,
    "route_services_recommend_https": _WITHOUT_SECRET,
    "prometheus.port": _WITHOUT_PROMETHEUS,
    "oauth": _WITHOUT_ROUTING_API,
    "token_fetcher_max_retries": _WITHOUT_ROUTING_API,
    "token_fetcher_retry_interval": _WITHOUT_ROUTING_API,
    "token_fetcher_expiration_buffer_time": _WITHOUT_ROUTING_API,
}


def notes(config: Config, keys: Iterable[Key]) -> list[Note]:
    """What is to be said of these keys of a file, in its order."""
    vain = frozenset(without_effect(config))
    return [note for key in keys for note in _of(key, config, vain)]


def _of(key: Key, config: Config, vain: frozenset[str]) -> Iterator[Note]:
    if not key.known:
        yield Note(key.path, IGNORED, "no key of Gorouter's; the real one ignores it as well")
    elif key.path in vain:
        yield Note(key.path, NO_EFFECT, "this router does not do what it asks for, and its log says so (setting-without-effect)")
    elif (rule := _RULES.get(key.path)) is not None and rule.applies(config):
        yield Note(key.path, rule.kind, rule.reason)
