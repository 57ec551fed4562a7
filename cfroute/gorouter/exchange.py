"""What the Gorouter keeps of one request beyond what the data plane does."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cfroute.proxy.answer import Answer
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure
from cfroute.proxy.head import RequestHead
from cfroute.proxy.headers import Headers
from cfroute.proxy.tls_transport import PeerTls

if TYPE_CHECKING:
    from cfroute.gorouter.route_service_url import RouteServiceUrl
    from cfroute.gorouter.routing_table.endpoint import Endpoint
    from cfroute.gorouter.routing_table.pool import Pool
    from cfroute.gorouter.routing_table.selection import Selection
    from cfroute.gorouter.tls.caller import Caller
    from cfroute.gorouter.tracing import TraceInfo
    from cfroute.proxy.sides import ClientSide
    from cfroute.proxy.timings import Timings


class Panic(Exception):
    """Upstream panics here: the request ends in the panic guard, with 502 and `unknown_failure`."""


class RouterExchange(Exchange):
    """One request on its way through the handlers and to an endpoint or a route service.

    pool is what the lookup found; endpoint the one of the current (or last) attempt; route_service where it makes its detour.
    arrived_via_route_service is set when a valid signature showed that it comes back from there; trace where tracing is on.
    Times are monotonic seconds; proxy_started is 0 for what never reached the proxy stage. failed_attempts and failed_at tell of
    the attempts that came to nothing; timings of the connection of the one that did not, where somebody wants to know;
    attempt_started is when the present attempt began, in nanoseconds of the epoch, where it is told to metron. caller and
    route_policy are set in identity domains: who calls, and what the route's policy said to that.
    """

    # Defaults of the class: most requests change few of them, and what is not set costs nothing.
    request_id = b""
    trace: "TraceInfo | None" = None
    hostname = ""
    path = b""  # as Go's EscapedPath: what is looked up, and logged
    pool: "Pool | None" = None
    endpoint: "Endpoint | None" = None
    selection: "Selection | None" = None
    attempt_number = 0
    attempt_started = 0
    failed_attempts = 0
    failed_at = 0.0
    timings: "Timings | None" = None
    counted = False  # whether it counts among its endpoint's connections now
    tried: set[str] | None = None
    failure: Failure | None = None
    route_service: "RouteServiceUrl | None" = None
    arrived_via_route_service = False
    router_error = ""
    semicolons = False
    sticky = ""
    must_be_sticky = False
    rewrite: Callable[[Headers], None] | None = None  # what http_rewrite does to the response's headers
    proxy_started = 0.0
    proxy_ended = 0.0
    logged_headers: list[bytes] | None = None
    caller: "Caller | None" = None
    route_policy = ""

    def __init__(self, front: "ClientSide", request: RequestHead) -> None:
        super().__init__(front, request)
        self.started = self.server.monotonic()

    @property
    def trace_fields(self) -> dict[str, str]:
        """What log lines about a traced request say of its trace."""
        if self.trace is None:
            return {}
        return {"trace-id": self.trace.trace_id.decode(), "span-id": self.trace.span_id.decode()}

    def answer(self, answer: Answer) -> None:
        """Respond without a backend. What the panic guard says is not rewritten, it stands above that stage."""
        if self.rewrite is not None and self.complete:
            self.rewrite(answer.headers)
            if b"X-Cf-Routererror" not in answer.headers:
                self.router_error = ""  # the access log shows what the response has
        super().answer(answer)

    @property
    def server_name(self) -> str:
        """The name that the client asked for in its TLS handshake, in lower case; empty without."""
        tls = self.front.tls
        return tls.server_name if isinstance(tls, PeerTls) else ""

    @property
    def certificate(self) -> bytes | None:
        """The client's certificate (DER), if it has shown one on this connection."""
        tls = self.front.tls
        return tls.getpeercert(binary_form=True) if tls is not None else None

    @property
    def over_tls(self) -> bool:
        """Whether the client's connection is encrypted."""
        return self.front.tls is not None
