"""Tells metron of every request, as upstream does: once as its server, and once an attempt as the client of an endpoint.

What the client's side says of app and instance is what the request's `X-CF-*` headers say; the server's side says it with the
endpoint's tags.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from cfroute.clock import Clock
from cfroute.dropsonde import HttpStartStop
from cfroute.gorouter.config import Config
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.logs.dropsonde import Emitter
from cfroute.proxy.head import ResponseHead

if TYPE_CHECKING:
    from cfroute.gorouter.routing_table.endpoint import Endpoint

_NOBODY: Final = (b"", b"", b"")


class HttpEvents:
    """Makes the events of exchanges. While nobody listens, none are made."""

    def __init__(self, config: Config, emitter: Emitter, clock: Clock) -> None:
        self._emitter = emitter
        self._clock = clock
        self._server = config.send_http_start_stop_server_event
        self._client = config.send_http_start_stop_client_event

    def attempt(self, exchange: RouterExchange) -> None:
        """An attempt begins."""
        if self._client and not self._emitter.deaf:
            exchange.attempt_started = self._clock.now_ns()

    def responded(self, exchange: RouterExchange, response: ResponseHead) -> None:
        """The attempt got a response."""
        if exchange.attempt_started:
            length = response.length
            if exchange.request.method == b"HEAD":
                announced = response.headers.first(b"Content-Length")
                length = int(announced) if announced.isdigit() else -1
            self._attempt_over(exchange, response.status, max(length, -1))

    def failed(self, exchange: RouterExchange) -> None:
        """The attempt got none."""
        if exchange.attempt_started:
            self._attempt_over(exchange, 0, 0)

    def _attempt_over(self, exchange: RouterExchange, status: int, length: int) -> None:
        request, service = exchange.request, exchange.route_service
        host, path = (request.host, request.path) if service is None else (service.authority, _path(service.target))
        app, index, instance = _NOBODY if exchange.endpoint is None else _identity(exchange.endpoint)
        self._emitter.http_start_stop(
            HttpStartStop(
                False,
                exchange.attempt_started,
                self._clock.now_ns(),
                exchange.request_id,
                request.method,
                _uri(exchange, host, path),
                exchange.front.client,
                request.headers.first(b"User-Agent"),
                status,
                length,
                app,
                index,
                instance,
                _forwarded(request.headers.get(b"X-Forwarded-For", ())),
            )
        )
        exchange.attempt_started = 0

    def served(self, exchange: RouterExchange) -> None:
        """The request has its answer, in full."""
        if not self._server or self._emitter.deaf:
            return
        request = exchange.request
        forwarded = _forwarded(request.headers.get(b"X-Forwarded-For", ()))
        if exchange.proxy_started:
            forwarded = forwarded[:-1]  # what we appended for the endpoint did not come with the request
        event = HttpStartStop(
            True,
            exchange.received_at,
            self._clock.now_ns(),
            exchange.request_id,
            request.method,
            _uri(exchange, request.host, request.path),
            exchange.front.client,
            request.headers.first(b"User-Agent"),
            exchange.status,
            exchange.response_bytes,
            forwarded=forwarded,
        )
        endpoint, trace = exchange.endpoint, exchange.trace
        tags = endpoint.tags if endpoint is not None else None
        if trace is not None:
            tags = {**(tags or {}), "span_id": trace.span_id.decode(), "trace_id": trace.trace_id.decode()}
        self._emitter.http_start_stop(event, tags)


def http_events(config: Config, emitter: Emitter, clock: Clock) -> HttpEvents | None:
    """What the configuration wants to be told; None if nothing."""
    wanted = config.send_http_start_stop_server_event or config.send_http_start_stop_client_event
    return HttpEvents(config, emitter, clock) if wanted else None


def _identity(endpoint: "Endpoint") -> tuple[bytes, bytes, bytes]:
    identity = endpoint.identity
    return identity.application_id, identity.instance_index, identity.instance_id


def _uri(exchange: RouterExchange, host: bytes, path: bytes) -> bytes:
    """Scheme, host and path, without the query; the scheme is that of the client's connection."""
    if b"%" in path:
        path = unquote_to_bytes(path)
    return b"%b://%b%b" % (b"https" if exchange.over_tls else b"http", host, path)


def _path(target: bytes) -> bytes:
    return target.partition(b"?")[0]


def _forwarded(values: Sequence[bytes]) -> list[bytes]:
    """The addresses of `X-Forwarded-For`."""
    return [address.strip() for value in values for address in value.split(b",")]
