"""`cfroute route-emitter -config FILE`: tells the routers which instances answer for which routes."""

import random
import re
import uuid
from collections.abc import Sequence
from typing import Annotated

import msgspec

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.diego.route_emitter.config import load
from cfroute.diego.route_emitter.log import logger
from cfroute.errors import ConfigurationError
from cfroute.go import flags as go_flags
from cfroute.lager import Lager, Sink
from cfroute.start_error import StartError


class Flags(msgspec.Struct, rename="camel", frozen=True):
    """The command line."""

    config: Annotated[str, msgspec.Meta(description="The path to the JSON configuration file.")] = ""


def main(argv: Sequence[str]) -> int:
    """Run a route emitter until SIGTERM. Exit status 2 for an unusable configuration; 0, as upstream, when it fails later."""
    return go_flags.run("route-emitter", Flags, _emit, argv)


def _emit(flags: Flags) -> int:
    clock = SystemClock()
    try:
        config = load(flags.config)
        log = logger(config, clock)
    except (ConfigurationError, re.error) as error:
        return StartError("failed-to-parse-config", error).report(Lager("route-emitter", Sink()))
    from cfroute.diego.route_emitter.process import Process  # takes longer than to say what is wrong with the file

    process = Process(config, log, clock, random.Random(), lambda: str(uuid.uuid4()))  # noqa: S311
    return daemon.run(process.run)
