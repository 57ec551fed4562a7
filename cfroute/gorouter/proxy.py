"""The proxy stage: chooses endpoints, edits the messages, judges failures.

This is the Gorouter's `Policy` for the data plane. It holds all decisions about one request and does no input or output.
"""

from random import Random

from cfroute.go.quoting import quote
from cfroute.gorouter.config import Config
from cfroute.gorouter.context import Context
from cfroute.gorouter.destinations import Destinations
from cfroute.gorouter.errors import failure_answer
from cfroute.gorouter.exchange import Panic, RouterExchange
from cfroute.gorouter.failures import classify, retriable
from cfroute.gorouter.logs.access_log import AccessLog
from cfroute.gorouter.logs.access_record import detailed_record, record
from cfroute.gorouter.logs.attempt_log import AttemptLog
from cfroute.gorouter.logs.http_events import HttpEvents
from cfroute.gorouter.pipeline import request_path
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import HASH, Pool
from cfroute.gorouter.routing_table.selection import Selection
from cfroute.gorouter.sticky import StickySessions
from cfroute.proxy.answer import Answer
from cfroute.proxy.backend import Destination
from cfroute.proxy.failure import Failure, Kind
from cfroute.proxy.head import RequestHead, ResponseHead
from cfroute.proxy.headers import Fields, Headers
from cfroute.proxy.policy import Policy
from cfroute.proxy.sides import ClientSide, RequestLine
from cfroute.proxy.target import Target, double_slash_form

_NO_ENDPOINTS = Failure(Kind.NO_TARGET, "No endpoints available")


