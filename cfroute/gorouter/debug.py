"""The debug listener: `debug_addr`, with `/log-level`. Go's profiles are not there: py-spy looks into a running process."""

from collections.abc import Callable
from typing import Final

from cfroute.clock import Clock
from cfroute.gorouter.pages import NOT_FOUND, Answer, Pages, Request
from cfroute.logs import DEBUG, ERROR, INFO

_LEVELS: Final = {
    **dict.fromkeys((b"debug", b"DEBUG", b"d", b"0"), DEBUG),
    **dict.fromkeys((b"info", b"INFO", b"i", b"1"), INFO),
    **dict.fromkeys((b"error", b"ERROR", b"e", b"2"), ERROR),
    **dict.fromkeys((b"fatal", b"FATAL", b"f", b"3"), ERROR),
}
_DONE: Final = Answer(200)


class DebugListener:
    """Changes the level of the log while the router runs."""

    def __init__(self, address: str, set_level: Callable[[int], object], clock: Clock) -> None:
        """`address` is `host:port`; without a host it is every address."""
        self._address = address
        self._set_level = set_level
        self._pages = Pages(clock)

    async def start(self) -> int:
        """Listen; returns the port. Raises OSError or ValueError when that cannot be done at this address."""
        host, _, port = self._address.rpartition(":")
        return await self._pages.listen(host.strip("[]"), int(port), self.answer)

    async def close(self) -> None:
        """Stop listening."""
        await self._pages.close()

    def answer(self, request: Request) -> Answer:
        """Any method will do; a word that is no level changes nothing."""
        if request.path != "/log-level":
            return NOT_FOUND
        level = _LEVELS.get(request.body)
        if level is not None:
            self._set_level(level)
        return _DONE
