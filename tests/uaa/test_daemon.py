"""What only a process shows: that what was acknowledged outlives it, and that it is one of the quick ones."""

import httpx
import pytest

from cfroute.uaa.config import Config

from .conftest import new_user
from .daemon import Daemon


def login(daemon: Daemon, name: str, password: str) -> httpx.Response:
    form = {"grant_type": "password", "username": name, "password": password}
    return httpx.post(f"{daemon.url}/oauth/token", auth=("cf", ""), data=form, verify=daemon.trusts)


@pytest.mark.statement("UAA 1", "HTTPS only, with a certificate that clients check")
def test_what_was_acknowledged_outlives_a_kill(config: Config) -> None:
    with Daemon(config) as daemon:
        tokens = login(daemon, "admin", "pw").json()
        admin = {"Authorization": f"bearer {tokens['access_token']}"}
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{daemon.url}/login")
        made = httpx.post(f"{daemon.url}/Users", json=new_user("bob"), headers=admin, verify=daemon.trusts)
        assert made.status_code == 201
        daemon.kill()
        daemon.start()
        assert login(daemon, "bob", "s3cret").status_code == 200
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        again = httpx.post(f"{daemon.url}/oauth/token", auth=("cf", ""), data=form, verify=daemon.trusts)
        assert again.status_code == 200
