"""What a connection becomes once its handshake has shown what is spoken: first protocols, which make way for others."""

import asyncio
from typing import TYPE_CHECKING, cast

from cfroute.http2.backend import Http2Backend
from cfroute.http2.front import Http2Front
from cfroute.proxy.backend import Backend
from cfroute.proxy.front import Front

if TYPE_CHECKING:
    from cfroute.http2.destination import Http2Destination
    from cfroute.proxy.server import ProxyServer


def _speaks_http2(transport: asyncio.BaseTransport) -> bool:
    secure = transport.get_extra_info("ssl_object")
    return secure is not None and secure.selected_alpn_protocol() == "h2"


def _make_way(transport: asyncio.BaseTransport, protocol: asyncio.Protocol) -> None:
    cast(asyncio.Transport, transport).set_protocol(protocol)
    protocol.connection_made(transport)


class Negotiated(asyncio.Protocol):
    """The first protocol of a client's connection, where `h2` may have been offered."""

    def __init__(self, server: "ProxyServer") -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = self._server
        _make_way(transport, Http2Front(server).protocol() if _speaks_http2(transport) else Front(server).protocol())


class BackendChoice(asyncio.Protocol):
    """The first protocol of a connection to a backend to which `h2` was offered.

    connection is what it became, or None where the backend wants HTTP/1.1: then that is `backend`.
    """

    def __init__(self, destination: "Http2Destination", backend: Backend) -> None:
        self._destination = destination
        self._backend = backend
        self.connection: Http2Backend | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if _speaks_http2(transport):
            self.connection = Http2Backend(self._destination)
            _make_way(transport, self.connection.protocol())
            self._destination.add(self.connection)
        else:
            _make_way(transport, self._backend.protocol())
