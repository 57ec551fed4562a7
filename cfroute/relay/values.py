"""What a relay is told: which ports to listen on, and where the connections that come there are to go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext


@dataclass(frozen=True, slots=True)
class BackendTls:
    """TLS towards a backend, whose certificate has to stand for the name `verify_host`."""

    verify_host: str
    context: "SSLContext"


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a connection can go: an address or a host's name, and a port."""

    host: str
    port: int
    tls: BackendTls | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


Pool = tuple[Backend, ...]
"""Backends that are as good as each other; connections take them in turn. An empty one turns its clients away."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A port's pools: by the server's name that a TLS client asks for (in lower case), and for all others.

    Without a default pool, who asks for none of the names is turned away.
    """

    default: Pool | None = None
    by_sni: Mapping[str, Pool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How patient a relay is (seconds), and how much it takes on. The values are those of a deployed HAProxy.

    A connection ends when nothing has moved for idle_timeout. connect_timeout is for one dial, TLS included; retries are the
    dials after the first. A backend that has failed is dialled again after redial_pause, for want of others; None: never. A
    client of a port with names has inspect_delay to send its hello. With proxy_line a backend is told the client's address by
    the PROXY protocol.
    """

    idle_timeout: float = 300.0
    connect_timeout: float = 30.0
    inspect_delay: float = 5.0
    retries: int = 3
    redial_pause: float | None = 1.0
    max_connections: int = 64000
    proxy_line: bool = False
