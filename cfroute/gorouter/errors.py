"""The answers that the router makes itself: code, reason, message, and the headers that go with them."""

from cfroute.go import html as go_html
from cfroute.go import template_parser as go_template_parser
from cfroute.go.template import Node, RenderError, render
from cfroute.gorouter.exchange import RouterExchange
from cfroute.logs import Logger
from cfroute.proxy.answer import Answer
from cfroute.proxy.headers import Headers, canonical
from cfroute.proxy.status import reason

NO_STORE = "no-cache, no-store"
BRIEFLY = "public,max-age=2"

_NO_SNIFFING = (b"nosniff",)
_PLAIN = (b"text/plain; charset=utf-8",)
_HTML = (b"text/html; charset=utf-8",)


class ErrorWriter:
    """Makes the router's error answers: plain text, or the page that the operator has a template for."""

    def __init__(self, log: Logger, template: str = "") -> None:
        """`template` is the text of `html_error_template_file`; empty for plain text. Raises TemplateError."""
        self._log = log
        self._page: list[Node] | None = go_html.escape(go_template_parser.parse(template)) if template else None

    def error_answer(
        self, exchange: RouterExchange, status: int, message: str, *, error: str = "", cache_control: str = ""
    ) -> Answer:
        """The answer with that message; `error` goes into `X-Cf-RouterError`. Everything but a 404 is logged, too."""
        body = f"{status} {reason(status)}: {message}"
        if status != 404:
            self._log.info("status", body=body, **exchange.trace_fields)
        answer = _answer(exchange, status, body, error, cache_control)
        if self._page is not None:
            self._put_page(exchange, answer, message, self._page)
        return answer

    def _put_page(self, exchange: RouterExchange, answer: Answer, message: str, page: list[Node]) -> None:
        headers = answer.headers
        data = {
            "Status": answer.status,
            "StatusText": reason(answer.status),
            "Message": message,
            "Header": {"Get": lambda name: headers.first(canonical(name.encode())).decode("utf-8", "replace")},
        }
        try:
            answer.body = render(page, data).encode("utf-8", "surrogateescape")
        except RenderError as error:
            self._log.error("render-error-failed", error=str(error), **exchange.trace_fields)
            answer.body = answer.body.removesuffix(b"\n")
        else:
            headers[b"Content-Type"] = _HTML


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
    headers = Headers({b"Content-Type": _PLAIN, b"X-Content-Type-Options": _NO_SNIFFING})
    if error:
        exchange.router_error = error
        headers[b"X-Cf-Routererror"] = (header_value(error),)
    if cache_control:
        headers[b"Cache-Control"] = (cache_control.encode(),)
    return Answer(status, body.encode("utf-8", "surrogateescape") + b"\n", headers)
