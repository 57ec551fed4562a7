"""Gives each request an id of its own, whatever the client sent: `X-Vcap-Request-Id`. In a trace it is the trace's."""

from random import Random
from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.tracing import TraceInfo, generated, request_id_of

_VARIANTS: Final = {digit: "4567"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def handler(context: Context) -> Handler:
    random_bytes = context.rng.randbytes

    def request_id(exchange: RouterExchange) -> None:
        exchange.request_id = identifier = uuid(random_bytes(16).hex())
        exchange.request.headers[b"X-Vcap-Request-Id"] = (identifier,)

    def traced_request_id(exchange: RouterExchange) -> None:
        if exchange.trace is None:
            request_id(exchange)
            return
        exchange.request_id = identifier = exchange.trace.request_id
        exchange.request.headers[b"X-Vcap-Request-Id"] = (identifier,)

    tracing = context.config.tracing
    return traced_request_id if tracing.enable_zipkin or tracing.enable_w3c else request_id


def uuid(digits: str) -> bytes:
    """32 random hexadecimal digits as a version 4 UUID, with the variant digit (4-7) of the library that upstream uses."""
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}".encode()


class Traces:
    """Makes the trace information of requests: taken over from the client, or new."""

    def __init__(self, rng: Random) -> None:
        self._random_bytes = rng.randbytes

    def _uuid(self) -> bytes:
        return uuid(self._random_bytes(16).hex())

    def begin(self) -> TraceInfo:
        """A new trace, whose id is the request's."""
        identifier = self._uuid()
        return generated(identifier.replace(b"-", b""), identifier)

    def adopt(self, trace_id: bytes, span_id: bytes) -> TraceInfo:
        """The client's trace. Its id becomes the request's where it looks like a UUID."""
        return TraceInfo(trace_id, span_id, request_id_of(trace_id) or self._uuid())
