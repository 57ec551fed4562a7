"""Applying, comparing and writing manifests."""

from typing import Any

import pytest
import yaml

YAML = {"Content-Type": "application/x-yaml"}


def apply(cc: Any, *applications: dict[str, Any]) -> list[str]:
    """Apply a manifest; the details of the errors of its job."""
    text = yaml.safe_dump({"applications": list(applications)})
    response = cc("POST", f"/v3/spaces/{cc.space}/actions/apply_manifest", content=text, headers=YAML)
    assert response.status_code == 202, response.text
    job = cc.ok("GET", response.headers["location"])
    assert job["operation"] == "space.apply_manifest"
    assert (job["state"] == "FAILED") == bool(job["errors"])
    return [error["detail"] for error in job["errors"]]


def refused(cc: Any, *applications: dict[str, Any]) -> list[str]:
    text = yaml.safe_dump({"applications": list(applications)})
    response = cc("POST", f"/v3/spaces/{cc.space}/actions/apply_manifest", content=text, headers=YAML)
    assert response.status_code == 422, response.text
    return [error["detail"] for error in response.json()["errors"]]


def app(cc: Any, name: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = cc.ok("GET", f"/v3/apps?names={name}")["resources"][0]
    return found


def urls(cc: Any, name: str = "a") -> list[str]:
    routes = cc.ok("GET", f"/v3/apps/{app(cc, name)['guid']}/routes")["resources"]
    return [route["url"] for route in routes]


def test_what_push_sends(cc: Any) -> None:
    cc.service("one", credentials={"p": 1})
    manifest = {
        "name": "a",
        "memory": "64M",
        "disk-quota": "128M",
        "instances": 2,
        "command": "run",
        "env": {"A": 1},
        "buildpacks": ["python_buildpack"],
        "health-check-type": "http",
        "health-check-http-endpoint": "/h",
        "services": ["one"],
        "processes": [{"type": "worker", "command": "work", "instances": 1}],
        "metadata": {"labels": {"x": "y"}},
        "default-route": True,
    }
    assert apply(cc, manifest) == []
    made = app(cc)
    assert made["lifecycle"]["data"]["buildpacks"] == ["python_buildpack"]
    assert made["metadata"]["labels"] == {"x": "y"}
    web = cc.ok("GET", f"/v3/apps/{made['guid']}/processes/web")
    assert (web["instances"], web["memory_in_mb"], web["disk_in_mb"], web["command"]) == (2, 64, 128, "run")
    assert web["health_check"]["data"]["endpoint"] == "/h"
    assert cc.ok("GET", f"/v3/apps/{made['guid']}/processes/worker")["instances"] == 1
    assert cc.ok("GET", f"/v3/apps/{made['guid']}/environment_variables")["var"] == {"A": "1"}
    assert cc.ok("GET", f"/v3/service_credential_bindings?app_guids={made['guid']}")["resources"]
    assert urls(cc) == ["a.cf.localhost"]
    assert apply(cc, manifest | {"command": None}) == []
    assert cc.ok("GET", f"/v3/apps/{made['guid']}/processes/web")["command"] is None
    assert urls(cc) == ["a.cf.localhost"]


def test_routes(cc: Any) -> None:
    routes = [
        {"route": "x.cf.localhost/p", "protocol": "http2", "options": {"loadbalancing": "least-connection"}},
        {"route": "tcp.cf.localhost:1030"},
    ]
    assert apply(cc, {"name": "a", "routes": routes}) == []
    assert urls(cc) == ["x.cf.localhost/p", "tcp.cf.localhost:1030"]
    found = cc.ok("GET", "/v3/routes")["resources"]
    assert found[0]["options"] == {"loadbalancing": "least-connection"}
    assert [route["destinations"][0]["protocol"] for route in found] == ["http2", "tcp"]
    routes[0]["protocol"] = "http1"
    routes[0]["options"] = {"loadbalancing": "round-robin"}
    assert apply(cc, {"name": "a", "routes": routes}) == []
    found = cc.ok("GET", "/v3/routes")["resources"]
    assert found[0]["options"] == {"loadbalancing": "round-robin"}
    assert found[0]["destinations"][0]["protocol"] == "http1"
    assert apply(cc, {"name": "a", "no-route": True}) == []
    assert urls(cc) == []


def test_random_routes(cc: Any) -> None:
    assert apply(cc, {"name": "my app", "random-route": True}) == []
    (url,) = urls(cc, "my app")
    host = url.removesuffix(".cf.localhost")
    assert host.startswith("my-app-")
    assert len(host.split("-")) == 5
    assert apply(cc, {"name": "my app", "random-route": True}) == []
    assert urls(cc, "my app") == [url]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"routes": [{"route": "x.nowhere.test"}]}, "No domains exist for route x.nowhere.test"),
        (
            {"routes": [{"route": "tcp.cf.localhost:5"}]},
            "For route 'tcp.cf.localhost:5': Port '5' is not available. Try a different port or use a different domain.",
        ),
        (
            {"routes": [{"route": "tcp.cf.localhost:1030", "protocol": "http2"}]},
            "For route 'tcp.cf.localhost:1030': Cannot use 'http2' protocol for tcp routes; valid options are: [tcp].",
        ),
        (
            {"routes": [{"route": "api.cf.localhost"}]},
            "For route 'api.cf.localhost': Route conflicts with a reserved system route.",
        ),
        (
            {"routes": [{"route": "other.cf.localhost"}]},
            "Routes cannot be mapped to destinations in different spaces",
        ),
        (
            {"routes": [{"route": "x.cf.localhost/a?b"}]},
            "For route 'x.cf.localhost/a?b': Path cannot contain ?",
        ),
        ({"buildpacks": ["b"]}, 'Buildpack "b" must be an existing admin buildpack or a valid git URI'),
        ({"services": ["s"]}, "Service instance 's' not found"),
    ],
)
def test_errors_in_the_job(cc: Any, fields: dict[str, Any], text: str) -> None:
    cc.route("other", space=cc.new_space("elsewhere"))
    assert apply(cc, {"name": "a", "instances": 7, **fields}) == [f"For application 'a': {text}"]
    assert cc.ok("GET", f"/v3/apps/{app(cc)['guid']}/processes/web")["instances"] == 1


