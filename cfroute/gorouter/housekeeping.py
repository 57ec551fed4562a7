"""What every process with a routing table does besides its work: look after idle connections, and spare the garbage collector.

Requests leave few cycles behind, and a large routing table is slow to walk: so it is collected seldom, and never looks at old
routes.
"""

import gc
from collections.abc import Callable, Sized
from typing import Final

from cfroute.clock import Clock

_THRESHOLDS: Final = (20_000, 20, 100)
_GROWTH: Final = 1000  # routes that are new since the table was last taken out of the collector's sight
_EVERY: Final = 10.0  # seconds between two looks


def spare_the_collector() -> None:
    """Collect seldom from now on."""
    gc.set_threshold(*_THRESHOLDS)


async def sweep_forever(table: Sized, expire: Callable[[float], object], clock: Clock) -> None:
    """Have `expire` end what is idle for too long at that monotonic time, and take what is new in the table out of sight."""
    frozen = 0
    while True:
        await clock.sleep(_EVERY)
        expire(clock.monotonic())
        if len(table) > frozen + _GROWTH:
            frozen = len(table)
            gc.freeze()
