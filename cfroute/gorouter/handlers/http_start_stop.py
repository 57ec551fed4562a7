"""Takes the headers that only the router may set off the client's request."""

from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.proxy.headers import Fields

RESERVED: Final = (b"X-Cf-Applicationid", b"X-Cf-Instanceindex", b"X-Cf-Instanceid")


def handler(context: Context) -> Handler | None:
    return http_start_stop if context.config.send_http_start_stop_server_event else None


def http_start_stop(exchange: RouterExchange) -> None:
    fields: Fields = exchange.request.headers
    for name in RESERVED:
        if name in fields:
            del fields[name]
