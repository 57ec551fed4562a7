"""The real daemons: UAA over TLS, BBS and Cloud Controller over mutual TLS, killed at the worst moment."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import yaml

from cfroute import certificates

from .. import waiting
from ..ports import free_port

T = TypeVar("T")


def eventually(look: Callable[[], T]) -> T:
    """The first true value of `look`, from daemons that may not answer yet."""
    return waiting.eventually(look, ignoring=httpx.TransportError)


class Daemons:
    """Three components on free ports, with everything that they need in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("uaa", "api", "internal", "bbs", "health")}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        authority = certificates.make_authority("test CA", time.time())
        identity = certificates.issue(authority, "everybody", ["127.0.0.1"], time.time())
        files = {"ca.crt": authority.certificate, "id.crt": identity.certificate, "id.key": identity.key}
        for name, pem in {**files, "signing.pem": certificates.make_signing_key()}.items():
            (folder / name).write_bytes(pem)
        self.trust = ssl.create_default_context(cafile=folder / "ca.crt")
        self.mutual = ssl.create_default_context(cafile=folder / "ca.crt")
        self.mutual.load_cert_chain(folder / "id.crt", folder / "id.key")
        self.api = f"http://127.0.0.1:{self.ports['api']}"
        self.internal = f"https://127.0.0.1:{self.ports['internal']}"
        self._write()

    def _write(self) -> None:
        (self.folder / "apps").mkdir()
        at = {name: str(self.folder / name) for name in ("ca.crt", "id.crt", "id.key", "signing.pem")}
        client = {"client_certificate": at["id.crt"], "client_key": at["id.key"]}
        uaa = {
            "address": "127.0.0.1",
            "port": self.ports["uaa"],
            "certificate": at["id.crt"],
            "key": at["id.key"],
            "issuer": "https://uaa.test/oauth/token",
            "database": str(self.folder / "uaa.sqlite"),
            "signing_key": at["signing.pem"],
            "clients": {
                "cf": {"scope": ["cloud_controller.admin"], "grants": ["password"]},
            },
            "users": [{"name": "admin", "password": "pw", "groups": ["cloud_controller.admin"]}],
        }
        cloud_controller = {
            "external_port": self.ports["api"],
            "internal_port": self.ports["internal"],
            "internal_certificate": at["id.crt"],
            "internal_key": at["id.key"],
            "ca": at["ca.crt"],
            "uaa_ca": at["ca.crt"],
            **client,
            "database": str(self.folder / "ccdb.sqlite"),
            "blobs": str(self.folder / "blobs"),
            "app_logs": str(self.folder / "apps"),
            "domain": "cf.localhost",
            "external_url": self.api,
            "uaa_url": f"https://127.0.0.1:{self.ports['uaa']}",
            "uaa_issuer": uaa["issuer"],
            "bbs_url": f"https://127.0.0.1:{self.ports['bbs']}",
        }
        bbs = {
            "address": "127.0.0.1",
            "port": self.ports["bbs"],
            "health_port": self.ports["health"],
            "certificate": at["id.crt"],
            "key": at["id.key"],
            "ca": at["ca.crt"],
            "database": str(self.folder / "bbs.sqlite"),
            "cloud_controller_url": self.internal,
            **client,
        }
        for name, config in (("uaa", uaa), ("cloud_controller", cloud_controller), ("diego.bbs", bbs)):
            (self.folder / f"{name}.yml").write_text(yaml.safe_dump(config))

    def start(self, name: str) -> None:
        command = f"import sys; from cfroute.{name}.main import main; sys.exit(main(sys.argv[1:]))"
        with (self.folder / f"{name}.log").open("ab") as log:
            arguments = [sys.executable, "-c", command, "-c", str(self.folder / f"{name}.yml")]
            self.running[name] = subprocess.Popen(arguments, stdout=log, stderr=log)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        process = self.running.pop(name)
        os.kill(process.pid, how)
        return process.wait(30)

    def token(self) -> dict[str, str]:
        form = {"grant_type": "password", "username": "admin", "password": "pw"}
        url = f"https://127.0.0.1:{self.ports['uaa']}/oauth/token"
        answer = httpx.post(url, data=form, auth=("cf", ""), verify=self.trust, trust_env=False)
        return {"Authorization": "bearer " + answer.raise_for_status().json()["access_token"]}

    def ready(self) -> bool:
        return httpx.get(f"{self.api}/healthz", trust_env=False).status_code == 200

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture(scope="module")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemons]:
    """UAA and Cloud Controller run, the BBS does not."""
    found = Daemons(tmp_path_factory.mktemp("daemons"))
    try:
        found.start("uaa")
        found.start("cloud_controller")
        eventually(found.ready)
        eventually(found.token)
        yield found
        assert found.end("cloud_controller") == 0
        assert found.end("uaa") == 0
        assert "Traceback" not in found.log("cloud_controller") + found.log("uaa")
    finally:
        for name in list(found.running):
            found.end(name, signal.SIGKILL)


@pytest.fixture
def api(daemons: Daemons) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=daemons.api, headers=daemons.token(), trust_env=False) as client:
        yield client


