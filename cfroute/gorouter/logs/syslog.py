"""Access lines as syslog messages over UDP or TCP.

    <14>1 2026-11-21T18:50:49Z router-0 vcap.gorouter 4711 - ?<line>

Facility user, severity info, no structured data; at the question mark stands a byte order mark. Over UDP each message is one
datagram, over TCP each ends with a newline. Upstream writes one after the other and waits; here nothing waits for the server:
what it does not take in time is lost.
"""

import os
import socket
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cfroute.clock import Clock, Timer
from cfroute.go.syscall import reason
from cfroute.gorouter.config import Config
from cfroute.gorouter.logs.access_file import AccessLogError
from cfroute.logs import Logger

_PRIORITY: Final = 8 + 6  # user, info
_BOM: Final = "\ufeff"
_DIAL_TIMEOUT: Final = 10.0  # seconds
_LAST_WORDS: Final = 1.0  # seconds that the server gets at the end to take what waits for it
_TRY_AGAIN: Final = 0.05  # seconds
_MOST_WAITING: Final = 4 << 20  # bytes
_FAMILIES: Final = {"4": socket.AF_INET, "6": socket.AF_INET6, "": socket.AF_UNSPEC}


class SyslogWriter:
    """A connection to a syslog server. It is made once: after an error, lines are lost until the router is started again."""

    def __init__(self, config: Config, clock: Clock, log: Logger) -> None:
        """Raises AccessLogError, after logging it, when there is no server to connect to."""
        logging = config.logging
        self._truncate = logging.syslog_truncate
        self._clock = clock
        self._log = log
        self._place = f"{socket.gethostname() or '-'} {logging.syslog} {os.getpid()}"
        self._stream = logging.syslog_network.startswith("tcp")
        self._waiting = bytearray()
        self._timer: Timer | None = None
        try:
            self._socket = _dial(logging.syslog_network, logging.syslog_addr)
        except OSError as error:
            log.error("error-creating-syslog-writer", error=str(error))
            raise AccessLogError(str(error)) from error

    def write(self, lines: Sequence[bytes]) -> None:
        """Send lines, which end in a newline each. What goes wrong is said once for all of them."""
        head = f"<{_PRIORITY}>1 {_rfc3339(self._clock.now())} {self._place} - {_BOM}".encode()
        cut = self._truncate if self._truncate > 0 else None
        messages = [head + line[:-1][:cut] for line in lines]
        try:
            if self._stream:
                self._write_stream(b"\n".join(messages) + b"\n")
            else:
                self._write_datagrams(messages)
        except OSError as error:
            self._failed(error)

    def _write_datagrams(self, messages: list[bytes]) -> None:
        failure = None
        for message in messages:
            try:
                self._socket.send(message)
            except OSError as error:  # the others may still arrive
                failure = error
        if failure is not None:
            raise failure

    def _write_stream(self, data: bytes) -> None:
        if len(self._waiting) > _MOST_WAITING:
            raise TimeoutError(f"{len(self._waiting)} bytes wait for the server already")
        self._waiting += data
        self._push()

    def _push(self) -> None:
        """Write as much as the server takes now; the rest a little later."""
        try:
            while self._waiting:
                del self._waiting[: self._socket.send(self._waiting)]
        except BlockingIOError:
            if self._timer is None:
                self._timer = self._clock.call_later(_TRY_AGAIN, self._again)
        except OSError:
            self._waiting.clear()
            raise

    def _again(self) -> None:
        self._timer = None
        try:
            self._push()
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self._log.error("error-emitting-access-log-to-writer-syslog", error=reason(error))

    def close(self) -> None:
        """Send what still waits, and close the connection."""
        if self._timer is not None:
            self._timer.cancel()
        self._socket.settimeout(_LAST_WORDS)
        try:
            if self._waiting:
                self._socket.sendall(self._waiting)
        except OSError as error:
            self._failed(error)
        self._socket.close()


def _dial(network: str, address: str) -> socket.socket:
    """A connected socket that does not block. Raises OSError with Go's words for it."""
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}.get(network[:3])
    if kind is None or network[3:] not in _FAMILIES:
        raise OSError(f"syslog: invalid network: {network}")
    host, colon, port = address.rpartition(":")
    if not colon:
        raise OSError(f"dial {network}: address {address}: missing port in address")
    try:
        found = socket.getaddrinfo(host.strip("[]") or "localhost", port, _FAMILIES[network[3:]], kind)
    except OSError as error:
        raise OSError(f"dial {network}: lookup {host}: no such host") from error
    failure: OSError | None = None
    for family, *_, place in found:
        connection = socket.socket(family, kind)
        try:
            connection.settimeout(_DIAL_TIMEOUT)
            connection.connect(place)
        except OSError as error:
            connection.close()
            failure = failure or OSError(f"dial {network} {place[0]!s}:{place[1]!s}: connect: {reason(error)}")
            continue
        connection.setblocking(False)
        return connection
    raise failure or OSError(f"dial {network} {address}: no such host")


def _rfc3339(now: float) -> str:
    """Local time with its distance from UTC, in seconds."""
    text = datetime.fromtimestamp(int(now)).astimezone().isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
