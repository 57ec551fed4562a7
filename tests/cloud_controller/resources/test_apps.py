"""Apps, processes, environment, stats: what `cf push` and its friends need."""

import json
from typing import Any

import pytest

from cfroute.diego.api import ActualLRP, Port


def body(cc: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "music", "relationships": {"space": {"data": {"guid": cc.space}}}, **fields}


def test_an_app_as_the_clients_read_it(cc: Any) -> None:
    app = cc.ok("POST", "/v3/apps", body(cc, environment_variables={"A": "1"}))
    assert (app["name"], app["state"]) == ("music", "STOPPED")
    assert app["lifecycle"] == {"type": "buildpack", "data": {"buildpacks": [], "stack": "cflinuxfs4"}}
    assert app["links"]["processes"]["href"] == f"http://api.test/v3/apps/{app['guid']}/processes"
    (process,) = cc.ok("GET", f"/v3/apps/{app['guid']}/processes")["resources"]
    assert (process["type"], process["instances"], process["memory_in_mb"]) == ("web", 1, 1024)
    assert process["health_check"] == {
        "type": "port",
        "data": {"timeout": None, "invocation_timeout": None, "interval": None},
    }
    assert cc.ok("GET", f"/v3/apps/{app['guid']}/environment_variables")["var"] == {"A": "1"}


def test_names_are_unique_in_a_space(cc: Any) -> None:
    first = cc.app("a")
    second = cc.app("b")
    response = cc("POST", "/v3/apps", body(cc, name="A"))
    assert response.json()["errors"] == [
        {"code": 10016, "title": "CF-UniquenessError", "detail": "App with the name 'A' already exists."}
    ]
    assert "already exists" in cc.detail("PATCH", f"/v3/apps/{second}", {"name": "a"})
    assert cc.ok("PATCH", f"/v3/apps/{first}", {"name": "A"})["name"] == "A"
    cc.app("a", cc.new_space("s"))


def test_buildpacks_have_to_be_there(cc: Any) -> None:
    app = cc.app()
    lifecycle = {"type": "buildpack", "data": {"buildpacks": ["nope"]}}
    assert cc.detail("PATCH", f"/v3/apps/{app}", {"lifecycle": lifecycle}) == (
        'Buildpack "nope" must be an existing admin buildpack or a valid git URI'
    )
    lifecycle["data"]["buildpacks"] = ["python_buildpack", "https://git.test/x"]
    assert cc.ok("PATCH", f"/v3/apps/{app}", {"lifecycle": lifecycle})["lifecycle"]["data"]["buildpacks"][0]


def test_lists(cc: Any) -> None:
    a, b = cc.app("a"), cc.app("b", cc.new_space("s"))

    def found(query: str) -> list[str]:
        return [each["guid"] for each in cc.ok("GET", f"/v3/apps?{query}")["resources"]]

    assert found("names=A,B&order_by=-name") == [b, a]
    assert found(f"space_guids={cc.space}") == [a]
    assert found(f"organization_guids={cc.organization}&guids={b}") == [b]
    assert (found("lifecycle_type=buildpack"), found("lifecycle_type=docker")) == ([a, b], [])
    included = cc.ok("GET", "/v3/apps?include=space,space.organization")["included"]
    assert sorted(each["name"] for each in included["spaces"]) == ["dev", "s"]
    processes = cc.ok("GET", f"/v3/processes?app_guids={a},{b}")["resources"]
    assert [each["command"] for each in processes] == ["[PRIVATE DATA HIDDEN IN LISTS]"] * 2


def test_an_app_without_a_droplet_cannot_start(cc: Any) -> None:
    app = cc.app()
    for action in ("start", "restart"):
        text = cc.detail("POST", f"/v3/apps/{app}/actions/{action}")
        assert text == "Assign a droplet before starting this app."
    assert cc.detail("GET", f"/v3/apps/{app}/droplets/current", status=404) == "Droplet not found"


def test_starting_stopping_and_restarting(cc: Any) -> None:
    app = cc.app()
    droplet = cc.droplet(app)
    assert cc.desired(app) == []
    assert cc.ok("POST", f"/v3/apps/{app}/actions/start")["state"] == "STARTED"
    (first,) = cc.desired(app)
    assert first["droplet_url"] == f"https://127.0.0.9:9023/internal/v4/droplets/{droplet}/download"
    assert (first["command"], first["instances"], first["memory_mb"]) == ("python app.py", 1, 1024)
    assert cc.diego.pushed[-1] == {app}
    cc.ok("POST", f"/v3/apps/{app}/actions/start")
    assert cc.desired(app) == [first]
    cc.ok("POST", f"/v3/apps/{app}/actions/restart")
    (second,) = cc.desired(app)
    assert second["process_guid"] != first["process_guid"]
    assert second["process_guid"].rpartition("-")[0].rpartition("-")[0]
    assert cc.ok("POST", f"/v3/apps/{app}/actions/stop")["state"] == "STOPPED"
    assert cc.desired(app) == []


