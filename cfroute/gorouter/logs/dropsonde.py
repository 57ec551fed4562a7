"""Sends events to the metron agent: off the request path, and at no cost where nobody listens.

Events wait in a list and are encoded and sent together, 50 ms after the first. When the kernel says that the port is closed,
nothing is taken for a second; then the next event tries again, alone.
"""

import socket
from collections.abc import Iterable, Mapping
from typing import Final

from cfroute.clock import Clock, Timer
from cfroute.dropsonde import CounterEvent, Event, HttpStartStop, LogMessage, ValueMetric, envelope, value_metrics
from cfroute.go.syscall import reason
from cfroute.logs import Logger

_FLUSH_AFTER: Final = 0.05  # seconds
_MOST_PENDING: Final = 1024  # events
_DEAF_FOR: Final = 1.0  # seconds without a try after the agent was found to be away


class MetronAddressError(Exception):
    """There is no such address to send to; the message is the `error` of the log line."""


class Emitter:
    """Sends dropsonde envelopes to one agent.

    `deaf` is true while nobody listens there: what is given meanwhile is dropped, so callers may as well not make it.
    """

    def __init__(self, address: str, clock: Clock, log: Logger, origin: str = "gorouter") -> None:
        """`address` is `host:port`. Raises MetronAddressError."""
        self.deaf = False
        self._origin = origin.encode()
        self._clock = clock
        self._log = log
        self._pending: list[tuple[int, Event, Mapping[str, str] | None]] = []
        self._timer: Timer | None = None
        self._deaf_timer: Timer | None = None
        self._delay = 0.0  # until somebody has taken an event
        self._socket = _connected(address)

    def value_metrics(self, values: Iterable[ValueMetric]) -> None:
        """Present values. They are sent at once: who has many of them gathers them first."""
        for datagram in value_metrics(self._origin, self._clock.now_ns(), values):
            if self.deaf:
                return
            self._send(None, datagram)

    def counter_event(self, name: str, delta: int = 1, tags: Mapping[str, str] | None = None) -> None:
        """A counter has grown by `delta`."""
        if not self.deaf:
            self._add(self._clock.now_ns(), CounterEvent(name, delta), tags)

    def http_start_stop(self, event: HttpStartStop, tags: Mapping[str, str] | None = None) -> None:
        """A request has been served."""
        if not self.deaf:
            self._add(event.stopped_ns, event, tags)

    def log_message(self, event: LogMessage, tags: Mapping[str, str] | None = None) -> None:
        """A line for an app's log."""
        if not self.deaf:
            self._add(event.timestamp_ns, event, tags)

    def _add(self, timestamp_ns: int, event: Event, tags: Mapping[str, str] | None) -> None:
        self._pending.append((timestamp_ns, event, tags))
        if self._timer is None:
            self._timer = self._clock.call_later(self._delay, self.flush)
        elif len(self._pending) >= _MOST_PENDING:
            self.flush()

    def flush(self) -> None:
        """Send what is pending."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, []
        for timestamp_ns, event, tags in pending:
            if self.deaf:
                return
            self._send(event, envelope(self._origin, timestamp_ns, event, tags))

    def _send(self, event: Event | None, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
            refused = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # on one machine the answer is there at once
        except BlockingIOError:
            return  # the agent is slower than we are: as with UDP at large, what does not fit is lost
        except ConnectionRefusedError:
            refused = 1
        except OSError as error:
            self._lost(event, error)
            return
        self._delay = _FLUSH_AFTER
        if refused:
            self.deaf = True
            self._deaf_timer = self._clock.call_later(_DEAF_FOR, self._listen_again)

    def _lost(self, event: Event | None, error: OSError) -> None:
        """Say that an event could not be sent: one that is larger than a datagram, mostly."""
        text = reason(error)
        if isinstance(event, LogMessage):
            self._log.error("error-emitting-access-log-to-writers", error=text)
        elif isinstance(event, HttpStartStop):
            self._log.info("failed-to-emit-startstop-event", error=text)
        else:
            self._log.debug("failed-to-emit-metric", error=text)

    def _listen_again(self) -> None:
        self.deaf = False
        self._delay = 0.0

    def close(self) -> None:
        """Send what is pending and close the socket; what comes later is dropped."""
        self.flush()
        if self._deaf_timer is not None:
            self._deaf_timer.cancel()
        self.deaf = True
        self._socket.close()


def _connected(address: str) -> socket.socket:
    """A socket towards that `host:port`, over IPv4 as upstream's."""
    if not address:
        raise MetronAddressError("Failed to initialize dropsonde: destination variable not set")
    host, colon, port = address.rpartition(":")
    if not colon:
        raise MetronAddressError(f"address {address}: missing port in address")
    try:
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as unknown:
        raise MetronAddressError(f"lookup {host}: no such host") from unknown
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setblocking(False)
    try:
        sender.connect(found[0][4])
    except OSError as error:
        sender.close()
        raise MetronAddressError(f"dial udp4 {address}: {reason(error)}") from error
    return sender
