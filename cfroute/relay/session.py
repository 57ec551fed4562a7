"""The way of one connection through the relay: what is done in which order, and what when something fails.

    inspecting      its first bytes are looked at for a server's name, where the port has pools by name
    dialling        one backend after the other is tried
    relaying        bytes go both ways, and each way ends by itself
    leaving         the backend is lost: what it has sent still goes to the client
    ended

It decides; sockets are touched by the parts that `gear` makes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cfroute.relay.counts import Counts
from cfroute.relay.leg import Leg, Owner
from cfroute.relay.routes import Attempts, Member, Port, Rotation

if TYPE_CHECKING:
    from socket import socket

    from cfroute.proxy.tls_transport import Wire
    from cfroute.relay.dial import Dial
    from cfroute.relay.gear import Gear
    from cfroute.relay.inspection import Inspection

INSPECTING: Final = "inspecting"
DIALLING: Final = "dialling"
RELAYING: Final = "relaying"
LEAVING: Final = "leaving"
ENDED: Final = "ended"


class Session(Owner):
    """One client's connection on one port. `gone` is called once, at its end."""

    __slots__ = (
        "_attempts", "_backend", "_began", "_client", "_counted", "_dial", "_dialled", "_early", "_gear", "_gone", "_inspection",
        "_member", "_port", "_quiet_since", "_rotation", "_sock", "state",
    )  # fmt: skip

    def __init__(self, gear: "Gear", port: Port, sock: "socket", gone: "Callable[[Session], object]") -> None:
        super().__init__()
        self.state = INSPECTING
        self._gear = gear
        self._port = port
        self._sock = sock
        self._gone = gone
        self._began = self._quiet_since = self._dialled = gear.clock.monotonic()
        self._early = b""
        self._inspection: Inspection | None = None
        self._rotation: Rotation | None = None
        self._attempts: Attempts | None = None
        self._member: Member | None = None
        self._dial: Dial | None = None
        self._client: Leg | None = None
        self._backend: Leg | None = None
        self._counted = (0, 0)

    def __repr__(self) -> str:
        return f"<Session {self.state} {self._port.number} {self._client} {self._backend}>"

    # Which pool

    def begin(self) -> None:
        """The connection has been accepted."""
        self._port.counts.begun()
        if self._port.by_sni:
            self._inspection = self._gear.inspection(self._sock, self._decided)
        else:
            self._dial_one_of(self._port.default)

    def _decided(self, server_name: str, data: bytes) -> None:
        if self._inspection is not None:
            self._gear.inspected(self._inspection)
            self._inspection = None
        self._early = data
        self._dial_one_of(self._port.choose(server_name))

    # Which backend

    def _dial_one_of(self, rotation: Rotation | None) -> None:
        if rotation is None:
            self.end()
            return
        self.state = DIALLING
        self._rotation = rotation
        rotation.counts.begun()
        self._attempts = Attempts(rotation, self._gear.settings)
        self._attempt()

    def _attempt(self) -> None:
        chosen = None if self._attempts is None else self._attempts.next()
        if chosen is None:
            self.end()
            return
        self._member, pause = chosen
        if pause:
            self._gear.clock.call_later(pause, self._dial_member)
        else:
            self._dial_member()

    def _dial_member(self) -> None:
        if self.state is not DIALLING or self._member is None:  # ended during the pause
            return
        self._dialled = self._gear.clock.monotonic()
        self._dial = self._gear.dial(self._member, self._connected, self._failed)
        self._gear.start(self._dial, self._member)

    def _failed(self, reason: str) -> None:
        self._forget_dial()
        member = self._member
        assert member is not None
        for counts in self._counts():
            counts.connection_errors += 1
        self._gear.watcher.backend_failed(self._port.number, member.backend, reason)
        self._attempt()

    def _forget_dial(self) -> None:
        if self._dial is not None:
            self._gear.dialled(self._dial)
            self._dial = None

    def _connected(self, sock: "socket", wire: "Wire | None") -> None:
        self._forget_dial()
        if self._member is not None:
            self._member.counts.begun()
        took = (self._gear.clock.monotonic() - self._dialled) * 1000
        for counts in self._counts():
            counts.connect_ms.add(took)
        self.state = RELAYING
        early, self._early = self._early, b""
        if self._gear.settings.proxy_line:
            early = self._gear.proxy_line(self._sock) + early
        client = self._client = self._gear.leg(self, self._sock)
        backend = self._backend = self._gear.leg(self, sock, wire)
        backend.join(client)
        if early and self.state is RELAYING:
            backend.push(early)

    # What the legs tell

    def finished(self, leg: Leg) -> None:
        self._end_if_over()

    def emptied(self, leg: Leg) -> None:
        if self.state is LEAVING:
            self.end()
        else:
            self._end_if_over()

    def _end_if_over(self) -> None:
        client, backend = self._client, self._backend
        if client is not None and backend is not None and client.ended and backend.ended and client.shut and backend.shut:
            self.end()

    def broken(self, leg: Leg, error: OSError) -> None:
        """A lost client is one for the backend, too; a lost backend has simply ended for the client, as in HAProxy."""
        client, backend = self._client, self._backend
        if self.state is not RELAYING or leg is client or client is None or backend is None:
            if backend is not None:
                backend.close(reset=True)
            self.end()
            return
        self.state = LEAVING
        backend.close()
        client.stop_reading()
        client.end()
        if not client.blocked:
            self.end()

    # The end

    def look(self, now: float) -> None:
        """See whether it has been quiet for too long."""
        if self.active:
            self.active = False
            self._quiet_since = now
        elif now - self._quiet_since >= self._gear.settings.idle_timeout and self.state in (RELAYING, LEAVING):
            self.end()

    def count(self) -> None:
        """Add what has moved since the last time to the counts."""
        client, backend = self._client, self._backend
        if client is not None and backend is not None:
            counted, self._counted = self._counted, (client.received, backend.received)
            for counts in self._counts():
                counts.moved(client.received - counted[0], backend.received - counted[1])

    def _counts(self) -> list[Counts]:
        """The counts of everything that it is a part of by now."""
        counts = [self._port.counts]
        if self._rotation is not None:
            counts.append(self._rotation.counts)
        if self._member is not None:
            counts.append(self._member.counts)
        return counts

    def end(self) -> None:
        """Close everything that is still open."""
        if self.state is ENDED:
            return
        relayed, self.state = self._client is not None, ENDED
        self.count()
        self._close()
        took = (self._gear.clock.monotonic() - self._began) * 1000
        self._port.counts.ended(took)
        if self._rotation is not None:
            self._rotation.counts.ended(took)
        if self._member is not None and relayed:
            self._member.counts.ended(took)
        self._gone(self)

    def _close(self) -> None:
        if self._inspection is not None:
            self._gear.inspected(self._inspection)
            self._inspection.close()
            self._inspection = None
        if self._dial is not None:
            self._dial.close()
            self._forget_dial()
        if self._client is None or self._backend is None:
            self._gear.hang_up(self._sock)
        else:
            self._backend.close()
            self._client.close()
            self._backend = self._client = None
