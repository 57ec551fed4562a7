"""A connection with its transport: what front and backend have in common on the side of the event loop."""

import asyncio
from typing import cast

from cfroute.http2.connection import Connection


class Carrier(Connection):
    """A connection whose output is written once in each turn of the event loop, and whose input waits while output does."""

    transport: asyncio.Transport

    def __init__(self, list_limit: int) -> None:
        super().__init__(list_limit)
        self._receiving = False

    def protocol(self) -> asyncio.Protocol:
        """This, as the event loop wants to have it."""
        return cast(asyncio.Protocol, self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._receiving = True
        try:
            self.receive(data)
        finally:
            self._receiving = False
        self.write_out()

    def eof_received(self) -> bool:
        return False

    def output_begun(self) -> None:
        """Write it soon: other streams may have something, too."""
        if not self._receiving:
            asyncio.get_running_loop().call_soon(self.write_out)

    def output_full(self) -> None:
        self.write_out()

    def write_out(self) -> None:
        """Write what is to be written."""
        data = self.take_output()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def pause_writing(self) -> None:
        self.blocked = True
        self.transport.pause_reading()  # else answers to PING and the like would pile up

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()
        self.unblock()
