"""How many requests are under way at each backend, counted by all workers of a router.

The numbers lie in memory that the processes share: a row for each backend (its slot), a cell in it for each worker. A worker
writes to its own cells only, so nothing is ever lost to two that write at once. What it reads of the others may be a moment old:
two workers may both take the last place below a limit, so that N of them exceed it by N - 1 at most.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cfroute.gorouter.routing_table.endpoint import Backend, Endpoint

MOST_SLOTS: Final = 1 << 20
CELL: Final = 4  # bytes


class Tally:
    """The view of one worker. A backend without a slot counts for this worker only."""

    def __init__(self, memory: memoryview, workers: int, worker: int) -> None:
        """`memory` has `workers * MOST_SLOTS` cells; it may be given as bytes."""
        self._cells = memory.cast("B").cast("i")
        self._workers = workers
        self._worker = worker

    def began(self, backend: "Backend") -> None:
        """A request is on its way to that backend."""
        if backend.slot >= 0:
            self._cells[backend.slot * self._workers + self._worker] += 1

    def ended(self, backend: "Backend") -> None:
        """Such a request has its response, or will not get one."""
        if backend.slot >= 0:
            self._cells[backend.slot * self._workers + self._worker] -= 1

    def refresh(self, endpoints: Iterable["Endpoint"]) -> None:
        """Have the backends of these endpoints know what is under way at all workers."""
        for endpoint in endpoints:
            backend = endpoint.backend
            if backend.slot >= 0:
                backend.connections = self.total(backend.slot)

    def total(self, slot: int) -> int:
        """What is under way at the backend with this slot."""
        start = slot * self._workers
        return sum(self._cells[start : start + self._workers])

    def own(self, backend: "Backend") -> int:
        """What this worker has under way at that backend."""
        return self._cells[backend.slot * self._workers + self._worker] if backend.slot >= 0 else backend.connections

    def forget(self, worker: int, slots: int) -> None:
        """Count nothing any more for a worker that has ended, in the first so many slots."""
        column = self._cells[worker : slots * self._workers : self._workers]
        column[:] = memoryview(bytes(CELL * len(column))).cast("i")

    def close(self) -> None:
        """Let go of the memory."""
        self._cells.release()
