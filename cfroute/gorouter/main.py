"""The Gorouter process: `cfroute gorouter -c gorouter.yml`, with upstream's flag, file, log lines and exit codes.

    cfroute gorouter --workers 4 -c gorouter.yml              have so many processes serve the clients
    cfroute gorouter --validate -c gorouter.yml [--json]      say what the file means here, and start nothing

What a router consists of is imported only when there is a configuration to start it with: who made a mistake in it should not
have to wait.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from cfroute.go import flags as go_flags
from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.config_file import load
from cfroute.gorouter.config_validation import MOST_WORKERS
from cfroute.logs import Logger

if TYPE_CHECKING:
    from random import Random

    from cfroute.gorouter.config import Config


class Flags(Struct, frozen=True):
    """The command line: upstream's `-c`, and what is only ours."""

    c: Annotated[str, Meta(description="Configuration File")] = ""
    validate: Annotated[bool, Meta(description="Say what the configuration file means to this router, and do not start it")] = (
        False
    )
    json: Annotated[bool, Meta(description="with -validate: print the report as JSON")] = False
    workers: Annotated[int | None, Meta(description="How many processes serve the clients (-1: as go_max_procs says)")] = None


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM, SIGINT (at once) or SIGUSR1 (after draining). Exit status 0; 1 when it cannot start; 2 for bad usage."""
    return go_flags.run("gorouter", Flags, _work, argv)


def _work(flags: Flags) -> int:
    if flags.workers is not None and not -1 <= flags.workers <= MOST_WORKERS:
        raise go_flags.BadUsage(f'invalid value "{flags.workers}" for flag -workers: parse error')
    path = flags.c or None
    if flags.validate:
        from cfroute.gorouter.validate import run

        return run(path, json=flags.json)
    try:
        config = load(path)
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
    from cfroute.gorouter.basis import Basis
    from cfroute.gorouter.lifecycle import Gorouter

    config.cfroute.workers = config.worker_count(_processors())
    basis = Basis(config, start_checks.logger(config, level), SystemClock(), _rng(), os.urandom)
    return run(Gorouter(basis).run, signals=(signal.SIGUSR1,))


def _processors() -> int:
    """How many processors this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rng() -> "Random":
    from random import Random, SystemRandom

    # Chooses endpoints and request ids, nothing secret: speed counts. The nonces of the seals come from os.urandom.
    return Random(SystemRandom().getrandbits(64))  # noqa: S311
