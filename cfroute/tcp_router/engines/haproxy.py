"""HAProxy as the engine: its configuration is written anew and it is reloaded at each change, as upstream does."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from cfroute.lager import Lager
from cfroute.tcp_router import haproxy_text, stats
from cfroute.tcp_router.config import BackendTls
from cfroute.tcp_router.engines import BackendKey, Counters, EngineError, ProxyStats, StatsError
from cfroute.tcp_router.engines.monitor import Monitor
from cfroute.tcp_router.frontends import Frontend

_PATIENCE: Final = 5.0  # seconds that HAProxy may take to tell its statistics
_AS_A_WHOLE: Final = ("FRONTEND", "BACKEND")


class Files(NamedTuple):
    """What the configuration begins with, where it is written, and the socket that tells statistics."""

    base: Path
    config: Path
    socket: str


class Reloader(Protocol):
    """Makes HAProxy take its new configuration. Raises EngineError."""

    @property
    def goes_on(self) -> bool:
        """Whether it is known, when a reload has failed, that the HAProxy from before still runs."""

    async def start(self) -> None:
        """Have an HAProxy that runs."""

    async def reload(self, *, draining: bool) -> None:
        """Have it take the file. `draining` tells that its health check is to fail."""

    async def aclose(self) -> None:
        """HAProxy is not needed any more."""


class HAProxy:
    """An HAProxy that somebody else may have started."""

    name = "haproxy"
    watched = True

    def __init__(self, files: Files, tls: BackendTls, address: str, reloader: Reloader, monitor: Monitor, log: Lager) -> None:
        """`address` is where ports are opened; empty means everywhere."""
        self._files = files
        self._tls = tls
        self._address = address
        self._reloader = reloader
        self._monitor = monitor
        self._log = log
        self._draining = False
        self._shown: Mapping[int, Frontend] = {}

    async def start(self) -> None:
        """Have an HAProxy, and watch it from now on. Raises EngineError."""
        await self._reloader.start()
        self._monitor.resume()

    async def apply(self, frontends: Mapping[int, Frontend]) -> None:
        """Write the file and reload. Meanwhile, and where a script has failed, nobody looks whether HAProxy runs."""
        self._monitor.suspend()
        self._write(frontends)
        self._shown = frontends
        self._log.info("reloading-haproxy")
        try:
            await self._reloader.reload(draining=self._draining)
        except EngineError as error:
            self._log.error("failed-to-reload-haproxy", error=str(error))
            if self._reloader.goes_on:
                self._monitor.resume()
            raise
        self._monitor.resume()

    def _write(self, frontends: Mapping[int, Frontend]) -> None:
        """A backup, then the new file in place of the old one at once. Raises EngineError."""
        config = self._files.config
        scratch = config.with_name(f"{config.name}.tmp")
        try:
            text = haproxy_text.render(self._files.base.read_bytes(), frontends.values(), self._tls, self._address)
            shutil.copyfile(config, config.with_name(f"{config.name}.bak"))
            scratch.write_bytes(text)
            self._log.info("writing-config", **{"num-bytes": len(text)})
            scratch.replace(config)
        except OSError as error:
            self._log.error("failed-to-write-config", error=str(error))
            raise EngineError(str(error)) from error

    async def drain(self, frontends: Mapping[int, Frontend]) -> None:
        """From now on HAProxy is told that it drains: the health check of its base configuration fails then."""
        self._draining = True
        await self.apply(frontends)

    async def failed(self) -> str:
        return await self._monitor.failed()

    async def stats(self) -> list[ProxyStats]:
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_unix_connection(self._files.socket)
                try:
                    writer.write(b"show stat\n")
                    answer = await reader.read(-1)
                finally:
                    writer.close()
        except OSError as error:  # TimeoutError is one
            raise StatsError(f"dial unix {self._files.socket}: {error.strerror or error}") from error
        return list(stats.parse(answer.decode("utf-8", "replace")))

    async def counters(self) -> Mapping[BackendKey, Counters]:
        places = dict(self._places())
        return {
            places[line.proxy, line.server]: Counters(
                line.sessions, line.total, line.connection_errors, line.bytes_in, line.bytes_out
            )
            for line in await self.stats()
            if line.server not in _AS_A_WHOLE and (line.proxy, line.server) in places
        }

    def _places(self) -> Iterator[tuple[tuple[str, str], BackendKey]]:
        """Which server is meant by the names of a line."""
        for frontend in self._shown.values():
            for name, servers in frontend.pools:
                for server in servers:
                    names = haproxy_text.backend_name(frontend.port, name), haproxy_text.server_name(server)
                    yield names, BackendKey(frontend.port, name, server.host, server.port)

    async def aclose(self) -> None:
        await self._reloader.aclose()
