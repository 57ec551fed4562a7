"""The route emitter's configuration file: JSON, with upstream's keys. Like Go, it ignores those it does not know."""

from pathlib import Path

import msgspec

from cfroute import durations
from cfroute.errors import ConfigurationError


class Config(msgspec.Struct, kw_only=True):
    """What of upstream's configuration has a meaning here. Durations are Go's; `cell_id` "" means global mode."""

    bbs_address: str
    bbs_ca_cert_file: str
    bbs_client_cert_file: str
    bbs_client_key_file: str
    cell_id: str = ""
    nats_addresses: str
    nats_username: str = ""
    nats_password: str = ""
    nats_tls_enabled: bool = False
    nats_ca_cert_file: str = ""
    nats_client_cert_file: str = ""
    nats_client_key_file: str = ""
    healthcheck_address: str = "127.0.0.1:17011"
    sync_interval: str = "60s"
    jitter_factor: float = 0.2
    unregistration_interval: str = "30s"
    unregistration_send_count: int = 20
    log_level: str = "info"
    time_format: str | int = "unix-epoch"
    locket_session_name: str = "route-emitter"

    def __post_init__(self) -> None:
        for text in (self.sync_interval, self.unregistration_interval):
            if durations.parse(text) <= 0:
                raise ValueError(f"the interval {text} is not positive")
        if self.log_level not in ("debug", "info", "error", "fatal"):
            raise ValueError(f"unknown log level: {self.log_level}")

    @property
    def servers(self) -> list[str]:
        """The URLs of the NATS servers."""
        scheme = "tls" if self.nats_tls_enabled else "nats"
        return [f"{scheme}://{each.strip()}" for each in self.nats_addresses.split(",")]

    @property
    def health_listener(self) -> tuple[str, int]:
        """Where the health check listens."""
        host, _, port = self.healthcheck_address.rpartition(":")
        return host, int(port)


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Config)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
