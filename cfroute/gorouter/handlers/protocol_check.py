"""Refuses the versions of HTTP/1 that Go's server lets through but the router does not speak."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.proxy.answer import Answer


def handler(context: Context) -> Handler:
    allowed = {b"HTTP/1.1", b"HTTP/1.0"} | ({b"HTTP/2.0"} if context.config.enable_http2 else set())

    def protocol_check(exchange: RouterExchange) -> Answer | None:
        if exchange.request.version in allowed:
            return None
        version = exchange.request.version.decode("latin-1")
        context.log.error("handling-unsupported-protocol", protocol=version, **exchange.trace_fields)
        return Answer(0, bare=b"HTTP/1.0 400 Bad Request\r\n\r\n")

    return protocol_check
