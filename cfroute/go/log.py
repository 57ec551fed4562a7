"""Lines of Go's own log package, which Gorouter's libraries write to stderr: `2026/11/21 18:50:49 http: proxy error: EOF`."""

import contextlib
from collections.abc import Callable
from datetime import datetime

from cfroute.clock import Clock


class GoLog:
    """Writes such lines, in local time as Go does."""

    def __init__(self, clock: Clock, write: Callable[[str], object]) -> None:
        self._clock = clock
        self._write = write

    def line(self, text: str) -> None:
        """Write a line. One that can't be written is lost: there is nobody else to tell."""
        now = datetime.fromtimestamp(self._clock.now())  # noqa: DTZ006
        with contextlib.suppress(OSError):
            self._write(f"{now:%Y/%m/%d %H:%M:%S} {text}\n")
