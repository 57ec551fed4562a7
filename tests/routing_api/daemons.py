"""A real Routing API process and what its clients do with it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from cfroute import certificates

from ..ports import free_port
from ..program import program
from ..waiting import eventually

DEADLINE = 30.0


def write_identities(folder: Path) -> None:
    """An authority and one identity for everybody: ca.pem, id.pem, id.key."""
    authority = certificates.make_authority("routing", time.time())
    identity = certificates.issue(authority, "everybody", ["127.0.0.1", "localhost"], time.time())
    for name, pem in (("ca.pem", authority.certificate), ("id.pem", identity.certificate), ("id.key", identity.key)):
        (folder / name).write_bytes(pem)


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    """A good configuration on free ports, with SQLite, but for what is said."""
    api = {
        "listen_port": free_port(),
        "mtls_listen_port": free_port(),
        "mtls_client_ca_file": str(folder / "ca.pem"),
        "mtls_server_cert_file": str(folder / "id.pem"),
        "mtls_server_key_file": str(folder / "id.key"),
        "http_enabled": True,
    }
    return {
        "admin_port": free_port(),
        "log_guid": "routing_api",
        "system_domain": "sys.test",
        "metrics_reporting_interval": "200ms",
        "statsd_client_flush_interval": "10ms",
        "uuid": "me",
        "sqldb": {"type": "sqlite", "schema": str(folder / "routing.sqlite")},
        "router_groups": [{"name": "default-tcp", "type": "tcp", "reservable_ports": "1024-1123"}],
        **more,
        "api": {**api, **more.get("api", {})},
        "cfroute": {"address": "127.0.0.1", **more.get("cfroute", {})},
    }


class Process:
    """`cfroute routing-api`, from its start to its end. It has its files in `folder`, and the identities are there."""

    def __init__(self, folder: Path, config: dict[str, Any], *arguments: str) -> None:
        self.config = config
        self.output = folder / "routing-api.log"
        file = folder / "routing-api.yml"
        file.write_text(yaml.safe_dump(config))
        command = [str(program()), "routing-api", "-config", str(file), "-ip", "127.0.0.1", *arguments]
        self._before = len(self._lines())
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        self.port: int = config["api"]["listen_port"]
        self.mtls_port: int = config["api"]["mtls_listen_port"]

    def started(self) -> "Process":
        """Return when it says that it has started."""
        eventually(lambda: self.process.poll() is not None or self.said("started"), "a start")
        assert self.process.poll() is None, self.output.read_text()
        return self

    def _lines(self) -> list[str]:
        return self.output.read_text().splitlines() if self.output.exists() else []

    def said(self, message: str) -> list[dict[str, Any]]:
        """The data of the lines with that message since the start."""
        told = f'"message":"routing-api.{message}"'
        return [json.loads(line)["data"] for line in self._lines()[self._before :] if told in line]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit status."""
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        return self.process.wait(DEADLINE)

    def client(self, **options: Any) -> httpx.Client:
        """A client of the plain listener; paths count from /routing/v1."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}/routing/v1", trust_env=False, timeout=DEADLINE, **options)

    @contextlib.contextmanager
    def events(self, path: str = "/tcp_routes/events", **headers: str) -> Iterator["Events"]:
        """Listen to an event stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        connection.request("GET", f"/routing/v1{path}", headers=headers)
        response = connection.getresponse()
        try:
            yield Events(response)
        finally:
            response.close()
            connection.close()


class Events:
    """An open event stream."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response

    def next(self) -> tuple[int, str, dict[str, Any]]:
        """Number, name and data of the next event."""
        fields = [self.response.readline().decode().rstrip("\n").partition(": ") for _ in range(4)]
        names = [name for name, _, _ in fields]
        assert names == ["id", "event", "data", ""], names
        return int(fields[0][2]), fields[1][2], json.loads(fields[2][2])
