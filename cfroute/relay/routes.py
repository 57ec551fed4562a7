"""Which backend a connection gets: by the name that its client asks for, and then in turn."""

from collections.abc import Iterator
from ipaddress import ip_address

from cfroute.relay.counts import Counts
from cfroute.relay.values import Backend, Listener, Pool, Settings


class Member:
    """A backend of a pool, with what has been counted for it there; literal is that its host is an address."""

    __slots__ = ("backend", "counts", "literal")

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.literal = _is_address(backend.host)
        self.counts = Counts()

    def __repr__(self) -> str:
        return f"<Member {self.backend}>"


class Rotation:
    """The backends of a pool, taken in turn. It keeps its place and its counts while the pool changes."""

    __slots__ = ("_next", "counts", "members", "pool")

    def __init__(self, pool: Pool) -> None:
        self.counts = Counts()
        self.members: list[Member] = []
        self.pool: Pool = ()
        self._next = 0
        self.replace(pool)

    def __repr__(self) -> str:
        return f"<Rotation {', '.join(map(str, self.pool))}>"

    def replace(self, pool: Pool) -> None:
        """Take other backends from now on; those that stay keep their counts."""
        if pool != self.pool:
            known = {member.backend: member for member in self.members}
            self.members = [known.get(backend) or Member(backend) for backend in pool]
            self.pool = pool

    def next(self) -> Member | None:
        """The one whose turn it is."""
        members = self.members
        if not members:
            return None
        place = self._next
        if place >= len(members):
            place = 0
        self._next = place + 1
        return members[place]


class Attempts:
    """The dials of one connection: another backend each time as long as there is one, then again after a pause (if any)."""

    __slots__ = ("_left", "_pause", "_rotation", "_tried")

    def __init__(self, rotation: Rotation, settings: Settings) -> None:
        self._rotation = rotation
        self._left = settings.retries + 1
        self._pause = settings.redial_pause
        self._tried: list[Member] = []

    def next(self) -> tuple[Member, float] | None:
        """The backend to dial, and the seconds to wait before; None when it is time to give up."""
        if not self._left:
            return None
        self._left -= 1
        for _ in self._rotation.members:
            member = self._rotation.next()
            if member is not None and member not in self._tried:
                self._tried.append(member)
                return member, 0.0
        again = None if self._pause is None else self._rotation.next()
        return None if again is None or self._pause is None else (again, self._pause)


class Port:
    """A port and its rotations. What stays in its table keeps its place and its counts."""

    __slots__ = ("by_sni", "counts", "default", "listener", "number")

    def __init__(self, number: int, listener: Listener) -> None:
        self.number = number
        self.counts = Counts()
        self.listener = listener
        self.default: Rotation | None = None
        self.by_sni: dict[str, Rotation] = {}
        self._set(listener)

    def replace(self, listener: Listener) -> None:
        """Another table, for connections from now on."""
        if listener is not self.listener:
            self._set(listener)

    def _set(self, listener: Listener) -> None:
        self.listener = listener
        self.default = None if listener.default is None else _kept(self.default, listener.default)
        self.by_sni = {name: _kept(self.by_sni.get(name), pool) for name, pool in listener.by_sni.items()}

    def choose(self, server_name: str) -> Rotation | None:
        """Where a client goes that asks for this name ("": for none, or speaks no TLS)."""
        return self.by_sni.get(server_name) or self.default

    def rotations(self) -> Iterator[tuple[str, Rotation]]:
        """All of them by name; the default's is empty."""
        if self.default is not None:
            yield "", self.default
        yield from self.by_sni.items()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _kept(rotation: Rotation | None, pool: Pool) -> Rotation:
    if rotation is None:
        return Rotation(pool)
    rotation.replace(pool)
    return rotation
