"""`up --detach`: the supervisor as a process of its own, which tells the waiting `up` how it goes.

`start` runs `python -m cfroute.foundation.detached`, which reads its order (JSON) from stdin, so that credentials never stand on
a command line, and writes the events of the start to stdout, one JSON object a line, up to and with `ready` or `failed`.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from cfroute.errors import CfrouteError
from cfroute.foundation import launch
from cfroute.foundation.events import Event, Failed, Ready, Stopping
from cfroute.foundation.options import Given
from cfroute.home import Home


class Order(msgspec.Struct, frozen=True):
    """What the supervisor is to start."""

    state_dir: str
    given: Given
    timeout: float


def start(home: Home, given: Given, timeout: float, watch: Callable[[Event], None], *, wait: bool = True) -> None:
    """Start a supervisor in the background; return when the foundation is ready, or at its first sign of life without `wait`.

    Raises what the supervisor met: Conflict, TimedOut, …; then nothing is left running. So it is when the waiting is interrupted.
    """
    home.create()
    with launch.system_errors_named(home), open(home.log("supervisor"), "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cfroute.foundation.detached"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(msgspec.json.encode(Order(str(home.root), given, timeout)))
    try:
        _follow(process, watch, wait=wait)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise


def _follow(process: "subprocess.Popen[bytes]", watch: Callable[[Event], None], *, wait: bool) -> None:
    from cfroute.foundation.client import error_of

    assert process.stdout is not None
    stopped = ""
    with process.stdout:
        for line in process.stdout:
            event = msgspec.json.decode(line, type=Event)
            if isinstance(event, Failed):
                raise error_of({"kind": event.kind, "message": event.message, "hint": event.hint})
            watch(event)
            if isinstance(event, Ready) or not wait:
                return
            if isinstance(event, Stopping):
                stopped = event.why
    if stopped:
        raise CfrouteError(f"the foundation was stopped before it was ready ({stopped})")
    raise CfrouteError(f"the supervisor ended with status {process.wait()}", "its log is logs/supervisor.log in the state folder")


class _Reports:
    """Writes the events to whoever waits, until the foundation is ready or nobody waits any more."""

    def __init__(self) -> None:
        self._waiting = True

    def __call__(self, event: Event) -> None:
        if not self._waiting:
            return
        try:
            os.write(1, msgspec.json.encode(event) + b"\n")
        except BrokenPipeError:
            self._waiting = False
        if isinstance(event, Ready | Failed):
            self._waiting = False
        if not self._waiting:
            _close_stdout()


def _close_stdout() -> None:
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 1)


def main() -> int:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    reports = _Reports()
    try:
        return launch.supervise(Home(Path(order.state_dir)), order.given, reports, order.timeout)
    except CfrouteError as error:
        reports(Failed(type(error).__name__, error.message, error.hint))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
