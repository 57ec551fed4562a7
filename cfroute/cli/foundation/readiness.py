"""Telling programs that the foundation is ready: `up --ready-file` and `--ready-fd`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cfroute.cli import render
from cfroute.errors import ConfigurationError
from cfroute.foundation.client import FoundationClient
from cfroute.foundation.events import Event, Ready
from cfroute.home import write_secretly


class Signals:
    """A file that is there while the foundation is ready, and a descriptor that gets a line then; either may be None.

    The file goes when the block ends, but for `keep`.
    """

    def __init__(self, file: str | None, descriptor: int | None, foundation: FoundationClient) -> None:
        self._file = Path(file).absolute() if file else None
        self._descriptor = descriptor
        self._foundation = foundation

    def __enter__(self) -> "Signals":
        """Raises ConfigurationError for what cannot be written."""
        if self._file is not None:
            if not self._file.parent.is_dir():
                raise ConfigurationError(f"--ready-file: there is no folder {self._file.parent}")
            self._file.unlink(missing_ok=True)  # of one that was killed
        if self._descriptor is not None:
            try:
                os.fstat(self._descriptor)
            except OSError as error:
                raise ConfigurationError(f"--ready-fd: {self._descriptor} is not open") from error
        return self

    def __exit__(self, *failure: Any) -> None:
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def keep(self) -> None:
        """The foundation goes on without this process: so does the file."""
        self._file = None

    def after(self, view: Callable[[Event], None]) -> Callable[[Event], None]:
        """What shows the events, and then tells that the foundation is ready."""

        def watch(event: Event) -> None:
            view(event)
            if isinstance(event, Ready):
                self._tell(render.json_line(self._foundation.info()).encode() + b"\n")

        return watch

    def _tell(self, line: bytes) -> None:
        if self._file is not None:
            write_secretly(self._file, line)
        if self._descriptor is not None:
            os.write(self._descriptor, line)
            os.close(self._descriptor)
            self._descriptor = None
