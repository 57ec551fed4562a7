"""The process of one worker, which only a router's parent starts: `python -m cfroute.gorouter.workers.main DESCRIPTOR`."""

import os
import signal
import socket
from collections.abc import Sequence
from random import Random, SystemRandom

from cfroute.clock import SystemClock
from cfroute.daemon import run
from cfroute.entrance import entry
from cfroute.gorouter.workers.worker import Worker


def main(argv: Sequence[str]) -> int:
    """Serve until the parent ends, or says so, at the other end of the socket with this descriptor.

    Signals are for the parent: here they do nothing, so that who sends one to all processes of the router at once (a terminal,
    an init system) does not take the workers away from under a router that drains.
    """
    rng = Random(SystemRandom().getrandbits(64))  # noqa: S311  (chooses endpoints and request ids, nothing secret)
    worker = Worker(socket.socket(fileno=int(argv[0])), SystemClock(), rng, os.urandom)
    return run(worker.run, signals=(signal.SIGUSR1,))


if __name__ == "__main__":
    entry(main)
