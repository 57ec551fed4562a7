"""A TLS listener that looks at a client's first bytes before the handshake: who speaks plain HTTP there is told so.

The event loop's own TLS server would only hang up on them. Facts: `tlsRecordHeaderLooksLikeHTTP` of Go's net/http.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.proxy.deadline import Deadlines

_PLAIN: Final = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_LOOKS_LIKE_HTTP: Final = (b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO")
_PATIENCE: Final = 60.0  # seconds that a client may be silent before its first byte
_AT_ONCE: Final = 64  # connections that are accepted before others get their turn
_RETRY: Final = 1.0  # seconds to wait when there is no descriptor left
_LINGER: Final = 0.5  # seconds that a client gets to read what is wrong


class Doorway:
    """Accepts the connections of one listening socket and makes a protocol for each that begins a TLS handshake."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        make: Callable[[], asyncio.Protocol],
        failed: Callable[[str, Exception], object],
        clock: Clock,
    ) -> None:
        self._listener = listener
        self._context = context
        self._make = make
        self._failed = failed
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._silent: Deadlines[socket.socket] = Deadlines(_PATIENCE, clock, self._forget)
        self._waiting: set[socket.socket] = set()
        self._open()

    def _open(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Accept no more; those who have said nothing yet are not waited for."""
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for connection in list(self._waiting):
            self._forget(connection)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # no descriptor left: those who knock wait in the kernel
                self._loop.remove_reader(self._listener)
                self._clock.call_later(_RETRY, self._open)
                return
            connection.setblocking(False)
            self._waiting.add(connection)
            self._silent.add(connection)
            self._loop.add_reader(connection, self._look, connection)

    def _look(self, connection: socket.socket) -> None:
        try:
            begin = connection.recv(5, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            begin = b""
        self._let_go(connection)
        if begin in _LOOKS_LIKE_HTTP:
            self._refuse(connection)
        elif begin:
            spawn(self._secure(connection), name="TLS handshake")
        else:
            connection.close()

    def _refuse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it may have gone
            connection.send(_PLAIN)
            connection.shutdown(socket.SHUT_WR)
        # What it sends meanwhile makes the kernel reset the connection once it is closed: first it gets to read.
        self._clock.call_later(_LINGER, connection.close)

    async def _secure(self, connection: socket.socket) -> None:
        try:
            host, port = connection.getpeername()[:2]
        except OSError:  # it has gone
            connection.close()
            return
        try:
            await self._loop.connect_accepted_socket(self._make, connection, ssl=self._context)
        except OSError as error:
            connection.close()
            self._failed(f"{host}:{port}", error)

    def _let_go(self, connection: socket.socket) -> None:
        self._waiting.discard(connection)
        self._silent.discard(connection)
        self._loop.remove_reader(connection)

    def _forget(self, connection: socket.socket) -> None:
        self._let_go(connection)
        connection.close()
