"""What the access log is told of an exchange."""

from typing import NamedTuple

from cfroute.gorouter.exchange import RouterExchange
from cfroute.proxy.target import escaped


class Record(NamedTuple):
    """One request's values for `access_log.AccessRecord`."""

    host: str
    received_at_ns: int
    method: str
    uri: str
    proto: str
    status: int
    request_bytes: int
    response_bytes: int
    referer: str
    user_agent: str
    client: str
    backend: str
    forwarded_for: str
    forwarded_proto: str
    request_id: str
    response_time: float
    gorouter_time: float
    app_id: str
    app_index: str
    instance_id: str
    router_error: str
    extra: list[str]
    backend_time: float = -1.0
    dial_time: float = -1.0
    dns_time: float = -1.0
    tls_time: float = -1.0
    failed_attempts: int = 0
    failed_attempts_time: float = -1.0
    local_address: str = ""


def record(exchange: RouterExchange, now: float) -> Record:
    """The values for a finished exchange; now is in monotonic seconds."""
    request = exchange.request
    headers = request.headers
    endpoint = exchange.endpoint
    tunnelled = exchange.status == 101
    in_proxy = exchange.proxy_ended - exchange.proxy_started if exchange.proxy_started else 0.0
    total = now - exchange.started
    peer = exchange.front.peer
    error = exchange.router_error
    if exchange.semicolons and not error:
        error = "deprecated-semicolon-params"
    return Record(
        request.host.decode("utf-8", "surrogateescape"),
        exchange.received_at,
        request.method.decode(),
        _uri(exchange),
        request.version.decode(),
        exchange.status,
        0 if tunnelled else exchange.request_bytes,
        0 if tunnelled else exchange.response_bytes,
        headers.first(b"Referer").decode("utf-8", "surrogateescape"),
        headers.first(b"User-Agent").decode("utf-8", "surrogateescape"),
        f"{peer[0]}:{peer[1]}",
        endpoint.address if endpoint is not None else "",
        headers.first(b"X-Forwarded-For").decode("utf-8", "surrogateescape"),
        headers.first(b"X-Forwarded-Proto").decode("utf-8", "surrogateescape"),
        headers.first(b"X-Vcap-Request-Id").decode("utf-8", "surrogateescape"),
        total,
        total - in_proxy if exchange.proxy_started and endpoint is not None else 0.0,
        endpoint.app if endpoint is not None else "",
        endpoint.instance_index if endpoint is not None else "",
        endpoint.instance_id if endpoint is not None else "",
        error,
        [value.decode("utf-8", "surrogateescape") for value in exchange.logged_headers or ()],
        failed_attempts=max(exchange.attempt_number - 1, 0),
    )


def _uri(exchange: RouterExchange) -> str:
    request = exchange.request
    if request.method == b"CONNECT" and request.authority:
        return request.authority.decode("utf-8", "surrogateescape")
    path = escaped(request.path).decode("utf-8", "surrogateescape")
    return path if request.query is None else f"{path}?{request.query.decode('utf-8', 'surrogateescape')}"
