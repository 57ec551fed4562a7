"""Deployments by the API, carried on by the worker."""

from typing import Any

import pytest

from cfroute.cloud_controller.models import Deployment
from cfroute.diego.client import BBSUnavailable

from .conftest import Deploying

IN_FLIGHT = "while a deployment is in flight."


def link(path: str, method: str | None = None) -> dict[str, str]:
    return {"href": f"http://api.test/v3{path}"} | ({"method": method} if method else {})


def test_what_a_deployment_looks_like(deploying: Deploying) -> None:
    app = deploying.app()
    old = deploying.cc.ok("GET", f"/v3/apps/{app}/relationships/current_droplet")["data"]["guid"]
    droplet = deploying.droplet(app)
    made = deploying.deploy(app, droplet={"guid": droplet}, metadata={"labels": {"tier": "web"}})
    ((_, _), (new, _)) = deploying.webs(app)
    (revision,) = (each for each in deploying.cc.ok("GET", f"/v3/apps/{app}/revisions")["resources"] if each["version"] == 2)
    assert made["status"] == {
        "value": "ACTIVE",
        "reason": "DEPLOYING",
        "details": {"last_successful_healthcheck": made["created_at"], "last_status_change": made["created_at"]},
    }
    assert (made["strategy"], made["options"]) == ("rolling", {"max_in_flight": 1})
    assert (made["droplet"], made["previous_droplet"]) == ({"guid": droplet}, {"guid": old})
    assert made["new_processes"] == [{"guid": new, "type": "web"}]
    assert made["revision"] == {"guid": revision["guid"], "version": 2}
    assert made["relationships"] == {"app": {"data": {"guid": app}}}
    assert made["metadata"] == {"labels": {"tier": "web"}, "annotations": {}}
    path = f"/deployments/{made['guid']}"
    assert made["links"] == {
        "self": link(path),
        "app": link(f"/apps/{app}"),
        "cancel": link(f"{path}/actions/cancel", "POST"),
    }
    assert deploying.cc.ok("GET", f"/v3{path}") == made


