"""What the foundation cannot do is refused with a reason, for which there is no other place than the API's answer."""

from typing import Any

import pytest

VARIABLES = "/v3/environment_variable_groups"
SSH = "SSH is not supported by this foundation: instances are processes of this machine."


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/v3/buildpacks", "Buildpacks cannot be added"),
        ("PATCH", "/v3/buildpacks/python_buildpack", "Buildpacks cannot be added"),
        ("DELETE", "/v3/buildpacks/python_buildpack", "Buildpacks cannot be added"),
        ("POST", "/v3/buildpacks/python_buildpack/upload", "Buildpacks cannot be added"),
        ("PATCH", "/v3/stacks/cflinuxfs4", "Stacks cannot be added"),
        ("POST", "/v3/isolation_segments", "Isolation segments are not supported"),
        ("POST", "/v3/security_groups", "Security groups are not supported"),
        ("PATCH", f"{VARIABLES}/running", "Environment variable groups are not supported"),
    ],
)
def test_admins_are_told_why_and_others_that_they_may_not(cc: Any, method: str, path: str, said: str) -> None:
    assert cc.detail(method, path).startswith(said)
    with cc.being("stranger"):
        assert cc(method, path).status_code == 403


def test_tasks_are_refused_to_whoever_might_have_them(cc: Any) -> None:
    path = f"/v3/apps/{cc.app()}/tasks"
    assert cc.detail("POST", path, {"command": "ls"}).startswith("Tasks are not supported")
    assert cc.ok("GET", f"{path}?sequence_ids=1&page=1&per_page=1")["resources"] == []
    with cc.being("stranger"):
        assert cc.detail("POST", path, {"command": "ls"}, status=404) == "App not found"


def test_nothing_is_entered_by_ssh(cc: Any) -> None:
    assert cc.ok("GET", f"/v3/apps/{cc.app()}/ssh_enabled") == {"enabled": False, "reason": "Disabled globally"}
    path = f"/v3/spaces/{cc.space}/features/ssh"
    assert cc.ok("PATCH", path, {"enabled": False}) == cc.ok("GET", path)
    assert cc.detail("PATCH", path, {"enabled": True}) == SSH
    assert cc.detail("PATCH", path, {"enabled": 1}) == "Enabled must be a boolean"


@pytest.mark.parametrize("name", ["running", "staging"])
def test_groups_of_variables_are_empty(cc: Any, name: str) -> None:
    found = cc.ok("GET", f"{VARIABLES}/{name}")
    assert (found["name"], found["var"]) == (name, {})


@pytest.mark.parametrize(("kind", "name"), [("stacks", "Stack"), ("buildpacks", "Buildpack")])
def test_stacks_and_buildpacks_have_addresses(cc: Any, kind: str, name: str) -> None:
    for each in cc.ok("GET", f"/v3/{kind}")["resources"]:
        assert cc.ok("GET", f"/v3/{kind}/{each['guid']}") == each
    assert cc.detail("GET", f"/v3/{kind}/none", status=404) == f"{name} not found"
