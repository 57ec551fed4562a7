"""`cfroute routing-api -config FILE -ip IP`: the Routing API, with upstream's flags, file, log lines and exit statuses."""

import uuid
from collections.abc import Sequence

from cfroute import daemon, lager
from cfroute.clock import SystemClock
from cfroute.go import flags as go_flags
from cfroute.routing_api import config as configuration
from cfroute.routing_api.flags import Flags


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 0; 1 when it cannot start or go on; 2 for bad usage or certificates."""
    return go_flags.run("routing-api", Flags, _serve, argv)


def _serve(flags: Flags) -> int:
    log = lager.of_flags("routing-api", flags)
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
