"""Refuses requests with too large or too many headers, as they are at this point (the router has added its own)."""

from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.errors import empty_answer
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.proxy.answer import Answer
from cfroute.proxy.head import RequestHead

_LISTENER_LIMIT: Final = 1 << 20  # bytes; what is larger is refused before there is a request


def handler(context: Context) -> Handler | None:
    size_limit, count_limit = context.config.max_request_header_bytes, context.config.max_request_headers
    if size_limit >= _LISTENER_LIMIT:
        size_limit = 0
    if size_limit <= 0 and count_limit <= 0:
        return None

    def max_request_size(exchange: RouterExchange) -> Answer | None:
        size, count = measure(exchange.request)
        if 0 < size_limit <= size or 0 < count_limit < count:
            context.log.info("request-headers-exceeded", size=size, count=count, **exchange.trace_fields)
            if exchange.pool is not None:  # for the access log alone
                exchange.endpoint = exchange.pool.pick() or exchange.pool.endpoints[0]
            return empty_answer(exchange, 431, "max-request-size-exceeded")
        return None

    return max_request_size


def measure(request: RequestHead) -> tuple[int, int]:
    """Size in bytes and number of header lines, counted as upstream counts them."""
    size = len(request.method) + len(request.target) + len(request.version) + 4 + len(request.host) + 8
    count = 0
    for name, values in request.headers.items():
        count += len(values)
        size += sum(len(name) + len(value) + 4 for value in values)
    return size, count
