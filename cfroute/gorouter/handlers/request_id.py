"""Gives each request an id of its own, whatever the client sent: `X-Vcap-Request-Id`."""

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler


def handler(context: Context) -> Handler:
    random_bits = context.rng.getrandbits

    def request_id(exchange: RouterExchange) -> None:
        exchange.request_id = identifier = uuid(random_bits(128))
        exchange.request.headers[b"X-Vcap-Request-Id"] = [identifier]

    return request_id


def uuid(bits: int) -> bytes:
    """128 random bits as a version 4 UUID, with the variant digit (4-7) of the library that upstream uses."""
    digits = b"%032x" % (bits & ~(0xF << 76) & ~(0xC << 60) | 4 << 76 | 4 << 60)
    return b"%b-%b-%b-%b-%b" % (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
