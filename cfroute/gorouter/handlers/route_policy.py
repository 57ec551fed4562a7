"""Routes of identity domains: who calls must have shown a certificate of an app's instance that the route's policy names."""

from collections.abc import Mapping
from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.errors import NO_STORE
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.routing_table.route_options import NO_OPTIONS
from cfroute.gorouter.tls.caller import caller_of
from cfroute.gorouter.tls.identity_domains import IdentityDomains, decide
from cfroute.proxy.answer import Answer

_NO_TAGS: Final[Mapping[str, str]] = {}


def handler(context: Context) -> Handler | None:
    if not context.config.domains:
        return None
    domains = IdentityDomains(context.config)

    def route_policy(exchange: RouterExchange) -> Answer | None:
        host, asked_for = exchange.hostname.lower(), exchange.server_name
        domain = domains.of(host)
        if domain is None and (not asked_for or domains.of(asked_for) is None):
            return None
        if host != asked_for:  # the certificate was looked at for another domain, or not at all
            message = "The Host header does not match the server name of the TLS handshake"
            return context.errors.error_answer(exchange, 421, message, error="misdirected_request", cache_control=NO_STORE)
        caller = caller_of(exchange.certificate) if exchange.certificate is not None else None
        if caller is None:
            message = "The client certificate has no Cloud Foundry identity"
            return context.errors.error_answer(exchange, 403, message, error="no_caller_identity", cache_control=NO_STORE)
        exchange.caller = caller
        endpoints = exchange.pool.endpoints if exchange.pool is not None else ()
        options, tags = (endpoints[0].options, endpoints[0].tags or _NO_TAGS) if endpoints else (NO_OPTIONS, _NO_TAGS)
        decision = decide(caller, options, tags)
        exchange.route_policy = decision.policy
        if decision.allowed:
            return None
        message = "The route does not allow requests of this app"
        return context.errors.error_answer(exchange, 403, message, error="route_policy_denied", cache_control=NO_STORE)

    return route_policy
