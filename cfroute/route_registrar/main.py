"""`cfroute route-registrar -configPath FILE`: tells the routers where the system's components are."""

import random
import signal
import sys
import uuid
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from cfroute import daemon, lager
from cfroute.clock import SystemClock
from cfroute.go import flags as go_flags
from cfroute.go.log import GoLog
from cfroute.route_registrar import schema
from cfroute.route_registrar.problems import Problems
from cfroute.route_registrar.validation import validate


class Flags(go_flags.LagerFlags, rename="camel", frozen=True):
    """The command line."""

    config_path: Annotated[str, Meta(description="Path to configuration file")] = "registrar_settings.yml"
    pidfile: Annotated[str, Meta(description="Path to pid file")] = ""


def main(argv: Sequence[str]) -> int:
    """Run a route registrar until SIGTERM, SIGINT or SIGQUIT.

    Exit status 0; 1 for a configuration that makes no sense; 2 for bad usage, a file that cannot be read, and a route that cannot
    be told.
    """
    return go_flags.run("route-registrar", Flags, _register, argv)


def _register(flags: Flags) -> int:
    log = lager.of_flags("Route Registrar", flags)
    clock = SystemClock()
    plain = GoLog(clock, sys.stderr.write)
    log.info("Initializing")
    try:
        config = validate(schema.load(flags.config_path))
    except schema.UnreadableFile as error:
        log.fatal("error parsing file: %s\n", error=str(error))  # upstream's message, as it stands in its source
        return 2
    except Problems as problems:
        plain.line(str(problems))
        return 1
    from cfroute.route_registrar.process import Process  # takes longer than to say what is wrong with the file

    chance = random.Random()  # noqa: S311
    process = Process(config, log, clock, chance, lambda: str(uuid.uuid4()), plain.line, flags.pidfile)
    return daemon.run(process.run, signals=(signal.SIGQUIT,))
