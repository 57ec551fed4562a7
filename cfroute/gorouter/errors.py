"""The answers that the router makes itself: code, reason, message, and the headers that go with them."""

from cfroute.gorouter.exchange import RouterExchange
from cfroute.logs import Logger
from cfroute.proxy.answer import Answer
from cfroute.proxy.headers import Headers
from cfroute.proxy.status import reason

NO_STORE = "no-cache, no-store"
BRIEFLY = "public,max-age=2"


def error_answer(
    exchange: RouterExchange, log: Logger, status: int, message: str, *, error: str = "", cache_control: str = ""
) -> Answer:
    """A plain-text answer. Everything but a 404 is logged, too."""
    body = f"{status} {reason(status)}: {message}"
    if status != 404:
        log.info("status", body=body)
    return _answer(exchange, status, body, error, cache_control)


def failure_answer(exchange: RouterExchange, status: int, body: str, error: str) -> Answer:
    """The answer to a failed endpoint, whose body is ready-made."""
    return _answer(exchange, status, body, f"endpoint_failure ({error})", "")


def empty_answer(exchange: RouterExchange, status: int, error: str) -> Answer:
    """An answer without a body."""
    exchange.router_error = error
    return Answer(status, b"", Headers({b"X-Cf-Routererror": (header_value(error),)}))


def header_value(text: str) -> bytes:
    """A text as it may stand in a header: line breaks become spaces, as Go writes them."""
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogateescape")


def _answer(exchange: RouterExchange, status: int, body: str, error: str, cache_control: str) -> Answer:
    headers = Headers({b"Content-Type": (b"text/plain; charset=utf-8",), b"X-Content-Type-Options": (b"nosniff",)})
    if error:
        exchange.router_error = error
        headers[b"X-Cf-Routererror"] = (header_value(error),)
    if cache_control:
        headers[b"Cache-Control"] = (cache_control.encode(),)
    return Answer(status, body.encode("utf-8", "surrogateescape") + b"\n", headers)
