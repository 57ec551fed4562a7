"""Says what the routing table has to say, each kind of route where it is to be heard."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from cfroute.diego.route_emitter.messages import Message
from cfroute.diego.route_emitter.table import Changes, RoutingTable


class Outlet(Protocol):
    """Where the routes of one kind go. It picks them out of what it is given."""

    async def emit(self, changes: Changes, *, remember: bool) -> None:
        """Say a difference; with `remember` its unregistrations are repeated later, where that is done."""

    async def emit_all(self, messages: Iterable[Message]) -> None:
        """Say everything."""


class Emitter:
    """Says changes at once, and everything on demand."""

    def __init__(self, table: RoutingTable, outlets: Sequence[Outlet]) -> None:
        self._table = table
        self._outlets = outlets

    async def emit(self, changes: Changes, *, remember: bool) -> None:
        """Say a difference; with `remember` its unregistrations are repeated later."""
        if any(changes):
            for outlet in self._outlets:
                await outlet.emit(changes, remember=remember)

    async def emit_all(self, outlets: Sequence[Outlet]) -> None:
        """Say the whole table, as far as it goes to these outlets."""
        everything = list(self._table.registrations())
        for outlet in outlets:
            await outlet.emit_all(everything)
