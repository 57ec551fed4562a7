"""W3C's trace headers, `traceparent` and `tracestate`: the router enters itself as a parent of what follows."""

from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.handlers.request_id import Traces
from cfroute.gorouter.tracing import Traceparent, parse_traceparent, tracestate

_PARENT: Final = b"Traceparent"
_STATE: Final = b"Tracestate"
_SAMPLED: Final = b"01"


def handler(context: Context) -> Handler | None:
    tracing = context.config.tracing
    if not tracing.enable_w3c:
        return None
    key = b"%b@gorouter" % tracing.w3c_tenant_id.encode() if tracing.w3c_tenant_id else b"gorouter"
    random_bytes, traces = context.rng.randbytes, Traces(context.rng)

    def w3c(exchange: RouterExchange) -> None:
        headers = exchange.request.headers
        given = parse_traceparent(headers.first(_PARENT))
        if given is None:
            if exchange.trace is None:
                exchange.trace = traces.begin()
            given, parent_id = Traceparent(exchange.trace.trace_id, _SAMPLED), exchange.trace.span_id
            old = b""
        else:
            parent_id = random_bytes(8).hex().encode()
            if exchange.trace is None:
                exchange.trace = traces.adopt(given.trace_id, parent_id)
            old = headers.first(_STATE)
        headers[_PARENT] = (given.with_parent(parent_id),)
        headers[_STATE] = (tracestate(old, key, parent_id),)

    return w3c
