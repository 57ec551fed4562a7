"""Refuses requests with too large or too many headers, as they are at this point (the router has added its own)."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.errors import empty_answer
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.proxy.answer import Answer
from cfroute.proxy.head import RequestHead


def handler(context: Context) -> Handler | None:
    size_limit, count_limit = context.config.max_request_header_bytes, context.config.max_request_headers
    if not size_limit and not count_limit:
        return None  # the listener's own limit of 1 MiB is enough

    def max_request_size(exchange: RouterExchange) -> Answer | None:
        size, count = measure(exchange.request)
        if (size_limit and size >= size_limit) or (count_limit and count > count_limit):
            context.log.info("request-headers-exceeded", size=size, count=count)
            if exchange.pool is not None:
                exchange.endpoint = exchange.pool.pick()
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
