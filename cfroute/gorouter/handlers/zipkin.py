"""Zipkin's trace headers: what the client sent is passed on in both of B3's forms; without any, a trace begins here."""

from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.handlers.request_id import Traces
from cfroute.gorouter.tracing import TraceError, parse_multiple, parse_single

_SINGLE: Final = b"B3"
_TRACE: Final = b"X-B3-Traceid"
_SPAN: Final = b"X-B3-Spanid"
_OTHERS: Final = (b"X-B3-Parentspanid", b"X-B3-Sampled", b"X-B3-Flags")


def handler(context: Context) -> Handler | None:
    if not context.config.tracing.enable_zipkin:
        return None
    log, traces = context.log, Traces(context.rng)

    def zipkin(exchange: RouterExchange) -> None:
        headers = exchange.request.headers
        if single := headers.first(_SINGLE):
            try:
                given = parse_single(single)
            except TraceError as error:
                log.error("failed-to-parse-single-header", error=str(error))
            else:
                exchange.trace = traces.adopt(given.trace_id, given.span_id)
                return
        trace, span = headers.first(_TRACE), headers.first(_SPAN)
        if trace and span:
            try:
                given = parse_multiple(trace, span, *(headers.first(name) for name in _OTHERS))
            except TraceError as error:
                log.info("failed-to-parse-b3-trace-id", error=str(error))
                return
            headers[_SINGLE] = (given.single(),)
            exchange.trace = traces.adopt(given.trace_id, given.span_id)
            return
        exchange.trace = ours = traces.begin()
        headers[_TRACE], headers[_SPAN] = (ours.trace_id,), (ours.span_id,)
        headers[_SINGLE] = (b"%b-%b" % (ours.trace_id, ours.span_id),)

    return zipkin
