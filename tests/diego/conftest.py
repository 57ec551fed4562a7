"""A BBS, a cell and what they need, as real processes on loopback ports; and a Cloud Controller that is played."""

import asyncio
import datetime
import io
import ipaddress
import os
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cfroute.diego.api import DesiredLRP, Task
from cfroute.diego.client import BBSClient

from .. import waiting
from ..ports import free_port
from .daemons import Daemon

if TYPE_CHECKING:
    from .emitters import Nats

T = TypeVar("T")


def eventually(look: Callable[[], T]) -> T:
    """The first true value of `look`, from daemons that may not answer yet."""
    return waiting.eventually(look, ignoring=OSError)


@dataclass
class Certificates:
    """A CA and one identity for everybody, as files."""

    ca: str
    certificate: str
    key: str


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certs")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bbs")])
    now = datetime.datetime.now(datetime.UTC)

    def certificate(name: x509.Name, public: Any, is_ca: bool) -> bytes:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        if not is_ca:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    files = Certificates(*(str(folder / name) for name in ("ca.crt", "bbs.crt", "bbs.key")))
    Path(files.ca).write_bytes(certificate(issuer, ca_key.public_key(), True))
    Path(files.certificate).write_bytes(certificate(subject, key.public_key(), False))
    Path(files.key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@dataclass
class CloudController:
    """Gives out files, takes droplets and finished tasks, and knows what should run."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    completed: list[Task] = field(default_factory=list)
    desired: list[DesiredLRP] = field(default_factory=list)
    refuse: int = 0


@pytest.fixture
def cloud_controller() -> Iterator[CloudController]:
    played = CloudController()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/internal/v4/desired_lrps":
                self._answer(200, msgspec.json.encode({"desired_lrps": played.desired}))
            else:
                self._answer(200 if self.path in played.files else 404, played.files.get(self.path, b""))

        def do_PUT(self) -> None:
            played.files[self.path] = self._body()
            self._answer(201, b"")

        def do_POST(self) -> None:
            body = self._body()
            if played.refuse:
                played.refuse -= 1
                self._answer(500, b"")
            else:
                played.completed.append(msgspec.json.decode(body, type=Task))
                self._answer(200, b"")

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    played.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield played
    server.shutdown()
    thread.join()
    server.server_close()


def tgz(files: dict[str, str | bytes]) -> bytes:
    """An archive with these files; those that begin with #! can be run."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            data = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755 if data.startswith(b"#!") else 0o644
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def pings(port: int, address: str = "127.0.0.1", path: str = "/ping") -> bool:
    with socket.create_connection((address, port), 1) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(100).startswith(b"HTTP/1.1 200")


class Bench:
    """A BBS and cells in a temporary folder; and a client whose calls can be made without an event loop of one's own."""

    def __init__(self, folder: Path, certificates: Certificates, cloud_controller: CloudController) -> None:
        self.folder = folder
        self.certificates = certificates
        self.cloud_controller = cloud_controller
        self.app_logs = folder / "logs"
        self.app_logs.mkdir()
        self.bbs_port, self.bbs_health = free_port(), free_port()
        self.bbs_url = f"https://127.0.0.1:{self.bbs_port}"
        self.bbs = self._bbs()
        self.cells: list[Daemon] = []

    def _bbs(self) -> Daemon:
        c = self.certificates
        config = {
            "address": "127.0.0.1",
            "port": self.bbs_port,
            "health_port": self.bbs_health,
            "certificate": c.certificate,
            "key": c.key,
            "ca": c.ca,
            "database": str(self.folder / "bbs.sqlite"),
            "cloud_controller_url": self.cloud_controller.url,
            "client_certificate": c.certificate,
            "client_key": c.key,
        }
        (self.folder / "bbs.yml").write_text(yaml.safe_dump(config))
        return Daemon("cfroute.diego.bbs.main", ["-c", str(self.folder / "bbs.yml")], self.folder / "bbs.log")

    def start_bbs(self) -> None:
        self.bbs.start()
        eventually(lambda: pings(self.bbs_health))

    def add_cell(self, number: int = 0, **changes: Any) -> Daemon:
        c = self.certificates
        health = free_port()
        first = 20000 + (os.getpid() * 37) % 8000
        config = {
            "cell_id": f"diego_cell/{number}",
            "address": "127.0.0.1",
            "health_port": health,
            "bbs_url": self.bbs_url,
            "ca": c.ca,
            "client_certificate": c.certificate,
            "client_key": c.key,
            "directory": str(self.folder / "cells" / str(number)),
            "app_logs": str(self.app_logs),
            "system_ca": c.ca,
            "port_range": [first, first + 2000],
            "heartbeat_interval": 0.5,
            "drain_time": 0.1,
            "graceful_shutdown": 2.0,
        } | changes
        file = self.folder / f"rep-{number}.yml"
        file.write_text(yaml.safe_dump(config))
        cell = Daemon("cfroute.diego.cell.main", ["-c", str(file)], self.folder / f"rep-{number}.log")
        cell.start()
        eventually(lambda: pings(health, config["address"]))
        self.cells.append(cell)
        return cell

    def call(self, work: Callable[[BBSClient], Any]) -> Any:
        """Make one call of the BBS."""

        async def do() -> Any:
            client = self.client()
            try:
                return await work(client)
            finally:
                await client.aclose()

        return asyncio.run(do())

    def client(self) -> BBSClient:
        c = self.certificates
        return BBSClient(self.bbs_url, c.ca, c.certificate, c.key)

    def lrp(self, guid: str, files: dict[str, str | bytes], **changes: Any) -> DesiredLRP:
        """A desired LRP whose droplet holds these files under app/."""
        self.cloud_controller.files[f"/{guid}"] = tgz({f"app/{name}": text for name, text in files.items()})
        base = {
            "process_guid": guid,
            "app_guid": f"app-of-{guid}",
            "instances": 1,
            "droplet_url": f"{self.cloud_controller.url}/{guid}",
            "command": "python3 -u server.py",
            "memory_mb": 64,
        }
        return DesiredLRP(**(base | changes))

    def instances(self, guid: str, state: str = "RUNNING") -> list[Any]:
        found = self.call(lambda bbs: bbs.actual_lrps(process_guid=guid))
        return [lrp for lrp in found if lrp.state == state]

    def close(self) -> None:
        daemons = [each for each in (*self.cells, self.bbs) if each.process]
        for daemon in daemons:
            daemon.ask_to_end()
        for daemon in daemons:
            daemon.wait()


@pytest.fixture
def bench(tmp_path: Path, certificates: Certificates, cloud_controller: CloudController) -> Iterator[Bench]:
    bench = Bench(tmp_path, certificates, cloud_controller)
    try:
        bench.start_bbs()
        yield bench
    finally:
        bench.close()


@pytest.fixture
def nats_server() -> Iterator["Nats"]:
    from .emitters import Nats  # which needs this module

    server = Nats()
    server.start()
    yield server
    server.kill()


SERVER = """\
import os, signal, sys, json
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(3)
        body = json.dumps(dict(os.environ)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
def stop(*args):
    print("bye")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("hello from", os.environ["CF_INSTANCE_INDEX"])
print("and an error", file=sys.stderr)
HTTPServer((os.environ.get("LISTEN", ""), int(os.environ["PORT"])), Handler).serve_forever()
"""
