"""The load balancer's configuration file."""

from pathlib import Path

import msgspec
import yaml

from cfroute.durations import parse
from cfroute.errors import ConfigurationError


class Router(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One Gorouter: where it takes requests, and the port of its `/health`."""

    address: str
    port: int
    status_port: int


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses, the certificate for HTTPS (files), and the Gorouters. A timeout of 0s is none."""

    address: str
    http_port: int
    https_port: int
    status_port: int
    certificate: str
    key: str
    gorouters: list[Router]
    health_check_interval: str = "1s"
    idle_timeout: str = "900s"

    @property
    def interval(self) -> float:
        """Seconds between two health checks."""
        return parse(self.health_check_interval)


def load(path: str) -> Config:
    """Read the file. Raises ConfigurationError, which names the key."""
    try:
        config = msgspec.convert(yaml.safe_load(Path(path).read_text()), Config)
        parse(config.health_check_interval)
        parse(config.idle_timeout)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, msgspec.ValidationError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if not config.gorouters:
        raise ConfigurationError(f"{path}: `gorouters` is empty: there is nothing to balance")
    return config
