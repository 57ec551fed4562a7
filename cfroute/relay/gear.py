"""What the sessions of one relay share: the parts that they are made of, and their timeouts."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.proxy.deadline import Deadlines
from cfroute.proxy.tls_transport import Wire
from cfroute.relay.dial import Connected, Dial
from cfroute.relay.inspection import Inspection
from cfroute.relay.leg import Leg, Owner, Tools, read_away
from cfroute.relay.pipes import Pipes
from cfroute.relay.poller import Poller
from cfroute.relay.routes import Member
from cfroute.relay.tls_leg import TlsLeg
from cfroute.relay.values import Backend, Settings


class Watcher(Protocol):
    """Who wants to know what happens to a relay."""

    def backend_failed(self, port: int, backend: Backend, reason: str) -> None:
        """A dial for a client of that port has failed."""

    def accepting_paused(self, reason: str) -> None:
        """No connections are accepted for the moment."""

    def accepting_resumed(self) -> None:
        """They are accepted again."""


class Gear:
    """Makes the parts of sessions."""

    def __init__(self, poller: Poller, pipes: Pipes | None, clock: Clock, watcher: Watcher, settings: Settings) -> None:
        self.poller = poller
        self.tools = Tools(poller, pipes)
        self.clock = clock
        self.watcher = watcher
        self.settings = settings
        self._dials: Deadlines[Dial] = Deadlines(settings.connect_timeout, clock, Dial.timed_out)
        self._inspections: Deadlines[Inspection] = Deadlines(settings.inspect_delay, clock, Inspection.timed_out)

    def inspection(self, sock: socket.socket, decided: Callable[[str, bytes], object]) -> Inspection:
        """Wait for a client's hello."""
        inspection = Inspection(self.poller, sock, decided)
        self._inspections.add(inspection)
        return inspection

    def inspected(self, inspection: Inspection) -> None:
        """It is over."""
        self._inspections.discard(inspection)

    def dial(self, member: Member, connected: Connected, failed: Callable[[str], object]) -> Dial:
        """A dial that is to be started."""
        return Dial(self.poller, member.backend, connected, failed)

    def start(self, dial: Dial, member: Member) -> None:
        """Start it; it may be over at once."""
        backend = member.backend
        if member.literal:
            dial.start(socket.AF_INET6 if ":" in backend.host else socket.AF_INET, (backend.host, backend.port))
        else:
            spawn(self._resolve(dial, backend), name=f"resolve {backend.host}")
        if not dial.over:
            self._dials.add(dial)

    def dialled(self, dial: Dial) -> None:
        """It is over."""
        self._dials.discard(dial)

    async def _resolve(self, dial: Dial, backend: Backend) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(backend.host, backend.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            if not dial.over:
                dial.fail(error)
            return
        if not dial.over:
            family, _, _, _, address = found[0]
            dial.start(family, (str(address[0]), int(address[1])))

    def leg(self, owner: Owner, sock: socket.socket, wire: Wire | None = None) -> Leg:
        """One end of a session, with its TLS."""
        return Leg(self.tools, owner, sock) if wire is None else TlsLeg(self.tools, owner, sock, wire)

    def proxy_line(self, sock: socket.socket) -> bytes:
        """What tells a backend whom it is connected with: a line of the PROXY protocol, version 1."""
        (source, port, *_), (destination, to_port, *_) = sock.getpeername(), sock.getsockname()
        kind = "TCP6" if sock.family == socket.AF_INET6 else "TCP4"
        return f"PROXY {kind} {source} {destination} {port} {to_port}\r\n".encode()

    def hang_up(self, sock: socket.socket) -> None:
        """End a client's connection that never got anywhere."""
        read_away(sock)
        sock.close()

    def stop(self) -> None:
        """Forget all timeouts."""
        self._dials.stop()
        self._inspections.stop()
