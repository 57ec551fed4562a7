"""One command line, and two foundations that it reaches by their URLs alone, as it would somebody else's."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Foundation

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def foundations(new_shared: Callable[[], Foundation]) -> tuple[Foundation, Foundation]:
    first, second = new_shared(), new_shared()
    first.up()
    second.up()
    return first, second


@pytest.fixture
def elsewhere(tmp_path: Path) -> Foundation:
    """A command line with a state folder in which nothing has ever run."""
    return Foundation(tmp_path / "nothing")


def log_in(line: Foundation, at: Foundation) -> None:
    password = json.loads(at.ok("info", "--secrets", "--json"))["secrets"]["admin_password"]
    line.ok("login", "-a", at.info["api"], "-u", "admin", "-p", "-", "-o", "local", "-s", "dev", stdin=f"{password}\n")


def test_an_app_is_pushed_to_one_of_two(foundations: tuple[Foundation, Foundation], elsewhere: Foundation) -> None:
    first, second = foundations
    log_in(elsewhere, first)
    pushed = elsewhere.run("push", "web", "--sample", "echo", "-v")
    assert pushed.returncode == 0, pushed.stderr
    assert first.get("web")[0] == 200
    assert [route["url"] for route in json.loads(elsewhere.ok("routes", "--json"))] == ["web.cf.localhost"]
    assert "[APP/PROC/WEB/0]" in elsewhere.ok("logs", "web", "--recent")
    assert "The Routing API is disabled." in elsewhere.run("router-groups").stderr
    elsewhere.ok("create-route", "cf.localhost", "-n", "more")
    elsewhere.ok("map-route", "web", "cf.localhost", "-n", "more")
    elsewhere.ok("restart", "web")
    log_in(elsewhere, second)
    assert json.loads(elsewhere.ok("apps", "--json")) == []
    log_in(elsewhere, first)
    elsewhere.ok("delete", "web", "-f", "-r")
    kept = json.loads((elsewhere.home / "cli.json").read_text())
    secrets = (kept["access_token"], kept["login"]["refresh_token"])
    assert all(secrets)
    assert not any(secret in pushed.stderr for secret in secrets)
    assert "POST /v3/builds HTTP/1.1" in pushed.stderr
    assert stat.S_IMODE((elsewhere.home / "cli.json").stat().st_mode) == 0o600
    assert not (elsewhere.home / "db").joinpath("ccdb.sqlite").exists()


def test_tokens_are_renewed_until_they_are_revoked(foundations: tuple[Foundation, Foundation], elsewhere: Foundation) -> None:
    log_in(elsewhere, foundations[0])
    path = elsewhere.home / "cli.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "access_token": ""}))
    assert "local" in elsewhere.ok("orgs")
    path.write_text(json.dumps({**kept, "access_token": "", "login": {**kept["login"], "refresh_token": "gone"}}))
    ended = elsewhere.run("orgs")
    assert (ended.returncode, ended.stdout) == (1, "FAILED\n")
    assert ended.stderr.startswith("The token expired, was revoked, or the token ID is incorrect.")


def test_users_are_made_there_and_wrong_passwords_end_the_login(
    foundations: tuple[Foundation, Foundation], elsewhere: Foundation
) -> None:
    log_in(elsewhere, foundations[1])
    elsewhere.ok("create-user", "eve", "-", stdin="s3cret\n")
    elsewhere.ok("set-space-role", "eve", "local", "dev", "SpaceDeveloper")
    elsewhere.ok("auth", "eve", "-", stdin="s3cret\n")
    assert json.loads(elsewhere.ok("target", "-o", "local", "-s", "dev", "--json"))["user"] == "eve"
    assert elsewhere.run("auth", "eve", "-", stdin="wrong\n").returncode == 1
    assert elsewhere.run("apps").stderr == "Not logged in. Use 'cfroute login' or 'cfroute login --sso' to log in.\n"


def test_a_client_and_a_passcode(foundations: tuple[Foundation, Foundation], elsewhere: Foundation) -> None:
    first = foundations[0]
    secret = json.loads((first.home / "secrets.json").read_text())["uaa_clients"]["cc_routing"]
    elsewhere.ok("api", first.info["api"])
    elsewhere.ok("auth", "cc_routing", "-", "--client-credentials", stdin=f"{secret}\n")
    assert elsewhere.ok("oauth-token").startswith("bearer ")
    refused = elsewhere.run("login", "--sso-passcode", "-", stdin="nothing\n")
    assert (refused.returncode, "Authenticating...\nFAILED\n" in refused.stdout) == (1, True)


def test_a_certificate_has_to_be_believed(foundations: tuple[Foundation, Foundation], elsewhere: Foundation) -> None:
    """The API behind TLS, through the load balancer: by its authority, or without a look at it."""
    first = foundations[0]
    https = f"https://127.0.0.1:{first.info['https'].rpartition(':')[2]}"
    refused = elsewhere.run("api", https)
    instead = f"commands go on to use the foundation of the state folder, {elsewhere.home}\n"
    tip = "TIP: Use 'cfroute api --skip-ssl-validation' to continue with an insecure API endpoint"
    assert refused.stderr == f"Invalid SSL Cert for {https}\n{tip}\n\nTIP: {instead}"
    # the router knows no route for an address
    unknown = f"API endpoint not found at '{https}'\n\nTIP: {instead}"
    assert elsewhere.run("api", https, "--skip-ssl-validation").stderr == unknown
    assert elsewhere.run("api", https, "--ca-cert", str(first.home / "certs" / "ca.crt")).stderr == unknown
    other = str(foundations[1].home / "certs" / "ca.crt")
    assert elsewhere.run("api", https, "--ca-cert", other).stderr == refused.stderr
