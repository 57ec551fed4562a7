"""The load balancer's configuration file."""

from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from cfroute.durations import DurationError, parse
from cfroute.errors import ConfigurationError

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Router(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One Gorouter: where it takes requests, and the port of its `/health`."""

    address: str
    port: Port
    status_port: Port


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses, the certificate for HTTPS (files), and the Gorouters. A timeout of 0s is none."""

    address: str
    http_port: Port
    https_port: Port
    status_port: Port
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
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    for key in ("health_check_interval", "idle_timeout"):
        try:
            parse(getattr(config, key))
        except DurationError as error:
            raise ConfigurationError(f"{path}: `{key}`: {error}") from error
    if not config.gorouters:
        raise ConfigurationError(f"{path}: `gorouters` is empty: there is nothing to balance")
    return config
