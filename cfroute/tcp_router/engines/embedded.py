"""This process as the engine: the relay of ours, whose ports and pools are changed in place."""

import asyncio
import ssl
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cfroute.clock import Clock, Timer
from cfroute.lager import Lager
from cfroute.relay import Backend, BackendTls, Listener, Pool, Relay, Settings
from cfroute.tcp_router.config import Config
from cfroute.tcp_router.engines import BackendKey, Counters, EngineError, ProxyStats
from cfroute.tcp_router.frontends import Frontend, Server

_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  (as upstream, when the file says so)
_AGAIN_AFTER: Final = 1.0  # seconds until a port that was taken is tried again


class Embedded:
    """Carries the connections in this process."""

    name = "embedded"
    watched = False

    def __init__(self, config: Config, log: Lager, clock: Clock) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._relay: Relay | None = None
        self._context: ssl.SSLContext | None = None
        self._frontends: Mapping[int, Frontend] = {}
        self._missing: Mapping[int, str] = {}
        self._retry: Timer | None = None

    async def start(self) -> None:
        tls = self._config.backend_tls
        if tls.enabled:
            from cfroute.relay.tls import backend_context

            try:
                self._context = backend_context(tls.ca_cert_path, tls.client_cert_and_key_path or None)
            except OSError as error:  # SSLError is one
                raise EngineError(f"backend_tls: {error.strerror or error}") from error
        extensions = self._config.cfroute
        settings = Settings(idle_timeout=extensions.idle_timeout, connect_timeout=extensions.connect_timeout)
        self._relay = Relay(extensions.address or _EVERYWHERE, self._clock, _Watcher(self._log), settings)

    async def apply(self, frontends: Mapping[int, Frontend]) -> None:
        """Change what differs from the last time. A port that is somebody else's is logged, and tried again."""
        before, self._frontends = self._frontends, frontends
        changes: dict[int, Listener | None] = {port: None for port in before if port not in frontends}
        for port, frontend in frontends.items():
            if frontend != before.get(port) or port in self._missing:
                changes[port] = self._listener(frontend)
        self._change(changes)

    def _change(self, changes: Mapping[int, Listener | None]) -> None:
        assert self._relay is not None
        known, self._missing = self._missing, self._relay.change(changes)
        for port, why in self._missing.items():
            if known.get(port) != why:
                self._log.error("failed-to-listen", port=port, error=why)
        if self._retry is not None:
            self._retry.cancel()
        self._retry = self._clock.call_later(_AGAIN_AFTER, self._try_again) if self._missing else None

    def _try_again(self) -> None:
        self._change({port: self._listener(self._frontends[port]) for port in self._missing})

    def _listener(self, frontend: Frontend) -> Listener:
        default: Pool | None = None
        by_sni: dict[str, Pool] = {}
        for name, servers in frontend.pools:
            pool = tuple(self._backends(servers))
            if name:
                by_sni[name.lower()] = by_sni.get(name.lower(), ()) + pool
            else:
                default = pool
        return Listener(default, by_sni)

    def _backends(self, servers: Iterable[Server]) -> Iterator[Backend]:
        for server in servers:
            tls = BackendTls(server.instance_id, self._context) if server.tls and self._context is not None else None
            yield Backend(server.host, server.port, tls)

    async def drain(self, frontends: Mapping[int, Frontend]) -> None:
        """Connections are accepted as before: it is the health check that keeps them away."""
        await self.apply(frontends)

    async def failed(self) -> str:
        """It fails with this process."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    async def stats(self) -> list[ProxyStats]:
        """One line a port, under a name that makes metrics of the port."""
        assert self._relay is not None
        self._relay.count()
        return [
            ProxyStats(
                proxy=f"listen_cfg_{number}",
                sessions=port.counts.current,
                connection_errors=port.counts.connection_errors,
                connect_ms=round(port.counts.connect_ms.value),
                total_ms=round(port.counts.total_ms.value),
            )
            for number, port in self._relay.ports.items()
        ]

    async def counters(self) -> Mapping[BackendKey, Counters]:
        assert self._relay is not None
        self._relay.count()
        return {
            BackendKey(number, name, member.backend.host, member.backend.port): Counters(
                connections=member.counts.current,
                total=member.counts.sessions,
                errors=member.counts.connection_errors,
                bytes_in=member.counts.bytes_in,
                bytes_out=member.counts.bytes_out,
            )
            for number, port in self._relay.ports.items()
            for name, rotation in port.rotations()
            for member in rotation.members
        }

    async def aclose(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        if self._relay is not None:
            self._relay.close()


class _Watcher:
    """Logs what happens to the relay."""

    def __init__(self, log: Lager) -> None:
        self._log = log

    def backend_failed(self, port: int, backend: Backend, reason: str) -> None:
        self._log.error("backend-failed", port=port, backend=str(backend), error=reason)

    def accepting_paused(self, reason: str) -> None:
        self._log.error("accepting-paused", error=reason)

    def accepting_resumed(self) -> None:
        self._log.info("accepting-resumed")
