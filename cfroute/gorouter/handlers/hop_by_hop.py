"""Keeps a client from stripping the router's headers by naming them in `Connection`."""

from collections.abc import Collection

from cfroute.gorouter.context import Context
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler


def handler(context: Context) -> Handler | None:
    protected = {name.lower().encode() for name in context.config.hop_by_hop_headers_to_filter}
    if not protected:
        return None

    def hop_by_hop(exchange: RouterExchange) -> None:
        headers = exchange.request.headers
        values = headers.get(b"Connection")
        if values is None:
            return
        headers[b"Connection"] = tuple(without(value, protected) for value in values)

    return hop_by_hop


def without(value: bytes, protected: Collection[bytes]) -> bytes:
    """A `Connection` value without the tokens that are in `protected`."""
    tokens = [token.strip() for token in value.split(b",")]
    kept = [token for token in tokens if token.lower() not in protected]
    return value if len(kept) == len(tokens) else b", ".join(kept)
