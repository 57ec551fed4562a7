"""Reads a configuration file: it is laid over the defaults by go-yaml's rules (`go.yaml`), completed, and checked."""

from pathlib import Path

from cfroute.go import yaml as go_yaml
from cfroute.go.syscall import reason
from cfroute.gorouter import config_validation
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_error import ConfigError

_ATTEMPT_DETAILS = ("failed_attempts", "failed_attempts_time", "dns_time", "dial_time", "tls_time", "backend_time")


def load(path: str | Path | None) -> Config:
    """The configuration in that file; without one, the defaults. Raises ConfigError."""
    if path is None:
        return parse("")
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        verb = "read" if isinstance(error, IsADirectoryError) else "open"
        raise ConfigError(f"{verb} {path}: {reason(error)}") from error
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
    config.http_1_endpoint_timeout = config.http_1_endpoint_timeout or config.endpoint_timeout
    config.http_2_endpoint_timeout = config.http_2_endpoint_timeout or config.endpoint_timeout
    config.max_request_header_bytes = config.max_request_header_bytes or config.max_header_bytes
    if config.logging.enable_attempts_details and not config.logging.extra_access_log_fields:
        config.logging.extra_access_log_fields = list(_ATTEMPT_DETAILS)
    config.sticky_session_cookie_names = list(dict.fromkeys(config.sticky_session_cookie_names))
    config_validation.check(config)
    return config
