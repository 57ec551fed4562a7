"""What the tests of the Gorouter share."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.logs.dropsonde import Emitter
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.logs import DEBUG, Logger
from cfroute.testing import ManualClock


class LogLines(list[dict[str, Any]]):
    """A log stream that keeps its lines as objects."""

    def write(self, text: str) -> None:
        self.append(json.loads(text))

    def flush(self) -> None:
        """Nothing is held back."""

    def messages(self) -> list[str]:
        return [line["message"] for line in self]

    def data(self, message: str) -> list[dict[str, Any]]:
        return [line["data"] for line in self if line["message"] == message]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def log_lines() -> LogLines:
    return LogLines()


@pytest.fixture
def logger(log_lines: LogLines, clock: ManualClock) -> Logger:
    return Logger("gorouter", DEBUG, stream=log_lines, clock=clock)


@pytest.fixture
def make_registry(logger: Logger, clock: ManualClock) -> Callable[..., Registry]:
    def make(config: str = "") -> Registry:
        return Registry(parse(config), logger, clock, Random(1))

    return make


@pytest.fixture
def registry(make_registry: Callable[..., Registry]) -> Registry:
    return make_registry()


@pytest.fixture
def endpoint() -> Callable[..., Endpoint]:
    """Makes an endpoint: `endpoint(8080, app="a")`."""

    def make(port: int = 8080, host: str = "10.0.0.1", **values: Any) -> Endpoint:
        return Endpoint(host=host, port=port, **values)

    return make


@pytest.fixture(scope="session")
def certificate() -> tuple[str, str]:
    """A self-signed certificate of `localhost` and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "localhost"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "acme")]
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = builder.not_valid_before(start).not_valid_after(start + timedelta(days=36500)).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM).decode(), private.decode()


@pytest.fixture
def metron() -> Iterator[socket.socket]:
    """Where an emitter's datagrams arrive."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(30)
        yield listener


@pytest.fixture
def emitter(metron: socket.socket, clock: ManualClock, logger: Logger) -> Iterator[Emitter]:
    emitter = Emitter(f"127.0.0.1:{metron.getsockname()[1]}", clock, logger)
    yield emitter
    emitter.close()
