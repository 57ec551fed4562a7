"""Our daemons as processes that start fast: forked from one that has imported everything already."""

import importlib
import multiprocessing
import os
import signal
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from cfroute.entrance import call

MODULES = ("cfroute.diego.bbs.main", "cfroute.diego.cell.main", "cfroute.diego.route_emitter.main")
ROOT = str(Path(__file__).parents[2])


class Daemon:
    """One daemon; `log` is the file that its output goes to."""

    def __init__(self, module: str, arguments: list[str], log: Path) -> None:
        self._work = (module, arguments, str(log))
        self._log = log
        self.process: ForkServerProcess | None = None

    def start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*MODULES, "uvicorn.lifespan.on", "uvicorn.protocols.http.auto", __name__])
        if ROOT not in sys.path:
            sys.path.append(ROOT)  # the child has to find this module
        self.process = context.Process(target=serve, args=self._work)
        self.process.start()

    @property
    def pid(self) -> int:
        assert self.process
        assert self.process.pid
        return self.process.pid

    def ask_to_end(self) -> None:
        if self.process and self.process.is_alive():
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.join()

    def wait(self, timeout: float = 15) -> int:
        """Its exit status."""
        assert self.process
        self.process.join(timeout)
        if self.process.exitcode is None:
            self.kill()
            raise AssertionError(f"{self._work[0]} did not end within {timeout} s")
        return self.process.exitcode

    def stop(self) -> int:
        self.ask_to_end()
        return self.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()


def serve(module: str, arguments: list[str], log: str) -> None:
    """In the child: become the daemon."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.exit(call(importlib.import_module(module).main, arguments))
