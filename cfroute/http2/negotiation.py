"""What a client's connection becomes once the handshake has shown what it speaks."""

import asyncio
from typing import TYPE_CHECKING, cast

from cfroute.http2.front import Http2Front
from cfroute.proxy.front import Front

if TYPE_CHECKING:
    from cfroute.proxy.server import ProxyServer


class Negotiated(asyncio.Protocol):
    """The first protocol of a TLS connection whose context offers `h2` by ALPN: it makes way for one that serves requests."""

    def __init__(self, server: "ProxyServer") -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        secure = transport.get_extra_info("ssl_object")
        speaks_http2 = secure is not None and secure.selected_alpn_protocol() == "h2"
        front = Http2Front(self._server).protocol() if speaks_http2 else Front(self._server).protocol()
        cast(asyncio.Transport, transport).set_protocol(front)
        front.connection_made(transport)
