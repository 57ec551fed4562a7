"""A Gorouter whose metrics are looked at: scraped as Prometheus does, and with a UDP socket in the place of metron."""

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from cfroute.certificates import issue, make_authority

from ..dropsonde_messages import parse as parse_envelope
from ..prometheus_text import Metrics, parse

NAME = "instance-guid"


class Metron:
    """Listens on UDP: `counters` has the sum of all deltas, `values` name, value and unit of what came, in order."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.counters: Counter[str] = Counter()
        self.values: list[tuple[str, float, str]] = []
        self.origins: set[str] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while datagram := self._socket.recv(65536):
                envelope = parse_envelope(datagram)
                self.origins.add(envelope.origin)
                if envelope.HasField("counterEvent"):
                    self.counters[envelope.counterEvent.name] += envelope.counterEvent.delta
                elif envelope.HasField("valueMetric"):
                    metric = envelope.valueMetric
                    self.values.append((metric.name, metric.value, metric.unit))

    def names(self) -> set[str]:
        """The names of all values so far."""
        return {name for name, _, _ in list(self.values)}

    def units(self) -> dict[str, str]:
        return {name: unit for name, _, unit in list(self.values)}

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Authority:
    """Signs certificates for backends and scrapers; they become files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pair = make_authority("authority", time.time())
        self.pem = self._pair.certificate.decode()
        self.file = folder / "ca.pem"
        self.file.write_text(self.pem)

    def files(self, name: str) -> tuple[Path, Path]:
        """Certificate and key for that host name."""
        pair = issue(self._pair, name, [name], time.time())
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        for file, content in zip(files, pair, strict=True):
            file.write_bytes(content)
        return files

    def serve(self, name: str) -> ssl.SSLContext:
        """For a server with a certificate of that name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.files(name))
        return context


class Metered:
    """The router and those who look at its metrics."""

    def __init__(self, router: Any, metron: Metron, authority: Authority, port: int) -> None:
        self.router = router
        self.metron = metron
        self.authority = authority
        self.port = port

    def scrape(self) -> Metrics:
        """What Prometheus sees now."""
        return parse(self.page().body.decode())

    def page(self) -> Any:
        """The answer that it comes in."""
        return self.router.fetch(b"GET /metrics HTTP/1.0\r\n\r\n", self.port)


def fetch_secured(connection: socket.socket, context: ssl.SSLContext, request: bytes) -> bytes:
    """What is answered over TLS to these bytes; nothing if the handshake comes to nothing, which TLS 1.3 shows late."""
    raw = b""
    with contextlib.suppress(OSError), context.wrap_socket(connection, server_hostname="localhost") as secured:
        secured.sendall(request)
        while piece := secured.recv(65536):
            raw += piece
    return raw
