"""The Gorouter process: `cfroute gorouter -c gorouter.yml`, with upstream's flag, file, log lines and exit codes.

    cfroute gorouter --workers 4 -c gorouter.yml              have so many processes serve the clients
    cfroute gorouter --validate -c gorouter.yml [--json]      say what the file means here, and start nothing

What a router consists of is imported only when there is a configuration to start it with: who made a mistake in it should not
have to wait.
"""

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.config_file import load
from cfroute.logs import Logger

if TYPE_CHECKING:
    from random import Random

    from cfroute.gorouter.config import Config

_USAGE = """Usage of gorouter:
  -c string
    \tConfiguration File
  -json
    \twith -validate: print the report as JSON
  -validate
    \tSay what the configuration file means to this router, and do not start it
"""
_VALUED = ("c", "workers")
_INTEGER = re.compile("-?[0-9]{1,4}")
_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


class _BadUsage(Exception):
    """The command line makes no sense; the message is Go's."""


class _Help(Exception):
    """Usage was asked for."""


class _Flags(NamedTuple):
    path: str | None = None
    validate: bool = False
    json: bool = False
    workers: int | None = None


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM, SIGINT (at once) or SIGUSR1 (after draining). Exit status 0; 1 when it cannot start; 2 for bad usage."""
    try:
        flags = _parse(argv)
    except _Help:
        sys.stderr.write(_USAGE)
        return 0
    except _BadUsage as error:
        sys.stderr.write(f"{error}\n{_USAGE}")
        return 2
    if flags.validate:
        from cfroute.gorouter.validate import run

        return run(flags.path, json=flags.json)
    try:
        config = load(flags.path)
    except ConfigError as error:
        Logger("").error("Error loading config:", error=str(error))
        return 1
    if flags.workers is not None:
        config.cfroute.workers = flags.workers
    return _run(config)


def _run(config: "Config") -> int:
    from cfroute.gorouter import start_checks

    level = start_checks.level(config.logging.level)
    if level is None:
        sys.stderr.write(f"panic: {start_checks.level_problem(config)}\n")
        return 2
    import os
    import signal

    from cfroute.clock import SystemClock
    from cfroute.daemon import run
    from cfroute.gorouter.lifecycle import Gorouter

    config.cfroute.workers = config.worker_count(_processors())
    router = Gorouter(config, start_checks.logger(config, level), SystemClock(), _rng(), os.urandom)
    return run(router.run, signals=(signal.SIGUSR1,))


def _parse(argv: Sequence[str]) -> _Flags:
    """The flags, by the rules of Go: one dash or two, `-c FILE` or `-c=FILE`, and an end at the first that is none."""
    rest, switches = list(argv), {"validate": False, "json": False}
    values: dict[str, str] = {}
    while rest and rest[0].startswith("-") and rest[0] != "-":
        given = rest.pop(0)
        if given == "--":
            break
        name, equals, value = given.removeprefix("-").removeprefix("-").partition("=")
        if name in ("h", "help"):
            raise _Help
        if name in _VALUED:
            if not equals and not rest:
                raise _BadUsage(f"flag needs an argument: -{name}")
            values[name] = value if equals else rest.pop(0)
        elif name in switches:
            if equals and value.lower() not in _BOOLEANS:
                raise _BadUsage(f'invalid boolean value "{value}" for -{name}: parse error')
            switches[name] = _BOOLEANS[value.lower()] if equals else True
        elif not name or name.startswith("-"):
            raise _BadUsage(f"bad flag syntax: {given}")
        else:
            raise _BadUsage(f"flag provided but not defined: -{name}")
    return _Flags(values.get("c") or None, **switches, workers=_workers(values.get("workers")))


def _workers(text: str | None) -> int | None:
    """What `-workers` says; as with Go's flags, what is no number is bad usage, and so is one that makes no sense."""
    if text is None:
        return None
    from cfroute.gorouter.config_validation import MOST_WORKERS

    if not _INTEGER.fullmatch(text) or not -1 <= int(text) <= MOST_WORKERS:
        raise _BadUsage(f'invalid value "{text}" for flag -workers: parse error')
    return int(text)


def _processors() -> int:
    """How many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rng() -> "Random":
    from random import Random, SystemRandom

    # Chooses endpoints and request ids, nothing secret: speed counts. The nonces of the seals come from os.urandom.
    return Random(SystemRandom().getrandbits(64))  # noqa: S311
