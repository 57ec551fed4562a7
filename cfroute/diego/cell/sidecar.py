"""What stands beside an instance: its identity, and a proxy in front of each of its ports. A cell may be without either."""

import asyncio
import itertools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from random import Random

from cfroute.certificates import Pair
from cfroute.clock import Clock
from cfroute.daemon import spawn
from cfroute.diego.api import DesiredLRP, Port
from cfroute.diego.cell.config import Config
from cfroute.diego.cell.identity import Identities, Identity
from cfroute.diego.cell.ports import Ports
from cfroute.diego.cell.proxy import Proxy
from cfroute.errors import ConfigurationError
from cfroute.logs import Logger

CONTAINER_TLS_PORT = 61001
"""Where the proxy of a container's first port listens in Diego; here the container has no ports of its own."""
LINGER = 60.0  # s that a router may take to hear the last that an instance had to say
LAST_LINGER = 2.0  # s of that when the cell ends


class Sidecar:
    """That of one instance. `places` are its ports, with those of the proxies; `environment` tells of its credentials."""

    def __init__(self, places: Sequence[Port] = (), identity: Identity | None = None) -> None:
        self.places = tuple(places)
        self.identity = identity
        self.proxies: list[Proxy] = []
        self.environment = identity.environment if identity else {}

    def lead_to(self, addresses: Sequence[str]) -> None:
        """The app listens there: an address for each of its ports."""
        for proxy, place, address in zip(self.proxies, self.places, addresses, strict=False):  # there may be no proxies
            proxy.target = (address, place.host_port)


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

    async def start(self, lrp: DesiredLRP, guid: str, root: Path, places: Sequence[Port]) -> Sidecar:
        """What an instance in the folder `root` gets, whose app is to listen there. Raises CfrouteError, OSError."""
        if self.identities is None:
            return Sidecar(places)
        sidecar = Sidecar((), self.identities.issue(lrp, guid, self._config.address, root))
        try:
            await self._start_proxies(sidecar, places)
        except BaseException:
            self.end(sidecar)
            raise
        return sidecar

    async def _start_proxies(self, sidecar: Sidecar, places: Sequence[Port]) -> None:
        if not self._config.enable_container_proxy:
            sidecar.places = tuple(places)
            return
        numbers = _container_tls_ports({place.container_port for place in places})
        for place in places:
            complete = Port(place.container_port, place.host_port, self._ports.take(), next(numbers))
            sidecar.places = (*sidecar.places, complete)
            await self._start_proxy(sidecar, complete)

    async def _start_proxy(self, sidecar: Sidecar, place: Port) -> None:
        assert sidecar.identity is not None
        address = self._config.address
        proxy = Proxy((address, place.host_port), sidecar.identity, self._trusted, self._log.session("proxy"))
        sidecar.proxies.append(proxy)
        await proxy.listen(address, place.host_tls_proxy_port)

    @property
    def _trusted(self) -> tuple[str, ...]:
        demanded = self._config.container_proxy_require_and_verify_client_certificates
        return self._config.container_proxy_trusted_ca_certs if demanded else ()

    def end(self, sidecar: Sidecar) -> None:
        """The instance is gone; what it had said last is still passed on."""
        if self.identities and sidecar.identity:
            self.identities.forget(sidecar.identity)
        if any(place.host_tls_proxy_port for place in sidecar.places):
            closing = spawn(self._close(sidecar), name=f"close {sidecar.proxies}")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _close(self, sidecar: Sidecar) -> None:
        try:
            await asyncio.gather(*(proxy.close(LINGER) for proxy in sidecar.proxies))
        finally:
            for place in sidecar.places:
                self._ports.give_back(place.host_tls_proxy_port)

    async def keep(self) -> None:
        """Renew identities for ever."""
        if self.identities:
            await self.identities.keep()

    async def close(self) -> None:
        """The cell ends: wait for last words, but not for long."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=LAST_LINGER)


def _container_tls_ports(taken: Collection[int]) -> Iterator[int]:
    """The ports of a container's proxies, in the order of what they stand in front of."""
    return (number for number in itertools.count(CONTAINER_TLS_PORT) if number not in taken)


def _authority(config: Config) -> Pair:
    files = (config.instance_identity_ca_path, config.instance_identity_private_key_path)
    try:
        return Pair(*(Path(file).read_bytes() for file in files))
    except OSError as error:
        raise ConfigurationError(f"the instance identity authority cannot be read: {error}") from error
