"""Gives each request an id of its own, whatever the client sent: `X-Vcap-Request-Id`. In a trace it is the trace's."""

from random import Random
from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.gorouter.tracing import TraceInfo, generated, request_id_of

# The two digits of each byte; of the byte that begins with the version; of the one that begins with the variant.
_HEX: Final = [b"%02x" % byte for byte in range(256)]
_VERSION_4: Final = [b"4%x" % (byte & 15) for byte in range(256)]
_VARIANT: Final = [b"%x%x" % (4 + (byte >> 4) % 4, byte & 15) for byte in range(256)]


def handler(context: Context) -> Handler:
    random_bits = context.rng.getrandbits  # what randbytes asks, for half of the time

    def request_id(exchange: RouterExchange) -> None:
        exchange.request_id = identifier = uuid(random_bits(128).to_bytes(16, "big"))
        exchange.request.headers[b"X-Vcap-Request-Id"] = (identifier,)

    def traced_request_id(exchange: RouterExchange) -> None:
        if exchange.trace is None:
            request_id(exchange)
            return
        exchange.request_id = identifier = exchange.trace.request_id
        exchange.request.headers[b"X-Vcap-Request-Id"] = (identifier,)

    tracing = context.config.tracing
    return traced_request_id if tracing.enable_zipkin or tracing.enable_w3c else request_id


def uuid(chance: bytes) -> bytes:
    """16 random bytes as a version 4 UUID, with the variant digit (4-7) of the library that upstream uses."""
    return b"%b%b%b%b-%b%b-%b%b-%b%b-%b%b%b%b%b%b" % (
        _HEX[chance[0]], _HEX[chance[1]], _HEX[chance[2]], _HEX[chance[3]],
        _HEX[chance[4]], _HEX[chance[5]], _VERSION_4[chance[6]], _HEX[chance[7]], _VARIANT[chance[8]], _HEX[chance[9]],
        _HEX[chance[10]], _HEX[chance[11]], _HEX[chance[12]], _HEX[chance[13]], _HEX[chance[14]], _HEX[chance[15]],
    )  # fmt: skip


class Traces:
    """Makes the trace information of requests: taken over from the client, or new."""

    def __init__(self, rng: Random) -> None:
        self._random_bytes = rng.randbytes

    def _uuid(self) -> bytes:
        return uuid(self._random_bytes(16))

    def begin(self) -> TraceInfo:
        """A new trace, whose id is the request's."""
        identifier = self._uuid()
        return generated(identifier.replace(b"-", b""), identifier)

    def adopt(self, trace_id: bytes, span_id: bytes) -> TraceInfo:
        """The client's trace. Its id becomes the request's where it looks like a UUID."""
        return TraceInfo(trace_id, span_id, request_id_of(trace_id) or self._uuid())
