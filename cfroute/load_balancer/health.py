"""Which of the routers behind the load balancer are healthy, and how that is found out."""

import asyncio
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from cfroute.clock import Clock
from cfroute.logs import Logger

_CHECK_TIMEOUT = 2.0  # seconds that a health check may take


class Place(NamedTuple):
    """Where a router tells how it is."""

    host: str
    port: int
    path: str = "/health"


class Checked:
    """A router. Unhealthy until its first good answer."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.place = place
        self.healthy = False
        self.reason = "not checked yet"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {'healthy' if self.healthy else self.reason}>"


C = TypeVar("C", bound=Checked)


class Group(Generic[C]):
    """Routers that can stand in for each other."""

    def __init__(self, routers: Sequence[C], log: Logger) -> None:
        self.all = list(routers)
        self.healthy: list[C] = []
        self._log = log

    def report(self, router: C, reason: str) -> bool:
        """Note the result of a check; an empty reason means healthy. Returns whether that is news."""
        changed = router.healthy is not (not reason)
        router.reason = reason
        if changed:
            router.healthy = not reason
            self.healthy = [one for one in self.all if one.healthy]
            if reason:
                self._log.info("router-unhealthy", router=router.name, reason=reason)
            else:
                self._log.info("router-healthy", router=router.name)
        return changed

    def tick(self, now: float) -> None:
        """Called after each round of checks."""


class Probe(Protocol):
    """Asks one router how it is; returns "" or what is wrong."""

    async def __call__(self, place: Place, /) -> str: ...


async def ask_health(place: Place) -> str:
    """A GET of the path."""
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT):
            reader, writer = await asyncio.open_connection(place.host, place.port)
            try:
                writer.write(f"GET {place.path} HTTP/1.0\r\nHost: {place.host}\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
    except TimeoutError:
        return f"no answer within {_CHECK_TIMEOUT:g} s"
    except (OSError, ValueError) as error:  # the latter: no address, or a line that does not end
        return (getattr(error, "strerror", None) or str(error)).lower()
    parts = line.split()
    return "" if parts[1:2] == [b"200"] else f"answered {b' '.join(parts[1:]).decode('latin-1') or 'nothing'}"


async def check(group: Group[C], probe: Probe = ask_health) -> None:
    """Ask all of them once how they are."""
    results = await asyncio.gather(*(probe(router.place) for router in group.all))
    for router, reason in zip(group.all, results, strict=True):
        group.report(router, reason)


async def check_for_ever(group: Group[C], interval: float, clock: Clock, probe: Probe = ask_health) -> None:
    """Check all, again and again; more often as long as none is healthy, so that a start takes no longer than it must."""
    while True:
        await check(group, probe)
        group.tick(clock.monotonic())
        await clock.sleep(interval if group.healthy else min(interval, 0.05))
