"""Files that access lines are appended to."""

import os
from collections.abc import Sequence
from typing import Final

from cfroute.go.syscall import reason
from cfroute.logs import Logger

_MODE: Final = 0o644


class AccessLogError(Exception):
    """The access log cannot go where it is to; the message is the `error` of the log line."""


class AccessFile:
    """A file that grows by lines.

    It is opened once: who moves it away to rotate it finds the following lines there, too, until the router is started again.
    """

    def __init__(self, path: str, log: Logger) -> None:
        """Raises AccessLogError, after logging it, when the file cannot be opened."""
        self._path = path
        self._log = log
        self._failing = False
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        except OSError as error:
            text = f"open {path}: {reason(error)}"
            log.error("error-creating-accesslog-file", filename=path, error=text)
            raise AccessLogError(text) from error

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines, which end in a newline each.

        A full disk must not stop the traffic: the lines are lost then, and that is said once.
        """
        view = memoryview(b"".join(lines))
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            if not self._failing:
                self._log.error("error-emitting-access-log-to-writer-accesslog", error=f"write {self._path}: {reason(error)}")
            self._failing = True
        else:
            self._failing = False

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
