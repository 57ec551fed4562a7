"""What the health port answers: `/health`, and on a loopback address the table with what goes through it."""

import ipaddress
from typing import Any, Final

from cfroute.health import Answer
from cfroute.tcp_router.drain import Drain
from cfroute.tcp_router.engines import StatsError
from cfroute.tcp_router.parts import Parts
from cfroute.tcp_router.table_view import TableView

_JSON: Final = "application/json"
_NOT_FOUND: Final = Answer("404 Not Found", b"404 page not found\n")
_NOT_COMPLETE: Final = Answer("503 Service Unavailable", b"there is no table yet\n")
_DRAINING: Final = Answer("503 Service Unavailable", b"draining\n")
_WELL: Final = Answer("200 OK", b"ok\n")


class Pages:
    """The pages of one router."""

    def __init__(self, parts: Parts, drain: Drain) -> None:
        self._parts = parts
        self._drain = drain
        self._tells_all = _is_loopback(parts.config.cfroute.health_address)

    async def answer(self, path: str) -> Answer:
        """Answer a request for that path."""
        if path == "/health":
            return self._health()
        if path == "/cfroute/table" and self._tells_all:
            return await self._table()
        return _NOT_FOUND

    def _health(self) -> Answer:
        if self._drain.started:
            return _DRAINING
        return _WELL if self._parts.watcher.complete else _NOT_COMPLETE

    async def _table(self) -> Answer:
        parts = self._parts
        try:
            counters = await parts.engine.counters()
        except StatsError as error:
            return Answer("503 Service Unavailable", f"{error}\n".encode())
        now, synced = parts.clock.monotonic(), parts.updater.synced
        about: dict[str, Any] = {
            "name": parts.config.cfroute.name,
            "now": parts.clock.now(),
            "engine": parts.engine.name,
            "synced": None if synced is None else round(now - synced, 3),
            "draining": self._drain.started,
        }
        view = TableView(parts.table, counters, now, parts.flags.default_route_expiry)
        return Answer("200 OK", view.encoded(about), _JSON)


def _is_loopback(address: str) -> bool:
    """Whether only this machine can ask there. A name may be anything."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
