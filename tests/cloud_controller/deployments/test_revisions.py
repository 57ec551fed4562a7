"""Revisions: what apps were started with, and the way back to it."""

from typing import Any

import pytest

from cfroute.cloud_controller.actions import revisions

from .conftest import Deploying


def listed(cc: Any, app: str, query: str = "") -> list[dict[str, Any]]:
    return list(cc.ok("GET", f"/v3/apps/{app}/revisions{query}")["resources"])


def described(cc: Any, app: str) -> list[str]:
    return [each["description"] for each in listed(cc, app)]


def restart(cc: Any, app: str) -> None:
    cc.ok("POST", f"/v3/apps/{app}/actions/restart")


def set_variable(cc: Any, app: str, **variables: str | None) -> None:
    cc.ok("PATCH", f"/v3/apps/{app}/environment_variables", {"var": variables})


def test_what_a_revision_looks_like(cc: Any) -> None:
    app = cc.app()
    droplet = cc.droplet(app)
    cc.ok("PATCH", f"/v3/apps/{app}/processes/web", {"command": "run"})
    cc.ok("POST", f"/v3/apps/{app}/actions/start")
    (shown,) = listed(cc, app)
    path = f"/v3/revisions/{shown['guid']}"
    assert {name: shown[name] for name in ("version", "description", "sidecars", "deployable", "droplet", "processes")} == {
        "version": 1,
        "description": "Initial revision.",
        "sidecars": [],
        "deployable": True,
        "droplet": {"guid": droplet},
        "processes": {"web": {"command": "run"}},
    }
    assert shown["links"]["environment_variables"]["href"] == f"http://api.test{path}/environment_variables"
    assert cc.ok("GET", path) == shown
    assert cc.ok("GET", f"/v3/apps/{app}/processes/web")["relationships"]["revision"] == {"data": {"guid": shown["guid"]}}


def test_there_is_a_new_one_when_something_else_is_started(cc: Any) -> None:
    app = cc.started()
    restart(cc, app)
    assert described(cc, app) == ["Initial revision."]
    set_variable(cc, app, A="1")
    assert described(cc, app) == ["Initial revision."]  # it is not running yet
    restart(cc, app)
    cc.ok("PATCH", f"/v3/apps/{app}/processes/web", {"command": "run"})
    cc.droplet(app)
    restart(cc, app)
    assert described(cc, app)[1:] == [
        "New environment variables deployed.",
        "Custom start command added for 'web' process. New droplet deployed.",
    ]
    assert [each["version"] for each in listed(cc, app, "?order_by=-version")] == [3, 2, 1]


def test_the_variables_of_a_revision_are_those_of_then(cc: Any) -> None:
    app = cc.app()
    cc.droplet(app)
    set_variable(cc, app, A="1")
    cc.ok("POST", f"/v3/apps/{app}/actions/start")
    set_variable(cc, app, A="2")
    (shown,) = listed(cc, app)
    answer = cc.ok("GET", f"/v3/revisions/{shown['guid']}/environment_variables")
    assert answer["var"] == {"A": "1"}
    assert set(answer["links"]) == {"self", "revision", "app"}


def test_revisions_are_found(cc: Any) -> None:
    app = cc.started()
    first = cc.ok("GET", f"/v3/apps/{app}/relationships/current_droplet")["data"]["guid"]
    cc.droplet(app)
    restart(cc, app)
    one, two = (each["guid"] for each in listed(cc, app))

    def found(query: str) -> list[str]:
        return [each["guid"] for each in listed(cc, app, query)]

    assert found("?versions=2") == [two]
    assert found("?versions=2,x") == [two]
    cc.ok("DELETE", f"/v3/droplets/{first}")
    assert (found("?deployable=true"), found("?deployable=false")) == ([two], [one])
    problem = "The query parameter is invalid: Deployable must be a boolean"
    assert cc.detail("GET", f"/v3/apps/{app}/revisions?deployable=x", status=400) == problem
    cc.ok("PATCH", f"/v3/revisions/{one}", {"metadata": {"labels": {"a": "b"}}})
    assert found("?label_selector=a=b") == [one]


