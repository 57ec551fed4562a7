"""Which NATS server is tried next: the rules of upstream's client.

The configured servers come in random order. Those that a server tells of in its `INFO` are added behind them, and leave again
when it does not name them any more. After a loss the server that was lost goes to the end of the line.
"""

from collections.abc import Iterable
from random import Random


class Server:
    """One server, and what was heard from it."""

    __slots__ = ("host", "implicit", "last_refusal", "name", "port")

    def __init__(self, host: str, port: int, *, implicit: bool = False, name: str = "") -> None:
        """An implicit server was told of by another; `name` is whose certificate it shows, if not that of `host`."""
        self.host = host
        self.port = port
        self.implicit = implicit
        self.name = name or host
        self.last_refusal = ""

    @property
    def address(self) -> str:
        """`host:port`, as a URL has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"<Server {self.address}>"


class Servers:
    """The line of servers; the first is the present one."""

    def __init__(self, addresses: Iterable[tuple[str, int]], rng: Random) -> None:
        self._rng = rng
        self._line = [Server(host, port) for host, port in addresses]
        rng.shuffle(self._line)

    def __len__(self) -> int:
        return len(self._line)

    @property
    def present(self) -> Server:
        return self._line[0]

    def turn(self) -> Server:
        """Send the present server to the end of the line; returns the new present one."""
        self._line.append(self._line.pop(0))
        return self._line[0]

    def told(self, urls: Iterable[str], *, by_name: str = "") -> None:
        """The cluster consists of these (`host:port` each); one without a name shows the certificate of `by_name`."""
        named = {place: None for url in urls if (place := _place(url)) is not None}
        if not named:
            return
        present = self._line[0]
        self._line = [s for s in self._line if s is present or not s.implicit or (s.host, s.port) in named]
        known = {(server.host, server.port) for server in self._line}
        fresh = [
            Server(host, port, implicit=True, name=by_name if _is_address(host) else "")
            for host, port in named
            if (host, port) not in known
        ]
        self._rng.shuffle(fresh)
        self._line += fresh


def _place(url: str) -> tuple[str, int] | None:
    host, _, port = url.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()
