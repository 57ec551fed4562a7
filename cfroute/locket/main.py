"""`cfroute locket -config FILE`: Locket, with upstream's flag, file, log lines and exit statuses."""

import re
import uuid
from collections.abc import Sequence
from typing import Annotated

import msgspec

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.errors import ConfigurationError
from cfroute.go import flags as go_flags
from cfroute.lager import Lager, Sink, sink_of
from cfroute.locket import config as configuration
from cfroute.locket.process import Process
from cfroute.start_error import StartError


class Flags(msgspec.Struct, frozen=True):
    """What was said, or the defaults."""

    config: Annotated[str, msgspec.Meta(description="Path to Locket JSON Configuration file")] = ""


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 0; 1 when it cannot go on, 2 when it cannot start, or for bad usage."""
    return go_flags.run("locket", Flags, _serve, argv)


def _serve(flags: Flags) -> int:
    try:
        config = configuration.load(flags.config)
        log = Lager("locket", sink_of(config))
    except (ConfigurationError, re.error) as error:
        return StartError("invalid-config-file", error).report(Lager("locket", Sink()))
    return daemon.run(Process(config, log, SystemClock(), lambda: str(uuid.uuid4())).run)
