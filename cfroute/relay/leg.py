"""One end of a relayed connection, and the bytes on their way to it."""

import os
import socket
from typing import Final

from cfroute.relay.pipes import FLAGS, MOST, Pipe, Pipes
from cfroute.relay.poller import EDGES, ERROR, PEER_ENDED, READ, URGENT, WRITE, Poller, Watched

CHUNK: Final = 1 << 16  # bytes that are read at a time, and so the most that one end waits to send
_read: Final = os.read
_write: Final = os.write
_WATCHED: Final = READ | URGENT | PEER_ENDED | EDGES
_NOT_ALL: Final = ERROR | URGENT | PEER_ENDED  # after these a read may leave something behind, though it was not a full one


class Tools:
    """What all legs of a relay share. Without pipes, bytes are copied."""

    __slots__ = ("pipes", "poller")

    def __init__(self, poller: Poller, pipes: Pipes | None) -> None:
        self.poller = poller
        self.pipes = pipes


class Owner:
    """Who has both legs: the session. It is `active` when something has moved."""

    __slots__ = ("active",)

    def __init__(self) -> None:
        self.active = True

    def finished(self, leg: "Leg") -> None:
        """Its peer sends no more, and the other end has been told."""

    def broken(self, leg: "Leg", error: OSError) -> None:
        """The connection to its peer is lost."""

    def emptied(self, leg: "Leg") -> None:
        """Everything that it had to send has been sent, the end included."""


