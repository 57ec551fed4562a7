"""Takes the headers that only the router may set off the client's request."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler

RESERVED = frozenset((b"X-Cf-Applicationid", b"X-Cf-Instanceindex", b"X-Cf-Instanceid"))


def handler(context: Context) -> Handler | None:
    return http_start_stop if context.config.send_http_start_stop_server_event else None


def http_start_stop(exchange: RouterExchange) -> None:
    headers = exchange.request.headers
    if not RESERVED.isdisjoint(headers):
        for name in RESERVED:
            headers.pop(name, None)
