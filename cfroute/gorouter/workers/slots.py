"""The numbers by which all workers know a backend: its row in the memory in which they count."""

from collections import deque
from collections.abc import Callable

from cfroute.gorouter.routing_table.endpoint import Backend


class Slots:
    """Gives a number to each backend of a table, for as long as any of its routes has it."""

    def __init__(self, most: int, in_use: Callable[[int], bool]) -> None:
        """`in_use` tells whether requests of a backend that is gone are still counted under its number."""
        self._most = most
        self._in_use = in_use
        self._routes: dict[int, int] = {}
        self._free: deque[int] = deque()
        self.reached = 0
        """No number is or was as high as this."""

    def hold(self, backend: Backend) -> None:
        """One more route has this backend. When there is no number left, it goes without."""
        if backend.slot < 0:
            backend.slot = self._take()
        if backend.slot >= 0:
            self._routes[backend.slot] = self._routes.get(backend.slot, 0) + 1

    def release(self, backend: Backend) -> int | None:
        """A route has it no more. Returns its number if that was the last."""
        slot = backend.slot
        if slot < 0:
            return None
        self._routes[slot] -= 1
        if self._routes[slot]:
            return None
        del self._routes[slot]
        backend.slot = -1
        self._free.append(slot)
        return slot

    def _take(self) -> int:
        if self._free and not self._in_use(self._free[0]):
            return self._free.popleft()
        if self.reached < self._most:
            self.reached += 1
            return self.reached - 1
        return -1
