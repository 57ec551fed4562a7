"""What stands beside an instance: its identity, and the proxy in front of it. A cell may be without either."""

import asyncio
from pathlib import Path
from random import Random

from cfroute.certificates import Pair
from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.diego.api import DesiredLRP
from cfroute.diego.cell.config import Config
from cfroute.diego.cell.identity import Identities, Identity
from cfroute.diego.cell.ports import Ports
from cfroute.diego.cell.proxy import Proxy
from cfroute.errors import ConfigurationError
from cfroute.logs import Logger

LINGER = 60.0  # s that a router may take to hear the last that an instance had to say
LAST_LINGER = 2.0  # s of that when the cell ends


class Sidecar:
    """That of one instance. `tls_port` is where its proxy listens, 0 without one; `environment` tells of its credentials."""

    def __init__(self, identity: Identity | None = None) -> None:
        self.identity = identity
        self.proxy: Proxy | None = None
        self.tls_port = 0
        self.environment = identity.environment if identity else {}

    def lead_to(self, address: str, port: int) -> None:
        """The app listens there."""
        if self.proxy:
            self.proxy.target = (address, port)


class Sidecars:
    """Those of a cell's instances."""

    def __init__(self, config: Config, ports: Ports, clock: Clock, chance: Random, log: Logger) -> None:
        """Raises ConfigurationError when the authority's files cannot be read."""
        self._config = config
        self._ports = ports
        self._log = log
        self._closing: set[asyncio.Task[None]] = set()
        self.identities: Identities | None = None
        if config.instance_identity_ca_path:
            self.identities = Identities(_authority(config), config.instance_identity_validity_period, clock, chance, log)

    async def start(self, lrp: DesiredLRP, guid: str, root: Path, port: int) -> Sidecar:
        """What an instance in the folder `root` gets, whose app is to listen on `port`. Raises CfrouteError, OSError."""
        if self.identities is None:
            return Sidecar()
        sidecar = Sidecar(self.identities.issue(lrp, guid, self._config.address, root))
        if self._config.enable_container_proxy:
            try:
                await self._start_proxy(sidecar, port)
            except BaseException:
                self.end(sidecar)
                raise
        return sidecar

    async def _start_proxy(self, sidecar: Sidecar, port: int) -> None:
        assert sidecar.identity is not None
        address = self._config.address
        sidecar.tls_port = self._ports.take()
        sidecar.proxy = Proxy((address, port), sidecar.identity, self._trusted, self._log.session("proxy"))
        await sidecar.proxy.listen(address, sidecar.tls_port)

    @property
    def _trusted(self) -> tuple[str, ...]:
        demanded = self._config.container_proxy_require_and_verify_client_certificates
        return self._config.container_proxy_trusted_ca_certs if demanded else ()

    def end(self, sidecar: Sidecar) -> None:
        """The instance is gone; what it had said last is still passed on."""
        if self.identities and sidecar.identity:
            self.identities.forget(sidecar.identity)
        if sidecar.tls_port:
            closing = spawn(self._close(sidecar), name=f"close {sidecar.proxy}")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _close(self, sidecar: Sidecar) -> None:
        try:
            if sidecar.proxy:
                await sidecar.proxy.close(LINGER)
        finally:
            self._ports.give_back(sidecar.tls_port)

    async def keep(self) -> None:
        """Renew identities for ever."""
        if self.identities:
            await self.identities.keep()

    async def close(self) -> None:
        """The cell ends: wait for last words, but not for long."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=LAST_LINGER)


def _authority(config: Config) -> Pair:
    files = (config.instance_identity_ca_path, config.instance_identity_private_key_path)
    try:
        return Pair(*(Path(file).read_bytes() for file in files))
    except OSError as error:
        raise ConfigurationError(f"the instance identity authority cannot be read: {error}") from error
