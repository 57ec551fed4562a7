"""A relay in a process of its own: `python -m tests.relay.alone PORT BACKEND_PORT [DESCRIPTORS]`.

It tells what happens on stdout. With DESCRIPTORS it has only so many left when it begins.
"""

import contextlib
import os
import resource
import sys

from cfroute.clock import SystemClock
from cfroute.daemon import Stop, run
from cfroute.relay import Backend, Listener, Relay

HOST = "127.0.0.1"
MOST = 300  # descriptors of a process that is to have few


class Teller:
    """A watcher that says everything."""

    def backend_failed(self, port: int, backend: Backend, reason: str) -> None:
        print("failed", reason, flush=True)

    def accepting_paused(self, reason: str) -> None:
        print("paused", reason, flush=True)

    def accepting_resumed(self) -> None:
        print("resumed", flush=True)


def occupy(left: int) -> None:
    """Use up all descriptors but so many."""
    taken = []
    with contextlib.suppress(OSError):
        while True:
            taken.append(os.dup(0))
    for fd in taken[:left]:
        os.close(fd)


async def serve(stop: Stop) -> int:
    port, backend, *few = map(int, sys.argv[1:])
    if few:
        resource.setrlimit(resource.RLIMIT_NOFILE, (MOST, MOST))
    relay = Relay(HOST, SystemClock(), Teller())
    relay.apply({port: Listener((Backend(HOST, backend),))})
    for left in few:
        occupy(left)
    print("ready", flush=True)
    await stop.wait()
    relay.close()
    return 0


if __name__ == "__main__":
    sys.exit(run(serve))
