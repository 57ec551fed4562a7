"""Nothing outlives its cell, however the cell ends.

A tiny shell process reads lines from a pipe: `+ PGID` for each process group that a cell starts, `- PGID` for each that
has ended. When the pipe closes, it sends SIGKILL to every group that is left. Whatever the cell starts writes its own
`+` line before it becomes the app (see launcher), and holds the pipe open until then: there is no moment at which a
group exists that the guard will not learn of. A shell, because it takes a tenth of the memory of a Python process.
"""

import asyncio
import contextlib
import os

from cfroute.daemon import spawn
from cfroute.diego.cell.child import Child
from cfroute.logs import Logger

# The guard ends when the pipe closes, and for no other reason.
SCRIPT = """
trap '' TERM INT HUP QUIT
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
exit 0
"""


class Guard:
    """The guard of one cell. `pipe` is the descriptor that the launcher writes to."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._groups: set[int] = set()
        self._watch: asyncio.Task[None] | None = None
        self.pipe = -1

    def start(self) -> None:
        """Start the guard, and watch over it from now on."""
        process = self._spawn()
        self._watch = spawn(self._keep(process), name="guard")

    def add(self, group: int) -> None:
        """A process group runs. (It has said so itself; a guard that had to be replaced is told by this.)"""
        self._groups.add(group)

    def discard(self, group: int) -> None:
        """A process group has ended."""
        self._groups.discard(group)
        self._tell(f"- {group}\n")

    async def close(self) -> None:
        """Let the guard do its work, and end."""
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1

    def _spawn(self) -> Child:
        reading, writing = os.pipe()
        try:
            process = Child.start(["/bin/sh", "-c", SCRIPT], cwd="/", environment={}, stdin=reading, pipes=False)
        finally:
            os.close(reading)
        if self.pipe >= 0:
            os.close(self.pipe)
        self.pipe = writing
        for group in self._groups:
            self._tell(f"+ {group}\n")
        return process

    async def _keep(self, process: Child) -> None:
        while True:
            await process.wait()
            self._log.error("guard-died", exit_status=process.returncode)
            process = self._spawn()

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has died; the next one is told by _spawn
            os.write(self.pipe, line.encode())
