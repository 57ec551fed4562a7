"""Sends the requests of a bound route to its route service first, and those that come back from there to the app."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.route_services import HEADERS, SIGNATURE
from cfroute.proxy.answer import Answer


def handler(context: Context) -> Handler:
    services, errors = context.route_services, context.errors
    strict = context.config.route_services.strict_signature_validation
    websockets = context.config.route_services.enable_websockets

    def route_service(exchange: RouterExchange) -> Answer | None:
        pool = exchange.pool
        assert pool is not None
        if not pool.route_service_url:
            if strict and SIGNATURE in exchange.request.headers:
                return services.check_strictly(exchange)
            return None
        if not services.enabled:
            context.log.info("route-service-unsupported", **exchange.trace_fields)
            message = "Support for route services is disabled."
            return errors.error_answer(exchange, 502, message, error="route_service_unsupported")
        if exchange.upgrade == b"websocket" and not websockets:
            context.log.info("route-service-unsupported", **exchange.trace_fields)
            message = "Websocket requests are not supported for routes bound to Route Services."
            return errors.error_answer(exchange, 503, message, error="route_service_unsupported")
        if exchange.arrived_via_route_service:
            for name in HEADERS:
                exchange.request.headers.pop(name, None)
            return None
        return services.send_on(exchange, pool.route_service_url)

    return route_service
