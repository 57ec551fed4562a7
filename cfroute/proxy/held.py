"""A response that came before the end of its request's body, and has to wait for that.

Go's server does not send the head of a response on a connection that it wants to keep before it has read the request's body, or
256 KiB of what was left of it. Clients can rely on not having to read while they send.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cfroute.proxy.exchange import Exchange

MOST_DISCARDED: Final = 256 * 1024  # bytes of a body that nobody wants, read to keep the connection (as Go's server does)


class HeldResponse:
    """What there is of the response: the head, which has to be told whether the connection is kept, and pieces of the body."""

    def __init__(self, exchange: "Exchange", head: Callable[[bool], bytes], body: bytes) -> None:
        self.exchange = exchange
        self.pieces = [body]
        self._head = head
        self._left = MOST_DISCARDED
        if exchange.backend is not None:
            exchange.backend.pause()

    def waits_on(self, size: int, *, last: bool) -> bool:
        """Whether it still has to wait, after a piece of the request's body of that size."""
        self._left -= size
        return not last and self._left >= 0

    def data(self, *, resume: bool) -> bytes:
        """All of it, as it goes on the wire; the rest of it may come when `resume` says so."""
        if resume and self.exchange.backend is not None:
            self.exchange.backend.resume()
        return b"".join((self._head(self.exchange.keep_alive), *self.pieces))
