"""A real UAA process, whose key can be changed, and a Routing API that asks for its tokens."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml

from cfroute import certificates

from ..ports import free_port
from ..program import program
from ..waiting import eventually
from .daemons import DEADLINE, Process, settings, write_identities

SECRET = "s:e&c r%t+"


class Uaa:
    """`cfroute uaa` with a client for each kind of scope; its certificate is the folder's id.pem."""

    def __init__(self, folder: Path, issuer: str = "https://uaa.test/oauth/token") -> None:
        self.folder = folder
        self.port = free_port()
        self.issuer = issuer
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self, *, new_key: bool = True) -> None:
        """Start it, with another key unless the last one is to do."""
        key = self.folder / "signing.pem"
        if new_key:
            key.write_bytes(certificates.make_signing_key())
        config = {
            "address": "127.0.0.1",
            "port": self.port,
            "certificate": str(self.folder / "id.pem"),
            "key": str(self.folder / "id.key"),
            "issuer": self.issuer,
            "database": str(self.folder / "uaa.sqlite"),
            "signing_key": str(key),
            "clients": {
                "gorouter": _client("routing.routes.read"),
                "registrar": _client("routing.routes.write", "routing.router_groups.read"),
                "emitter": _client("routing.routes.read", "routing.routes.write"),
                "admin": _client("routing.router_groups.read", "routing.router_groups.write"),
            },
        }
        file = self.folder / "uaa.yml"
        file.write_text(yaml.safe_dump(config))
        with (self.folder / "uaa.log").open("ab") as log:
            self.process = subprocess.Popen([program(), "uaa", "-c", file], stdout=log, stderr=log)
        eventually(self._ready, "a UAA")

    def _ready(self) -> bool:
        try:
            return httpx.get(f"https://127.0.0.1:{self.port}/healthz", verify=False, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(DEADLINE) == 0
            self.process = None

    def token(self, client: str) -> dict[str, str]:
        """A header with a token for that client."""
        url = f"https://127.0.0.1:{self.port}/oauth/token"
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": SECRET}
        answer = httpx.post(url, data=form, verify=False, trust_env=False)
        return {"Authorization": "bearer " + answer.raise_for_status().json()["access_token"]}

    def oauth(self, client: str = "") -> dict[str, Any]:
        """The `oauth` section of who asks this UAA."""
        credentials = {"client_name": client, "client_secret": SECRET} if client else {}
        return {"token_endpoint": "127.0.0.1", "port": self.port, "ca_certs": str(self.folder / "ca.pem"), **credentials}


def _client(*scopes: str) -> dict[str, Any]:
    return {"secret": SECRET, "generated": True, "authorities": list(scopes)}


class Guarded(NamedTuple):
    """A Routing API, and the UAA that it asks who may do what."""

    api: Process
    uaa: Uaa

    def tcp_routes(self) -> list[dict[str, Any]]:
        """Those that there are."""
        with self.api.client(headers=self.uaa.token("emitter")) as client:
            return list(client.get("/tcp_routes").json())


@contextlib.contextmanager
def guarded_routing_api(folder: Path) -> Iterator[Guarded]:
    """Both of them while the block runs, with everything that they need in that folder."""
    write_identities(folder)
    uaa = Uaa(folder)
    try:
        process = Process(folder, settings(folder, oauth=uaa.oauth())).started()
        yield Guarded(process, uaa)
        assert process.end() == 0
        assert "Traceback" not in process.output.read_text()
    finally:
        uaa.stop()
