"""`X-Forwarded-Proto`: forced, sanitised, or set where the client sent none."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.route_services import SIGNATURE

_NAME = b"X-Forwarded-Proto"


def handler(context: Context) -> Handler:
    force, sanitize = context.config.force_forwarded_proto_https, context.config.sanitize_forwarded_proto
    services = context.route_services

    def x_forwarded_proto(exchange: RouterExchange) -> None:
        headers = exchange.request.headers
        if force or sanitize or not headers.first(_NAME):
            if SIGNATURE in headers and services.is_valid_traffic(exchange):
                return
            headers[_NAME] = (b"https" if force or exchange.over_tls else b"http",)

    return x_forwarded_proto
