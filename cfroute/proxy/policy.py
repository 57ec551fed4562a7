"""What a proxy must decide: the interface between the data plane and the Gorouter or the load balancer.

The data plane moves bytes and knows no routes; a policy knows routes and moves no bytes. For one exchange the calls come in this
order: exchange, begin, then for each attempt destination and request_line and, if it fails, failed; once there is a response,
response; at last finished, exactly once.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from cfroute.proxy.answer import Answer
from cfroute.proxy.failure import Failure
from cfroute.proxy.head import RequestHead, ResponseHead

if TYPE_CHECKING:
    from cfroute.proxy.backend import Destination
    from cfroute.proxy.exchange import Exchange
    from cfroute.proxy.sides import ClientSide, RequestLine


class Policy(ABC):
    """The decisions of one proxy."""

    @abstractmethod
    def exchange(self, front: "ClientSide", request: RequestHead) -> "Exchange":
        """The state to keep for this request: an Exchange, or a class of the proxy's own that extends it."""

    @abstractmethod
    def begin(self, exchange: Any, /) -> Answer | None:
        """What to answer at once; None to send the request on."""

    @abstractmethod
    def destination(self, exchange: Any, /) -> "Destination | Answer":
        """Where the next attempt goes, or what to answer because it can go nowhere."""

    @abstractmethod
    def request_line(self, exchange: Any, /) -> "RequestLine":
        """What this attempt's destination is asked for; edit the request's headers for it."""

    @abstractmethod
    def failed(self, exchange: Any, failure: Failure, /) -> Answer | None:
        """What to answer after a failed attempt; None to try again."""

    @abstractmethod
    def response(self, exchange: Any, response: ResponseHead, /) -> Answer | None:
        """Edit the response's headers for the client; or what to answer in its place."""

    @abstractmethod
    def finished(self, exchange: Any, /) -> None:
        """The exchange is over; `exchange.complete` tells whether the client got all of it."""
