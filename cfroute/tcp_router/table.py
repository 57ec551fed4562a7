"""The table of TCP routes: which backends answer for an external port, and there for a server name.

A backend that is told again is renewed if what is told is newer, and leaves the table when it was not for too long. Times are
monotonic seconds.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from cfroute.routing_api.api import ModificationTag, TcpRoute

NO_NAME = ""
"""In place of a server name: clients that do not use TLS, or that say a name which nobody has."""


class Backend(NamedTuple):
    """Where connections go. A `tls_port` of 0 says that nothing is known of TLS, -1 that there is none."""

    host: str
    port: int
    tls_port: int
    instance_id: str


class Details(NamedTuple):
    """What is known of a backend besides. `ttl` is in seconds; 0 is the usual one."""

    tag: ModificationTag
    ttl: int
    updated: float

    def is_stale(self, now: float, usual_ttl: float, since: float) -> bool:
        """Whether it should have been renewed by now, by somebody who could have been heard `since` then."""
        return max(self.updated, since) + (self.ttl or usual_ttl) < now


class Outcome(Enum):
    """What came of an upsert or a delete."""

    CHANGED = "changed"
    RENEWED = "renewed"
    STALE = "stale"


Backends = Mapping[Backend, Details]


class RoutingTable:
    """Backends by external port and server name."""

    def __init__(self) -> None:
        self._ports: dict[int, dict[str, dict[Backend, Details]]] = {}
        self._changed: set[int] = set()

    def __len__(self) -> int:
        """The number of routing keys: pairs of port and server name."""
        return sum(map(len, self._ports.values()))

    def __iter__(self) -> Iterator[int]:
        return iter(self._ports)

    def at(self, port: int) -> Mapping[str, Backends]:
        """The backends of a port, by server name."""
        return self._ports.get(port, {})

    def take_changed(self) -> set[int]:
        """The ports that were changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def upsert(self, route: TcpRoute, now: float) -> Outcome:
        """Add a backend, or renew it."""
        name, backend = _place(route)
        backends = self._ports.setdefault(route.port, {}).setdefault(name, {})
        known = backends.get(backend)
        if known is not None and not route.modification_tag.succeeds(known.tag):
            return Outcome.STALE
        backends[backend] = Details(route.modification_tag, route.ttl, now)
        if known is not None:
            return Outcome.RENEWED
        self._changed.add(route.port)
        return Outcome.CHANGED

    def delete(self, route: TcpRoute) -> Outcome:
        """Remove a backend, unless something newer is known of it."""
        name, backend = _place(route)
        known = self.at(route.port).get(name, {}).get(backend)
        tag = route.modification_tag
        if known is None or not (tag == known.tag or tag.succeeds(known.tag)):
            return Outcome.STALE
        self._remove(route.port, name, backend)
        return Outcome.CHANGED

    def prune(self, now: float, usual_ttl: float, since: float) -> int:
        """Remove the backends that are stale; how many they were. Renewals could be heard of `since` then."""
        stale = [
            (port, name, backend)
            for port, names in self._ports.items()
            for name, backends in names.items()
            for backend, details in backends.items()
            if details.is_stale(now, usual_ttl, since)
        ]
        for place in stale:
            self._remove(*place)
        return len(stale)

    def replace(self, other: "RoutingTable") -> None:
        """Have what `other` has, which is not used any more."""
        for port in self._ports.keys() | other._ports.keys():
            if _backends(self.at(port)) != _backends(other.at(port)):
                self._changed.add(port)
        self._ports = other._ports

    def same_backends(self, other: "RoutingTable") -> bool:
        """Whether both have the same backends, whatever is known of them."""
        return self._ports.keys() == other._ports.keys() and all(
            _backends(self.at(port)) == _backends(other.at(port)) for port in self._ports
        )

    def _remove(self, port: int, name: str, backend: Backend) -> None:
        names = self._ports[port]
        del names[name][backend]
        if not names[name]:
            del names[name]
        if not names:
            del self._ports[port]
        self._changed.add(port)


def _place(route: TcpRoute) -> tuple[str, Backend]:
    backend = Backend(route.backend_ip, route.backend_port, route.backend_tls_port, route.instance_id)
    return route.backend_sni_hostname or NO_NAME, backend


def _backends(names: Mapping[str, Backends]) -> dict[str, set[Backend]]:
    return {name: set(backends) for name, backends in names.items()}
