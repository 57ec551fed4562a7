"""Notes requests with a semicolon in their target, which Go's query parser stopped to understand."""

from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler

_SEMICOLON: Final = ord(";")


def handler(context: Context) -> Handler:
    def query_param(exchange: RouterExchange) -> None:
        if _SEMICOLON in exchange.request.target:
            exchange.semicolons = True
            data = {"vcap-request-id": exchange.request_id.decode()}
            context.log.warn("deprecated-semicolon-params", **data, **exchange.trace_fields)

    return query_param
