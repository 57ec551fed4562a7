"""The Gorouters behind the load balancer, and which of them get requests."""

from cfroute.load_balancer.config import Router
from cfroute.load_balancer.health import Checked, Group, Place
from cfroute.logs import Logger
from cfroute.proxy.backend import Destination


class Backend(Checked):
    """One Gorouter, and the connections to it."""

    def __init__(self, router: Router) -> None:
        super().__init__(f"{router.address}:{router.port}", Place(router.address, router.status_port))
        self.destination = Destination(router.address, router.port, max_idle=256, dial_timeout=5.0)


class Routers(Group[Backend]):
    """All of them, taken in turn. A refused connection counts at once, not at the next check."""

    def __init__(self, routers: list[Router], log: Logger) -> None:
        super().__init__([Backend(router) for router in routers], log)
        self._next = 0

    def choose(self, tried: set[str]) -> Backend | None:
        """The next healthy one that this request has not tried yet."""
        healthy = self.healthy
        for _ in range(len(healthy)):
            self._next = (self._next + 1) % len(healthy)
            backend = healthy[self._next]
            if backend.name not in tried:
                return backend
        return None

    def report(self, router: Backend, reason: str) -> bool:
        changed = super().report(router, reason)
        if changed and reason:
            router.destination.close()
        return changed

    def tick(self, now: float) -> None:
        for backend in self.all:
            backend.destination.expire(now)
