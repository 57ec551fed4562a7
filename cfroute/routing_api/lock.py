"""The lock that only one of several Routing APIs can have; without it nothing listens, and nothing is written."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.routing_api.config import Config


class LockLost(Exception):
    """It was held once."""


class LocketUnreachable(Exception):
    """Nobody can grant it."""


class Lock(Protocol):
    """Held from `acquire` to `release`, unless it is lost."""

    contended: bool
    """Whether somebody else may be waiting for it: then there has to be time to take over."""

    async def acquire(self) -> None:
        """Return once it is held."""

    async def lost(self) -> None:
        """Return when it is held no more; never, where that cannot happen."""

    async def release(self) -> None:
        """Give it back, or wait for it no longer; a second time means nothing."""


class Alone:
    """There is one Routing API, and nobody to ask."""

    contended = False

    async def acquire(self) -> None:
        """It is held."""

    async def lost(self) -> None:
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Nobody waits for it."""


@contextlib.asynccontextmanager
async def of_locket(config: Config, log: Lager, clock: Clock, new_guid: Callable[[], str]) -> AsyncIterator[Lock]:
    """The lock that Locket grants. Raises ConfigurationError for unusable certificates, and LocketUnreachable."""
    from cfroute.grpc.status import RpcError  # most have no Locket, and what asks it takes some MB
    from cfroute.locket import client

    place = config.locket
    files = (place.locket_ca_cert_file, place.locket_client_cert_file, place.locket_client_key_file)
    try:
        locket = await client.connect(client.Place(place.locket_address, *files), clock)
    except RpcError as error:
        raise LocketUnreachable(f"{place.locket_address}: {error.message}") from error
    async with contextlib.aclosing(locket):
        wanted = client.lock_of(config.lock_resource_key, config.uuid)
        yield client.LockRunner(locket, wanted, log, clock, new_guid=new_guid, retry_interval=config.retry_interval)
