"""How endpoints and route services are reached: addresses, TLS, idle connections."""

import ssl
from typing import TYPE_CHECKING

from cfroute.gorouter.config import Config
from cfroute.gorouter.route_service_url import RouteServiceUrl
from cfroute.gorouter.tls import contexts as tls
from cfroute.http2.destination import Http2Destination
from cfroute.proxy.backend import Destination
from cfroute.resolver import Mapping, resolve

if TYPE_CHECKING:
    from cfroute.gorouter.routing_table.endpoint import Endpoint


class Destinations:
    """Makes destinations and keeps sight of them, so that idle connections end in time."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._backend_tls = tls.lazily(lambda: tls.backend_context(config))
        self._http2_tls = tls.lazily(lambda: tls.backend_context(config, http2=True))
        self._service_tls = tls.lazily(lambda: tls.service_context(config))
        self._resolver = [Mapping(m.name, m.port, m.address, m.to_port) for m in config.cfroute.resolver]
        self._services: dict[str, Destination] = {}
        self._kept: set[Destination] = set()  # those that may have idle connections
        self.internal: Destination | None = None

    def of_endpoint(self, endpoint: "Endpoint") -> Destination:
        """The endpoint's; made at its first request."""
        destination: Destination | None = endpoint.backend.transport
        if destination is None:
            destination = endpoint.backend.transport = self._make_for(endpoint)
        return destination

    def _make_for(self, endpoint: "Endpoint") -> Destination:
        if not endpoint.tls:
            return self._make(endpoint.host, endpoint.port, None, None)
        name = endpoint.san or endpoint.host
        http1 = self._make(endpoint.host, endpoint.port, self._backend_tls(), name)
        if endpoint.protocol != "http2" or not self._config.enable_http2:
            return http1
        return Http2Destination(http1, self._http2_tls())

    def of_route_service(self, service: RouteServiceUrl) -> Destination:
        """That of a route service, or the way through our own internal listener."""
        if service.internal and self.internal is not None:
            return self.internal
        destination = self._services.get(service.url)
        if destination is None:
            host, port = resolve(self._resolver, service.hostname, service.port)
            secure = service.scheme == "https"
            destination = self._make(host, port, self._service_tls() if secure else None, service.hostname if secure else None)
            destination.handshake_timeout = 0.0  # upstream has no limit but that of the whole request
            if len(self._services) < 1024:
                self._services[service.url] = destination
        return destination

    def reach_ourselves(self, host: str, port: int, context: ssl.SSLContext) -> None:
        """Send what may be sent internally to our own listener there."""
        self.internal = self._make(host, port, context, tls.INTERNAL_NAME)

    def _make(self, host: str, port: int, context: ssl.SSLContext | None, name: str | None) -> Destination:
        config = self._config
        return Destination(
            host,
            port,
            context=context,
            name=name,
            max_idle=0 if config.disable_keep_alives else config.max_idle_conns_per_host,
            dial_timeout=config.endpoint_dial_timeout,
            handshake_timeout=config.tls_handshake_timeout,
            probe_interval=config.endpoint_keep_alive_probe_interval,
            response_limit=config.max_response_header_bytes or 10 << 20,
            kept=self._kept,
        )

    def expire(self, now: float) -> None:
        """Close connections that have been idle for too long."""
        for destination in list(self._kept):
            destination.expire(now)

    def close(self) -> None:
        """Close all idle connections."""
        for destination in list(self._kept):
            destination.close()
