"""A Routing API within the test's own process, on real sockets and files: its start costs no imports."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import yaml

from cfroute import daemon
from cfroute.clock import SystemClock
from cfroute.lager import Lager, Sink
from cfroute.routing_api import config as configuration
from cfroute.routing_api.flags import Flags
from cfroute.routing_api.process import Process

from ..waiting import until
from .daemons import DEADLINE, settings, write_identities


class Lines:
    """What was logged: the data of the last line by its message."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {}

    def write(self, line: str, /) -> object:
        told = json.loads(line)
        self.said[told["message"].removeprefix("x.")] = told["data"]
        return None

    def flush(self) -> object:
        return None


class InProcess:
    """One with settings of the test's own."""

    def __init__(self, folder: Path, *, dev_mode: bool = True, **more: Any) -> None:
        write_identities(folder)
        self.settings = settings(folder, **more)
        config = configuration.parse(yaml.safe_dump(self.settings).encode(), dev_mode=dev_mode)
        self.lines = Lines()
        self.stop = daemon.Stop()
        guids = iter(map(str, range(100)))
        log = Lager("x", Sink(stream=self.lines))
        self.process = Process(config, Flags(ip="127.0.0.1", dev_mode=dev_mode), log, SystemClock(), lambda: next(guids))

    def run(self) -> int:
        """The exit status of one that cannot start."""
        return asyncio.run(asyncio.wait_for(self.process.run(self.stop), DEADLINE))

    async def until_started(self) -> asyncio.Task[int]:
        """Start it; what will be its exit status."""
        running = asyncio.create_task(self.process.run(self.stop))
        await self.until("started")
        return running

    async def until(self, message: str) -> None:
        """Return when it has said that."""
        await until(lambda: message in self.lines.said)

    def listens(self) -> bool:
        """Whether somebody listens on the plain port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.settings["api"]["listen_port"])) == 0
