"""The auction: which cell gets an instance or a task.

Among the cells that have the memory, the one with the fewest instances of the same process wins, then the one
with the fewest in all: one cell that is lost must not take a whole app with it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

NO_CELL = "found no compatible cell"
NO_MEMORY = "insufficient resources: memory"


@dataclass
class Bidder:
    """A cell, with what it has to do already. free_mb None: it has not said what it can take."""

    cell_id: str
    free_mb: int | None = None
    processes: Counter[str] = field(default_factory=Counter)
    tasks: int = 0

    def carry(self, process_guid: str, memory_mb: int) -> None:
        """Count one more instance."""
        self.processes[process_guid] += 1
        if self.free_mb is not None:
            self.free_mb -= memory_mb

    def fits(self, memory_mb: int) -> bool:
        return self.free_mb is None or self.free_mb >= memory_mb


class NoBidder(Exception):
    """No cell can take it; the text says why."""


def place_instance(bidders: Iterable[Bidder], process_guid: str, memory_mb: int) -> Bidder:
    """The winner, which then carries the instance. Raises NoBidder."""
    able = list(bidders)
    if not able:
        raise NoBidder(NO_CELL)
    able = [bidder for bidder in able if bidder.fits(memory_mb)]
    if not able:
        raise NoBidder(NO_MEMORY)
    winner = min(able, key=lambda each: (each.processes[process_guid], each.processes.total(), each.cell_id))
    winner.carry(process_guid, memory_mb)
    return winner


def place_task(bidders: Iterable[Bidder]) -> Bidder:
    """The cell with the fewest tasks. Raises NoBidder."""
    winner = min(bidders, key=lambda each: (each.tasks, each.processes.total(), each.cell_id), default=None)
    if winner is None:
        raise NoBidder(NO_CELL)
    winner.tasks += 1
    return winner
