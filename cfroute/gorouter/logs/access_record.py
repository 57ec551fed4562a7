"""What the access log is told of an exchange."""

from typing import Final

from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.logs.access_log import Record
from cfroute.proxy.target import escaped

_NONE: Final = (b"",)
_NO_HEADERS: Final[list[bytes]] = []


def record(exchange: RouterExchange, now: float) -> Record:
    """The values for a finished exchange; now is in monotonic seconds."""
    request = exchange.request
    headers: dict[bytes, tuple[bytes, ...]] = request.headers
    endpoint = exchange.endpoint
    tunnelled = exchange.status == 101
    in_proxy = exchange.proxy_ended - exchange.proxy_started if exchange.proxy_started else 0.0
    total = now - exchange.started
    error = exchange.router_error
    if exchange.semicolons and not error:
        error = "deprecated-semicolon-params"
    return Record(
        request.host,
        exchange.received_at,
        request.method,
        _uri(exchange),
        request.version,
        exchange.status,
        0 if tunnelled else exchange.request_bytes,
        0 if tunnelled else exchange.response_bytes,
        headers.get(b"Referer", _NONE)[0],
        headers.get(b"User-Agent", _NONE)[0],
        exchange.front.client,
        endpoint.address.encode() if endpoint is not None else b"",
        headers.get(b"X-Forwarded-For", _NONE)[0],
        headers.get(b"X-Forwarded-Proto", _NONE)[0],
        exchange.request_id,
        total,
        total - in_proxy if exchange.proxy_started and (endpoint or exchange.route_service) is not None else 0.0,
        endpoint.identity.application_id if endpoint is not None else b"",
        endpoint.identity.instance_index if endpoint is not None else b"",
        endpoint.instance_id.encode() if endpoint is not None else b"",
        error.encode("utf-8", "surrogateescape") if error else b"",
        exchange.logged_headers or _NO_HEADERS,
    )


def detailed_record(exchange: RouterExchange, now: float) -> Record:
    """The same with what is shown only where the configuration asks for it: failed attempts, and what the last one took."""
    told = record(exchange, now)
    told.failed_attempts = exchange.failed_attempts
    if exchange.failed_attempts:
        told.failed_attempts_time = exchange.failed_at - exchange.proxy_started
    timings = exchange.timings
    if timings is not None:
        told.backend_time = exchange.proxy_ended - (exchange.failed_at or exchange.proxy_started)
        told.dns_time, told.dial_time, told.tls_time = timings.dns, timings.dial, timings.tls
        told.local_address = timings.local.encode()
    told.tls_sni = exchange.server_name.encode()
    told.route_policy = exchange.route_policy.encode()
    caller = exchange.caller
    if caller is not None:
        told.caller_cf_app, told.caller_cf_space = caller.app.encode(), caller.space.encode()
        told.caller_cf_org = caller.organization.encode()
    return told


def _uri(exchange: RouterExchange) -> bytes:
    request = exchange.request
    if request.method == b"CONNECT" and request.authority:
        return request.authority
    path = exchange.path or escaped(request.path)
    return path if request.query is None else path + b"?" + request.query
