"""What carries the bytes: this process, or HAProxy."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from cfroute.tcp_router.frontends import Frontend
from cfroute.tcp_router.stats import ProxyStats, StatsError

__all__ = ["BackendKey", "Counters", "Engine", "EngineError", "ProxyStats", "StatsError"]


class EngineError(Exception):
    """The engine cannot do what it is asked for. What is logged of it, is logged already."""


class BackendKey(NamedTuple):
    """A server of a port and server name."""

    port: int
    name: str
    host: str
    host_port: int


class Counters(NamedTuple):
    """What went to a server: open connections, all since the start, those that failed, and bytes to and from it."""

    connections: int = 0
    total: int = 0
    errors: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class Engine(Protocol):
    """Carries the connections of clients to backends."""

    @property
    def name(self) -> str:
        """Which one it is."""

    @property
    def watched(self) -> bool:
        """Whether it can be lost while this process runs on."""

    async def start(self) -> None:
        """Be ready to get tables. Raises EngineError."""

    async def apply(self, frontends: Mapping[int, Frontend]) -> None:
        """Have these ports, and no others; connections that are open stay. Raises EngineError."""

    async def drain(self, frontends: Mapping[int, Frontend]) -> None:
        """Tell whoever asks for the health that connections should go elsewhere. Raises EngineError."""

    async def failed(self) -> str:
        """Return only if the engine is lost for good, and why."""

    async def stats(self) -> list[ProxyStats]:
        """What metrics are made of. Raises StatsError."""

    async def counters(self) -> Mapping[BackendKey, Counters]:
        """What went where. Raises StatsError."""

    async def aclose(self) -> None:
        """End, and with it every connection that this process carries."""
