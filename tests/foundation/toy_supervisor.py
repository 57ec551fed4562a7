"""Supervises toy daemons; prints `ready`, and errors.

`toy_supervisor.py STATE_DIR TIMEOUT fork|spawn NAME=PORT[:MOOD[:STOP_SECONDS]]…`
"""

import asyncio
import os
import sys
from pathlib import Path

from cfroute.clock import SystemClock
from cfroute.errors import CfrouteError
from cfroute.foundation import locks, processes
from cfroute.foundation.components import Component, Probe
from cfroute.foundation.events import Event, Ready
from cfroute.foundation.hatchery import hatch
from cfroute.foundation.plan import Listener
from cfroute.foundation.supervisor import Supervisor
from cfroute.home import Home
from cfroute.logs import Logger


def component(description: str) -> Component:
    name, _, settings = description.partition("=")
    port, mood, patience, after = [*settings.split(":"), "", "", ""][:4]
    probe = Probe("http", Listener("127.0.0.1", int(port)), "/health")
    if mood == "binary":
        arguments = ("-m", "http.server", "--bind", "127.0.0.1", port)
        return Component(name=name, command=(sys.executable,), arguments=arguments, probe=Probe("tcp", probe.listener))
    stop_seconds = float(patience or 0.3)
    others = (after,) if after else ()
    return Component(name=name, module="toy_daemon", arguments=(port, mood), probe=probe, stop_seconds=stop_seconds, after=others)


def watch(event: Event) -> None:
    if isinstance(event, Ready):
        print("ready", flush=True)


async def run(home: Home, timeout: float, forks: bool, components: list[Component]) -> int:
    with open(home.log("supervisor"), "a") as log:
        logger = Logger("supervisor", stream=log)
        supervisor = Supervisor(home, components, lambda: hatch(home, ["toy_daemon"], forks=forks), SystemClock(), logger)
        supervisor.subscribe(watch)
        return await supervisor.run(timeout)


def main() -> int:
    root, timeout, how, *described = sys.argv[1:]
    home = Home(Path(root))
    try:
        lock = locks.acquire(home)
        processes.end_leftovers(home)
        status = asyncio.run(run(home, float(timeout), how == "fork", [component(text) for text in described]))
        os.close(lock)
    except CfrouteError as error:
        print(f"{type(error).__name__}: {error.message}\n{error.hint}", flush=True)
        return error.exit_code
    return status


if __name__ == "__main__":
    sys.exit(main())
