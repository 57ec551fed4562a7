"""Locket's configuration file: JSON, with upstream's keys. Like Go, it ignores those it does not know."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from cfroute import durations
from cfroute.errors import ConfigurationError
from cfroute.go.syscall import reason

SQLITE: Final = "sqlite"
DRIVERS: Final = (SQLITE, "mysql", "postgres")


class Extensions(msgspec.Struct, frozen=True):
    """What upstream does not have. `address`: where `listen_address` without a host is; empty means everywhere, as upstream."""

    address: str = "127.0.0.1"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. Files of TLS are PEM; with the driver `sqlite` the connection string is a file. Durations are Go's."""

    listen_address: str
    ca_file: str
    cert_file: str
    key_file: str
    database_connection_string: str
    database_driver: str = SQLITE
    sql_ca_cert_file: str = ""
    max_open_database_connections: int = 200
    db_operation_timeout: str = "10s"
    enable_db_health_check: bool = False
    debug_address: str = ""
    log_level: Literal["debug", "info", "error", "fatal"] = "info"
    time_format: str | int = "unix-epoch"
    redact_secrets: bool = False
    redact_patterns: list[str] = []
    cfroute: Extensions = Extensions()

    def __post_init__(self) -> None:
        durations.parse(self.db_operation_timeout)

    @property
    def operation_timeout(self) -> float:
        """Seconds that a call waits for the database."""
        return durations.parse(self.db_operation_timeout)

    @property
    def listener(self) -> tuple[str, int]:
        """Host and port of the listener. Raises ConfigurationError."""
        host, _, port = self.listen_address.rpartition(":")
        if not (port.isdecimal() and int(port) < 1 << 16):
            raise ConfigurationError(f"address {self.listen_address}: missing port in address")
        return host.removeprefix("[").removesuffix("]") or self.cfroute.address or "0.0.0.0", int(port)  # noqa: S104


def load(path: str | Path) -> Config:
    """Read the file. Raises ConfigurationError, which names the key that is wrong."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Config)
    except OSError as error:
        raise ConfigurationError(f"open {path}: {reason(error)}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
