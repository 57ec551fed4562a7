"""Whether the database can be written: a Locket that cannot write for long ends, and whoever watches it starts another one."""

import asyncio
from typing import Final

from cfroute.clock import Clock
from cfroute.lager import Lager
from cfroute.locket.store import Store, StoreError

INTERVAL: Final = 10.0
"""Seconds between checks."""
_TIMEOUT: Final = 5.0  # seconds that an attempt may take
_ATTEMPTS: Final = 3  # of a check


async def until_broken(store: Store, clock: Clock, log: Lager) -> StoreError:
    """Check every now and then; return what is wrong when all attempts of a check have failed."""
    log.info("starting")
    while True:
        await clock.sleep(INTERVAL)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await _write(store, clock.now_ns())
                break
            except StoreError as error:
                log.error("failed-health-check", attempt=attempt, error=error.message)
                if attempt == _ATTEMPTS:
                    log.error("database-failure-detected-restarting-locket", error=error.message)
                    return error


async def _write(store: Store, now_ns: int) -> None:
    try:
        async with asyncio.timeout(_TIMEOUT):
            await store.run(lambda rows: rows.touch(now_ns))
    except TimeoutError as error:
        raise StoreError(f"timed out after {_TIMEOUT:g}s while executing DB health check") from error
