"""Says what the routing table has to say."""

from collections.abc import Iterable
from typing import Protocol

from cfroute.clock import Clock
from cfroute.diego.route_emitter.messages import Registration
from cfroute.diego.route_emitter.table import Changes, RoutingTable
from cfroute.diego.route_emitter.unregistrations import Unregistrations
from cfroute.logs import Logger

REGISTER, UNREGISTER = "router.register", "router.unregister"


class Publisher(Protocol):
    """What the emitter needs of NATS."""

    async def publish(self, subject: str, data: bytes, reply: str = "") -> bool: ...


class Emitter:
    """Sends changes at once, everything on demand, and what is gone again and again."""

    def __init__(self, table: RoutingTable, bus: Publisher, gone: Unregistrations, log: Logger) -> None:
        self._table = table
        self._bus = bus
        self._gone = gone
        self._log = log

    async def emit(self, changes: Changes, *, remember: bool) -> None:
        """Send a difference; with `remember` its unregistrations are repeated later."""
        self._gone.forget(changes.registrations)
        if remember:
            self._gone.add(changes.unregistrations)
        sent = await self._send(REGISTER, changes.registrations)
        sent += await self._send(UNREGISTER, changes.unregistrations)
        if sent:
            self._log.info(
                "emitted-messages",
                registrations=len(changes.registrations),
                unregistrations=len(changes.unregistrations),
            )

    async def emit_all(self) -> None:
        """Send the whole table."""
        everything = list(self._table.registrations())
        self._gone.forget(everything)
        sent = await self._send(REGISTER, everything)
        self._log.debug("emitted-routing-table", messages=sent)

    async def repeat(self, interval: float, clock: Clock) -> None:
        """Repeat the unregistrations, for ever."""
        while True:
            await clock.sleep(interval)
            await self._send(UNREGISTER, self._gone.due())

    async def _send(self, subject: str, messages: Iterable[Registration]) -> int:
        sent = 0
        for message in messages:
            sent += await self._bus.publish(subject, message.encode())
        return sent
