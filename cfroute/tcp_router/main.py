"""`cfroute tcp-router -config FILE`: the TCP router, with upstream's flags, file, log lines and exit statuses."""

from collections.abc import Sequence

from cfroute import daemon, lager
from cfroute.clock import SystemClock
from cfroute.go import flags as go_flags
from cfroute.tcp_router.flags import Flags


def main(argv: Sequence[str]) -> int:
    """Route until SIGTERM, SIGINT or SIGUSR2 (drain). Exit status 0; 1 when it cannot start or go on; 2 for bad usage, files."""
    return go_flags.run("tcp-router", Flags, _route, argv)


def _route(flags: Flags) -> int:
    log = lager.of_flags("tcp-router", flags)
    from cfroute.tcp_router.process import SIGNALS, Process  # takes longer than to say what is wrong with the arguments

    return daemon.run(Process(flags, log, SystemClock()).run, signals=SIGNALS)