def test_instances_are_replaced_one_by_one(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    (old, _), droplet = deploying.webs(app)[0], deploying.droplet(app)
    made = deploying.deploy(app, droplet={"guid": droplet})
    new = made["new_processes"][0]["guid"]
    seen = [deploying.numbers(app)]
    while deploying.status(made) != ("FINALIZED", "DEPLOYED"):
        cc.clock.advance(1)
        deploying.up(app)
        assert deploying.look()
        seen.append(deploying.numbers(app))
    assert seen == [[3, 1], [2, 2], [1, 3], [3]]
    assert deploying.webs(app) == [(new, 3)]
    assert not deploying.look()
    (lrp,) = cc.desired(app)
    assert (lrp["process_guid"].startswith(new), lrp["command"]) == (True, "python new.py")
    assert cc.detail("GET", f"/v3/processes/{old}", status=404) == "Process not found"
    shown = cc.ok("GET", f"/v3/deployments/{made['guid']}")
    assert "cancel" not in shown["links"]
    assert shown["status"]["details"]["last_successful_healthcheck"] == "2023-11-14T22:13:23Z"
    assert {app} in cc.diego.pushed


def test_both_processes_have_the_routes(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    cc.map(cc.route(), app)
    deploying.deploy(app)
    hosts = [[route["hostnames"] for route in lrp["routes"]["cf-router"]] for lrp in cc.desired(app)]
    assert hosts == [[["music.cf.localhost"]]] * 2


def test_the_new_process_is_as_the_old_one_and_is_the_one_that_is_asked_for(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    change = {"command": "run", "metadata": {"labels": {"a": "b"}}, "health_check": {"type": "http", "data": {"endpoint": "/h"}}}
    cc.ok("PATCH", f"/v3/apps/{app}/processes/web", change)
    cc.ok("POST", f"/v3/apps/{app}/processes/web/actions/scale", {"memory_in_mb": 77})
    made = deploying.deploy(app, options={"disk_in_mb": 99})
    shown = cc.ok("GET", f"/v3/apps/{app}/processes/web")
    assert shown["guid"] == made["new_processes"][0]["guid"]
    assert (shown["command"], shown["metadata"]["labels"]) == ("run", {"a": "b"})
    assert shown["health_check"]["data"]["endpoint"] == "/h"
    assert (shown["memory_in_mb"], shown["disk_in_mb"]) == (77, 99)
    assert [each["disk_in_mb"] for each in cc.ok("GET", f"/v3/apps/{app}/processes")["resources"]] == [1024, 99]
    stats = cc.ok("GET", f"/v3/processes/{shown['guid']}/stats")["resources"]
    assert [each["state"] for each in stats] == ["DOWN"]


def test_several_at_once_and_another_number(deploying: Deploying) -> None:
    app = deploying.app(2)
    made = deploying.deploy(app, options={"max_in_flight": 2, "web_instances": 5})
    assert made["options"] == {"max_in_flight": 2, "web_instances": 5}
    assert deploying.numbers(app) == [2, 2]
    deploying.carry_on(app)
    assert deploying.numbers(app) == [5]


@pytest.mark.parametrize(
    ("options", "exceeded"),
    [
        ({"web_instances": 5}, "memory space_quota_exceeded, app_instance_limit space_app_instance_limit_exceeded"),
        ({"memory_in_mb": 2049}, "memory space_quota_exceeded, memory space_instance_memory_limit_exceeded"),
    ],
    ids=["instances", "memory"],
)
def test_what_a_deployment_asks_for_has_to_fit_into_the_quota(
    deploying: Deploying, options: dict[str, int], exceeded: str
) -> None:
    app = deploying.app(2)
    limit(deploying, total_instances=4, total_memory_in_mb=4096, per_process_memory_in_mb=2048)
    told = f"{exceeded} for space dev. This space's quota may not be large enough to support rolling deployments"
    assert deploying.refused(app, options=options) == f"{told} or your configured max-in-flight."
    deploying.deploy(app, options={"web_instances": 3})
    deploying.carry_on(app)
    assert deploying.numbers(app) == [3]


def test_a_deployment_grows_no_further_than_the_quota_and_goes_on_when_there_is_room(deploying: Deploying) -> None:
    app = deploying.app(1)
    made = deploying.deploy(app, options={"web_instances": 4})
    quota = limit(deploying, total_instances=3)
    for _ in range(5):
        deploying.up(app)
        assert deploying.look()
    assert sum(deploying.numbers(app)) <= 3
    assert deploying.status(made) == ("ACTIVE", "DEPLOYING")
    error = deploying.cc.ok("GET", f"/v3/deployments/{made['guid']}")["status"]["details"]["error"]
    assert error.startswith("app_instance_limit space_app_instance_limit_exceeded for space dev.")
    deploying.cc.ok("PATCH", f"/v3/space_quotas/{quota}", {"apps": {"total_instances": 5}})
    deploying.carry_on(app)
    assert (deploying.numbers(app), deploying.status(made)) == ([4], ("FINALIZED", "DEPLOYED"))


def test_what_cannot_grow_can_be_cancelled(deploying: Deploying) -> None:
    app = deploying.app(2)
    made = deploying.deploy(app, options={"web_instances": 6})
    limit(deploying, total_instances=2)
    deploying.up(app)
    deploying.look()
    deploying.cc.ok("POST", f"/v3/deployments/{made['guid']}/actions/cancel")
    deploying.carry_on(app)
    assert (deploying.numbers(app), deploying.status(made)) == ([2], ("FINALIZED", "CANCELED"))


def limit(deploying: Deploying, **apps: int) -> str:
    """Give the space a quota; the quota's guid."""
    cc = deploying.cc
    relationships = {
        "organization": {"data": {"guid": cc.organization}},
        "spaces": {"data": [{"guid": cc.space}]},
    }
    return str(cc.ok("POST", "/v3/space_quotas", {"name": "q", "apps": apps, "relationships": relationships})["guid"])


def test_other_processes_begin_anew_at_the_end(deploying: Deploying) -> None:
    cc, app = deploying.cc, cc_app(deploying)
    before = {lrp["process_type"]: lrp["process_guid"] for lrp in cc.desired(app)}
    deploying.deploy(app)
    deploying.up(app)
    assert {lrp["process_guid"] for lrp in cc.desired(app) if lrp["process_type"] == "worker"} == {before["worker"]}
    deploying.carry_on(app)
    (after,) = (lrp["process_guid"] for lrp in cc.desired(app) if lrp["process_type"] == "worker")
    assert after != before["worker"]
    assert after.startswith(before["worker"][:9])


def cc_app(deploying: Deploying) -> str:
    """An app with a worker besides its web process."""
    cc = deploying.cc
    app = str(cc.app())
    cc.droplet(app, '{"process_types": {"web": "python app.py", "worker": "python worker.py"}}')
    cc.ok("POST", f"/v3/apps/{app}/processes/worker/actions/scale", {"instances": 1})
    cc.ok("POST", f"/v3/apps/{app}/actions/start")
    deploying.up(app)
    return app


def test_a_stopped_app_is_only_started(deploying: Deploying) -> None:
    cc = deploying.cc
    app = cc.app()
    droplet = cc.droplet(app)
    made = deploying.deploy(app, droplet={"guid": droplet}, options={"web_instances": 2, "memory_in_mb": 64})
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")
    assert made["new_processes"] == []
    assert cc.ok("GET", f"/v3/apps/{app}")["state"] == "STARTED"
    (lrp,) = cc.desired(app)
    assert (lrp["instances"], lrp["memory_mb"]) == (2, 64)
    assert not deploying.look()


# what goes wrong


def test_instances_that_crash_hold_it_up_and_say_why(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app)
    deploying.run(app, "CRASHED", "Exited with status 1")
    for _ in range(5):
        assert deploying.look()
    shown = cc.ok("GET", f"/v3/deployments/{made['guid']}")["status"]
    assert (shown["value"], shown["reason"]) == ("ACTIVE", "DEPLOYING")
    assert shown["details"]["error"] == "Instance 0: Exited with status 1"
    assert deploying.numbers(app) == [3, 1]
    deploying.carry_on(app)
    assert "error" not in cc.ok("GET", f"/v3/deployments/{made['guid']}")["status"]["details"]


def test_a_bbs_that_is_away_is_waited_for(deploying: Deploying, monkeypatch: pytest.MonkeyPatch) -> None:
    app = deploying.app()
    made = deploying.deploy(app)

    async def away(_guid: str) -> Any:
        raise BBSUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(deploying.cc.diego, "running", away)
        assert [deploying.look() for _ in range(3)] == [True] * 3
    assert deploying.cc.log.text.count("deployments-wait") == 1
    deploying.carry_on(app)
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")


@pytest.mark.parametrize("meanwhile", ["superseded", "deleted"])
def test_what_is_over_when_it_was_looked_at_is_left_alone(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app)
    deploying.up(app)
    before = deploying.numbers(app)

    async def slow(_guid: str) -> Any:
        with cc.platform.database.writing() as session:
            row = session.get(Deployment, made["guid"])
            if row and meanwhile == "deleted":
                session.delete(row)
            elif row:
                row.state = "DEPLOYED"
        return cc.diego.actual

    monkeypatch.setattr(cc.diego, "running", slow)
    assert deploying.look()
    assert deploying.numbers(app) == before
    assert not deploying.look()


def test_a_new_worker_goes_on_where_the_old_one_was(deploying: Deploying) -> None:
    app = deploying.app()
    made = deploying.deploy(app)
    deploying.up(app)
    deploying.look()
    deploying.begin()
    deploying.carry_on(app)
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")


def test_a_stopped_app_waits_and_goes_on_when_it_is_started(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app)
    cc.ok("POST", f"/v3/apps/{app}/actions/stop")
    for _ in range(3):
        deploying.up(app)
        assert deploying.look()
    assert deploying.status(made) == ("ACTIVE", "DEPLOYING")
    cc.ok("POST", f"/v3/apps/{app}/actions/start")
    deploying.carry_on(app)
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")


def test_an_app_that_is_restarted_goes_on(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app)
    deploying.up(app)
    deploying.look()
    cc.ok("POST", f"/v3/apps/{app}/actions/restart")
    deploying.look()
    deploying.carry_on(app)
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")
    assert deploying.numbers(app) == [3]


def test_an_app_that_is_deleted_takes_its_deployments_along(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app)
    cc.ok("DELETE", f"/v3/apps/{app}")
    assert cc.detail("GET", f"/v3/deployments/{made['guid']}", status=404) == "Deployment not found"
    assert not deploying.look()


@pytest.mark.parametrize("strategy", ["rolling", "canary"])
def test_the_web_process_is_left_alone_meanwhile(deploying: Deploying, strategy: str) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app, strategy=strategy)
    web = f"/v3/apps/{app}/processes/web"
    assert cc.detail("POST", f"{web}/actions/scale", {"instances": 1}) == f"Cannot scale this process {IN_FLIGHT}"
    assert cc.detail("PATCH", web, {"command": "x"}) == f"Cannot update this process {IN_FLIGHT}"
    droplet = {"data": made["droplet"]}
    assert cc.detail("PATCH", f"/v3/apps/{app}/relationships/current_droplet", droplet) == (
        "Unable to assign current droplet while the app has a deployment in progress. "
        "Wait for the deployment to complete or cancel it."
    )
    cc.ok("POST", f"/v3/deployments/{made['guid']}/actions/cancel")
    deploying.carry_on(app)
    cc.ok("POST", f"{web}/actions/scale", {"instances": 1})


def test_a_manifest_does_not_change_it_either(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    deploying.deploy(app)

    def errors(manifest: str) -> list[str]:
        path = f"/v3/spaces/{cc.space}/actions/apply_manifest"
        answer = cc("POST", path, content=manifest.encode(), headers={"Content-Type": "application/x-yaml"})
        job = cc.ok("GET", answer.headers["location"])
        return [each["detail"] for each in job["errors"]]

    named = "applications:\n- name: music\n"
    assert errors(named) == []
    assert errors(f"{named}  instances: 2\n") == [f"For application 'music': Cannot scale this process {IN_FLIGHT}"]
    assert errors(f"{named}  command: x\n") == [f"For application 'music': Cannot update this process {IN_FLIGHT}"]
    assert [line for line in cc("GET", f"/v3/apps/{app}/manifest").text.split("\n") if "type: web" in line] == ["  - type: web"]


def test_a_manifest_leaves_what_runs_as_it_is(deploying: Deploying) -> None:
    """A rolling push applies it first: another size must not end the old instances before the new ones are there."""
    cc, app = deploying.cc, deploying.app()
    before = cc.desired(app)
    manifest = b"applications:\n- name: music\n  memory: 99M\n  health-check-type: process\n"
    path = f"/v3/spaces/{cc.space}/actions/apply_manifest"
    answer = cc("POST", path, content=manifest, headers={"Content-Type": "application/x-yaml"})
    assert cc.ok("GET", answer.headers["location"])["errors"] == []
    assert cc.desired(app) == before
    deploying.deploy(app)
    (old, new) = cc.desired(app)
    assert (old, new["memory_mb"], new["health_check"]["type"]) == (before[0], 99, "process")


# cancelling, superseding


def test_cancelling_goes_back_to_the_old_droplet(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    (old, _) = deploying.webs(app)[0]
    made = deploying.deploy(app, droplet={"guid": deploying.droplet(app)})
    deploying.up(app)
    deploying.look()
    assert deploying.numbers(app) == [2, 2]
    assert cc("POST", f"/v3/deployments/{made['guid']}/actions/cancel").content == b""
    assert deploying.status(made) == ("ACTIVE", "CANCELING")
    assert cc.ok("GET", f"/v3/apps/{app}/relationships/current_droplet")["data"] == made["previous_droplet"]
    deploying.run(app, "CLAIMED")
    deploying.look()
    assert deploying.numbers(app) == [3, 1]
    deploying.carry_on(app)
    assert deploying.status(made) == ("FINALIZED", "CANCELED")
    assert deploying.webs(app) == [(old, 3)]
    assert [lrp["command"] for lrp in cc.desired(app)] == ["python app.py"]
    told = cc.detail("POST", f"/v3/deployments/{made['guid']}/actions/cancel")
    assert told == "Cannot cancel a deployment with status: FINALIZED and reason: CANCELED"


def test_a_deployment_whose_old_droplet_is_gone_cannot_be_cancelled(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app, droplet={"guid": deploying.droplet(app)})
    cc.ok("DELETE", f"/v3/droplets/{made['previous_droplet']['guid']}")
    told = cc.detail("POST", f"/v3/deployments/{made['guid']}/actions/cancel")
    assert told == "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."


def test_a_newer_deployment_takes_the_place_of_one_under_way(deploying: Deploying) -> None:
    app = deploying.app()
    third = deploying.droplet(app, "third")
    first = deploying.deploy(app)
    deploying.up(app)
    deploying.look()
    second = deploying.deploy(app, droplet={"guid": third})
    assert deploying.status(first) == ("FINALIZED", "SUPERSEDED")
    assert deploying.numbers(app) == [2, 2, 1]
    deploying.carry_on(app)
    assert deploying.status(second) == ("FINALIZED", "DEPLOYED")
    assert deploying.numbers(app) == [3]
    assert [lrp["command"] for lrp in deploying.cc.desired(app)] == ["third"]


def test_a_paused_canary_that_is_superseded_was_cancelled(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    first = deploying.deploy(app, strategy="canary")
    deploying.up(app)
    deploying.look()
    deploying.deploy(app)
    assert deploying.status(first) == ("FINALIZED", "SUPERSEDED")
    deploying.look()
    assert deploying.numbers(app) == [3, 1]
    told = cc.detail("POST", f"/v3/deployments/{first['guid']}/actions/continue")
    assert told == "Cannot continue a deployment with status: FINALIZED and reason: SUPERSEDED"


# canaries


def test_a_canary_pauses_and_goes_on(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app, strategy="canary")
    assert made["status"]["canary"] == {"steps": {"current": 1, "total": 1}}
    told = cc.detail("POST", f"/v3/deployments/{made['guid']}/actions/continue")
    assert told == "Cannot continue a deployment with status: ACTIVE and reason: DEPLOYING"
    deploying.carry_on(app)
    assert deploying.status(made) == ("ACTIVE", "PAUSED")
    assert deploying.numbers(app) == [3, 1]
    shown = cc.ok("GET", f"/v3/deployments/{made['guid']}")
    assert shown["links"]["continue"] == link(f"/deployments/{made['guid']}/actions/continue", "POST")
    assert cc("POST", f"/v3/deployments/{made['guid']}/actions/continue").status_code == 200
    assert deploying.status(made) == ("ACTIVE", "DEPLOYING")
    deploying.carry_on(app)
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")


def test_a_canary_with_steps_pauses_at_each(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app(4)
    steps = [{"instance_weight": 25}, {"instance_weight": 50}]
    made = deploying.deploy(app, strategy="canary", options={"canary": {"steps": steps}})
    assert made["options"] == {"max_in_flight": 1, "canary": {"steps": steps}}
    seen = []
    for _ in range(2):
        deploying.carry_on(app)
        shown = cc.ok("GET", f"/v3/deployments/{made['guid']}")["status"]
        seen.append((shown["reason"], shown["canary"]["steps"]["current"], deploying.numbers(app)))
        cc.ok("POST", f"/v3/deployments/{made['guid']}/actions/continue")
    assert seen == [("PAUSED", 1, [4, 1]), ("PAUSED", 2, [3, 2])]
    deploying.carry_on(app)
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")


# requests


def test_deployments_are_listed(deploying: Deploying) -> None:
    cc = deploying.cc
    app, other = deploying.app(), deploying.app(1, "other")
    guids = [deploying.deploy(app)["guid"], deploying.deploy(app, metadata={"labels": {"a": "b"}})["guid"]]
    guids.append(deploying.deploy(other)["guid"])

    def found(query: str) -> list[str]:
        return [each["guid"] for each in cc.ok("GET", f"/v3/deployments?{query}")["resources"]]

    assert found("") == guids
    assert found(f"app_guids={app}&order_by=-created_at") == [guids[1], guids[0]]
    assert found("status_values=ACTIVE") == guids[1:]
    assert found("status_reasons=SUPERSEDED") == guids[:1]
    assert found("states=DEPLOYING") == guids[1:]
    assert found("label_selector=a=b") == [guids[1]]
    assert found(f"app_guids={app}&order_by=-created_at&page=1&per_page=1&status_values=ACTIVE") == [guids[1]]


def test_only_metadata_can_be_changed(deploying: Deploying) -> None:
    path = f"/v3/deployments/{deploying.deploy(deploying.app())['guid']}"
    shown = deploying.cc.ok("PATCH", path, {"metadata": {"annotations": {"a": "b"}}})
    assert shown["metadata"]["annotations"] == {"a": "b"}
    assert deploying.cc.detail("PATCH", path, {"strategy": "canary"}) == "Unknown field(s): 'strategy'"


def test_what_happened_is_written_down(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    made = deploying.deploy(app, strategy="canary")
    deploying.carry_on(app)
    for action in ("continue", "cancel"):
        cc.ok("POST", f"/v3/deployments/{made['guid']}/actions/{action}")
    events = cc.ok("GET", f"/v3/audit_events?target_guids={app}&per_page=50")["resources"]
    assert [each["type"] for each in events][-3:] == [f"audit.app.deployment.{each}" for each in ("create", "continue", "cancel")]


def test_what_cannot_be_deployed(deploying: Deploying) -> None:
    cc, app = deploying.cc, deploying.app()
    foreign = cc.droplet(cc.app("other"))
    unusable = "Unable to use app. Ensure that the app exists and you have access to it and the organization is not suspended."
    assert deploying.refused("nobody") == unusable
    unassignable = "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."
    assert deploying.refused(app, droplet={"guid": "none"}) == unassignable
    assert deploying.refused(app, droplet={"guid": foreign}) == unassignable
    empty = cc.app("empty")
    assert deploying.refused(empty) == (
        "Invalid droplet. Please specify a droplet in the request or set a current droplet for the app."
    )
    assert deploying.refused(app, revision={"guid": "none"}) == "The revision does not exist"
    assert cc.ok("GET", "/v3/deployments")["resources"] == []


def test_one_that_cannot_be_carried_on_does_not_hold_up_the_others(deploying: Deploying, monkeypatch: pytest.MonkeyPatch) -> None:
    cc, broken, good = deploying.cc, deploying.app(name="broken"), deploying.app(name="good")
    deploying.deploy(broken)
    made = deploying.deploy(good)
    stuck = {each["process_guid"] for each in cc.desired(broken)}
    running = cc.diego.running

    async def asked(process_guid: str) -> Any:
        if process_guid in stuck:
            raise ValueError("nobody thought of this")
        return await running(process_guid)

    monkeypatch.setattr(cc.diego, "running", asked)
    for _ in range(20):
        deploying.up(good)
        assert deploying.look()
    assert deploying.status(made) == ("FINALIZED", "DEPLOYED")
    assert cc.log.text.count("deployment-stuck") == 1
