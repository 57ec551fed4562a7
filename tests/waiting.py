"""Waiting for what others do, in one way, and long enough for a machine that has other work too.

`eventually` waits for threads and processes, `until` for the other tasks of the event loop that it is called in.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WITHIN = 30.0
"""Seconds. It costs nothing where things go well, and a loaded machine must not make a test fail."""
_PAUSE = 0.01  # seconds between two looks, at least
_LONGEST_PAUSE = 0.1  # at most
_SHARE = 20  # between them it is one part in so many of what was waited: looking takes the processor of those that are awaited
_TURN = 0.002  # seconds between two looks where it takes nobody else's


def eventually(
    look: Callable[[], T],
    what: str = "it",
    within: float = WITHIN,
    *,
    ignoring: type[Exception] | tuple[type[Exception], ...] = (),
    pause: Callable[[float], object] = time.sleep,
) -> T:
    """The first true value of `look`; fails after `within` seconds without one.

    ignoring: what `look` may raise for as long as there is nothing to see. pause: what waits between two looks, where
    something has to be kept running meanwhile.
    """
    began = time.monotonic()
    while True:
        with contextlib.suppress(ignoring):
            if value := look():
                return value
        waited = time.monotonic() - began
        assert waited < within, f"waited {within} s in vain for {what}: {look}"
        pause(min(max(waited / _SHARE, _PAUSE), _LONGEST_PAUSE))


async def until(look: Callable[[], T], what: str = "it", within: float = WITHIN) -> T:
    """The first true value of `look`, while other tasks have their turns; fails after `within` seconds without one."""
    deadline = time.monotonic() + within
    while not (value := look()):
        assert time.monotonic() < deadline, f"waited {within} s in vain for {what}: {look}"
        await asyncio.sleep(_TURN)
    return value
