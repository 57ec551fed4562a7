"""What the router logs about the attempts of a request: where they went, how far they got, what became of the endpoint."""

from cfroute.go.log import GoLog
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.failures import described
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.logs import Logger
from cfroute.proxy.failure import Failure, Kind


class AttemptLog:
    """Upstream's lines about attempts, with its messages and keys. Times in seconds, -1 where nothing was measured."""

    def __init__(self, log: Logger, go_log: GoLog) -> None:
        self._log = log
        self._go_log = go_log

    def endpoint_failed(self, exchange: RouterExchange, endpoint: Endpoint, failure: Failure, *, retriable: bool) -> None:
        """An attempt at an endpoint came to nothing."""
        where = _endpoint_data(endpoint)
        self._note_timeout(exchange, failure, where)
        data = _failure_data(exchange, failure, retriable)
        self._log.error("backend-endpoint-failed", **where, **data, **exchange.trace_fields)

    def service_failed(self, exchange: RouterExchange, url: str, failure: Failure, *, retriable: bool) -> None:
        """An attempt at a route service came to nothing."""
        where: dict[str, object] = {"route-service-endpoint": url}
        self._note_timeout(exchange, failure, where)
        data = _failure_data(exchange, failure, retriable)
        self._log.error("route-service-connection-failed", **where, **data, **exchange.trace_fields)

    def service_responded(self, exchange: RouterExchange, url: str, status: int) -> None:
        """A route service gave a response other than 2xx."""
        data = {"route-service-endpoint": url, "status-code": status}
        self._log.info("route-service-response", **data, **exchange.trace_fields)

    def pruned(self, endpoint: Endpoint) -> None:
        """The failure took the endpoint out of its pool."""
        self._log.error("prune-failed-endpoint", **_endpoint_data(endpoint))

    def marked(self, endpoint: Endpoint) -> None:
        """The failure makes round robin avoid the endpoint."""
        self._log.error("endpoint-marked-as-ineligible", **_endpoint_data(endpoint))

    def no_endpoint(self, exchange: RouterExchange, host: str, error: str) -> None:
        """There is no endpoint left to try."""
        self._log.error("select-endpoint-failed", host=host, error=error, **exchange.trace_fields)

    def too_many_headers(self, exchange: RouterExchange, failure: Failure) -> None:
        """A response has more header lines than is allowed."""
        service, endpoint = exchange.route_service, exchange.endpoint
        message = "backend-too-many-response-headers" if service is None else "route-service-too-many-response-headers"
        where = _endpoint_data(endpoint) if service is None and endpoint is not None else {}
        self._log.error(message, **where, **_failure_data(exchange, failure, False), **exchange.trace_fields)

    def timed_out(self, exchange: RouterExchange) -> None:
        """The time for an attempt was over."""
        endpoint = exchange.endpoint
        self._timed_out(exchange, _endpoint_data(endpoint) if endpoint is not None else {})

    def gave_up(self, error: str) -> None:
        """The request is answered with a failure."""
        self._go_log.line(f"http: proxy error: {error}")

    def _note_timeout(self, exchange: RouterExchange, failure: Failure, where: dict[str, object]) -> None:
        if failure.kind is Kind.TIMEOUT:
            self._timed_out(exchange, where)

    def _timed_out(self, exchange: RouterExchange, where: dict[str, object]) -> None:
        data = {"error": "context deadline exceeded", "vcap_request_id": exchange.request_id.decode()}
        self._log.error("backend-request-timeout", **where, **data, **exchange.trace_fields)


def _endpoint_data(endpoint: Endpoint) -> dict[str, object]:
    return {
        "route-endpoint": {
            "ApplicationId": endpoint.app,
            "Addr": endpoint.address,
            "Tags": dict(endpoint.tags) if endpoint.tags else None,
            "RouteServiceUrl": endpoint.route_service_url,
            "AZ": endpoint.availability_zone,
        }
    }


def _failure_data(exchange: RouterExchange, failure: Failure, retriable: bool) -> dict[str, object]:
    timings = failure.timings
    return {
        "attempt": exchange.attempt_number,
        "vcap_request_id": exchange.request_id.decode(),
        "num-endpoints": len(exchange.pool.endpoints) if exchange.pool is not None else 0,
        "got-connection": failure.got_connection,
        "wrote-headers": failure.wrote_headers,
        "conn-reused": failure.reused,
        "dns-lookup-time": timings.dns,
        "dial-time": timings.dial,
        "tls-handshake-time": timings.tls,
        "local-address": timings.local,
        "error": described(failure, replayable=exchange.replayable),
        "retriable": retriable,
    }
