"""Talking to the foundation of a state folder, from any other process. Synchronous and quick to import."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from cfroute import errors
from cfroute.clock import Clock, SystemClock
from cfroute.errors import CfrouteError, NotRunning, TimedOut
from cfroute.foundation import locks, names
from cfroute.foundation.preparation import prepare, remembered
from cfroute.home import Home

_CONNECT_FOR = 5.0  # seconds: a foundation that has just begun to start has no socket yet
_DOWN_FOR = 60.0


class _Gone(NotRunning):
    """The supervisor has ended in the middle of a request."""


class FoundationClient:
    """The foundation of one state folder. What needs a running one raises NotRunning when it is down."""

    def __init__(self, home: Home, clock: Clock | None = None, pause: Callable[[float], None] = time.sleep) -> None:
        self._home = home
        self._clock = clock or SystemClock()
        self._pause = pause

    def is_up(self) -> bool:
        """Whether a supervisor runs for this folder, be the components ready or not."""
        return locks.is_held(self._home)

    def info(self) -> dict[str, Any]:
        """Where the foundation is reached and what it was started with; works while it is down too.

        Raises ConfigurationError when the file that remembers it is damaged.
        """
        up = self.is_up()
        stored = remembered(self._home)
        if stored is None:
            return {**prepare(self._home).info(), "running": up, "pid": 0}
        return {**stored, "running": up, "pid": locks.holder(self._home) if up else 0}

    def components(self) -> list[str]:
        """The names of all components, in the order of a request's way."""
        return prepare(self._home).component_names

    def component(self, name: str) -> str:
        """The component that a person means by `name`. Raises NotFound, with the nearest name."""
        return names.match(name, self.components())

    def status(self) -> list[dict[str, Any]]:
        """Every component: name, state, since, pid, address, restarts, last_error (see `events.ComponentStatus`)."""
        reply: list[dict[str, Any]] = self._ask({"do": "status"})
        return reply

    def restart(self, name: str) -> dict[str, Any]:
        """End a component's process in order, and wait until the next one is healthy. Raises NotFound, TimedOut."""
        reply: dict[str, Any] = self._ask({"do": "restart", "name": name})
        return reply

    def kill(self, name: str, number: int = signal.SIGKILL) -> dict[str, Any]:
        """Send a signal to a component's process; the status that it had. Raises NotFound."""
        reply: dict[str, Any] = self._ask({"do": "kill", "name": name, "signal": int(number)})
        return reply

    def down(self, timeout: float = _DOWN_FOR) -> None:
        """Take the foundation down, and return when everything has ended. Raises TimedOut."""
        with contextlib.suppress(_Gone):
            self._ask({"do": "down"}, timeout)
        self.wait_down(timeout)

    def wait_down(self, timeout: float = _DOWN_FOR) -> None:
        """Return when no supervisor runs for this folder any more. Raises TimedOut."""
        deadline = self._clock.monotonic() + timeout
        while self.is_up():
            if self._clock.monotonic() > deadline:
                raise self._silent(f"has not ended after {timeout:g} s")
            self._pause(0.02)

    def events(self) -> Iterator[dict[str, Any]]:
        """Everything that happens, from the present state of every component on, until the foundation ends."""
        with self._connect(timeout=None) as connection:
            connection.sendall(b'{"do":"events"}\n')
            with connection.makefile("rb") as lines:
                for line in lines:
                    yield msgspec.json.decode(line)

    def _ask(self, request: dict[str, Any], timeout: float = _DOWN_FOR) -> Any:
        with self._connect(timeout) as connection:
            try:
                connection.sendall(msgspec.json.encode(request) + b"\n")
                with connection.makefile("rb") as lines:
                    line = lines.readline()
            except TimeoutError as error:
                raise self._silent(f"has not answered within {timeout:g} s") from error
            except ConnectionError:
                line = b""
        if not line:
            raise _Gone("the foundation has ended without an answer", "start it again with `cfroute up`")
        reply = msgspec.json.decode(line, type=dict[str, Any])
        if "error" in reply:
            raise error_of(reply["error"])
        return reply["ok"]

    def _connect(self, timeout: float | None) -> socket.socket:
        path = locks.control_address(self._home)
        deadline = self._clock.monotonic() + _CONNECT_FOR
        while self.is_up():
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                return _connected(path, timeout)
            if self._clock.monotonic() > deadline:
                raise self._silent(f"does not listen on {path}")
            self._pause(0.02)
        raise NotRunning("the foundation is not running", "start it with `cfroute up`")

    def _silent(self, what: str) -> TimedOut:
        pid = locks.holder(self._home)
        hint = f"`kill -9 {pid}` ends it by force; a `cfroute down` after that ends what it leaves behind"
        return TimedOut(f"the foundation (pid {pid}) {what}", hint)


def _connected(path: str, timeout: float | None) -> socket.socket:
    if os.stat(path).st_uid != os.getuid():
        raise CfrouteError(f"{path} belongs to somebody else")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def error_of(described: dict[str, str]) -> CfrouteError:
    """The error that another process has described: `kind` (a class of cfroute.errors), `message`, `hint`."""
    kind = getattr(errors, described["kind"], CfrouteError)
    assert issubclass(kind, CfrouteError)
    return kind(described["message"], described["hint"])