class Proxy(Policy):
    """Gorouter's decisions, request by request."""

    def __init__(
        self, context: Context, destinations: Destinations, access_log: AccessLog, events: HttpEvents | None = None
    ) -> None:
        self._handlers = request_path(context)
        self._context = context
        self._config: Config = context.config
        self._monotonic = context.clock.monotonic
        self._rng: Random = context.rng
        self._log = context.log
        self._attempts = AttemptLog(context.log, context.go_log)
        self._destinations = destinations
        self._access_log = access_log
        self._detailed = access_log.detailed
        self._record = detailed_record if access_log.detailed else record
        self._events = events
        self._reporter = context.reporter
        self._registry = context.registry
        self._tally = context.tally
        config = context.config
        self._cool_down = config.failed_cool_down
        self._max_conns = config.backends.max_conns
        self._local_first = config.balancing_algorithm_az_preference == "locally-optimistic"
        self._sticky = StickySessions(config, context.clock.now)
        self._trace_key = config.trace_key.encode()
        self._endpoint_attempts = max(config.backends.max_attempts, 1)
        self._service_attempts = max(config.route_services.max_attempts, 1)
        self._close = config.disable_keep_alives
        self._close_expecting = self._close or not config.keep_alive_100_continue_requests
        self._plain_selection = not self._max_conns and not self._local_first
        self._extra_headers = access_log.extra_names

    # Policy

    def exchange(self, front: ClientSide, request: RequestHead) -> RouterExchange:
        return RouterExchange(front, request)

    def begin(self, exchange: RouterExchange) -> Answer | None:
        for handler in self._handlers:
            answer = handler(exchange)
            if answer is not None:
                return answer
        exchange.proxy_started = self._monotonic()
        if exchange.route_service is None:
            assert exchange.pool is not None
            exchange.pool.requests += 1
            if b"Cookie" in exchange.request.headers:
                exchange.sticky, exchange.must_be_sticky = self._sticky.wish(exchange.request.headers)
        self._edit_request(exchange)
        return None

    def destination(self, exchange: RouterExchange) -> Destination | Answer:
        exchange.attempt_number += 1
        if self._events is not None:
            self._events.attempt(exchange)
        if exchange.route_service is not None:
            return self._destinations.of_route_service(exchange.route_service)
        endpoint = None
        if exchange.attempt_number == 1 and self._plain_selection and not exchange.sticky:
            assert exchange.pool is not None
            endpoint = exchange.pool.pick()
        if endpoint is None and (endpoint := self._select(exchange)) is None:
            return self._give_up(exchange)
        exchange.endpoint = endpoint
        endpoint.requests += 1
        endpoint.backend.connections += 1
        exchange.counted = True
        if self._tally is not None:
            self._tally.began(endpoint.backend)
        if self._reporter is not None:
            self._reporter.sent(endpoint)
        return self._destinations.of_endpoint(endpoint)

    def request_line(self, exchange: RouterExchange) -> RequestLine:
        request = exchange.request
        service = exchange.route_service
        if service is not None:
            return service.target, service.authority, self._close_expecting if exchange.expects_continue else self._close
        endpoint = exchange.endpoint
        assert endpoint is not None
        headers: Fields = request.headers
        identity = endpoint.identity
        headers[b"X-Cf-Applicationid"] = (identity.application_id,)
        headers[b"X-Cf-Instanceid"] = (identity.instance_id,)
        headers[b"X-Cf-Instanceindex"] = (identity.instance_index,)
        target = request.target
        if target.startswith(b"//"):
            scheme = b"https" if endpoint.tls else b"http"
            target = double_slash_form(request.host, Target(b"", request.path, request.query), scheme)
        return target, request.host, self._close_expecting if exchange.expects_continue else self._close

    def failed(self, exchange: RouterExchange, failure: Failure) -> Answer | None:
        self._stop_counting(exchange)
        exchange.failure = failure
        exchange.failed_attempts += 1
        exchange.failed_at = self._monotonic()
        if self._events is not None:
            self._events.failed(exchange)
        if exchange.upgrade and not exchange.body_done:
            failure.wrote_headers = True
        may_retry = not exchange.body_sent and retriable(failure, replayable=exchange.replayable)
        if exchange.route_service is not None:
            self._attempts.service_failed(exchange, exchange.route_service.url, failure, retriable=may_retry)
            again = may_retry and exchange.attempt_number < self._service_attempts
        else:
            self._judge_endpoint(exchange, failure, may_retry)
            again = may_retry and exchange.attempt_number < self._endpoint_attempts
        return None if again else self._failure_answer(exchange, failure)

    def response(self, exchange: RouterExchange, response: ResponseHead) -> Answer | None:
        self._stop_counting(exchange)
        if self._events is not None:
            self._events.responded(exchange, response)
        headers = response.headers
        limit = self._config.max_response_headers
        if limit and sum(map(len, headers.values())) > limit:
            failure = Failure(Kind.MALFORMED, "Too many response headers", True, True)
            self._attempts.too_many_headers(exchange, failure)
            return self._failure_answer(exchange, failure)
        if response.status < 100:
            raise Panic(f"invalid WriteHeader code {response.status}")
        if response.status == 101 and (answer := self._mismatch(exchange, headers.first(b"Upgrade"))) is not None:
            return answer
        if self._detailed and exchange.backend is not None:
            exchange.timings = exchange.backend.timings
        response.remove_hop_by_hop()
        fields: Fields = headers
        if b"X-Cf-Proxy-Signature" in fields:
            del fields[b"X-Cf-Proxy-Signature"]
        if b"X-Vcap-Request-Id" not in fields:
            fields[b"X-Vcap-Request-Id"] = (exchange.request_id,)
        if exchange.route_service is not None:
            self._note_service_response(exchange, response.status)
        elif exchange.sticky or self._trace_key or self._sticky.concerns(headers):
            self._edit_endpoint_response(exchange, headers)
        if exchange.rewrite is not None and response.status != 101:
            exchange.rewrite(headers)
        if b"X-Cf-Routererror" in fields:  # another router's; the access log shows it as if it were ours
            exchange.router_error = headers.first(b"X-Cf-Routererror").decode("utf-8", "surrogateescape")
        if exchange.upgrade == b"websocket" and self._reporter is not None:
            self._reporter.count("websocket_upgrades")
        return None

    def finished(self, exchange: RouterExchange) -> None:
        if exchange.counted:
            self._stop_counting(exchange)
        now = self._monotonic()
        if exchange.proxy_started:
            exchange.proxy_ended = now
        if exchange.complete:
            self._tell(exchange, now)

    def _tell(self, exchange: RouterExchange, now: float) -> None:
        """The client has all of its response: write the line, count it, send the event."""
        if self._access_log.enabled:
            if self._extra_headers and exchange.logged_headers is None:
                self._note_headers(exchange)
            endpoint = exchange.endpoint
            self._access_log.log(self._record(exchange, now), endpoint.tags if endpoint is not None else None)
        if self._reporter is not None:
            self._reporter.finished(exchange, now)
        if self._events is not None:
            self._events.served(exchange)

    # Endpoints

    def _select(self, exchange: RouterExchange) -> Endpoint | None:
        pool = exchange.pool
        assert pool is not None
        attempt = exchange.attempt_number
        now = self._monotonic()
        if self._tally is not None:
            self._tally.refresh(pool.endpoints)
        if exchange.selection is None:
            hash_value = self._hash_value(exchange, pool) if pool.load_balancing == HASH else b""
            exchange.selection = Selection(
                pool,
                now=now,
                rng=self._rng,
                max_conns=self._max_conns,
                cool_down=self._cool_down,
                zone=self._config.zone,
                prefer_zone=self._local_first,
                sticky=exchange.sticky or None,
                must_be_sticky=exchange.must_be_sticky,
                after=exchange.endpoint,
                hash_value=hash_value,
                algorithm=self._config.balancing_algorithm if pool.load_balancing == HASH and not hash_value else None,
            )
        endpoint = exchange.selection.next(now, attempt)
        if endpoint is not None and attempt > 1:
            tried = exchange.tried or ()
            if attempt > len(pool.endpoints) and endpoint.address in tried:
                return None
        return endpoint

    def _hash_value(self, exchange: RouterExchange, pool: Pool) -> bytes:
        """What the request brings for a pool that balances by the hash of a header, or nothing."""
        if pool.hashing is None or not pool.hashing.header:
            self._log.error("hash-routing-properties-missing", host=pool.host)
            return b""
        value = exchange.request.headers.first(pool.hashing.header)
        if not value:
            self._log.info("hash-based-routing-header-value-not-found", Host=pool.host, Path=pool.context_path)
        return value

    def _give_up(self, exchange: RouterExchange) -> Answer:
        assert exchange.pool is not None
        self._attempts.no_endpoint(exchange, exchange.pool.host, _NO_ENDPOINTS.text)
        return self._failure_answer(exchange, exchange.failure or _NO_ENDPOINTS)

    def _judge_endpoint(self, exchange: RouterExchange, failure: Failure, may_retry: bool) -> None:
        endpoint, pool = exchange.endpoint, exchange.pool
        assert endpoint is not None
        assert pool is not None
        if exchange.tried is None:
            exchange.tried = set()
        exchange.tried.add(endpoint.address)
        self._attempts.endpoint_failed(exchange, endpoint, failure, retriable=may_retry)
        row = classify(failure)
        if row.prunable and endpoint.tls:
            if self._registry.discard(pool, endpoint):
                self._attempts.pruned(endpoint)
        elif row.failable and self._registry.mark_failed(pool, endpoint):
            self._attempts.marked(endpoint)

    def _stop_counting(self, exchange: RouterExchange) -> None:
        if exchange.counted:
            exchange.counted = False
            assert exchange.endpoint is not None
            exchange.endpoint.backend.connections -= 1
            if self._tally is not None:
                self._tally.ended(exchange.endpoint.backend)

    def _failure_answer(self, exchange: RouterExchange, failure: Failure) -> Answer:
        row = classify(failure)
        if self._reporter is not None:
            self._reporter.failed(row.metric, websocket=exchange.upgrade == b"websocket")
        self._attempts.gave_up(failure.text)
        return failure_answer(exchange, row.status, row.body, failure.text)

    def _mismatch(self, exchange: RouterExchange, protocol: bytes) -> Answer | None:
        """The answer in place of a 101 that goes over to another protocol than the client asked for."""
        if exchange.upgrade and protocol.lower() == exchange.upgrade:
            return None
        theirs, ours = quote(protocol.decode("latin-1")), quote(exchange.upgrade.decode("latin-1"))
        self._attempts.gave_up(f"backend tried to switch protocol {theirs} when {ours} was requested")
        return Answer(502)

    # Messages

    def _edit_request(self, exchange: RouterExchange) -> None:
        """What the reverse proxy does to a request, once for all attempts."""
        request = exchange.request
        headers = request.headers
        if self._extra_headers:
            self._note_headers(exchange)
        fields: Fields = headers
        if b"X-Request-Start" not in fields:
            fields[b"X-Request-Start"] = (str(exchange.received_at // 1_000_000).encode(),)
        if b"X-Cf-App-Instance" in fields:
            del fields[b"X-Cf-App-Instance"]
        trailers = b"Te" in fields and b"trailers" in headers.tokens(b"Te")
        upgrade = fields.get(b"Upgrade") if exchange.upgrade else None
        request.remove_hop_by_hop()
        if trailers:
            fields[b"Te"] = (b"trailers",)
        if upgrade is not None:
            fields[b"Connection"] = (b"Upgrade",)
            fields[b"Upgrade"] = upgrade[:1]
        peer = exchange.front.peer[0].encode()
        forwarded = fields.get(b"X-Forwarded-For")
        fields[b"X-Forwarded-For"] = (peer if forwarded is None else b", ".join((*forwarded, peer)),)

    def _note_headers(self, exchange: RouterExchange) -> None:
        """Keep what the access log shows of the request's headers: as they came, and not as the endpoint sees them."""
        headers = exchange.request.headers
        exchange.logged_headers = [headers.first(name) for name in self._extra_headers]

    def _edit_endpoint_response(self, exchange: RouterExchange, headers: Headers) -> None:
        endpoint, pool = exchange.endpoint, exchange.pool
        assert endpoint is not None
        assert pool is not None
        request = exchange.request.headers
        if endpoint.instance_id and (exchange.sticky or self._sticky.concerns(headers)):
            self._sticky.stick(exchange.sticky, endpoint.instance_id, pool.context_path, request, headers)
        if self._trace_key and request.first(b"X-Vcap-Trace") == self._trace_key:
            headers[b"X-Vcap-Router"] = (self._context.ip.encode(),)
            headers[b"X-Vcap-Backend"] = (endpoint.address.encode(),)
            headers[b"X-Cf-Routeendpoint"] = (endpoint.address.encode(),)

    def _note_service_response(self, exchange: RouterExchange, status: int) -> None:
        if self._reporter is not None:
            self._reporter.service_responded(status)
        if not 200 <= status < 300 and exchange.route_service is not None:
            self._attempts.service_responded(exchange, exchange.route_service.url, status)
