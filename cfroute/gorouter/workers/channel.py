"""The socket between a router's parent and one of its workers, as messages."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final, Generic, TypeVar, cast

from cfroute.gorouter.workers.messages import Message, Unpacker, packed

_MOST_WAITING: Final = 64 << 20
"""Bytes that may wait to be sent. A worker that is so far behind will not catch up."""

_Heard = TypeVar("_Heard", bound=Message)


class Channel(asyncio.Protocol, Generic[_Heard]):
    """Hands messages on in their order, and tells the end. What is sent after that is lost, and so is what nobody takes."""

    def __init__(self, decode: Callable[[bytes], _Heard], heard: Callable[[_Heard], object], over: Callable[[], object]) -> None:
        """`over` is called once: when the other side is gone, or was too slow."""
        self._decode = decode
        self._heard = heard
        self._over = over
        self._unpacker = Unpacker()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    async def open(self, end: socket.socket) -> None:
        """Begin to speak and to listen at this end."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=end)

    def close(self) -> None:
        """Send what waits, and end."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End at once."""
        if self._transport is not None:
            self._transport.abort()

    def send(self, message: Message) -> None:
        """Send a message."""
        self.write(packed(message))

    def write(self, data: bytes) -> None:
        """Send a message that is packed already."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _MOST_WAITING:
            transport.abort()

    async def drained(self) -> None:
        """Return once little waits to be sent."""
        await self._writable.wait()

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for body in self._unpacker.feed(data):
            self._heard(self._decode(body))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        self._over()
