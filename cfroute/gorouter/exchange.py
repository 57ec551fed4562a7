"""What the Gorouter keeps of one request beyond what the data plane does."""

from typing import TYPE_CHECKING

from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure
from cfroute.proxy.head import RequestHead

if TYPE_CHECKING:
    from cfroute.gorouter.endpoint import Endpoint
    from cfroute.gorouter.pool import Pool, Selection
    from cfroute.gorouter.route_services import RouteServiceUrl
    from cfroute.proxy.front import Front


class RouterExchange(Exchange):
    """One request on its way through the handlers and to an endpoint or a route service.

    pool is what the lookup found; endpoint the one of the current (or last) attempt; route_service where it makes its detour.
    arrived_via_route_service is set when a valid signature showed that it comes back from there. Times are monotonic seconds;
    proxy_started is 0 for what never reached the proxy stage.
    """

    __slots__ = (
        "arrived_via_route_service", "attempt_number", "counted", "endpoint", "failure", "hostname", "logged_headers", "pool",
        "proxy_ended", "proxy_started", "request_id", "route_service", "router_error", "selection", "semicolons", "started",
        "sticky", "tried",
    )  # fmt: skip

    def __init__(self, front: "Front", request: RequestHead) -> None:
        super().__init__(front, request)
        self.started = self.server.clock.monotonic()
        self.request_id = b""
        self.hostname = ""
        self.pool: Pool | None = None
        self.endpoint: Endpoint | None = None
        self.selection: Selection | None = None
        self.attempt_number = 0
        self.counted = False  # whether it counts among its endpoint's connections now
        self.tried: set[str] | None = None
        self.failure: Failure | None = None
        self.route_service: RouteServiceUrl | None = None
        self.arrived_via_route_service = False
        self.router_error = ""
        self.semicolons = False
        self.sticky = ""
        self.proxy_started = 0.0
        self.proxy_ended = 0.0
        self.logged_headers: list[bytes] | None = None

    @property
    def over_tls(self) -> bool:
        """Whether the client's connection is encrypted."""
        return self.front.tls is not None
