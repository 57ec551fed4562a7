"""Takes log lines that come by UDP as dropsonde envelopes: in a real foundation that is metron's work, on every VM.

Lines are gathered and written together, a write an app. What else is told (events, metrics) is not kept.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Final

from cfroute import dropsonde
from cfroute.clock import Clock, Timer
from cfroute.errors import cannot_listen
from cfroute.log_cache.writer import Envelope, LogWriter
from cfroute.logs import Logger

_WRITE_AFTER: Final = 0.05  # seconds
_RECEIVE_BUFFER: Final = 1 << 20  # bytes that may wait in the kernel


class Ingress(asyncio.DatagramProtocol):
    """Writes what it is sent to the logs of the apps."""

    def __init__(self, writer: LogWriter, clock: Clock, log: Logger) -> None:
        self._writer = writer
        self._clock = clock
        self._log = log
        self._pending: dict[str, list[Envelope]] = {}
        self._timer: Timer | None = None
        self._failing = False

    def datagram_received(self, data: bytes, addr: object) -> None:
        try:
            line = dropsonde.log_message(data)
        except ValueError as error:
            self._log.debug("not-an-envelope", error=str(error))
            return
        if line is None:
            return
        kind, instance, text, app = (
            each.decode("utf-8", "replace") for each in (line.source_type, line.source_instance, line.message, line.app_id)
        )
        envelope = Envelope(line.timestamp_ns, kind, instance, "ERR" if line.error else "OUT", text)
        self._pending.setdefault(app, []).append(envelope)
        if self._timer is None:
            self._timer = self._clock.call_later(_WRITE_AFTER, self.flush)

    def flush(self) -> None:
        """Write what is pending."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, {}
        for app_guid, envelopes in pending.items():
            self._write(app_guid, envelopes)

    def _write(self, app_guid: str, envelopes: list[Envelope]) -> None:
        try:
            self._writer.append(app_guid, envelopes)
        except ValueError as error:
            self._log.debug("not-an-app", error=str(error))
        except OSError as error:
            if not self._failing:  # once: this log is likely to be on the same disk
                self._log.error("app-logs-not-written", error=str(error))
            self._failing = True
        else:
            self._failing = False


@contextlib.asynccontextmanager
async def listening(address: str, port: int, writer: LogWriter, clock: Clock, log: Logger) -> AsyncIterator[None]:
    """Take lines at this UDP port while the block runs; not at all if it is 0.

    Raises ConfigurationError when the port cannot be had.
    """
    if not port:
        yield
        return
    ingress = Ingress(writer, clock, log)
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    try:
        receiver.bind((address, port))
    except OSError as error:
        receiver.close()
        raise cannot_listen(address, port, error) from error
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: ingress, sock=receiver)
    try:
        yield
    finally:
        transport.close()
        ingress.flush()