def test_what_runs_changes_only_with_the_next_start(cc: Any) -> None:
    app = cc.started()
    (before,) = cc.desired(app)
    path = f"/v3/apps/{app}/environment_variables"
    assert cc.ok("PATCH", path, {"var": {"A": "1", "B": "2"}})["var"] == {"A": "1", "B": "2"}
    assert cc.ok("PATCH", path, {"var": {"A": None}})["var"] == {"B": "2"}
    assert "cannot set PORT" in cc.detail("PATCH", path, {"var": {"PORT": "1"}})
    cc.ok("PATCH", f"/v3/apps/{app}/processes/web", {"command": "other"})
    assert cc.desired(app) == [before]
    cc.ok("POST", f"/v3/apps/{app}/actions/restart")
    (after,) = cc.desired(app)
    assert after["environment"]["B"] == "2"
    assert "A" not in after["environment"]
    assert after["command"] == "other"
    told = json.loads(after["environment"]["VCAP_APPLICATION"])
    assert told["application_name"] == "music"
    assert told["limits"]["mem"] == 1024
    assert told["version"] in after["process_guid"]


def test_scaling(cc: Any) -> None:
    app = cc.started()
    (before,) = cc.desired(app)
    response = cc("POST", f"/v3/apps/{app}/processes/web/actions/scale", {"instances": 3})
    assert (response.status_code, response.json()["instances"]) == (202, 3)
    (more,) = cc.desired(app)
    assert (more["process_guid"], more["instances"]) == (before["process_guid"], 3)
    process = response.json()["guid"]
    cc.ok("POST", f"/v3/processes/{process}/actions/scale", {"memory_in_mb": 64, "disk_in_mb": 128})
    (bigger,) = cc.desired(app)
    assert (bigger["memory_mb"], bigger["disk_mb"], bigger["instances"]) == (64, 128, 3)
    assert bigger["process_guid"] != before["process_guid"]
    assert cc.detail("POST", f"/v3/processes/{process}/actions/scale", {"instances": -1}) == (
        "Instances must be greater than or equal to 0"
    )
    nobody = f"/v3/apps/{app}/processes/worker/actions/scale"
    assert cc.detail("POST", nobody, {"instances": 1}, status=404) == "Process not found"


MOST = 2_147_483_647
DISK = "disk_quota too much disk requested (requested 9216000 MB - must be less than 2048 MB)"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"memory_in_mb": MOST + 1}, f"Memory in mb must be less than or equal to {MOST}"),
        ({"disk_in_mb": MOST + 1}, f"Disk in mb must be less than or equal to {MOST}"),
        ({"instances": MOST + 1}, f"Instances must be less than or equal to {MOST}"),
        ({"disk_in_mb": 9_216_000}, DISK),
        ({"memory_in_mb": 0}, "Memory in mb must be greater than 0"),
        ({"log_rate_limit_in_bytes_per_second": -2}, "Log rate limit in bytes per second must be greater than or equal to -1"),
    ],
)
def test_what_no_process_gets(cc: Any, wanted: dict[str, Any], told: str) -> None:
    path = f"/v3/apps/{cc.app()}/processes/web"
    before = cc.ok("GET", path)
    assert cc.detail("POST", f"{path}/actions/scale", wanted) == told
    assert cc.ok("GET", path) == before


def test_memory_has_no_other_limit_than_the_quotas(cc: Any) -> None:
    """As with the real one, which leaves it to Diego to find no cell."""
    app = cc.started()
    path = f"/v3/apps/{app}/processes/web/actions/scale"
    refused = cc.detail("POST", path, {"memory_in_mb": 9_216_000})
    assert refused == "memory quota_exceeded"
    quota = cc.ok("GET", f"/v3/organization_quotas?organization_guids={cc.organization}")["resources"][0]["guid"]
    cc.ok("PATCH", f"/v3/organization_quotas/{quota}", {"apps": {"total_memory_in_mb": None}})
    assert cc.ok("POST", path, {"memory_in_mb": 9_216_000})["memory_in_mb"] == 9_216_000


