"""The Gorouter process: `cfroute gorouter -c gorouter.yml`, with upstream's flag, file, log lines and exit codes."""

import os
import signal
import sys
from collections.abc import Sequence
from random import Random, SystemRandom

from cfroute.clock import SystemClock
from cfroute.daemon import run
from cfroute.gorouter.config import ConfigError, load
from cfroute.gorouter.lifecycle import Gorouter
from cfroute.logs import LEVELS, Logger

_USAGE = """Usage of gorouter:
  -c string
    \tConfiguration File
"""


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM, SIGINT (at once) or SIGUSR1 (after draining). Exit status 0; 1 when it cannot start; 2 for bad usage."""
    path = _path(argv)
    if isinstance(path, int):
        return path
    early = Logger("gorouter")
    try:
        config = load(path)
    except ConfigError as error:
        early.error("Error loading config:", error=str(error))
        return 1
    level = _level(config.logging.level)
    if level is None:
        sys.stderr.write(f'panic: unrecognized level: "{config.logging.level}"\n')
        return 2
    log = Logger(config.logging.syslog or "gorouter.stdout", level, rfc3339=config.logging.format.timestamp == "rfc3339")
    router = Gorouter(config, log, SystemClock(), _rng(), os.urandom)
    return run(router.run, signals=(signal.SIGUSR1,))


def _path(argv: Sequence[str]) -> str | int | None:
    """The configuration file, or the exit status of a command line that makes no sense."""
    match list(argv):
        case []:
            return None
        case ["-c" | "--c", path]:
            return path
        case ["-c" | "--c"]:
            sys.stderr.write(f"flag needs an argument: -c\n{_USAGE}")
            return 2
        case ["-h" | "-help" | "--help" | "--h", *_]:
            sys.stderr.write(_USAGE)
            return 0
        case [flag, *_] if flag.startswith(("-c=", "--c=")):
            return flag.partition("=")[2]
        case [flag, *_]:
            sys.stderr.write(f"flag provided but not defined: {flag}\n{_USAGE}")
            return 2
    return None


def _level(name: str) -> int | None:
    """The level of the log; upstream's panic levels are errors here."""
    return {**LEVELS, "dpanic": 3, "panic": 3, "fatal": 3}.get(name.lower())


def _rng() -> Random:
    # Chooses endpoints and request ids, nothing secret: speed counts. The nonces of the seals come from os.urandom.
    return Random(SystemRandom().getrandbits(64))  # noqa: S311
