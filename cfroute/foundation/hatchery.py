"""Starting the nursery, before anything else is imported: its imports and ours then run side by side."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence

from cfroute.foundation import preload
from cfroute.home import Home

FORKS = sys.platform == "linux"  # elsewhere system frameworks may not survive a fork


class Hatched:
    """A nursery: its process, our end of its socket, and the descriptor that has to stay open while we live."""

    def __init__(self, process: subprocess.Popen[bytes], commands: socket.socket, lifeline: int) -> None:
        self.process = process
        self.commands = commands
        self._lifeline: int | None = lifeline

    def close(self) -> None:
        """Let go of it, and wait for it: it ends at once, or after its children if there still are any."""
        if self._lifeline is None:
            return
        os.close(self._lifeline)
        self._lifeline = None
        with contextlib.suppress(OSError):  # not connected: it is gone already
            self.commands.shutdown(socket.SHUT_RDWR)
        self.process.wait()
        self.commands.close()


def hatch(home: Home, modules: Sequence[str] = preload.MODULES, *, forks: bool = FORKS) -> Hatched:
    """Start a nursery, which imports `modules`. Its own complaints go to the supervisor's log."""
    ours, theirs = socket.socketpair()
    watched, lifeline = os.pipe()
    arguments = [str(watched), "fork" if forks else "spawn", str(home.certificate("load_balancer")), *modules]
    with theirs, open(home.log("supervisor"), "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cfroute.foundation.nursery", *arguments],
            stdin=theirs.fileno(),
            stdout=log,
            stderr=log,
            pass_fds=(watched,),
            start_new_session=True,  # Ctrl-C on the terminal is for the supervisor only
            umask=0o077,
        )
    os.close(watched)
    return Hatched(process, ours, lifeline)
