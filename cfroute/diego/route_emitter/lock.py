"""The lock of the emitter that speaks for all cells: of several such emitters one works, and the others wait."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from cfroute.clock import Clock
from cfroute.diego.route_emitter.config import Config
from cfroute.diego.route_emitter.errors import LockLost
from cfroute.errors import ConfigurationError
from cfroute.lager import Lager
from cfroute.start_error import StartError

KEY: Final = "route_emitter"
RETRY: Final = 1.0  # s, upstream's; lock_retry_interval is read and not used


class Lock(Protocol):
    """Held from `acquire` to `release`, unless it is lost."""

    async def acquire(self) -> None:
        """Return once it is held."""

    async def lost(self) -> None:
        """Return when it is held no more."""

    async def release(self) -> None:
        """Give it back."""


async def prepare(
    config: Config, stack: contextlib.AsyncExitStack, log: Lager, clock: Clock, new_guid: Callable[[], str]
) -> Lock | None:
    """The lock, where one is needed. Raises StartError; a Locket that is away is waited for, but not for long."""
    if config.cell_id:
        return None
    if not config.uuid:
        raise StartError("invalid-uuid", "invalid-uuid-from-config")
    if not config.locket_enabled:
        return None
    from cfroute.grpc.status import RpcError  # cells' emitters have no use for all that
    from cfroute.locket import client as locket

    files = (config.locket_ca_cert_file, config.locket_client_cert_file, config.locket_client_key_file)
    try:
        client = await locket.connect(locket.Place(config.locket_address, *files), clock)
    except (ConfigurationError, RpcError) as error:
        raise StartError("failed-to-create-locket-client", error) from error
    stack.push_async_callback(client.aclose)
    lock = locket.lock_of(KEY, config.uuid)
    return locket.LockRunner(client, lock, log, clock, new_guid=new_guid, retry_interval=RETRY)


@contextlib.asynccontextmanager
async def holding(lock: Lock | None) -> AsyncIterator[None]:
    """Have the lock inside of the block, and give it back at its end, unless it ends by LockLost."""
    if lock is None:
        yield
        return
    lost = False
    try:
        await lock.acquire()
        yield
    except LockLost:
        lost = True
        raise
    finally:
        if not lost:
            await lock.release()


async def loss(lock: Lock | None) -> None:
    """Raise LockLost when it is not ours any more."""
    if lock is not None:
        await lock.lost()
        raise LockLost("lost the lock")