def test_health_checks_end(cc: Any) -> None:
    path = f"/v3/apps/{cc.app()}/processes/web"
    told = "health_check_timeout Maximum exceeded: max 180s"
    assert cc.detail("PATCH", path, {"health_check": {"type": "port", "data": {"timeout": 181}}}) == told
    assert cc.ok("PATCH", path, {"health_check": {"type": "port", "data": {"timeout": 180}}})


def test_health_checks(cc: Any) -> None:
    app = cc.started()
    path = f"/v3/apps/{app}/processes/web"
    check = {"type": "http", "data": {"endpoint": "/h", "timeout": 30, "invocation_timeout": 2}}
    shown = cc.ok("PATCH", path, {"health_check": check})["health_check"]
    assert shown["data"] == {"timeout": 30, "invocation_timeout": 2, "interval": None, "endpoint": "/h"}
    assert cc.desired(app)[0]["health_check"] == {
        "type": "http",
        "endpoint": "/h",
        "timeout": 30,
        "invocation_timeout": 2,
    }
    assert cc.ok("PATCH", path, {"health_check": {"type": "process"}})["health_check"] == {
        "type": "process",
        "data": {"timeout": 30},
    }
    assert 'must be "port"' in cc.detail("PATCH", path, {"health_check": {"type": "x"}})


def test_the_command_is_the_own_one_or_that_of_the_droplet(cc: Any) -> None:
    app = cc.app()
    process = cc.ok("GET", f"/v3/apps/{app}/processes/web")
    assert process["command"] is None
    cc.droplet(app)
    path = f"/v3/processes/{process['guid']}"
    assert cc.ok("GET", path)["command"] == "python app.py"
    assert cc.ok("PATCH", path, {"command": "mine"})["command"] == "mine"
    assert cc.ok("PATCH", path, {"command": None})["command"] == "python app.py"


def lrp(guid: str, index: int, **fields: Any) -> ActualLRP:
    return ActualLRP(guid, index, instance_guid=f"i{index}", address="127.0.0.20", **fields)


def test_stats(cc: Any) -> None:
    app = cc.started()
    cc.ok("POST", f"/v3/apps/{app}/processes/web/actions/scale", {"instances": 5, "memory_in_mb": 64})
    guid = cc.desired(app)[0]["process_guid"]
    since = cc.clock.now_ns() - 90_500_000_000
    cc.diego.actual = [
        lrp(
            guid,
            0,
            state="RUNNING",
            since=since,
            ports=(Port(8080, 61001, 61002, 61443),),
            usage={"cpu": 0.25, "mem": 1024.0},
        ),
        lrp(guid, 1, state="CLAIMED", since=since),
        lrp(guid, 2, state="CRASHED", since=since, crash_reason="exit status 1"),
        lrp(guid, 3, placement_error="insufficient resources"),
        lrp(guid, 7, state="RUNNING"),
    ]
    found = cc.ok("GET", f"/v3/apps/{app}/processes/web/stats")["resources"]
    assert [each["state"] for each in found] == ["RUNNING", "STARTING", "CRASHED", "DOWN", "DOWN"]
    assert found[0] == {
        "type": "web",
        "index": 0,
        "state": "RUNNING",
        "uptime": 90,
        "isolation_segment": None,
        "details": None,
        "routable": True,
        "instance_guid": "i0",
        "host": "127.0.0.20",
        "instance_internal_ip": "127.0.0.20",
        "instance_ports": [
            {"external": 61001, "internal": 8080, "external_tls_proxy_port": 61002, "internal_tls_proxy_port": 61443}
        ],
        "mem_quota": 64 * 1024 * 1024,
        "disk_quota": 1024 * 1024 * 1024,
        "log_rate_limit": -1,
        "fds_quota": 16384,
        "usage": {
            "time": "2023-11-14T22:13:20Z",
            "cpu": 0.25,
            "cpu_entitlement": None,
            "mem": 1024,
            "disk": 0,
            "log_rate": 0,
        },
    }
    assert found[1]["usage"] == {}
    assert found[2]["details"] == "exit status 1"
    assert found[3]["details"] == "insufficient resources"
    assert "usage" not in found[4]
    cc.ok("POST", f"/v3/apps/{app}/actions/stop")
    assert cc.ok("GET", f"/v3/apps/{app}/processes/web/stats") == {"resources": []}


def test_restarting_an_instance(cc: Any) -> None:
    app = cc.started()
    guid = cc.desired(app)[0]["process_guid"]
    cc.diego.actual = [lrp(guid, 0, state="RUNNING")]
    path = f"/v3/apps/{app}/processes/web/instances"
    assert cc("DELETE", f"{path}/0").status_code == 204
    assert cc.diego.retired == [(guid, 0)]
    [event] = cc.ok("GET", f"/v3/audit_events?types=audit.app.process.terminate_instance&target_guids={app}")["resources"]
    assert (event["data"]["process_type"], event["data"]["process_index"]) == ("web", 0)
    for index in ("1", "x", "-1"):
        assert cc.detail("DELETE", f"{path}/{index}", status=404) == "Instance not found"


