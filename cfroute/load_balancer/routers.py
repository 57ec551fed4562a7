"""The Gorouters behind the load balancer, and which of them get requests."""

import asyncio
from typing import Protocol

from cfroute.clock import Clock
from cfroute.load_balancer.config import Router
from cfroute.logs import Logger
from cfroute.proxy.backend import Destination

_CHECK_TIMEOUT = 2.0  # seconds that a health check may take


class Backend:
    """One Gorouter. Unhealthy until its first good answer; a refused connection counts at once, not at the next check."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.name = f"{router.address}:{router.port}"
        self.healthy = False
        self.reason = "not checked yet"
        self.destination = Destination(router.address, router.port, max_idle=256, dial_timeout=5.0)

    def __repr__(self) -> str:
        return f"<Backend {self.name} {'healthy' if self.healthy else self.reason}>"


class Routers:
    """All of them, taken in turn."""

    def __init__(self, routers: list[Router], log: Logger) -> None:
        self.all = [Backend(router) for router in routers]
        self._healthy: list[Backend] = []
        self._next = 0
        self._log = log

    @property
    def healthy(self) -> list[Backend]:
        return self._healthy

    def choose(self, tried: set[str]) -> Backend | None:
        """The next healthy one that this request has not tried yet."""
        healthy = self._healthy
        for _ in range(len(healthy)):
            self._next = (self._next + 1) % len(healthy)
            backend = healthy[self._next]
            if backend.name not in tried:
                return backend
        return None

    def report(self, backend: Backend, reason: str) -> None:
        """Note the result of a check; an empty reason means healthy."""
        if backend.healthy is not (not reason):
            backend.healthy = not reason
            self._healthy = [one for one in self.all if one.healthy]
            if reason:
                backend.destination.close()
                self._log.info("router-unhealthy", router=backend.name, reason=reason)
            else:
                self._log.info("router-healthy", router=backend.name)
        backend.reason = reason


class Probe(Protocol):
    """Asks one Gorouter how it is; returns "" or what is wrong."""

    async def __call__(self, router: Router, /) -> str: ...


async def ask_health(router: Router) -> str:
    """`GET /health` of the Gorouter's status listener."""
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT):
            reader, writer = await asyncio.open_connection(router.address, router.status_port)
            try:
                writer.write(b"GET /health HTTP/1.0\r\nHost: gorouter\r\n\r\n")
                line = await reader.readline()
            finally:
                writer.close()
    except TimeoutError:
        return f"no answer within {_CHECK_TIMEOUT:g} s"
    except (OSError, ValueError) as error:  # the latter: no address, or a line that does not end
        return (getattr(error, "strerror", None) or str(error)).lower()
    parts = line.split()
    return "" if parts[1:2] == [b"200"] else f"answered {b' '.join(parts[1:]).decode('latin-1') or 'nothing'}"


async def check(routers: Routers, probe: Probe = ask_health) -> None:
    """Ask all of them once how they are."""
    results = await asyncio.gather(*(probe(backend.router) for backend in routers.all))
    for backend, reason in zip(routers.all, results, strict=True):
        routers.report(backend, reason)


async def check_for_ever(routers: Routers, interval: float, clock: Clock, probe: Probe = ask_health) -> None:
    """Check all, again and again; more often as long as none is healthy, so that a start takes no longer than it must."""
    while True:
        await check(routers, probe)
        for backend in routers.all:
            backend.destination.expire(clock.monotonic())
        await clock.sleep(interval if routers.healthy else min(interval, 0.05))
