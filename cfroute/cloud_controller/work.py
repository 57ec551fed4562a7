"""What those who work in the background have in common."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from cfroute.clock import Clock
from cfroute.daemon import spawn

T = TypeVar("T")


async def in_transaction(
    open_session: Callable[[], contextlib.AbstractContextManager[Session]], work: Callable[[Session], T]
) -> T:
    """Do the work in a thread, with a session of the database's `reading` or `writing`."""

    def run() -> T:
        with open_session() as session:
            return work(session)

    return await run_in_threadpool(run)


async def nap(clock: Clock, pause: float, woken: asyncio.Event) -> None:
    """Wait so many seconds, or until there is something to do."""
    waits = [spawn(woken.wait(), name="wait for work"), spawn(clock.sleep(pause), name="wait for the next look")]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
