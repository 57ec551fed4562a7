"""What expires when: one timer for each lock, by its path and id."""

from collections.abc import Callable
from typing import NamedTuple

from cfroute.clock import Clock, Timer
from cfroute.locket.locks import Row


class _Watched(NamedTuple):
    modified_index: int
    timer: Timer


class LockPick:
    """Calls `expire` with a row once its time to live has passed and no newer one was registered in its place."""

    def __init__(self, clock: Clock, expire: Callable[[Row], object]) -> None:
        self._clock = clock
        self._expire = expire
        self._watched: dict[tuple[str, str], _Watched] = {}

    def __len__(self) -> int:
        return len(self._watched)

    def register(self, row: Row) -> None:
        """Begin to count, unless this row, or a newer one, is counted for already."""
        key = row.path, row.modified_id
        watched = self._watched.get(key)
        if watched is not None:
            if watched.modified_index >= row.modified_index:
                return
            watched.timer.cancel()
        timer = self._clock.call_later(row.ttl, lambda: self._over(row))
        self._watched[key] = _Watched(row.modified_index, timer)

    def _over(self, row: Row) -> None:
        del self._watched[row.path, row.modified_id]
        self._expire(row)

    def stop(self) -> None:
        """Forget everything."""
        for watched in self._watched.values():
            watched.timer.cancel()
        self._watched.clear()
