"""Tells routers or service discovery through NATS: one message for each route of each endpoint."""

from collections.abc import Iterable
from typing import Protocol

from cfroute.clock import Clock
from cfroute.diego.route_emitter.messages import Message, Registration
from cfroute.diego.route_emitter.table import Changes
from cfroute.diego.route_emitter.unregistrations import Unregistrations
from cfroute.lager import Lager


class Publisher(Protocol):
    """What is needed of NATS."""

    async def publish(self, subject: str, data: bytes, reply: str = "") -> bool: ...


class NatsOutlet:
    """Sends registrations of one kind to `<subject>.register`, and what is gone to `<subject>.unregister`, more than once."""

    def __init__(self, kind: type[Registration], subject: str, bus: Publisher, gone: Unregistrations, log: Lager) -> None:
        self._kind = kind
        self._register, self._unregister = f"{subject}.register", f"{subject}.unregister"
        self._bus = bus
        self._gone = gone
        self._log = log

    async def emit(self, changes: Changes, *, remember: bool) -> None:
        """Send a difference; with `remember` its unregistrations are repeated later."""
        registrations, unregistrations = self._mine(changes.registrations), self._mine(changes.unregistrations)
        self._gone.forget(registrations)
        if remember:
            self._gone.add(unregistrations)
        sent = await self._send(self._register, registrations)
        sent += await self._send(self._unregister, unregistrations)
        if sent:
            counts = {"registrations": len(registrations), "unregistrations": len(unregistrations)}
            self._log.info("emitted-messages", subject=self._register, **counts)

    async def emit_all(self, messages: Iterable[Message]) -> None:
        """Send all of these that are ours."""
        mine = self._mine(messages)
        self._gone.forget(mine)
        sent = await self._send(self._register, mine)
        self._log.debug("emitted-routing-table", subject=self._register, messages=sent)

    async def repeat(self, interval: float, clock: Clock) -> None:
        """Repeat the unregistrations, for ever."""
        while True:
            await clock.sleep(interval)
            await self._send(self._unregister, self._gone.due())

    def _mine(self, messages: Iterable[Message]) -> list[Registration]:
        return [message for message in messages if isinstance(message, Registration) and type(message) is self._kind]

    async def _send(self, subject: str, messages: Iterable[Registration]) -> int:
        sent = 0
        for message in messages:
            sent += await self._bus.publish(subject, message.encode())
        return sent
