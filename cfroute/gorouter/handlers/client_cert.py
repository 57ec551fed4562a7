"""The client certificate header, `X-Forwarded-Client-Cert`, and the check of what comes back from a route service.

The signature is checked here and not in the route service stage because it decides whether the header may pass; that is why
its refusals carry no `X-Cf-RouterError`.
"""

import base64
from collections.abc import Callable

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.tls.caller import envoy_header
from cfroute.gorouter.tls.identity_domains import IdentityDomains
from cfroute.proxy.answer import Answer

_XFCC = b"X-Forwarded-Client-Cert"
_Apply = Callable[[RouterExchange], None]


def handler(context: Context) -> Handler:
    config, services = context.config, context.route_services
    everywhere = config.forwarded_client_cert, _apply(config.forwarded_client_cert)
    domains = IdentityDomains(config)
    by_domain = {
        domain.domain: (domain.forwarded_client_cert, _apply(domain.forwarded_client_cert or "sanitize_set", domain.xfcc_format))
        for domain in config.domains
    }

    def client_cert(exchange: RouterExchange) -> Answer | None:
        if b"X-Cf-Proxy-Signature" in exchange.request.headers:
            refusal = services.check_arrival(exchange)
            if refusal is not None:
                return refusal
        mode, apply = everywhere
        if by_domain:
            domain = domains.of(exchange.hostname)
            if domain is not None:
                mode, apply = by_domain[domain.domain]
        if apply is not None and not (exchange.over_tls and services.is_valid_traffic(exchange)):
            apply(exchange)
        if mode == "forward" and exchange.arrived_via_route_service:
            exchange.request.headers.pop(_XFCC, None)
        return None

    return client_cert


def _apply(mode: str, form: str = "") -> _Apply | None:
    """What a mode does to the header; None for `always_forward`."""
    if mode == "sanitize_set":
        return _sanitizing(envoy_header if form == "envoy" else base64.b64encode)
    return _forward if mode == "forward" else None


def _forward(exchange: RouterExchange) -> None:
    if exchange.certificate is None:
        exchange.request.headers.pop(_XFCC, None)


def _sanitizing(encode: Callable[[bytes], bytes]) -> _Apply:
    def sanitize_set(exchange: RouterExchange) -> None:
        certificate = exchange.certificate
        if certificate is None:
            exchange.request.headers.pop(_XFCC, None)
        else:
            exchange.request.headers[_XFCC] = (encode(certificate),)

    return sanitize_set
