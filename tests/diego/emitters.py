"""What stands around a route emitter in tests: NATS, a router that listens, and the emitter's process."""

import asyncio
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import nats

from cfroute.diego.api import DesiredLRP, Port
from cfroute.nats.server import find_binary

from ..ports import free_port
from .conftest import Bench, eventually, pings
from .daemons import Daemon

CELL = "diego_cell/0"


class Nats:
    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [find_binary(), "-a", "127.0.0.1", "-p", str(self.port), "--user", "u", "--pass", "p"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()


class Router:
    """Greets emitters, and writes down what they say."""

    def __init__(self, nats_server: Nats, interval: int, subject: str = "router") -> None:
        self._server = nats_server
        self._interval = interval
        self._subject = subject
        self.heard: asyncio.Queue[tuple[str, dict[str, Any], bytes]] = asyncio.Queue()

    async def __aenter__(self) -> "Router":
        self.client = await nats.connect(
            f"nats://127.0.0.1:{self._server.port}", user="u", password="p", reconnect_time_wait=0.05
        )
        for verb in ("register", "unregister"):
            await self.client.subscribe(f"{self._subject}.{verb}", cb=self._hear)
        await self.client.subscribe(f"{self._subject}.greet", cb=self._answer)
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def start(self) -> None:
        await self.client.publish(f"{self._subject}.start", self._start)
        await self.client.flush()

    @property
    def _start(self) -> bytes:
        message = {"id": "0-x", "hosts": ["127.0.0.1"], "minimumRegisterIntervalInSeconds": self._interval}
        return json.dumps(message | {"pruneThresholdInSeconds": 120}).encode()

    async def _answer(self, message: Any) -> None:
        await self.client.publish(message.reply, self._start)

    async def _hear(self, message: Any) -> None:
        self.heard.put_nowait((message.subject, json.loads(message.data), message.data))

    async def next(self, subject: str) -> dict[str, Any]:
        """The next message; it has to be on this subject."""
        heard, message, _ = await asyncio.wait_for(self.heard.get(), 30)
        assert heard == subject, message
        return message


def configuration(bench: Bench, nats_server: Nats | None, **changes: Any) -> dict[str, Any]:
    """A good configuration for a cell's emitter, but for what is said."""
    c = bench.certificates
    login = {"nats_addresses": f"127.0.0.1:{nats_server.port}", "nats_username": "u", "nats_password": "p"} if nats_server else {}
    return {
        "bbs_address": bench.bbs_url,
        "bbs_ca_cert_file": c.ca,
        "bbs_client_cert_file": c.certificate,
        "bbs_client_key_file": c.key,
        "cell_id": CELL,
        **login,
        "healthcheck_address": f"127.0.0.1:{free_port()}",
        "jitter_factor": 0,
        "bbs_client_session_cache_size": 0,
        "log_level": "debug",
        **changes,
    }


def launch(folder: Path, config: dict[str, Any], name: str = "emitter") -> Daemon:
    """Start an emitter; its files begin with the name."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(config))
    daemon = Daemon("cfroute.diego.route_emitter.main", ["-config", str(file)], folder / f"{name}.log")
    daemon.start()
    return daemon


def emitter(bench: Bench, nats_server: Nats | None, name: str = "emitter", **changes: Any) -> Daemon:
    """An emitter that ends with the bench; its health check answers."""
    config = configuration(bench, nats_server, **changes)
    daemon = launch(bench.folder, config, name)
    bench.cells.append(daemon)
    port = int(config["healthcheck_address"].rpartition(":")[2])
    eventually(lambda: pings(port))
    return daemon


ROUTE = {"cf-router": [{"hostnames": ["a.cf.localhost"], "port": 8080, "route_service_url": "", "protocol": "http1"}]}


def desired(**changes: Any) -> DesiredLRP:
    base = {
        "process_guid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8-1",
        "app_guid": "app",
        "instances": 1,
        "droplet_url": "",
        "command": "",
        "routes": ROUTE,
        "metric_tags": {"app_name": "web"},
    }
    return DesiredLRP(**(base | changes))


PROCESS = desired().process_guid


async def run(bench: Bench, instance: str = "i-0", index: int = 0, port: int = 61001, **changes: Any) -> None:
    """Say, as a cell does, that an instance runs."""
    client = bench.client()
    place = {"address": "10.0.0.1", "ports": [Port(8080, port)], "availability_zone": "z1", **changes}
    await client.start(PROCESS, index, CELL, instance, **place)
    await client.aclose()
