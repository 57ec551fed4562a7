"""The client certificate header, `X-Forwarded-Client-Cert`, and the check of what comes back from a route service.

The signature is checked here and not in the route service stage because it decides whether the header may pass; that is why
its refusals carry no `X-Cf-RouterError`.
"""

import base64
from collections.abc import Callable

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.proxy.answer import Answer

_XFCC = b"X-Forwarded-Client-Cert"


def handler(context: Context) -> Handler:
    mode = context.config.forwarded_client_cert
    services = context.route_services
    apply: Callable[[RouterExchange], None] | None = {"forward": _forward, "sanitize_set": _sanitize_set}.get(mode)

    def client_cert(exchange: RouterExchange) -> Answer | None:
        if b"X-Cf-Proxy-Signature" in exchange.request.headers:
            refusal = services.check_arrival(exchange)
            if refusal is not None:
                return refusal
        if apply is not None and not (exchange.over_tls and services.is_valid_traffic(exchange)):
            apply(exchange)
        if mode == "forward" and exchange.arrived_via_route_service:
            exchange.request.headers.pop(_XFCC, None)
        return None

    return client_cert


def _certificate(exchange: RouterExchange) -> bytes | None:
    return exchange.front.tls.getpeercert(binary_form=True) if exchange.front.tls is not None else None


def _forward(exchange: RouterExchange) -> None:
    if _certificate(exchange) is None:
        exchange.request.headers.pop(_XFCC, None)


def _sanitize_set(exchange: RouterExchange) -> None:
    certificate = _certificate(exchange)
    if certificate is None:
        exchange.request.headers.pop(_XFCC, None)
    else:
        exchange.request.headers[_XFCC] = (base64.b64encode(certificate),)