def made(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def test_what_is_acknowledged_survives_being_killed_and_what_was_only_begun_does_not(daemons: Daemons, api: httpx.Client) -> None:
    begun = daemons.folder / "blobs/packages/x.5f3a.part"
    begun.write_bytes(b"half")
    for number in range(2):
        name = f"organization-{number}"
        made(api.post("/v3/organizations", json={"name": name}))
        daemons.end("cloud_controller", signal.SIGKILL)
        daemons.start("cloud_controller")
        eventually(daemons.ready)
        found = made(api.get("/v3/organizations", params={"names": name}))["resources"]
        assert [each["name"] for each in found] == [name]
    assert not begun.exists()


def test_several_apps_at_once_while_the_bbs_is_away(api: httpx.Client) -> None:
    space = made(api.get("/v3/spaces"))["resources"][0]["guid"]

    def push(name: str) -> str:
        manifest = yaml.safe_dump({"applications": [{"name": name, "default-route": True, "memory": "64M"}]})
        headers = {"Content-Type": "application/x-yaml"}
        answer = api.post(f"/v3/spaces/{space}/actions/apply_manifest", content=manifest, headers=headers)
        assert made(api.get(answer.headers["location"]))["state"] == "COMPLETE"
        app = made(api.get("/v3/apps", params={"names": name}))["resources"][0]["guid"]
        body = {"type": "bits", "relationships": {"app": {"data": {"guid": app}}}}
        package = made(api.post("/v3/packages", json=body))["guid"]
        bits = b"PK\x05\x06" + bytes(18)
        made(api.post(f"/v3/packages/{package}/upload", files={"bits": ("p.zip", bits)}))
        assert made(api.post("/v3/builds", json={"package": {"guid": package}}))["state"] == "STAGING"
        return str(made(api.get(f"/v3/apps/{app}/routes"))["resources"][0]["url"])

    names = [f"app-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(push, names)) == [f"{name}.cf.localhost" for name in names]


def test_the_bbs_is_filled_and_filled_again(daemons: Daemons, api: httpx.Client) -> None:
    daemons.start("diego.bbs")
    app = _started_app(daemons, api)
    desired = eventually(lambda: _desired(daemons))
    assert [lrp["app_guid"] for lrp in desired] == [app]
    made(api.post(f"/v3/apps/{app}/processes/web/actions/scale", json={"instances": 2}))
    assert [lrp["instances"] for lrp in _desired(daemons)] == [2]
    (stats, _) = made(api.get(f"/v3/apps/{app}/processes/web/stats"))["resources"]
    assert stats["state"] in ("STARTING", "DOWN")
    daemons.end("diego.bbs", signal.SIGKILL)
    for file in daemons.folder.glob("bbs.sqlite*"):
        file.unlink()
    made(api.post(f"/v3/apps/{app}/processes/web/actions/scale", json={"instances": 3}))
    daemons.start("diego.bbs")
    assert [lrp["instances"] for lrp in eventually(lambda: _desired(daemons))] == [3]
    made(api.post(f"/v3/apps/{app}/actions/stop"))
    eventually(lambda: _desired(daemons) == [])
    assert daemons.end("diego.bbs") == 0


def _started_app(daemons: Daemons, api: httpx.Client) -> str:
    space = made(api.get("/v3/spaces"))["resources"][0]["guid"]
    body = {"name": "music", "relationships": {"space": {"data": {"guid": space}}}}
    app = str(made(api.post("/v3/apps", json=body))["guid"])
    body = {"type": "bits", "relationships": {"app": {"data": {"guid": app}}}}
    package = made(api.post("/v3/packages", json=body))["guid"]
    made(api.post(f"/v3/packages/{package}/upload", files={"bits": ("p.zip", b"PK\x05\x06" + bytes(18))}))
    build = made(api.post("/v3/builds", json={"package": {"guid": package}}))["guid"]
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{daemons.internal}/internal/v4/desired_lrps", verify=daemons.trust, trust_env=False)
    with httpx.Client(base_url=daemons.internal, verify=daemons.mutual, trust_env=False) as cell:
        cell.put(f"/internal/v4/builds/{build}/droplet", content=b"tgz").raise_for_status()
        task = {"task_guid": build, "app_guid": app, "package_url": "", "droplet_upload_url": "", "completion_url": ""}
        result = {"result": '{"process_types": {"web": "run"}}'}
        cell.post(f"/internal/v4/builds/{build}/completed", json=task | result).raise_for_status()
    droplet = made(api.get(f"/v3/builds/{build}"))["droplet"]
    made(api.patch(f"/v3/apps/{app}/relationships/current_droplet", json={"data": droplet}))
    made(api.post(f"/v3/apps/{app}/actions/start"))
    return app


def _desired(daemons: Daemons) -> list[dict[str, Any]]:
    url = f"https://127.0.0.1:{daemons.ports['bbs']}/v1/desired_lrps/list"
    answer = httpx.post(url, json={}, verify=daemons.mutual, trust_env=False)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["desired_lrps"]
    return found