def test_only_so_many_are_kept(cc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "KEPT", 2)
    app = cc.started()
    for number in range(3):
        set_variable(cc, app, A=str(number))
        restart(cc, app)
    assert [each["version"] for each in listed(cc, app)] == [3, 4]


def test_what_runs_is_what_is_deployed(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()

    def deployed() -> list[int]:
        return [each["version"] for each in cc.ok("GET", f"/v3/apps/{app}/revisions/deployed")["resources"]]

    assert deployed() == [1]
    set_variable(cc, app, A="1")
    assert deployed() == [1]
    deploying.deploy(app)
    assert deployed() == [1, 2]
    deploying.carry_on(app)
    assert deployed() == [2]
    cc.ok("POST", f"/v3/apps/{app}/actions/stop")
    assert deployed() == []


def test_rolling_back(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    old = cc.desired(app)[0]
    set_variable(cc, app, A="1")
    deploying.deploy(app, droplet={"guid": deploying.droplet(app)})
    deploying.carry_on(app)
    (first, second) = listed(cc, app)
    made = deploying.deploy(app, revision={"guid": first["guid"]})
    assert made["revision"]["version"] == 3
    deploying.carry_on(app)
    (lrp,) = cc.desired(app)
    assert (lrp["droplet_url"], lrp["command"]) == (old["droplet_url"], old["command"])
    assert "A" not in lrp["environment"]
    why = "New droplet deployed. New environment variables deployed. Rolled back to revision 1."
    assert described(cc, app)[-1] == why
    same = "Unable to rollback. The code and configuration you are rolling back to is the same as the deployed revision."
    assert deploying.refused(app, revision={"guid": first["guid"]}) == same
    cc.ok("DELETE", f"/v3/droplets/{second['droplet']['guid']}")
    gone = "Unable to deploy this revision, the droplet for this revision no longer exists."
    assert deploying.refused(app, revision={"guid": second["guid"]}) == gone


def test_rolling_back_brings_the_commands_back(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    cc.ok("PATCH", f"/v3/apps/{app}/processes/web", {"command": "new"})
    restart(cc, app)
    first = listed(cc, app)[0]
    deploying.deploy(app, revision={"guid": first["guid"]})
    deploying.carry_on(app)
    assert [lrp["command"] for lrp in cc.desired(app)] == ["python app.py"]
    cc.ok("POST", f"/v3/apps/{app}/actions/stop")
    deploying.deploy(app, revision={"guid": listed(cc, app)[1]["guid"]})
    assert [lrp["command"] for lrp in cc.desired(app)] == ["new"]


def test_an_app_without_revisions(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    (first,) = listed(cc, app)
    path = f"/v3/apps/{app}/features"
    assert cc.ok("PATCH", f"{path}/revisions", {"enabled": False})["enabled"] is False
    set_variable(cc, app, A="1")
    made = deploying.deploy(app)
    assert made["revision"] is None
    assert listed(cc, app) == [first]
    problem = "Cannot create deployment from a revision for an app without revisions enabled"
    assert deploying.refused(app, revision={"guid": first["guid"]}) == problem


def test_features(cc: Any) -> None:
    path = f"/v3/apps/{cc.app()}/features"
    ssh, shown = cc.ok("GET", path)["resources"]
    assert shown == {"name": "revisions", "description": "Enable versioning of an application", "enabled": True}
    assert cc.ok("GET", f"{path}/ssh") == ssh
    assert cc.ok("PATCH", f"{path}/ssh", {"enabled": False}) == ssh
    assert "SSH is not supported" in cc.detail("PATCH", f"{path}/ssh", {"enabled": True})
    assert cc.detail("PATCH", f"{path}/revisions", {"enabled": "yes"}) == "Enabled must be a boolean"
    assert cc.detail("GET", f"{path}/nothing", status=404) == "Feature not found"
