"""What happens to a request at the load balancer: the policy for the data plane."""

import msgspec

from cfroute.load_balancer.health import Checked
from cfroute.load_balancer.routers import Backend, Routers
from cfroute.load_balancer.tcp_routers import TcpRouters
from cfroute.logs import Logger
from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Destination
from cfroute.proxy.exchange import Exchange
from cfroute.proxy.failure import Failure, Kind
from cfroute.proxy.head import RequestHead, ResponseHead
from cfroute.proxy.headers import Headers
from cfroute.proxy.policy import Policy
from cfroute.proxy.sides import ClientSide, RequestLine


class BalancedExchange(Exchange):
    """A request, the Gorouter it went to, and those it has been tried on."""

    __slots__ = ("router", "tried")

    def __init__(self, front: ClientSide, request: RequestHead) -> None:
        super().__init__(front, request)
        self.router: Backend | None = None
        self.tried: set[str] = set()


class Balancer(Policy):
    """Spreads requests over the healthy Gorouters, with the forwarding headers that a load balancer adds."""

    def __init__(self, routers: Routers, log: Logger) -> None:
        self._routers = routers
        self._log = log

    def exchange(self, front: ClientSide, request: RequestHead) -> BalancedExchange:
        return BalancedExchange(front, request)

    def begin(self, exchange: BalancedExchange) -> Answer | None:
        headers, front = exchange.request.headers, exchange.front
        trailers = b"Te" in headers and b"trailers" in headers.tokens(b"Te")
        upgrade = headers.get(b"Upgrade") if exchange.upgrade else None
        exchange.request.remove_hop_by_hop()
        if trailers:
            headers[b"Te"] = (b"trailers",)
        if upgrade:
            headers[b"Connection"], headers[b"Upgrade"] = (b"Upgrade",), upgrade[:1]
        forwarded, peer = headers.get(b"X-Forwarded-For"), front.peer[0].encode()
        headers[b"X-Forwarded-For"] = (peer if forwarded is None else b", ".join((*forwarded, peer)),)
        headers[b"X-Forwarded-Proto"] = (b"https" if front.tls is not None else b"http",)
        headers[b"X-Forwarded-Port"] = (b"%d" % front.local[1],)
        return None

    def destination(self, exchange: BalancedExchange) -> Destination | Answer:
        router = exchange.router = self._routers.choose(exchange.tried)
        if router is None:
            return _plain(503, "no Gorouter is healthy")
        exchange.tried.add(router.name)
        return router.destination

    def request_line(self, exchange: BalancedExchange) -> RequestLine:
        return exchange.request.target, exchange.request.host, False

    def failed(self, exchange: BalancedExchange, failure: Failure) -> Answer | None:
        router = exchange.router
        if failure.kind is Kind.CANCELLED or router is None:
            return _plain(499, "the client went away")
        self._log.error("router-failed", router=router.name, error=failure.text, host=exchange.request.host.decode("latin-1"))
        if failure.kind is Kind.DIAL:
            self._routers.report(router, failure.text)
        lost = failure.kind in (Kind.EOF, Kind.RESET)
        if not exchange.body_sent and (not failure.wrote_headers or (lost and exchange.replayable)):
            return None
        if failure.kind is Kind.TIMEOUT:
            return _plain(504, "the Gorouter did not answer in time")
        return _plain(502, f"the Gorouter at {router.name} failed: {failure.text}")

    def response(self, exchange: BalancedExchange, response: ResponseHead) -> Answer | None:
        response.remove_hop_by_hop()
        return None

    def finished(self, exchange: BalancedExchange) -> None:
        pass


class StatusPages(Policy):
    """`/healthz` on the status port: 200 while each side has a healthy router, and what is known of each of them."""

    def __init__(self, routers: Routers, tcp: TcpRouters | None = None) -> None:
        self._routers = routers
        self._tcp = tcp

    def exchange(self, front: ClientSide, request: RequestHead) -> Exchange:
        return Exchange(front, request)

    def begin(self, exchange: Exchange) -> Answer | None:
        if exchange.request.path != b"/healthz":
            return _plain(404, "there is only /healthz")
        known: dict[str, object] = {"gorouters": [_seen(router) for router in self._routers.all]}
        well = bool(self._routers.healthy)
        if self._tcp is not None:
            known["tcp_routers"] = [_seen(router) for router in self._tcp.all]
            known["tcp_ports"] = {"listening": len(self._tcp.listening), "missing": self._tcp.missing}
            well = well and bool(self._tcp.healthy)
        body = msgspec.json.encode(known) + b"\n"
        return Answer(200 if well else 503, body, Headers({b"Content-Type": (b"application/json",)}))

    def destination(self, exchange: Exchange) -> Destination | Answer:
        return _plain(404, "there is only /healthz")

    def request_line(self, exchange: Exchange) -> RequestLine:
        return exchange.request.target, exchange.request.host, False

    def failed(self, exchange: Exchange, failure: Failure) -> Answer | None:
        return _plain(502, failure.text)

    def response(self, exchange: Exchange, response: ResponseHead) -> Answer | None:
        return None

    def finished(self, exchange: Exchange) -> None:
        pass


def _seen(router: Checked) -> dict[str, object]:
    return {"router": router.name, "healthy": router.healthy, "reason": router.reason}


def _plain(status: int, message: str) -> Answer:
    return Answer(status, f"load balancer: {message}\n".encode(), Headers({b"Content-Type": (b"text/plain; charset=utf-8",)}))
