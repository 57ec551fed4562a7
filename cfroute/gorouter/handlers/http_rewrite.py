"""Has the headers of the response rewritten, whoever makes it: `http_rewrite` of the configuration."""

from collections.abc import Iterable
from typing import Final

from cfroute.gorouter.config_sections import HeaderNameValue
from cfroute.gorouter.context import Context
from cfroute.gorouter.errors import header_value
from cfroute.gorouter.exchange import RouterExchange
from cfroute.gorouter.handlers import Handler
from cfroute.proxy.headers import TOKEN, Headers, canonical

# They decide where a message ends. A rewrite that changed them would break the response, so it does not.
_FRAMING: Final = frozenset((b"Connection", b"Content-Length", b"Trailer", b"Transfer-Encoding"))


def handler(context: Context) -> Handler | None:
    responses = context.config.http_rewrite.responses
    removed = [name for name, _ in _fields(responses.remove_headers)]
    added: dict[bytes, tuple[bytes, ...]] = {}
    for name, value in _fields(responses.add_headers_if_not_present):
        added[name] = (*added.get(name, ()), value)
    if not removed and not added:
        return None

    def rewrite(headers: Headers) -> None:
        for name in removed:
            headers.pop(name, None)
        for name, values in added.items():
            if name not in headers:
                headers[name] = values

    def http_rewrite(exchange: RouterExchange) -> None:
        exchange.rewrite = rewrite

    return http_rewrite


def _fields(configured: Iterable[HeaderNameValue]) -> list[tuple[bytes, bytes]]:
    """Canonical names and values of what can be a header; the rest never gets on the wire, in upstream neither."""
    fields = [(canonical(field.name.encode()), header_value(field.value).strip(b" \t")) for field in configured]
    return [(name, value) for name, value in fields if TOKEN.fullmatch(name) and name not in _FRAMING]
