"""What a manifest would change: `POST /v3/spaces/:guid/manifest_diff`. Pure.

    [{"op": "replace", "path": "/applications/0/routes/1/protocol", "was": "http1", "value": "http2"}]

Only what the manifest says is compared: what it leaves out stays as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cfroute.cloud_controller.manifests.manifest import as_text
from cfroute.cloud_controller.sizes import SizeError, mebibytes

# What makes two entries of a list the same.
_IDENTITY = {"processes": "type", "routes": "route", "services": "name"}
_COMPARED = (
    "buildpacks",
    "command",
    "disk_quota",
    "env",
    "health_check_http_endpoint",
    "health_check_type",
    "instances",
    "memory",
    "metadata",
    "name",
    "processes",
    "routes",
    "services",
    "stack",
    "timeout",
)
_SIZES = ("memory", "disk_quota")


def diff(wanted: Sequence[Mapping[str, Any]], existing: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How the wanted applications differ from the existing ones, which are keyed by name; both with underscores in keys."""
    found = []
    for index, app in enumerate(wanted):
        there = existing.get(str(app.get("name")), {})
        for key in app:
            if key in _COMPARED:
                found += _differences(f"/applications/{index}/{key}", key, there.get(key), app[key])
    return found


def _differences(path: str, key: str, was: Any, value: Any) -> list[dict[str, Any]]:
    was, value = _normal(key, was), _normal(key, value)
    if was == value:
        return []
    if was is None:
        return [{"op": "add", "path": path, "value": value}]
    if value is None:
        return [{"op": "remove", "path": path, "was": was}]
    if isinstance(was, dict) and isinstance(value, dict):
        return [step for name in value for step in _differences(f"{path}/{name}", name, was.get(name), value[name])]
    if isinstance(was, list) and isinstance(value, list) and key in _IDENTITY:
        return _list_differences(path, _IDENTITY[key], was, value)
    return [{"op": "replace", "path": path, "was": was, "value": value}]


def _list_differences(path: str, identity: str, was: list[Any], value: list[Any]) -> list[dict[str, Any]]:
    before = {str(each.get(identity)): each for each in was}
    steps = []
    for index, each in enumerate(value):
        old = before.get(str(each.get(identity)))
        if old is None:
            steps.append({"op": "add", "path": f"{path}/{index}", "value": each})
        else:
            steps += _differences(f"{path}/{index}", "", old, each)
    return steps


def _normal(key: str, value: Any) -> Any:
    """Two ways to write the same thing made one."""
    if key in _SIZES:
        try:
            size = mebibytes(value)
        except SizeError:
            return value
        return None if size is None else f"{size}M"
    if key == "env" and isinstance(value, dict):
        return {str(name): as_text(each) for name, each in value.items()}
    if key == "services" and isinstance(value, list):
        return [{"name": each} if isinstance(each, str) else each for each in value]
    return value