def test_deleting_an_app(cc: Any) -> None:
    app, route = cc.app(), cc.route()
    droplet = cc.droplet(app)
    cc.map(route, app)
    bits = cc.platform.blobs.droplet(droplet)
    assert bits.exists()
    response = cc("DELETE", f"/v3/apps/{app}")
    assert cc.ok("GET", response.headers["location"])["operation"] == "app.delete"
    assert cc("GET", f"/v3/apps/{app}").status_code == 404
    assert cc.ok("GET", f"/v3/routes/{route}")["destinations"] == []
    assert not bits.exists()
    assert cc.diego.pushed[-1] == {app}


def test_what_happened_is_written_down(cc: Any) -> None:
    app = cc.started()
    events = cc.ok("GET", f"/v3/audit_events?order_by=-created_at&target_guids={app}")["resources"]
    happened = ["start", "revision.create", "droplet.mapped", "build.create", "package.upload", "package.create", "create"]
    assert [each["type"] for each in events] == [f"audit.app.{each}" for each in happened]
    assert events[0]["actor"]["name"] == "admin"
    assert events[0]["target"] == {"guid": app, "type": "app", "name": "music"}
    shown = cc.ok("GET", f"/v3/audit_events/{events[0]['guid']}")
    assert shown["space"] == {"guid": cc.space}


def test_what_is_done_to_parts_of_an_app_has_the_app_as_its_target(cc: Any) -> None:
    app, route = cc.app(), cc.route()
    path = f"/v3/apps/{app}"
    web = cc.ok("GET", f"{path}/processes/web")["guid"]
    cc.map(route, app)
    cc.ok("POST", f"{path}/processes/web/actions/scale", {"instances": 2})
    cc.ok("PATCH", f"/v3/processes/{web}", {"command": "PASSWORD=secret run"})
    cc.ok("PATCH", path, {"name": "songs"})
    cc.ok("PATCH", f"{path}/environment_variables", {"var": {"PASSWORD": "secret"}})
    [destination] = cc.ok("GET", f"{path}/routes")["resources"][0]["destinations"]
    cc("DELETE", f"/v3/routes/{route}/destinations/{destination['guid']}")
    events = cc.ok("GET", f"/v3/audit_events?target_guids={app}")["resources"][1:]
    assert {(each["target"]["guid"], each["target"]["type"]) for each in events} == {(app, "app")}
    mapping = {"route_guid": route, "destination_guid": destination["guid"], "process_type": "web"}
    mapping |= {"app_port": 8080, "protocol": "http1", "weight": None}
    process = {"process_guid": web, "process_type": "web"}
    assert [(each["type"].removeprefix("audit.app."), each["data"]) for each in events] == [
        ("map-route", mapping),
        ("process.scale", {**process, "request": {"instances": 2}}),
        ("process.update", {**process, "request": {"command": "[PRIVATE DATA HIDDEN]"}}),
        ("update", {"request": {"name": "songs"}}),
        ("update", {"request": {"environment_variables": "[PRIVATE DATA HIDDEN]"}}),
        ("unmap-route", mapping),
    ]


def test_feature_flags(cc: Any) -> None:
    flags = {each["name"]: each["enabled"] for each in cc.ok("GET", "/v3/feature_flags")["resources"]}
    assert flags["route_creation"] is True
    assert flags["route_sharing"] is flags["hash_based_routing"] is False
    path = "/v3/feature_flags/app_scaling"
    changed = cc.ok("PATCH", path, {"enabled": False, "custom_error_message": "not today"})
    assert (changed["enabled"], changed["custom_error_message"]) == (False, "not today")
    assert cc.ok("GET", path) == changed
    app = cc.app()
    cc.grant("admin", "space_developer", cc.space)
    cc.scopes = ["cloud_controller.read", "cloud_controller.write"]
    scale = f"/v3/apps/{app}/processes/web/actions/scale"
    assert cc.detail("POST", scale, {"instances": 1}, status=403) == "Feature Disabled: not today"
    assert cc("PATCH", path, {"enabled": True}).status_code == 403


@pytest.mark.parametrize("value", ["yes", 1])
def test_feature_flags_are_booleans(cc: Any, value: Any) -> None:
    assert cc.detail("PATCH", "/v3/feature_flags/app_scaling", {"enabled": value}) == "Enabled must be a boolean"
