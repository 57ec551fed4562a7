"""Gives each request an id of its own, whatever the client sent: `X-Vcap-Request-Id`."""

from typing import Final

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler

_VARIANTS: Final = {digit: "4567"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def handler(context: Context) -> Handler:
    random_bytes = context.rng.randbytes

    def request_id(exchange: RouterExchange) -> None:
        exchange.request_id = identifier = uuid(random_bytes(16).hex())
        exchange.request.headers[b"X-Vcap-Request-Id"] = (identifier,)

    return request_id


def uuid(digits: str) -> bytes:
    """32 random hexadecimal digits as a version 4 UUID, with the variant digit (4-7) of the library that upstream uses."""
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}".encode()