def test_the_name_has_to_do_for_a_host(cc: Any) -> None:
    assert apply(cc, {"name": "a b", "default-route": True}) == [
        (
            "For application 'a b': Failed to create default route from app name: Host must be either \"*\" "
            'or contain only alphanumeric characters, "_", or "-"'
        )
    ]


def test_wildcards_on_shared_domains_are_not_for_manifests(cc: Any) -> None:
    assert apply(cc, {"name": "a", "routes": [{"route": "*.cf.localhost"}]}) == [
        "You are not authorized to perform the requested action"
    ]


def test_errors_at_once(cc: Any) -> None:
    assert refused(cc, {"name": "a", "memory": "64"}, {"name": "b", "instances": "x"}) == [
        "For application 'a': Process \"web\": Memory must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB",
        "For application 'b': Process \"web\": Instances is not a number",
    ]
    assert cc.ok("GET", "/v3/apps")["resources"] == []
    path = f"/v3/spaces/{cc.space}/actions/apply_manifest"
    assert cc.detail("POST", path, content=b"a: b", headers=YAML) == ("Cannot parse manifest with no 'applications' field.")
    assert cc.detail("POST", path, {}, status=400) == "Bad request: Content-Type must be yaml"
    assert "parse error" in cc.detail("POST", path, content=b"[", headers=YAML, status=400)


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"docker": {"image": "x"}}, "diego_docker"),
        ({"lifecycle": "docker"}, "diego_docker"),
        ({"lifecycle": "cnb"}, "diego_cnb"),
    ],
    ids=["image", "docker", "cnb"],
)
def test_other_lifecycles_than_buildpacks_are_disabled(cc: Any, fields: dict[str, Any], flag: str) -> None:
    text = yaml.safe_dump({"applications": [{"name": "a", "lifecycle": "buildpack"}, {"name": "b", **fields}]})
    path = f"/v3/spaces/{cc.space}/actions/apply_manifest"
    assert cc.detail("POST", path, content=text, headers=YAML, status=403) == f"Feature Disabled: {flag}"
    assert cc.ok("GET", "/v3/apps")["resources"] == []


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"sidecars": [{"name": "s"}]}, ["Sidecars"]),
        ({"log-rate-limit-per-second": "1K", "features": {"ssh": True}}, ["Log rate limits", "SSH sessions"]),
        ({"processes": [{"type": "web", "readiness-health-check-type": "http"}]}, ["Readiness checks"]),
        ({"log-rate-limit-per-second": -1, "readiness-health-check-type": "process", "features": {"ssh": False}}, []),
    ],
    ids=["sidecars", "rates", "readiness", "nothing"],
)
def test_what_is_left_out_is_said(cc: Any, fields: dict[str, Any], names: list[str]) -> None:
    text = yaml.safe_dump({"applications": [{"name": "a", **fields}, {"name": "b", **fields}]})
    response = cc("POST", f"/v3/spaces/{cc.space}/actions/apply_manifest", content=text, headers=YAML)
    told = cc.ok("GET", response.headers["location"])
    assert told["state"] == "COMPLETE"
    assert [each["detail"] for each in told["warnings"]] == [
        f"{name} are not supported by this foundation; they were left out." for name in names
    ]


