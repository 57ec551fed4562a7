"""Answers a load balancer's health check, which is known by its User-Agent, on any host and path."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.proxy.answer import Answer
from cfroute.proxy.headers import Headers


def handler(context: Context) -> Handler:
    agent = context.config.healthcheck_user_agent.encode()
    health = context.health

    def healthcheck(exchange: RouterExchange) -> Answer | None:
        if exchange.request.headers.first(b"User-Agent") != agent:
            return None
        headers = Headers({b"Cache-Control": (b"private, max-age=0",), b"Expires": (b"0",)})
        if not health.healthy:
            return Answer(503, b"", headers)
        headers[b"Content-Type"] = (b"text/plain; charset=utf-8",)
        return Answer(200, b"ok\n", headers)

    return healthcheck
