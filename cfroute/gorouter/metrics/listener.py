"""The listener that Prometheus scrapes: 127.0.0.1:prometheus.port/metrics."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from cfroute.clock import Clock
from cfroute.gorouter.config_sections import PrometheusConfig
from cfroute.gorouter.metrics import exposition
from cfroute.gorouter.metrics.snapshot import Snapshot
from cfroute.gorouter.pages import NOT_FOUND, Answer, Pages, Request

_HEADERS: Final = f"Content-Type: {exposition.CONTENT_TYPE}\r\n".encode()


class MetricsListenerError(Exception):
    """The metrics cannot be served; the message is what upstream writes to stderr before it gives up."""


class MetricsListener:
    """Serves a snapshot that is made for each scrape."""

    def __init__(self, config: PrometheusConfig, host: str, snapshot: Callable[[], Awaitable[Snapshot]], clock: Clock) -> None:
        self._config = config
        self._host = host
        self._snapshot = snapshot
        self._pages = Pages(clock)

    async def start(self) -> str:
        """Listen; returns the address, `host:port`. Raises MetricsListenerError."""
        context = self._context() if self._config.cert_path else None
        try:
            port = await self._pages.listen(self._host, self._config.port, self._answer, context)
        except OSError as error:
            address = f"{self._host}:{self._config.port}"
            raise MetricsListenerError(f"Unable to setup metrics endpoint ({address}): {error}") from error
        return f"{self._host}:{port}"

    async def close(self) -> None:
        """Stop listening."""
        await self._pages.close()

    def _context(self) -> ssl.SSLContext:
        """TLS with a client certificate that the configured authority has signed, or nothing."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_cert_chain(self._config.cert_path, self._config.key_path)
            context.load_verify_locations(self._config.ca_path)
        except OSError as error:  # ssl.SSLError is one
            raise MetricsListenerError(f"unable to generate server TLS Config: {error}") from error
        return context

    async def _answer(self, request: Request) -> Answer:
        if request.path != "/metrics":
            return NOT_FOUND
        return Answer(200, first=_HEADERS, pieces=exposition.pieces(await self._snapshot()))
