"""The memory that a router's processes share: a file without a name, of which only the pages that are written to exist."""

import mmap
import os
import tempfile

from cfroute.gorouter.workers.tally import CELL, MOST_SLOTS, Tally


def share(workers: int) -> int:
    """Make the memory for the tally of so many workers; returns its descriptor."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("gorouter tally")
    else:
        with tempfile.TemporaryFile(prefix="cfroute-") as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, _size(workers))
    return descriptor


def tally(descriptor: int, workers: int, worker: int) -> Tally:
    """The tally in that memory, as this worker sees it."""
    return Tally(memoryview(mmap.mmap(descriptor, _size(workers))), workers, worker)


def close(descriptor: int, tally: Tally) -> None:
    """Let go of the memory."""
    tally.close()
    os.close(descriptor)


def _size(workers: int) -> int:
    return CELL * MOST_SLOTS * workers
