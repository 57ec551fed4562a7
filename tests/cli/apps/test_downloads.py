"""What is downloaded is there as a whole, or not at all."""

import hashlib
import json
import os
import stat
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from cfroute.cli.access.api import Api
from cfroute.cli.access.endpoints import request_error
from cfroute.cli.access.tokens import Tokens
from cfroute.cli.access.transport import Links
from cfroute.cli.apps.downloads import fetch
from cfroute.cli.settings import Settings
from cfroute.errors import CfrouteError
from cfroute.home import Home
from cfroute.testing.clock import ManualClock

from ..access.test_api import jwt

SIZE = 8 * 1024 * 1024
BLOCK = os.urandom(64 * 1024)
WHOLE = hashlib.sha256(BLOCK * (SIZE // len(BLOCK))).hexdigest()
PATH = "/v3/droplets/g/download"


class Store(BaseHTTPRequestHandler):
    """A droplet, here and where a redirect leads; `sent` is how much of it comes. `seen`: what authorizes each request."""

    sent = SIZE
    seen: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Authorization"]))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}{PATH}")  # type: ignore[attr-defined]
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path != PATH:
            body = json.dumps(
                {"errors": [{"code": 10010, "title": "CF-ResourceNotFound", "detail": "Droplet not found"}]}
            ).encode()
            self.send_response(404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        for _ in range(self.sent // len(BLOCK)):
            self.wfile.write(BLOCK)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def api(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An API that has the droplet."""
    monkeypatch.setattr(Store, "seen", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False)
    settings = Settings(access_token=jwt(10_000.0))
    tokens = Tokens(client, settings, home, "", ManualClock(now=1000.0))
    made = Api(Links(client, client, unreachable=request_error), tokens, ManualClock(), lambda _: None)
    yield made
    made.close()
    server.shutdown()
    server.server_close()
    serving.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the droplet is to be; another one is there already."""
    folder = tmp_path / "droplets"
    folder.mkdir()
    (folder / "droplet.tgz").write_bytes(b"the old one")
    return folder / "droplet.tgz"


def checksum(value: str = WHOLE, kind: str = "sha256") -> dict[str, str]:
    return {"type": kind, "value": value}


def test_a_download_is_not_held_in_memory(api: Api, target: Path) -> None:
    tracemalloc.start()
    fetch(api, PATH, target, checksum())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert hashlib.sha256(target.read_bytes()).hexdigest() == WHOLE
    assert most < SIZE / 4
    assert [each.name for each in target.parent.iterdir()] == ["droplet.tgz"]


def test_where_a_redirect_leads_nobody_gets_the_token(api: Api, target: Path) -> None:
    """The real Cloud Controller keeps droplets somewhere else."""
    fetch(api, "/moved", target, checksum())
    assert target.stat().st_size == SIZE
    assert [(path, token is not None) for path, token in Store.seen] == [("/moved", True), (PATH, False)]


@pytest.mark.parametrize("given", [None, {}, checksum("x", "crc"), {"type": "sha256", "value": None}], ids=str)
def test_without_a_checksum_there_is_nothing_to_compare(api: Api, target: Path, given: dict[str, str] | None) -> None:
    fetch(api, PATH, target, given)
    assert target.stat().st_size == SIZE


def test_half_a_download_is_none(api: Api, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "sent", SIZE // 2)
    with pytest.raises(CfrouteError, match="peer closed connection"):
        fetch(api, PATH, target, checksum())
    _untouched(target)


def test_a_damaged_download_is_none(api: Api, target: Path) -> None:
    with pytest.raises(CfrouteError, match=f"What has come is damaged: its sha256 is {WHOLE}, and has to be 00"):
        fetch(api, PATH, target, checksum("00"))
    _untouched(target)


def test_what_is_refused_is_none(api: Api, target: Path) -> None:
    with pytest.raises(CfrouteError, match="Droplet not found"):
        fetch(api, "/v3/droplets/other/download", target, checksum())
    _untouched(target)


def _untouched(target: Path) -> None:
    assert [(each.name, each.read_bytes()) for each in target.parent.iterdir()] == [("droplet.tgz", b"the old one")]


def test_a_link_stays_one(api: Api, target: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest.tgz"
    link.symlink_to(target)
    fetch(api, PATH, link, checksum())
    assert link.is_symlink()
    assert target.stat().st_size == SIZE


def test_a_pipe_stays_one(api: Api, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    fetch(api, PATH, pipe, checksum())
    reader.join()
    assert len(got[0]) == SIZE
    assert stat.S_ISFIFO(pipe.stat().st_mode)
