"""How a daemon's `main` becomes a process: in a module that imports nothing, so that a mistake is told at once."""

import sys
from collections.abc import Callable

from cfroute.errors import CfrouteError
from cfroute.logs import Logger


def call(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    """The exit status of a daemon's `main`. What it cannot start for is a line of its log, as everything that it says."""
    try:
        return main(arguments)
    except CfrouteError as error:
        component = main.__module__.removesuffix(".main").rpartition(".")[2]
        Logger(component).error("failed-to-start", error=error.message)
        return 1


def entry(main: Callable[[list[str]], int]) -> None:
    """Run a daemon's `main` as a process of its own, with the arguments of the command line."""
    sys.exit(call(main, sys.argv[1:]))
