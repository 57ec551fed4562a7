"""The logs of the components: kept small while they are written, and read for the last words of who has failed.

All of them are opened for appending, so a log can be emptied under the hands of its writer: what logrotate calls `copytruncate`,
and what BOSH does with the logs of its jobs.
"""

import asyncio
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from cfroute.clock import Clock
from cfroute.home import Home
from cfroute.logs import Logger

LARGEST = 10 * 1024 * 1024  # bytes
INTERVAL = 10.0  # seconds
_LAST_LINES = 8
_LAST_BYTES = 8192


async def keep_small(folder: Path, clock: Clock, log: Logger) -> None:
    """Set aside, for ever, what becomes too large in the folder. What goes wrong is logged, and tried again."""
    while True:
        await clock.sleep(INTERVAL)
        await asyncio.to_thread(set_aside_large, folder, log)


def set_aside_large(folder: Path, log: Logger, largest: int = LARGEST) -> None:
    """Move what logs of more than `largest` bytes hold to `<name>.log.1`."""
    for path in folder.glob("*.log"):
        try:
            if path.stat().st_size > largest:
                _set_aside(path)
        except OSError as error:
            log.warn("log-not-set-aside", path=str(path), error=str(error))


def _set_aside(path: Path) -> None:
    """Lines that are written between the end of the copy and the truncation are lost."""
    older = os.open(path.with_suffix(".log.1"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with path.open("r+b") as source, open(older, "wb") as target:
        shutil.copyfileobj(source, target, 1024 * 1024)
        source.truncate(0)


class LastWords:
    """What the components have said since this was made: older lines explain nothing."""

    def __init__(self, home: Home, components: Iterable[str]) -> None:
        self._home = home
        self._begins = {name: _size(home.log(name)) for name in components}

    def of(self, component: str) -> list[str]:
        """The last lines; none when the log cannot be read."""
        begin = self._begins[component]
        try:
            with open(self._home.log(component), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                begin = begin if begin <= size else 0  # emptied meanwhile
                file.seek(max(begin, size - _LAST_BYTES))
                return file.read().decode(errors="replace").splitlines()[-_LAST_LINES:]
        except OSError:
            return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # not there yet
        return 0
