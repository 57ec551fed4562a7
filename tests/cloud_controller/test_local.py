"""The API and the UAA without processes: what the command line uses while the foundation is down."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cfroute import certificates
from cfroute.cloud_controller.local import local_app
from cfroute.home import Home
from cfroute.uaa.local import local_app as local_uaa

ISSUER = "https://uaa.test/oauth/token"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "state")
    home.create()
    home.signing_key.write_bytes(certificates.make_signing_key())
    home.verification_key.write_bytes(certificates.public_half(home.signing_key.read_bytes()))
    uaa: dict[str, Any] = {
        "issuer": ISSUER,
        "database": str(home.databases / "uaa.sqlite"),
        "signing_key": str(home.signing_key),
        "clients": {
            "cf": {"scope": ["cloud_controller.admin"], "grants": ["password"]},
            "cloud_controller_username_lookup": {"secret": "s", "generated": True, "authorities": ["scim.userids"]},
        },
        "users": [{"name": "admin", "password": "pw", "groups": ["cloud_controller.admin"]}],
    }
    cloud_controller = {
        "database": str(home.databases / "ccdb.sqlite"),
        "blobs": str(home.blobs),
        "app_logs": str(home.app_logs),
        "domain": "cf.localhost",
        "uaa_url": "https://uaa.test",
        "uaa_issuer": ISSUER,
        "uaa_public_key": str(home.verification_key),
        "external_url": "http://api.test",
        "uaa_client_secret": "s",
    }
    (home.config / "uaa.yml").write_text(yaml.safe_dump(uaa))
    (home.config / "cloud_controller_ng.yml").write_text(yaml.safe_dump(cloud_controller))
    return home


def test_everything_but_what_needs_running_instances(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    async def talk() -> None:
        form = {"grant_type": "password", "username": "admin", "password": "pw"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(local_uaa(home)), base_url="https://uaa") as uaa:
            token = (await uaa.post("/oauth/token", data=form, auth=("cf", ""))).json()["access_token"]
        transport = httpx.ASGITransport(local_app(home, local_uaa(home)))
        headers = {"Authorization": f"bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as api:
            space = (await api.get("/v3/spaces")).json()["resources"][0]["guid"]
            body = {"name": "a", "relationships": {"space": {"data": {"guid": space}}}}
            app = (await api.post("/v3/apps", json=body)).json()["guid"]
            assert (await api.get(f"/v3/apps/{app}/processes/web/stats")).json() == {"resources": []}
            package = {"type": "bits", "relationships": {"app": {"data": {"guid": app}}}}
            guid = (await api.post("/v3/packages", json=package)).json()["guid"]
            bits = {"bits": ("p.zip", b"PK\x05\x06" + bytes(18))}
            await api.post(f"/v3/packages/{guid}/upload", files=bits)
            refused = await api.post("/v3/builds", json={"package": {"guid": guid}})
            assert refused.status_code == 503
            assert "cfroute up" in refused.json()["errors"][0]["detail"]

    asyncio.run(talk())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("package", ["cloud_controller", "uaa"])
def test_importing_costs_no_database(package: str) -> None:
    code = f"import sys, cfroute.{package}.local, cfroute.{package}.main; print('sqlalchemy' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "False\n"


def test_names_of_users_are_had_from_the_uaa_in_the_same_process(home: Home) -> None:
    async def talk() -> None:
        near = local_uaa(home)
        form = {"grant_type": "password", "username": "admin", "password": "pw"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(near), base_url="https://uaa") as uaa:
            token = (await uaa.post("/oauth/token", data=form, auth=("cf", ""))).json()["access_token"]
        headers = {"Authorization": f"bearer {token}"}
        transport = httpx.ASGITransport(local_app(home, near))
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as api:
            user = (await api.post("/v3/users", json={"username": "admin", "origin": "uaa"})).json()
            assert (user["username"], user["origin"]) == ("admin", "uaa")
            assert (await api.get("/v3/users?usernames=admin")).json()["resources"] == [user]

    asyncio.run(talk())
