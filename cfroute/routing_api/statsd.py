"""Metrics over UDP, gathered for a while: `routing_api.total_tcp_routes:+1|g`, each line with its end."""

import socket
from typing import Final

from cfroute.clock import Clock

_PREFIX: Final = "routing_api"
_LARGEST: Final = 512  # bytes of a packet


class StatsdError(Exception):
    """The address of the statsd server cannot be used."""


class Statsd:
    """Sends gauges. What cannot be sent is lost, as with UDP itself."""

    def __init__(self, endpoint: str) -> None:
        """`endpoint` is `host:port`; empty: nothing is sent. Raises StatsdError."""
        self._lines: list[bytes] = []
        self._socket = _connected(endpoint) if endpoint else None

    def gauge(self, name: str, value: int) -> None:
        """The value is this."""
        self._add(f"{_PREFIX}.{name}:{value}|g\n")

    def change(self, name: str, by: int) -> None:
        """The value is this much more (or less) than it was."""
        self._add(f"{_PREFIX}.{name}:{by:+d}|g\n")

    def flush(self) -> None:
        """Send what was gathered."""
        packet = b""
        for line in self._lines:
            if len(packet) + len(line) > _LARGEST:
                self._send(packet)
                packet = b""
            packet += line
        self._send(packet)
        self._lines.clear()

    async def run(self, interval: float, clock: Clock) -> None:
        """Flush for ever, each `interval` seconds."""
        while True:
            await clock.sleep(interval)
            self.flush()

    def close(self) -> None:
        """Send what is left, and send nothing any more."""
        self.flush()
        if self._socket is not None:
            self._socket.close()

    def _add(self, line: str) -> None:
        if self._socket is not None:
            self._lines.append(line.encode())

    def _send(self, packet: bytes) -> None:
        if self._socket is None or not packet:
            return
        try:
            self._socket.send(packet)
        except OSError:
            return  # nobody listens there now; whoever comes later gets the absolute values


def _connected(endpoint: str) -> socket.socket:
    host, colon, port = endpoint.rpartition(":")
    try:
        if not colon:
            raise StatsdError(f"address {endpoint}: missing port in address")
        family, kind, _, _, address = socket.getaddrinfo(host.strip("[]") or "localhost", port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind)
        made.setblocking(False)
        made.connect(address)
    except OSError as error:
        raise StatsdError(f"dial udp {endpoint}: {error.strerror or error}") from error
    return made
