"""`cfroute routing-api -config FILE -ip IP`: the Routing API, with upstream's flags, file, log lines and exit statuses."""

import re
import sys
import uuid
from collections.abc import Sequence

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.lager import LEVELS, Lager, Sink, redactor
from cfroute.routing_api import config as configuration
from cfroute.routing_api import flags as command_line


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 0; 1 when it cannot start or go on; 2 for bad usage or certificates."""
    try:
        flags = command_line.parse(argv)
        redact = redactor(flags.redact_patterns) if flags.redact_secrets else None
    except command_line.HelpAsked:
        sys.stderr.write(command_line.USAGE)
        return 0
    except (command_line.BadUsage, re.error) as error:
        sys.stderr.write(f"{error}\n{command_line.USAGE}")
        return 2
    rfc3339 = flags.time_format == "rfc3339"
    log = Lager("routing-api", Sink(LEVELS[flags.log_level], rfc3339=rfc3339, redact=redact))
    for given, problem in ((flags.config, "No configuration file provided"), (flags.ip, "No ip address provided")):
        if not given:
            log.error("failed-check-flags", error=problem)
            return 1
    try:
        config = configuration.load(flags.config, dev_mode=flags.dev_mode)
    except configuration.ConfigError as error:
        log.error("failed-load-config", error=str(error))
        return 1
    from cfroute.routing_api.process import Process  # takes longer than to say what is wrong with the arguments

    process = Process(config, flags, log, SystemClock(), lambda: str(uuid.uuid4()))
    return daemon.run(process.run)
