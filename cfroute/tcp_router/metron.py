"""Sends values to the metron agent of this machine."""

import contextlib
import socket
from collections.abc import Iterable
from typing import Final

from cfroute.clock import Clock
from cfroute.dropsonde import ValueMetric, value_metrics

_ORIGIN: Final = b"tcp-router"


class Metron:
    """The agent at that port of 127.0.0.1. What it does not take is lost, as with UDP at large."""

    def __init__(self, port: int, clock: Clock) -> None:
        self._clock = clock
        self._address = "127.0.0.1", port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, values: Iterable[ValueMetric]) -> None:
        """Send present values."""
        for datagram in value_metrics(_ORIGIN, self._clock.now_ns(), values):
            with contextlib.suppress(OSError):
                self._socket.sendto(datagram, self._address)

    def close(self) -> None:
        """Send no more."""
        self._socket.close()
