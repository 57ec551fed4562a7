"""Brings the table to the engine: one change at a time, and those that come meanwhile together."""

import asyncio

from cfroute.daemon import spawn
from cfroute.lager import Lager
from cfroute.tcp_router.engines import Engine, EngineError
from cfroute.tcp_router.frontends import Frontend, frontend
from cfroute.tcp_router.table import RoutingTable


class Applier:
    """Knows what the engine was last told."""

    def __init__(self, table: RoutingTable, engine: Engine, log: Lager, *, tls: bool) -> None:
        """`tls` tells whether TLS is spoken with backends."""
        self._table = table
        self._engine = engine
        self._log = log
        self._tls = tls
        self._frontends: dict[int, Frontend] = {}
        self._wanted = False
        self._working: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    @property
    def frontends(self) -> dict[int, Frontend]:
        """What stands at each port."""
        return self._frontends

    def soon(self) -> asyncio.Task[None]:
        """Tell the engine of the table as it is now; the task ends when that is done, or has failed and is logged."""
        self._wanted = True
        if self._working is None or self._working.done():
            self._working = spawn(self._work(), name="apply the table")
        return self._working

    async def drain(self) -> None:
        """Tell the engine to drain. Raises EngineError."""
        async with self._turn:
            await self._engine.drain(self._refreshed())

    async def _work(self) -> None:
        while self._wanted:
            async with self._turn:
                self._wanted = False
                try:
                    await self._engine.apply(self._refreshed())
                except EngineError:
                    continue  # the engine has logged it; it goes on with what it has, and the next change tries again

    def _refreshed(self) -> dict[int, Frontend]:
        """All frontends; those are made anew whose ports were changed."""
        frontends = dict(self._frontends)
        for port in self._table.take_changed():
            made = frontend(port, self._table.at(port), self._log, tls=self._tls)
            if made is None:
                frontends.pop(port, None)
            else:
                frontends[port] = made
        self._frontends = frontends
        return frontends
