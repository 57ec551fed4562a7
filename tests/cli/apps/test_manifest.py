"""Manifests: variables, flags, routes, and what changes."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.apps import manifest
from cfroute.cli.apps.manifest import Flags
from cfroute.errors import CfrouteError, UsageError


def merged(app: dict[str, Any], **flags: Any) -> dict[str, Any]:
    return dict(manifest.merge({"applications": [app]}, Flags(**flags))["applications"][0])


def test_variables_are_put_in_and_keep_their_type() -> None:
    text = "applications:\n- name: ((name))-app\n  instances: ((n))\n"
    read = manifest.read(text, {"name": "web", "n": 3}, "manifest.yml")
    assert read == {"applications": [{"name": "web-app", "instances": 3}]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [\n", "m.yml: line 2, column 1: expected the node content, but found '<stream end>'"),
        ("a: 2026-99-99", "m.yml: month must be in 1..12"),
        ("[" * 3000, "m.yml: maximum recursion depth exceeded"),
        (b"\xff\xfe\xff", "m.yml: "),
        ("a: \x01", "m.yml: "),
    ],
    ids=["open bracket", "no date", "too deep", "no text", "control character"],
)
def test_what_is_no_yaml_is_told_in_one_line(text: str | bytes, told: str) -> None:
    with pytest.raises(CfrouteError) as refused:
        manifest.load(text, "m.yml")
    assert refused.value.message.startswith(told)
    assert "\n" not in refused.value.message


def test_missing_variables_are_named_together() -> None:
    with pytest.raises(CfrouteError, match="Expected to find variables: a, b"):
        manifest.read("applications:\n- name: ((b))\n  memory: ((a))\n", {}, "manifest.yml")


@pytest.mark.parametrize("text", ["", "- 1", "applications: []", "applications: web", "applications: [web]", "a: [b"])
def test_what_is_no_manifest_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(CfrouteError, match=r"manifest\.yml"):
        manifest.read(text, {}, "manifest.yml")


def test_an_only_app_takes_the_name_that_was_typed() -> None:
    chosen = manifest.choose({"applications": [{"name": "a", "memory": "1G"}]}, "b")
    assert chosen["applications"] == [{"name": "b", "memory": "1G"}]


def test_a_named_app_is_taken_out_of_several() -> None:
    apps = {"applications": [{"name": "a"}, {"name": "b"}]}
    assert manifest.choose(apps, "b")["applications"] == [{"name": "b"}]
    with pytest.raises(CfrouteError, match="Could not find app named 'c' in manifest"):
        manifest.choose(apps, "c")


def test_flags_win_over_the_manifest() -> None:
    app = merged({"name": "web", "memory": "1G", "disk_quota": "1G", "path": "x"}, memory="64M", disk="2G", instances=2)
    assert app == {"name": "web", "disk-quota": "2G", "instances": 2, "memory": "64M", "default-route": True}


def test_flags_of_the_web_process_go_where_the_manifest_describes_it() -> None:
    app = merged({"name": "web", "processes": [{"type": "worker"}, {"type": "web", "memory": "1G"}]}, memory="64M", stack="s")
    assert app["processes"] == [{"type": "worker"}, {"type": "web", "memory": "64M"}]
    assert "memory" not in app
    assert app["stack"] == "s"


@pytest.mark.parametrize(
    ("app", "flags", "routing"),
    [
        ({}, {}, {"default-route": True}),
        ({"routes": [{"route": "a.b"}]}, {}, {"default-route": True, "routes": [{"route": "a.b"}]}),
        ({"routes": [{"route": "a.b"}]}, {"no_route": True}, {"no-route": True}),
        ({"no-route": True}, {}, {"no-route": True}),
        ({}, {"random_route": True}, {"random-route": True}),
        ({"random-route": True}, {}, {"random-route": True}),
        ({"random-route": True}, {"route": "h.d"}, {"default-route": True, "routes": [{"route": "h.d"}]}),
    ],
)
def test_every_app_gets_a_route_unless_it_wants_none(app: dict[str, Any], flags: dict[str, Any], routing: dict[str, Any]) -> None:
    assert merged({"name": "web", **app}, **flags) == {"name": "web", **routing}


@pytest.mark.parametrize(("word", "sent"), [("null", None), ("python3 server.py", "python3 server.py")])
def test_a_command_of_null_resets_it(word: str, sent: str | None) -> None:
    assert merged({"name": "web", "command": "old"}, command=word)["command"] == sent


@pytest.mark.parametrize(("word", "sent"), [("default", []), ("null", []), ("go", ["go"])])
def test_buildpacks_of_default_reset_them(word: str, sent: list[str]) -> None:
    assert merged({"name": "web"}, buildpacks=(word,))["buildpacks"] == sent


def test_flags_cannot_change_several_apps() -> None:
    apps = {"applications": [{"name": "a"}, {"name": "b"}]}
    with pytest.raises(UsageError, match="multiple apps"):
        manifest.merge(apps, Flags(instances=2))
    assert len(manifest.merge(apps, Flags())["applications"]) == 2


def test_keys_are_sent_in_the_order_of_cf() -> None:
    app = merged({"routes": [], "command": "x", "memory": "1G", "buildpacks": ["b"], "instances": 1, "name": "shop"})
    assert list(app) == ["name", "instances", "memory", "default-route", "buildpacks", "command", "routes"]


SHOP = {
    "name": "shop",
    "instances": 1,
    "memory": "64M",
    "default-route": True,
    "buildpacks": ["python_buildpack"],
    "command": "python3 server.py",
    "routes": [{"route": "shop.apps.example.com"}, {"route": "tcp.example.com:1060"}],
}


def test_the_diff_of_a_new_app() -> None:
    paths = ["name", "instances", "buildpacks", "command", "routes"]
    changes = [{"op": "add", "path": f"/applications/0/{key}", "value": SHOP[key]} for key in paths]
    assert manifest.diff_text({"applications": [SHOP]}, changes) == (
        "  ---\n"
        "  applications:\n"
        "+ - name: shop\n"
        "+   instances: 1\n"
        "    memory: 64M\n"
        "    default-route: true\n"
        "+   buildpacks:\n"
        "+   - python_buildpack\n"
        "+   command: python3 server.py\n"
        "+   routes:\n"
        "+   - route: shop.apps.example.com\n"
        "+   - route: tcp.example.com:1060"
    )


def test_the_diff_of_an_app_that_stays_as_it_is() -> None:
    lines = manifest.diff_text({"applications": [SHOP]}, []).split("\n")
    assert lines[:2] == ["  applications:", "  - name: shop"]
    assert all(line.startswith("  ") for line in lines)


def test_the_diff_of_what_is_replaced_and_removed() -> None:
    changes = [
        {"op": "replace", "path": "/applications/0/memory", "was": "1G", "value": "64M"},
        {"op": "remove", "path": "/applications/0/stack", "was": "cflinuxfs3"},
        {"op": "add", "path": "/applications/0/routes/1", "value": {"route": "b.c"}},
    ]
    app = {"name": "a", "memory": "64M", "routes": [{"route": "a.c"}, {"route": "b.c"}]}
    assert manifest.diff_text({"applications": [app]}, changes).split("\n") == [
        "  ---",
        "  applications:",
        "  - name: a",
        "-   memory: 1G",
        "+   memory: 64M",
        "    routes:",
        "    - route: a.c",
        "+   - route: b.c",
        "-   stack: cflinuxfs3",
    ]


SCALAR = st.none() | st.booleans() | st.integers() | st.text("ab: '\"#", max_size=6)
TREE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
)


@given(st.dictionaries(st.text("abc", min_size=1), TREE, min_size=1, max_size=4))
def test_without_marks_the_diff_is_the_manifest(tree: dict[str, Any]) -> None:
    text = manifest.diff_text(tree, [])
    assert yaml.safe_load("\n".join(line[2:] for line in text.split("\n"))) == tree


def test_a_manifest_is_found_under_both_names(tmp_path: Path) -> None:
    assert manifest.find(tmp_path) is None
    (tmp_path / "manifest.yaml").touch()
    assert manifest.find(tmp_path) == tmp_path / "manifest.yaml"
    (tmp_path / "manifest.yml").touch()
    assert manifest.find(tmp_path) == tmp_path / "manifest.yml"


def test_values_of_the_environment_can_be_left_out_of_what_is_shown() -> None:
    apps = {"applications": [{"name": "web", "env": {"TOKEN": "new", "LEVEL": 1}}, {"name": "other"}]}
    changes = [
        {"op": "replace", "path": "/applications/0/env/TOKEN", "was": "old", "value": "new"},
        {"op": "remove", "path": "/applications/1/env", "was": {"KEY": "secret"}},
        {"op": "replace", "path": "/applications/0/memory", "was": "1G", "value": "2G"},
    ]
    shown = manifest.diff_text(manifest.redacted(apps), manifest.redacted_changes(changes))
    assert [line for line in shown.splitlines() if "TOKEN" in line or "KEY" in line] == [
        "-     TOKEN: <redacted>",
        "+     TOKEN: <redacted>",
        "-     KEY: <redacted>",
    ]
    assert not any(secret in shown for secret in ("old", "new", "secret"))
    assert manifest.redacted_changes(changes)[2]["was"] == "1G"
    assert apps["applications"][0]["env"] == {"TOKEN": "new", "LEVEL": 1}