def test_features(cc: Any) -> None:
    assert apply(cc, {"name": "a", "features": {"revisions": False}}) == []
    guid = cc.ok("GET", "/v3/apps?names=a")["resources"][0]["guid"]
    assert cc.ok("GET", f"/v3/apps/{guid}/features/revisions")["enabled"] is False
    assert apply(cc, {"name": "a"}) == []
    assert cc.ok("GET", f"/v3/apps/{guid}/features/revisions")["enabled"] is False
    assert refused(cc, {"name": "a", "features": {"revisions": "no"}}) == [
        "For application 'a': Features must be a map of valid feature names to booleans (true = enabled, false = disabled)"
    ]


def test_a_health_check_comes_back_as_it_was_given(cc: Any) -> None:
    check = {
        "health-check-type": "http",
        "health-check-http-endpoint": "/up",
        "health-check-invocation-timeout": 5,
        "timeout": 30,
    }
    assert apply(cc, {"name": "a", **check}) == []
    guid = cc.ok("GET", "/v3/apps?names=a")["resources"][0]["guid"]
    (app,) = yaml.safe_load(cc("GET", f"/v3/apps/{guid}/manifest").text)["applications"]
    assert {key: app["processes"][0][key] for key in check} == check
    text = yaml.safe_dump({"applications": [{"name": "a", **check}]})
    assert cc.ok("POST", f"/v3/spaces/{cc.space}/manifest_diff", content=text, headers=YAML) == {"diff": []}


def test_several_apps_at_once(cc: Any) -> None:
    assert apply(cc, *({"name": name, "default-route": True} for name in "abc")) == []
    assert [urls(cc, name) for name in "abc"] == [[f"{name}.cf.localhost"] for name in "abc"]


def test_writing_and_comparing(cc: Any) -> None:
    cc.service("one")
    manifest = {"name": "a", "env": {"A": "1"}, "routes": [{"route": "a.cf.localhost"}], "services": ["one"]}
    assert apply(cc, manifest) == []
    response = cc("GET", f"/v3/apps/{app(cc)['guid']}/manifest")
    assert response.headers["content-type"] == "application/x-yaml"
    assert yaml.safe_load(response.text) == {
        "applications": [
            {
                "name": "a",
                "stack": "cflinuxfs4",
                "env": {"A": "1"},
                "routes": [{"route": "a.cf.localhost", "protocol": "http1"}],
                "services": ["one"],
                "processes": [
                    {
                        "type": "web",
                        "instances": 1,
                        "memory": "1024M",
                        "disk_quota": "1024M",
                        "health-check-type": "port",
                    }
                ],
            }
        ]
    }
    path = f"/v3/spaces/{cc.space}/manifest_diff"
    same = cc("POST", path, content=yaml.safe_dump({"applications": [manifest]}), headers=YAML)
    assert (same.status_code, same.json()) == (201, {"diff": []})
    changed = yaml.safe_dump({"applications": [manifest | {"memory": "1G", "instances": 2}]})
    assert cc.ok("POST", path, content=changed, headers=YAML)["diff"] == [
        {"op": "replace", "path": "/applications/0/instances", "was": 1, "value": 2}
    ]
    written = cc.ok("POST", path, content=response.content, headers=YAML)
    assert written["diff"] == []
