"""A line on the terminal that shows that something is awaited, gone again when it is there."""

import sys
from typing import TextIO

AFTER = 0.1  # seconds: who waits longer is told
_TEXT = "waiting for {} ..."


class Waiting:
    """The line. It is never seen in a file or a pipe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = False

    def show(self, what: str) -> None:
        """Tell what is awaited."""
        if not self._shown:
            self._shown = True
            self._write(_TEXT.format(what))

    def clear(self) -> None:
        """It is there: what is written next begins at the left of an empty line."""
        if self._shown:
            self._shown = False
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def on_terminal(*, wanted: bool) -> Waiting | None:
    """The line on stderr, if that is a terminal, and stdout is no place where it could stand between two others."""
    return Waiting(sys.stderr) if wanted and sys.stderr.isatty() else None
