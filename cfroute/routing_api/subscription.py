"""A subscription to changes of routes: as persistent, and as quiet about it, as upstream's client.

While nobody listens, or the server answers 500, 502, 503 or 504, it is tried again every second. A stream that is cut off is
taken up again in the same way; one that is ended by the server is over, and the caller subscribes anew.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final, Generic

import msgspec

from cfroute.clock import Clock
from cfroute.http_client import Client, Headers, Response, Unreachable
from cfroute.routing_api.api import Event, R
from cfroute.routing_api.errors import refusal, unreadable
from cfroute.routing_api.event_stream import EventStream
from cfroute.unreadable import UNREADABLE

RETRIED: Final = (500, 502, 503, 504)

_FOREVER: Final = 1e9  # seconds: an event may be a long time in coming


class Subscription(Generic[R]):
    """To one event stream of one server. `retry_after` is in seconds."""

    def __init__(
        self,
        client: Client,
        url: str,
        headers: Headers,
        kind: type[R],
        clock: Clock,
        retry_after: float,
        on_resumed: Callable[[], object] | None = None,
    ) -> None:
        self._client = client
        self._url = url
        self._headers = headers
        self._kind: type[R] = kind
        self._clock = clock
        self._retry_after = retry_after
        self._on_resumed = on_resumed
        self._last_id = ""
        self._connection = contextlib.AsyncExitStack()

    async def open(self) -> Response:
        """The answer, once it is an event stream. Raises ApiError for one that trying again does not change."""
        while (response := await self._try()) is None:
            await self._clock.sleep(self._retry_after)
        return response

    async def _try(self) -> Response | None:
        await self.close()
        last: Headers = [("Last-Event-ID", self._last_id)] if self._last_id else []
        headers: Headers = [*self._headers, ("Accept", "text/event-stream"), ("Cache-Control", "no-cache"), *last]
        try:
            asked = self._client.stream("GET", self._url, headers=headers, timeout=_FOREVER)
            response = await self._connection.enter_async_context(asked)
            if response.status == 200:
                return response
            body = await response.read()
        except Unreachable:
            return None  # whoever asks a server that is away hears of it when it is back
        if response.status in RETRIED:
            return None
        raise refusal(response.status, body)

    async def events(self, response: Response) -> AsyncIterator[Event[R]]:
        """The events of an answer to `open`, until the server ends the stream. Raises ApiError."""
        while True:
            stream = EventStream()
            try:
                async for chunk in response.chunks():
                    for message in stream.feed(chunk):
                        self._last_id = message.id or self._last_id
                        yield Event(message.name, self._route(message.data))
                return
            except Unreachable:  # cut off, not ended
                await self._clock.sleep(self._retry_after)
                response = await self.open()
                if self._on_resumed is not None:
                    self._on_resumed()

    def _route(self, data: str) -> R:
        try:
            return msgspec.json.decode(data, type=self._kind)
        except UNREADABLE as error:
            raise unreadable("the event", error) from error

    async def close(self) -> None:
        """Hang up."""
        await self._connection.aclose()
