"""Names as people type them."""

import httpx
import pytest

from cfroute.cli.lookup import part

from .conftest import Run


@pytest.mark.parametrize("name", ["", "two\nlines", "a\x01b", "../apps", ".", "..", "?per_page=1", "☃"])
def test_whatever_is_typed_is_a_name_and_no_other_path(name: str, cfroute: Run) -> None:
    refused = cfroute("feature-flag", name, "--json")
    assert refused.status == 1
    assert refused.error["type"] in ("NotFound", "ApiError")
    assert "internal error" not in refused.error["message"]


@pytest.mark.parametrize("name", [".", "..", "...", "a/../b", "%2E"])
def test_no_name_leads_elsewhere(name: str) -> None:
    """Up from `/v3/apps/GUID/processes/../instances/..` is the app, which `restart-app-instance` deleted."""
    url = httpx.URL(f"http://api.test/processes/{part(name)}/instances/{part(name)}")
    assert url.path == f"/processes/{name}/instances/{name}"


@pytest.mark.parametrize("name", ["", "two\nlines", ".."])
def test_no_other_command_takes_it_for_a_path_either(name: str, cfroute: Run) -> None:
    assert cfroute("create-app", "web").status == 0
    for words in (
        ("set-health-check", "web", "process", "--process", name),
        ("scale", "web", "-i", "2", "--process", name),
        ("set-org-role", name, "local", "OrgAuditor", "--client"),
        ("download-droplet", "web", "--droplet", name or " "),
    ):
        refused = cfroute(*words)
        assert refused.status == 1, words
        assert "internal error" not in refused.err, words
    assert cfroute("app", "web", "--guid").status == 0
