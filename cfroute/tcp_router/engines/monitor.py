"""Whether HAProxy still runs, by its pid file."""

import asyncio
import os
from pathlib import Path
from typing import Final

from cfroute.clock import Clock

_EVERY: Final = 1.0  # seconds


class Monitor:
    """Looks every second, unless it is suspended: while HAProxy is reloaded, its pid file is about to change."""

    def __init__(self, pid_file: str, clock: Clock) -> None:
        self._pid_file = pid_file
        self._clock = clock
        self._watching = asyncio.Event()

    def suspend(self) -> None:
        """Do not look until `resume` is called."""
        self._watching.clear()

    def resume(self) -> None:
        """Look again."""
        self._watching.set()

    async def failed(self) -> str:
        """Return when HAProxy is gone, and how that is known."""
        while True:
            await self._clock.sleep(_EVERY)
            await self._watching.wait()
            problem = self._problem()
            if problem:
                return problem

    def _problem(self) -> str:
        try:
            pid = int(Path(self._pid_file).read_text(encoding="utf-8"))
            os.kill(pid, 0)
        except ProcessLookupError:
            return f"PID {pid} not found"
        except PermissionError:
            return ""  # it is there, and somebody else's
        except ValueError:
            return f"Cannot convert file {self._pid_file} to integer"
        except (OSError, OverflowError):
            return f"Cannot read file {self._pid_file}"
        return ""
