"""Manifests: what they say, and every text for what is wrong with them."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.manifests import manifest, routes
from cfroute.cloud_controller.manifests.manifest import ManifestError, ProcessManifest


def app(**fields: Any) -> bytes:
    import msgspec.yaml

    return msgspec.yaml.encode({"applications": [{"name": "a", **{k.replace("_", "-"): v for k, v in fields.items()}}]})


def messages(text: bytes, **options: bool) -> tuple[str, ...]:
    with pytest.raises(ManifestError) as caught:
        manifest.parse(text, **options)
    return caught.value.messages


def test_what_push_sends() -> None:
    (parsed,) = manifest.parse(
        b"""
version: 1
applications:
- name: a
  path: /tmp/a
  memory: 1G
  disk-quota: 512MB
  instances: 2
  command: null
  buildpacks: [python_buildpack]
  stack: cflinuxfs4
  health-check-type: http
  health-check-http-endpoint: /h
  timeout: 30
  env: {A: 1, B: true, C: null, D: [1]}
  default-route: true
  services: [one, {name: two, binding_name: b}]
  processes:
  - type: worker
    command: run
    memory: 64M
  metadata: {labels: {x: y}}
"""
    )
    assert parsed.processes == [
        ProcessManifest(
            "web",
            None,
            {"instances": 2, "memory_in_mb": 1024, "disk_in_mb": 512},
            {"type": "http", "data": {"endpoint": "/h", "timeout": 30}},
        ),
        ProcessManifest("worker", "run", {"memory_in_mb": 64}),
    ]
    assert parsed.lifecycle == {"data": {"buildpacks": ["python_buildpack"], "stack": "cflinuxfs4"}}
    assert parsed.environment == {"A": "1", "B": "true", "C": "", "D": "[1]"}
    assert parsed.services == [{"name": "one"}, {"name": "two", "binding_name": "b"}]
    assert parsed.default_route
    assert parsed.metadata == {"labels": {"x": "y"}}


def test_what_is_not_said_is_not_changed() -> None:
    (parsed,) = manifest.parse(app())
    assert parsed.processes == []
    assert parsed.lifecycle == {}


def test_a_web_process_of_its_own_stands_for_the_top_of_the_app() -> None:
    (parsed,) = manifest.parse(app(memory="1G", processes=[{"type": "web", "instances": 3}]))
    assert parsed.processes == [ProcessManifest("web", msgspec.UNSET, {"instances": 3})]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"memory": "64"}, 'Process "web": Memory must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB'),
        ({"memory": "64Q"}, 'Process "web": Memory must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB'),
        ({"memory": "lots"}, 'Process "web": Memory is not a number'),
        ({"memory": "1B"}, 'Process "web": Memory must be greater than 0MB'),
        ({"disk_quota": "x"}, 'Process "web": Disk quota is not a number'),
        ({"instances": -1}, 'Process "web": Instances must be greater than or equal to 0'),
        ({"timeout": 0}, 'Process "web": Timeout must be greater than 0'),
        ({"routes": [{"route": "ftp://x.y"}]}, "The route 'ftp://x.y' is not a properly formed URL"),
        ({"routes": [{"route": "x y"}]}, "The route 'x y' is not a properly formed URL"),
        ({"routes": [{"route": "http://x.y:1025"}]}, "The route 'http://x.y:1025' is not a properly formed URL"),
        ({"routes": ["x.y"]}, "Routes must be a list of route objects"),
        (
            {"routes": [{"route": "x.y", "protocol": "ftp"}]},
            "Route protocol must be 'http1', 'http2' or 'tcp'.",
        ),
        (
            {"routes": [{"route": "r.y", "options": {"loadbalancing": "x"}}]},
            "Cannot use loadbalancing value 'x' for Route 'r.y'; Valid values are: 'round-robin, least-connection'",
        ),
        (
            {"routes": [{"route": "r.y", "options": {"x": 1}}]},
            "Route 'r.y' contains invalid route option 'x'. Valid keys: 'loadbalancing'",
        ),
        ({"random_route": True, "default_route": True}, "Random-route and default-route may not be used together"),
        ({"no_route": "yes"}, "No-route must be a boolean"),
        ({"env": []}, "Env must be an object of keys and values"),
        ({"env": {"PORT": 1}}, "Env cannot set PORT"),
        ({"buildpack": "x", "buildpacks": ["y"]}, "Buildpack and Buildpacks fields cannot be used together."),
        ({"processes": "x"}, "Processes must be an array of process configurations"),
        ({"processes": [{"instances": 1}]}, "All Processes must specify a type"),
        ({"processes": [{"type": "w"}, {"type": "w"}]}, 'Process "w" may only be present once'),
        ({"metadata": []}, "Metadata must be an object"),
        ({"services": [1]}, "Services must be a list of service instance names or service objects"),
    ],
)
def test_errors(fields: dict[str, Any], expected: str) -> None:
    assert messages(app(**fields)) == (f"For application 'a': {expected}",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", ("Cannot parse manifest with no 'applications' field.",)),
        (b"applications: []", ("Cannot parse manifest with no 'applications' field.",)),
        (b"- a", ("Cannot parse manifest with no 'applications' field.",)),
        (
            b"version: 2\napplications: [{name: a}]",
            ("Unsupported manifest schema version. Currently supported versions: [1].",),
        ),
        (b"applications: [{memory: 1M}]", ("For application at index 0: Name must not be empty",)),
        (b"applications: [", ()),
        (b"\xff\xfe\x00", ()),
    ],
)
def test_documents(text: bytes, expected: tuple[str, ...]) -> None:
    assert messages(text) == expected


def test_all_that_is_wrong_with_all_apps_is_told() -> None:
    text = b"applications: [{name: a, memory: x, random-route: 1}, {name: b, instances: x}]"
    assert messages(text) == (
        "For application 'a': Process \"web\": Memory is not a number",
        "For application 'a': Random-route must be a boolean",
        "For application 'b': Process \"web\": Instances is not a number",
    )


@pytest.mark.parametrize(
    ("text", "candidates", "path", "port"),
    [
        ("a.b.c", (("", "a.b.c"), ("a", "b.c")), "", None),
        ("https://A.B.c/p/q", (("", "a.b.c"), ("A", "b.c")), "/p/q", None),
        ("http://a.b/", (("", "a.b"), ("a", "b")), "", None),
        ("*.b.c", (("*", "b.c"),), "", None),
        ("tcp.b.c:1025", (("", "tcp.b.c"), ("tcp", "b.c")), "", 1025),
        ("tcp://tcp.b.c:1025", (("", "tcp.b.c"), ("tcp", "b.c")), "", 1025),
        ("single", (("", "single"),), "", None),
    ],
)
def test_routes(text: str, candidates: tuple[tuple[str, str], ...], path: str, port: int | None) -> None:
    route = routes.parse({"route": text})
    assert route is not None
    assert (route.candidates, route.path, route.port) == (candidates, path, port)


LABEL = st.from_regex(r"[a-z0-9_-]{1,10}", fullmatch=True)


@given(st.lists(LABEL, min_size=1, max_size=5), st.from_regex(r"(/[a-z]{1,5}){0,3}", fullmatch=True))
def test_every_well_formed_route_is_split_at_most_twice(labels: list[str], path: str) -> None:
    name = ".".join(labels)
    route = routes.parse({"route": name + path})
    assert route is not None
    assert route.path == path
    for host, domain in route.candidates:
        assert (f"{host}.{domain}" if host else domain) == name
    assert len(route.candidates) == (1 if len(labels) == 1 else 2)


@given(st.text(max_size=60))
def test_no_text_is_too_strange_for_a_route(text: str) -> None:
    route = routes.parse({"route": text})
    assert route is None or route.candidates


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**12) | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("name", "memory", "instances", "routes", "env", "services", "processes", "buildpacks", "timeout", "metadata")


@given(st.dictionaries(st.sampled_from(KEYS), yaml_values))
def test_any_application_is_taken_or_refused(fields: dict[str, Any]) -> None:
    import msgspec.yaml

    text = msgspec.yaml.encode({"applications": [fields]})
    with contextlib.suppress(ManifestError):
        assert len(manifest.parse(text)) == 1
