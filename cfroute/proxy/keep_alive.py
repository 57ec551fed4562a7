"""TCP's own probes, which find out that a peer is gone for good without having said so."""

import contextlib
import socket
from typing import Final

_DEFAULT: Final = 15.0  # seconds, as Go's
_LONGEST: Final = 32_767  # seconds, Linux's
_IDLE: Final[int] = getattr(socket, "TCP_KEEPIDLE", 0x10)  # the number is that of macOS, which calls it TCP_KEEPALIVE


def probe(connection: socket.socket, seconds: float) -> None:
    """Probe the peer when nothing has come for so many seconds, and then as often; 0 is Go's default, less than that never.

    The system counts whole seconds, up to 9 hours.
    """
    if seconds < 0:
        return
    interval = min(max(round(seconds or _DEFAULT), 1), _LONGEST)
    with contextlib.suppress(OSError):  # macOS says so when the connection is gone again; its protocol is told in any case
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, _IDLE, interval)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
