"""Finds the pool of endpoints for the request, or says why there is none."""

import re
from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.errors import BRIEFLY, NO_STORE
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.proxy.answer import Answer
from cfroute.proxy.target import escaped

_GUID: Final = r"[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}"
_APP_INSTANCE: Final = re.compile(rf"({_GUID}):(\d+)", re.ASCII)
_PROCESS_INSTANCE: Final = re.compile(rf"({_GUID})(?::(\d+))?", re.ASCII)


def handler(context: Context) -> Handler:
    reporter = context.reporter
    lookup = context.registry.lookup if reporter is None else reporter.timed(context.registry.lookup)
    max_conns = context.config.backends.max_conns
    tally = context.tally

    def find(exchange: RouterExchange) -> Answer | None:
        request = exchange.request
        exchange.hostname = hostname = request.host.decode().partition(":")[0]
        peer = exchange.front.peer[0]
        if not hostname or hostname == (peer if ":" not in peer else peer.partition(":")[0]):
            _count(context, "rejected_requests")
            message = "Request had empty Host header"
            return context.errors.error_answer(exchange, 400, message, error="empty_host", cache_control=BRIEFLY)
        exchange.path = path = request.escaped or escaped(request.path)
        pool = lookup(hostname, path.decode())
        headers = request.headers
        if b"X-Cf-App-Instance" in headers or b"X-Cf-Process-Instance" in headers:
            chosen = _surgical(exchange, pool, context)
            if isinstance(chosen, Answer):
                return chosen
            pool = chosen
        if pool is None:
            return _unknown_route(exchange, context)
        exchange.pool = pool
        if pool.is_empty:
            return _no_endpoints(exchange, context)
        if max_conns:
            if tally is not None:
                tally.refresh(pool.endpoints)
            if pool.is_overloaded(max_conns):
                return _overloaded(exchange, context)
        return None

    return find


def _count(context: Context, metric: str) -> None:
    if context.reporter is not None:
        context.reporter.count(metric)


def _shown_host(exchange: RouterExchange) -> str:
    return exchange.request.host.decode("utf-8", "surrogateescape")


def _unknown_route(exchange: RouterExchange, context: Context) -> Answer:
    _count(context, "rejected_requests")
    message = f"Requested route ('{_shown_host(exchange)}') does not exist."
    return context.errors.error_answer(exchange, 404, message, error="unknown_route", cache_control=NO_STORE)


def _no_endpoints(exchange: RouterExchange, context: Context) -> Answer:
    if not context.config.empty_pool_response_code_503:
        return _unknown_route(exchange, context)
    message = f"Requested route ('{_shown_host(exchange)}') has no available endpoints."
    return context.errors.error_answer(exchange, 503, message, error="no_endpoints", cache_control=BRIEFLY)


def _overloaded(exchange: RouterExchange, context: Context) -> Answer:
    _count(context, "backend_exhausted_conns")
    context.log.info("connection-limit-reached", host=_shown_host(exchange), **exchange.trace_fields)
    message = f"Requested route ('{_shown_host(exchange)}') has reached the connection limit."
    return context.errors.error_answer(exchange, 503, message, error="Connection Limit Reached")


def _surgical(exchange: RouterExchange, pool: Pool | None, context: Context) -> Pool | Answer:
    """The one-off pool of the instances that the request asks for by header. The app header has priority."""
    headers = exchange.request.headers
    app_header = headers.first(b"X-Cf-App-Instance").decode("latin-1")
    process_header = headers.first(b"X-Cf-Process-Instance").decode("latin-1")
    app = _APP_INSTANCE.fullmatch(app_header)
    process = _PROCESS_INSTANCE.fullmatch(process_header)
    if app_header and app is None:
        context.log.error("invalid-app-instance-header", error=f"Incorrect X-CF-App-Instance header : {app_header}")
        return _bad_header(exchange, context, "invalid_cf_app_instance_header", "Invalid X-CF-App-Instance Header")
    if process_header and process is None and not app_header:
        context.log.error("invalid-process-instance-header", error=f"Incorrect X-CF-Process-Instance header : {process_header}")
        return _bad_header(exchange, context, "invalid_cf_process_instance_header", "Invalid X-CF-Process-Instance Header")
    chosen = None
    if pool is not None and app is not None:
        chosen = context.registry.lookup_instance(pool, app[1], app[2])
    elif pool is not None and process is not None:
        chosen = context.registry.lookup_process_instance(pool, process[1], process[2])
    if chosen is None and (app_header or process_header):
        return _unknown_instance(exchange, context, app, process, bool(process_header))
    return chosen or pool or _unknown_route(exchange, context)


def _bad_header(exchange: RouterExchange, context: Context, error: str, message: str) -> Answer:
    _count(context, "rejected_requests")
    return context.errors.error_answer(exchange, 400, message, error=error, cache_control=NO_STORE)


def _unknown_instance(
    exchange: RouterExchange, context: Context, app: re.Match[str] | None, process: re.Match[str] | None, by_process: bool
) -> Answer:
    _count(context, "rejected_requests")
    host = _shown_host(exchange)
    guid, index = (process[1], process[2]) if process else ("", None)
    if not by_process and app is not None:
        message = f"Requested instance ('{app[2]}') with guid ('{app[1]}') does not exist for route ('{host}')"
    elif index is not None:
        message = f"Requested instance ('{index}') with process guid ('{guid}') does not exist for route ('{host}')"
    else:
        message = f"Requested instance with process guid ('{guid}') does not exist for route ('{host}')"
    return context.errors.error_answer(exchange, 400, message, error="unknown_route", cache_control=NO_STORE)
