"""Starting a foundation: in this process (`up` in the foreground), or in one of its own (`up --detach`)."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cfroute.clock import SystemClock
from cfroute.errors import CfrouteError
from cfroute.foundation import locks
from cfroute.foundation.hatchery import Hatched, hatch
from cfroute.home import Home

if TYPE_CHECKING:
    from cfroute.foundation.events import Event
    from cfroute.foundation.options import Given
    from cfroute.foundation.preparation import Foundation

DEFAULT_TIMEOUT = 60.0


def supervise(home: Home, given: "Given", watch: "Callable[[Event], None]", timeout: float = DEFAULT_TIMEOUT) -> int:
    """Run a foundation in this process until it ends; the exit status. `watch` is told everything that happens.

    Raises Conflict when one runs here already or a port is taken, CfrouteError when the disk is full, and what `Supervisor.run`
    raises.
    """
    began = SystemClock().monotonic()
    home.create()
    with system_errors_named(home):
        locks.acquire(home)  # until this process ends: what waits for the lock then knows that nothing is left
        hatched = hatch(home)
        try:
            foundation = _prepare(home, given)
            return _run(foundation, hatched, watch, timeout, began)
        finally:
            hatched.close()


@contextlib.contextmanager
def system_errors_named(home: Home) -> Iterator[None]:
    """What the system refuses to a supervisor is no defect: mostly a full disk, or a file of another user."""
    try:
        yield
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise CfrouteError(
            f"the foundation in {home.root} cannot run: {error.strerror or error}{where}", "look for a full disk with `df`"
        ) from error


def _prepare(home: Home, given: "Given") -> "Foundation":
    from cfroute.foundation import processes
    from cfroute.foundation.preparation import prepare_up

    processes.end_leftovers(home)
    return prepare_up(home, given)


def _run(foundation: "Foundation", hatched: Hatched, watch: "Callable[[Event], None]", timeout: float, began: float) -> int:
    import asyncio

    from cfroute.foundation import components
    from cfroute.foundation.events import Warned
    from cfroute.foundation.supervisor import Supervisor
    from cfroute.logs import Logger

    home = foundation.home
    for text in foundation.warnings:
        watch(Warned(text))
    nurseries = iter([hatched])

    async def supervise() -> int:
        supervisor = Supervisor(
            home,
            components.of(foundation.plan, home, foundation.options),
            lambda: next(nurseries, None) or hatch(home),
            SystemClock(),
            Logger("supervisor", stream=log),
            external=foundation.external(),
            began=began,
        )
        supervisor.subscribe(watch)
        return await supervisor.run(timeout)

    with open(home.log("supervisor"), "a") as log:
        return asyncio.run(supervise())
