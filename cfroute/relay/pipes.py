"""Pipes through which the kernel moves bytes from one socket to another without showing them to us (Linux's splice)."""

import contextlib
import os
from typing import Final

AVAILABLE: Final = hasattr(os, "splice")
MOST: Final = 1 << 20  # bytes that a pipe is to hold; it may hold less
_KEPT: Final = 16  # empty pipes kept for the next transfer
_SET_SIZE: Final = 1031  # fcntl's F_SETPIPE_SZ
FLAGS: Final = 1 | 2  # SPLICE_F_MOVE, SPLICE_F_NONBLOCK


class Pipe:
    """One pipe, and how many bytes are in it."""

    __slots__ = ("filled", "into", "out")

    def __init__(self) -> None:
        self.out, self.into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.filled = 0

    def close(self) -> None:
        """Give up the pipe with what is in it."""
        os.close(self.out)
        os.close(self.into)


class Pipes:
    """Lends pipes. A transfer has one only while something is in it, so there are about as many as there are slow readers."""

    def __init__(self) -> None:
        self._free: list[Pipe] = []

    def take(self) -> Pipe | None:
        """An empty pipe, or None when no more can be had: bytes can always be copied."""
        if self._free:
            return self._free.pop()
        try:
            pipe = Pipe()
        except OSError:  # out of descriptors
            return None
        _enlarge(pipe)
        return pipe

    def give(self, pipe: Pipe) -> None:
        """Take back a pipe. One with something in it is of no use any more."""
        if pipe.filled or len(self._free) >= _KEPT:
            pipe.close()
        else:
            self._free.append(pipe)

    def close(self) -> None:
        """Close those that nobody has."""
        for pipe in self._free:
            pipe.close()
        self._free.clear()


def _enlarge(pipe: Pipe) -> None:
    import fcntl

    with contextlib.suppress(OSError):  # users have a limit of memory in pipes; then it stays as it is
        fcntl.fcntl(pipe.into, _SET_SIZE, MOST)
