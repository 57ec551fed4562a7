"""The nursery: the process that all components are children of.

It imports the modules of the daemons once, and forks a child for each component: a start costs milliseconds, and the children
share the memory of everything that was imported. (multiprocessing's forkserver does the same, but blocks its caller until all
imports are done, starts a second helper process, and tells nobody how a child ended.) Where forking a process with frameworks
loaded is not safe (macOS), it runs `python -c …` for each component instead; binaries such as nats-server are run in both cases.

It keeps no state and decides nothing. Its stdin is a socket on which the supervisor sends commands, one JSON object a line, and
gets reports:

    {"start": "bbs", "module": "cfroute.diego.bbs.main", "command": [], "arguments": ["-c", "…"], "log": "…/bbs.log"}
    {"signal": 15, "pid": 4711}
        {"started": "bbs", "pid": 4711}   {"failed": "bbs", "error": "…"}   {"exited": 4711, "status": -9}

Lifelines: when the supervisor is gone, the socket ends; the nursery then ends its children and itself. Every daemon also
watches a pipe whose other end only the supervisor holds (`cfroute.daemon`), for the case that the nursery is gone too; binaries
get the kernel's parent-death signal where there is one.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from cfroute.clock import SystemClock
from cfroute.daemon import LIFELINE
from cfroute.entrance import call
from cfroute.foundation import warmup

_PR_SET_PDEATHSIG = 1
_LAST_WORDS = 5.0  # seconds that children get when the supervisor is gone
_RUN = "import sys; from {module} import main; from cfroute.entrance import entry; entry(main)"


class Nursery:
    """Starts, signals and reaps children on command."""

    def __init__(self, commands: socket.socket, lifeline: int, modules: Sequence[str], certificate: str, *, forks: bool) -> None:
        self._commands = commands
        self._lifeline = lifeline
        self._modules = deque(modules if forks else ())
        self._queue: deque[dict[str, Any]] = deque()
        self._certificate = certificate
        self._forks = forks
        self._warm = not forks
        self._children: set[int] = set()
        self._received = b""
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def run(self) -> None:
        """Serve until the supervisor is gone. No daemon is forked before everything is imported.

        What is imported after a fork unshares pages: eight daemons, each forked as soon as possible, hold 14 MB more together,
        and are ready no sooner, because they take the processor from the imports that the last one waits for.
        """
        while self._hear(wait=not self._modules and not self._queue):
            if self._queue and not (self._modules and self._queue[0].get("module")):
                self._obey(self._queue.popleft())
            elif self._modules:
                self._import(self._modules.popleft())

    def _hear(self, *, wait: bool) -> bool:
        """Take in what has happened; False when the supervisor is gone. `wait` for something to happen if there is nothing."""
        commands = self._commands.fileno()
        ready, _, _ = select.select([commands, self._wake], [], [], None if wait else 0)
        if self._wake in ready:
            self._woken()
        return commands not in ready or self._receive()

    def _receive(self) -> bool:
        try:
            data = self._commands.recv(65536)
        except ConnectionResetError:
            data = b""
        *lines, self._received = (self._received + data).split(b"\n")
        self._queue.extend(json.loads(line) for line in lines)
        return bool(data)

    def _obey(self, command: dict[str, Any]) -> None:
        if "signal" in command:
            if command["pid"] in self._children:  # a pid that was reaped may be somebody else's by now
                os.kill(command["pid"], command["signal"])
            return
        name = command["start"]
        try:
            pid = self._start(command)
        except OSError as error:
            self._report({"failed": name, "error": str(error)})
            return
        self._children.add(pid)
        self._report({"started": name, "pid": pid})

    def _start(self, command: dict[str, Any]) -> int:
        if self._forks and command["module"]:
            self._warm_up()
        gc.freeze()  # the collector's marks would unshare every page that holds an object
        # A child could tell nobody that its log cannot be written.
        log = os.open(command["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            pid = os.fork()
            if pid == 0:
                self._become(command, log)
        finally:
            os.close(log)
        return pid

    def _become(self, command: dict[str, Any], log: int) -> NoReturn:
        """In the child: turn into the component, and never return."""
        status = 1
        try:
            self._detach(command, log)
            if not command["module"]:
                _die_with_parent()
                _execute([*command["command"], *command["arguments"]])
            os.environ[LIFELINE] = str(self._lifeline)
            if not self._forks:
                os.set_inheritable(self._lifeline, True)
                _execute([sys.executable, "-P", "-c", _RUN.format(module=command["module"]), *command["arguments"]])
            status = call(importlib.import_module(command["module"]).main, command["arguments"])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status or 0)

    def _detach(self, command: dict[str, Any], log: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        self._commands.close()
        os.dup2(log, 1)
        os.dup2(log, 2)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for descriptor in {log, nothing} - {0, 1, 2}:
            os.close(descriptor)
        _name_process(command["start"])

    def _import(self, module: str) -> None:
        try:
            importlib.import_module(module)
        except Exception:
            # The component will fail in the same way when it is started, in its own log.
            traceback.print_exc()

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        self._reap()

    def _warm_up(self) -> None:
        """Once, before the first fork: the certificates are there by now, even at the first start of all."""
        if not self._warm:
            self._warm = True
            warmup.parse_arguments()
            warmup.use_tls(Path(self._certificate))

    def _reap(self) -> None:
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.discard(pid)
                self._report({"exited": pid, "status": os.waitstatus_to_exitcode(status)})

    def _report(self, report: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the end of the socket is seen in _receive
            self._commands.sendall(json.dumps(report).encode() + b"\n")

    def end_all(self) -> None:
        """The supervisor is gone: end the children, with force if need be."""
        clock = SystemClock()
        deadline = clock.monotonic() + _LAST_WORDS
        self._signal_all(signal.SIGTERM)
        while self._children and (left := deadline - clock.monotonic()) > 0:
            select.select([self._wake], [], [], left)
            self._woken()
        self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: int) -> None:
        for pid in self._children:
            os.kill(pid, number)


def _execute(words: list[str]) -> NoReturn:
    os.execv(words[0], words)  # noqa: S606


def _die_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _name_process(name: str) -> None:
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as comm:  # for ps and top; Linux only
        comm.write(name)


def main() -> None:
    """`python -m cfroute.foundation.nursery LIFELINE fork|spawn CERTIFICATE MODULE…`, with the commands' socket as stdin."""
    lifeline, forks, certificate, *modules = sys.argv[1:]
    gc.disable()  # nothing of what is imported is ever garbage
    warmup.leave_out()
    commands = socket.socket(fileno=os.dup(0))
    os.set_inheritable(int(lifeline), False)
    nursery = Nursery(commands, int(lifeline), modules, certificate, forks=forks == "fork")
    nursery.run()
    nursery.end_all()


if __name__ == "__main__":
    main()
