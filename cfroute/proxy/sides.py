"""The two sides of an exchange, whatever version of HTTP they speak: what it asks of its client and of its backend.

    ClientSide     Front (HTTP/1), http2.front.ClientStream
    BackendSide    Backend (HTTP/1), http2.backend.BackendStream

An exchange hands them values (heads, pieces of bodies, trailers); how these look on the wire is theirs to know.
"""

import ssl
from typing import TYPE_CHECKING, Protocol

from cfroute.proxy.answer import Answer
from cfroute.proxy.failure import Failure
from cfroute.proxy.head import ResponseHead
from cfroute.proxy.headers import Headers
from cfroute.proxy.timings import Timings

if TYPE_CHECKING:
    from cfroute.proxy.exchange import Exchange
    from cfroute.proxy.server import ProxyServer

RequestLine = tuple[bytes, bytes, bool]
"""Target, host, and whether the backend is asked to close the connection after its response."""


class ClientSide(Protocol):
    """Where a request came from and where its response goes.

    peer is the client's address as host and port, client the same as text, local our own end; tls the TLS object, or None.
    """

    @property
    def server(self) -> "ProxyServer": ...
    @property
    def peer(self) -> tuple[str, int]: ...
    @property
    def client(self) -> bytes: ...
    @property
    def local(self) -> tuple[str, int]: ...
    @property
    def tls(self) -> ssl.SSLObject | None: ...

    def pause_reading(self) -> None:
        """Take no more of the request's body: what comes can't be passed on now."""

    def resume_reading(self) -> None:
        """Take the request's body again."""

    def go_on(self) -> None:
        """Send 100: the client waits for it before it sends the body."""

    def preliminary(self, head: ResponseHead) -> None:
        """Send a 1xx response that the final one will follow."""

    def respond(self, exchange: "Exchange", head: ResponseHead, body: bytes, ended: bool, /) -> None:
        """Send the response's head and the begin of its body; `ended` means that this is all of it."""

    def body(self, data: bytes, /) -> None:
        """Send a piece of the response's body, which must not be empty."""

    def end(self, trailers: Headers, /) -> None:
        """The response is complete."""

    def answer(self, exchange: "Exchange", answer: Answer, /) -> None:
        """Send a complete response of our own."""

    def switch(self, head: ResponseHead, early: bytes, backend: "BackendSide", /) -> None:
        """Send a 101, and from then on pass on whatever comes; `early` came behind the backend's 101."""

    def close(self) -> None:
        """End the tunnel that a 101 has made."""

    def exchange_over(self, exchange: "Exchange", /) -> None:
        """Nothing more comes from the exchange, complete or not."""


class BackendSide(Protocol):
    """Where the request of one attempt goes and where its response comes from.

    closed tells that it can't be used any more; blocked that it does not take what is sent.
    """

    @property
    def closed(self) -> bool: ...
    @property
    def blocked(self) -> bool: ...

    made_in: Timings
    """What it took to get its connection; set by who dials."""

    @property
    def timings(self) -> Timings:
        """What it took to get the connection for the present request: nothing for one that was kept."""

    @property
    def took_all(self) -> bool:
        """Whether no byte of the request waits to be sent."""

    def send(self, exchange: "Exchange", line: RequestLine, body: list[bytes] | None, /) -> None:
        """Begin to serve `exchange`: its request, and what there is of the body."""

    def body(self, data: bytes, /, *, last: bool) -> None:
        """Send a piece of the request's body; the last one may be empty."""

    def pause(self) -> None:
        """Take no more of the response: the client does not keep up."""

    def resume(self) -> None:
        """Take the response again."""

    def release(self, now: float, /) -> None:
        """The exchange is over, and the connection can serve others. now is in monotonic seconds."""

    def close(self) -> None:
        """Nobody wants the response any more; nothing more is heard of it."""

    def end(self) -> None:
        """End a tunnel once the backend has taken what was sent; nothing more is heard of it."""

    def failure(self) -> Failure:
        """Why it was lost before there was a response."""
