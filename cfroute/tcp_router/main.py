"""`cfroute tcp-router -config FILE`: the TCP router, with upstream's flags, file, log lines and exit statuses."""

import re
import sys
from collections.abc import Sequence

from cfroute import daemon, lager
from cfroute.clock import SystemClock
from cfroute.go import flags as go_flags
from cfroute.tcp_router.flags import Flags


def main(argv: Sequence[str]) -> int:
    """Route until SIGTERM, SIGINT or SIGUSR2 (drain). Exit status 0; 1 when it cannot start or go on; 2 for bad usage, files."""
    try:
        flags = go_flags.parse(argv, Flags)
        log = lager.of_flags("tcp-router", flags)
    except go_flags.HelpAsked:
        sys.stderr.write(go_flags.usage("tcp-router", Flags))
        return 0
    except (go_flags.BadUsage, re.error) as error:
        sys.stderr.write(f"{error}\n{go_flags.usage('tcp-router', Flags)}")
        return 2
    from cfroute.tcp_router.process import SIGNALS, Process  # takes longer than to say what is wrong with the arguments

    return daemon.run(Process(flags, log, SystemClock()).run, signals=SIGNALS)
