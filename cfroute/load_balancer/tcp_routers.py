"""The TCP routers behind the load balancer, and which of them get connections."""

from collections.abc import Callable
from urllib.parse import urlsplit

from cfroute.load_balancer.config import TcpRouter
from cfroute.load_balancer.health import Checked, Group, Place
from cfroute.logs import Logger


class TcpBackend(Checked):
    """One TCP router."""

    def __init__(self, router: TcpRouter) -> None:
        url = urlsplit(router.health)
        super().__init__(router.address, Place(url.hostname or router.address, url.port or 80, url.path or "/"))


class TcpRouters(Group[TcpBackend]):
    """All of them, and the ports on which their clients are waited for.

    `changed` is called when others are healthy than before.
    """

    def __init__(self, routers: list[TcpRouter], log: Logger) -> None:
        super().__init__([TcpBackend(router) for router in routers], log)
        self.listening: set[int] = set()
        self.missing: dict[int, str] = {}
        self.changed: Callable[[], object] = lambda: None

    def report(self, router: TcpBackend, reason: str) -> bool:
        news = super().report(router, reason)
        if news:
            self.changed()
        return news
