"""Ports for the servers that tests start."""

import contextlib
import itertools
import os
import random
import socket

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_OURS = range(12000 + _WORKER, 32000, _WORKERS)
_PORTS = itertools.cycle(random.sample(_OURS, len(_OURS)))


def free_port(address: str = "127.0.0.1") -> int:
    """A free port that no other process of this run is given, and no client: the system gives those from 32768 on."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return port
    raise AssertionError("an endless series has ended")
