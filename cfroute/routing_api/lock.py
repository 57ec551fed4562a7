"""The lock that only one of several Routing APIs can have; without it nothing listens, and nothing is written."""

import asyncio
from typing import Protocol


class LockLost(Exception):
    """It was held once."""


class Lock(Protocol):
    """Held from `acquire` to `release`, unless it is lost."""

    contended: bool
    """Whether somebody else may be waiting for it: then there has to be time to take over."""

    async def acquire(self) -> None:
        """Return once it is held."""

    async def lost(self) -> None:
        """Return when it is held no more; never, where that cannot happen."""

    async def release(self) -> None:
        """Give it back."""


class Alone:
    """There is one Routing API, and nobody to ask."""

    contended = False

    async def acquire(self) -> None:
        """It is held."""

    async def lost(self) -> None:
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Nobody waits for it."""