class Leg(Watched):
    """A socket that is read when `other` can take more, and that is written what came from there.

    Its peer has `ended` when it sends no more; `ending` is that we will send no more to it, `shut` that this has been said.
    What did not fit into the socket waits in `pending`, or in the kernel's `pipe`; meanwhile the other end is not read. Large
    transfers (`bulk`) go through the pipe, unless bytes have to be `visible` to us. The rest is read and written by descriptor,
    which costs less than the socket's methods.
    """

    __deletable__ = ("other",)
    __slots__ = ("bulk", "ended", "ending", "other", "owner", "pending", "pipe", "received", "shut", "sock", "tools", "visible")

    def __init__(self, tools: Tools, owner: Owner, sock: socket.socket) -> None:
        super().__init__(sock.fileno())
        self.tools = tools
        self.owner = owner
        self.sock = sock
        self.other: Leg = self
        self.pending: bytes | None = None
        self.pipe: Pipe | None = None
        self.received = 0
        self.visible = tools.pipes is None
        self.bulk = self.ended = self.ending = self.shut = False

    def __repr__(self) -> str:
        waits = " ".join(name for name in ("bulk", "ended", "ending", "shut") if getattr(self, name))
        return f"<{type(self).__name__} {self.fd} {waits or 'open'}{' blocked' if self.blocked else ''}>"

    @property
    def blocked(self) -> bool:
        """Whether something waits to be sent."""
        return self.pending is not None or self.pipe is not None

    def join(self, other: "Leg") -> None:
        """Begin to relay between this leg and that one."""
        self.other, other.other = other, self
        self.visible = other.visible = self.visible or other.visible
        self.tools.poller.watch(self, _WATCHED)
        self.tools.poller.watch(other, _WATCHED)

    def ready(self, events: int) -> None:
        if events & WRITE and self.mask & WRITE:
            self.flush()
        if self.fd >= 0 and events & ~WRITE:
            if self.mask & READ:
                if self.pull() and events & _NOT_ALL:
                    self._again()
            elif events & ERROR:
                self.owner.broken(self, self._error())

    def abandon(self) -> None:
        self.owner.broken(self, OSError("a defect"))

    # From the peer to the other end

    def pull(self) -> bool:
        """Move what has come; whether there was something."""
        if self.bulk and self._splice():
            return True
        try:
            data = _read(self.fd, CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            self.owner.broken(self, error)
            return False
        if not data:
            self.finish()
            return False
        size = len(data)
        self.received += size
        self.owner.active = True
        self.other.push(data)
        if size == CHUNK:
            self.bulk = not self.visible
            self._again()
        return True

    def finish(self) -> None:
        """Hand on that nothing more comes."""
        self.ended = True
        self._watch(self.mask & ~READ)
        self.other.end()
        self.owner.finished(self)

    def _splice(self) -> bool:
        """Move what has come without looking at it; whether there was something. Otherwise, reading says what there is."""
        pipes = self.tools.pipes
        pipe = pipes.take() if pipes is not None else None
        if pipes is None or pipe is None:
            return False
        try:
            pipe.filled = size = os.splice(self.fd, pipe.into, MOST, flags=FLAGS)
        except OSError:
            size = 0
        if not size:
            pipes.give(pipe)
            return False
        self.received += size
        self.owner.active = True
        self.bulk = size >= CHUNK // 2
        self.other.pump(pipe)
        self._again()
        return True

    # From the other end to the peer

    def push(self, data: bytes) -> None:
        """Send; what does not fit now is kept, and the other end has to wait."""
        if self.pending is not None:  # only TLS speaks out of turn
            self.pending += data
            return
        try:
            sent = _write(self.fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.owner.broken(self, error)
            return
        if sent < len(data):
            self.pending = data[sent:]
            self._block()

    def pump(self, pipe: Pipe) -> None:
        """Send what is in the pipe, and give it back; or keep it until that can be done."""
        try:
            pipe.filled -= os.splice(pipe.out, self.fd, pipe.filled, flags=FLAGS)
        except BlockingIOError:
            pass
        except OSError as error:
            self.pipe = None
            self._give(pipe)
            self.owner.broken(self, error)
            return
        if pipe.filled:
            if self.pipe is None:
                self.pipe = pipe
                self._block()
            return
        self.pipe = None
        self._give(pipe)

    def end(self) -> None:
        """Send no more, once everything is sent."""
        self.ending = True
        if not self.blocked:
            self._shut()

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        if self.pipe is not None:
            self.pump(self.pipe)
        else:
            data, self.pending = self.pending, None
            if data is not None:
                self._resend(data)
        if self.blocked or self.fd < 0:
            return
        self._watch(self.mask & ~WRITE)
        if self.ending:
            self._shut()
            self.owner.emptied(self)
        elif not self.other.ended:
            self.other._watch(self.other.mask | READ)

    def _resend(self, data: bytes) -> None:
        try:
            sent = _write(self.fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.owner.broken(self, error)
            return
        self.owner.active = True
        if sent < len(data):
            self.pending = data[sent:]

    def _block(self) -> None:
        self._watch(self.mask | WRITE)
        self.other._watch(self.other.mask & ~READ)

    def _shut(self) -> None:
        """Tell the peer that nothing more comes."""
        self.shut = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.owner.broken(self, error)

    # The end

    def close(self, *, reset: bool = False) -> None:
        """Give the socket up; with reset its peer is told that the connection has failed."""
        if self.fd < 0:
            return
        self.tools.poller.forget(self)
        self.fd = -1
        if self.pipe is not None:
            self._give(self.pipe)
            self.pipe = None
        self.pending = None
        if not self.ended and not reset:
            read_away(self.sock)
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.sock.close()
        del self.other  # which has us: no cycle is to keep closed connections until they are collected

    def _give(self, pipe: Pipe) -> None:
        if self.tools.pipes is not None:
            self.tools.pipes.give(pipe)

    def _error(self) -> OSError:
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return OSError(number, os.strerror(number))

    def stop_reading(self) -> None:
        """Nobody wants to know any more what comes."""
        self._watch(self.mask & ~READ)

    def _again(self) -> None:
        """There may be more to read than what was."""
        if self.fd >= 0 and self.mask & READ:
            self.tools.poller.again(self)

    def _watch(self, mask: int) -> None:
        if mask != self.mask and self.fd >= 0:
            self.tools.poller.watch(self, mask)


def read_away(sock: socket.socket) -> None:
    """Take what nobody wants any more out of a socket: closed with something unread, it would reset the connection.

    Who goes on sending faster than that is reset all the same.
    """
    try:
        for _ in range(_MOST_READ_AWAY):
            if not sock.recv(1 << 20):
                return
    except OSError:
        return


_MOST_READ_AWAY: Final = 16  # times a megabyte: more than a socket's buffer holds
_NO_LINGER: Final = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, for no time
