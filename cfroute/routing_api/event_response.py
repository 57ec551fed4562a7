"""A response that is a stream of events and has no end but the client's, or the server's."""

from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Connection": "keep-alive",
}


class EventResponse(StreamingResponse):
    """Sends its head at once, and each piece as it comes. `closed` is called in the end, whoever brought that about."""

    def __init__(self, pieces: AsyncIterator[bytes], closed: Callable[[], object]) -> None:
        super().__init__(pieces, headers=_HEADERS)
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._closed()
