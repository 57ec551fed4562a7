"""Listens on ports and relays their connections to backends."""

import asyncio
import os
import resource
import socket
from collections.abc import Callable, Mapping
from typing import Final

from cfroute.clock import Clock, Timer
from cfroute.relay.door import Door, listen
from cfroute.relay.gear import Gear, Watcher
from cfroute.relay.pipes import AVAILABLE, Pipes
from cfroute.relay.poller import Poller, Watched, best_poller
from cfroute.relay.routes import Port
from cfroute.relay.session import Session
from cfroute.relay.values import Listener, Settings

_RESERVED: Final = 64  # descriptors that are left to the rest of the process
_PATIENCE: Final = 0.5  # seconds until accepting is tried again when the system had no room


class Relay:
    """The ports of one address. Made and used inside of a running event loop.

    Connections that are relayed survive every change of ports and pools. make_poller is called with whom to tell of defects;
    splice moves large transfers inside of the kernel.
    """

    def __init__(
        self,
        address: str,
        clock: Clock,
        watcher: Watcher,
        settings: Settings | None = None,
        *,
        make_poller: Callable[[Callable[[Watched, Exception], object], Clock], Poller] = best_poller,
        splice: bool = AVAILABLE,
    ) -> None:
        self.settings = settings or Settings()
        self._address = address
        self._clock = clock
        self._watcher = watcher
        self._poller = make_poller(_defective, clock)
        self._pipes = Pipes() if splice else None
        self._gear = Gear(self._poller, self._pipes, clock, watcher, self.settings)
        self._doors: dict[int, Door] = {}
        self._sessions: dict[Session, None] = {}
        self._room = 0
        self._locked = False
        self._empty = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._poller.fileno(), self._poller.collect)
        self._sweep: Timer = clock.call_later(self._pause, self._look)
        self._retry: Timer | None = None

    def __repr__(self) -> str:
        return f"<Relay {self._address} {len(self._doors)} ports, {len(self._sessions)} sessions>"

    # Ports

    @property
    def ports(self) -> dict[int, Port]:
        """The ports that are listened on, with what was counted there."""
        return {number: door.port for number, door in self._doors.items()}

    @property
    def current(self) -> int:
        """The connections that there are."""
        return len(self._sessions)

    def count(self) -> None:
        """Bring the counts of `ports` up to date: connections that are open count their bytes now and then only."""
        for session in self._sessions:
            session.count()

    def apply(self, listeners: Mapping[int, Listener]) -> dict[int, str]:
        """Have exactly these ports. Returns why those that are missing could not be had; they are tried again next time."""
        gone: dict[int, Listener | None] = {number: None for number in self._doors if number not in listeners}
        return self.change({**gone, **listeners})

    def change(self, listeners: Mapping[int, Listener | None]) -> dict[int, str]:
        """Add or change these ports; None removes one. Returns why those that are missing could not be had."""
        missing = {}
        for number, listener in listeners.items():
            door = self._doors.get(number)
            if listener is None:
                if door is not None:
                    self._doors.pop(number).close()
            elif door is not None:
                door.port.replace(listener)
            elif problem := self._open(number, listener):
                missing[number] = problem
        self._make_room()
        return missing

    def _open(self, number: int, listener: Listener) -> str:
        try:
            sock = listen(self._address, number)
        except OSError as error:
            return os.strerror(error.errno).lower() if error.errno else str(error)
        door = self._doors[number] = Door(Port(number, listener), sock, self._poller, self._enter, self._no_room)
        if not self._locked:
            door.open()
        return ""

    # Connections

    def _enter(self, port: Port, sock: socket.socket) -> bool:
        session = Session(self._gear, port, sock, self._gone)
        self._sessions[session] = None
        session.begin()
        if len(self._sessions) < self._room:
            return True
        self._lock(f"{self._room} connections are the most")
        return False

    def _gone(self, session: Session) -> None:
        del self._sessions[session]
        if self._locked and len(self._sessions) < self._room - self._room // 16:  # not with each that goes
            self._unlock()
        if not self._sessions:
            self._empty.set()

    def _make_room(self) -> None:
        """How many connections there can be: each has two descriptors."""
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = most - _RESERVED - len(self._doors)
        self._room = self.settings.max_connections
        if most != resource.RLIM_INFINITY:
            self._room = max(1, min(self._room, free // 2))

    def _no_room(self, error: OSError) -> None:
        self._lock(os.strerror(error.errno or 0).lower())
        self._retry = self._clock.call_later(_PATIENCE, self._unlock)

    def _lock(self, reason: str) -> None:
        if not self._locked:
            self._locked = True
            for door in self._doors.values():
                door.lock()
            self._watcher.accepting_paused(reason)

    def _unlock(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._locked:
            self._locked = False
            for door in self._doors.values():
                door.open()
            self._watcher.accepting_resumed()

    @property
    def _pause(self) -> float:
        return max(min(self.settings.idle_timeout / 20, 5.0), 0.01)

    def _look(self) -> None:
        now = self._clock.monotonic()
        for session in list(self._sessions):
            session.look(now)
        self._sweep = self._clock.call_later(self._pause, self._look)

    # The end

    def stop_listening(self) -> None:
        """Accept no more connections; those that there are go on."""
        for door in self._doors.values():
            door.close()
        self._doors.clear()

    async def drain(self, seconds: float) -> bool:
        """Wait until all connections have ended, at most so long. Returns whether they have."""
        self._empty.clear()
        if not self._sessions:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """End everything at once."""
        self.stop_listening()
        for session in list(self._sessions):
            session.end()
        self._sweep.cancel()
        if self._retry is not None:
            self._retry.cancel()
        self._gear.stop()
        self._loop.remove_reader(self._poller.fileno())
        self._poller.close()
        if self._pipes is not None:
            self._pipes.close()


def _defective(watched: Watched, defect: Exception) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": f"{watched!r} failed", "exception": defect})
