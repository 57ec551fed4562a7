"""App manifests: reading them, putting variables in, merging the flags of `push` in, and showing what they change.

All of it is plain data in, data out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cfroute.cli.misuse import Misuse
from cfroute.errors import CfrouteError, ConfigurationError

Manifest = dict[str, Any]
App = dict[str, Any]

_VARIABLE = re.compile(r"\(\(([-\w/.]+)\)\)")

_FIRST_KEYS = (
    "name", "disk-quota", "docker", "health-check-type", "health-check-http-endpoint", "timeout", "instances",
    "processes", "memory", "no-route", "random-route", "default-route", "stack",
)  # fmt: skip
"""cf's order of keys; the others follow by name."""

_PROCESS_KEYS = {
    "command", "instances", "memory", "disk-quota", "health-check-type", "health-check-http-endpoint", "timeout",
}  # fmt: skip
"""What a flag sets in the web process, if the manifest lists processes."""


class Flags(msgspec.Struct, frozen=True):
    """The flags of `push` that change the manifest; None or False for those that were not given."""

    buildpacks: tuple[str, ...] = ()
    command: str | None = None
    disk: str | None = None
    endpoint: str | None = None
    health_check_type: str | None = None
    instances: int | None = None
    memory: str | None = None
    no_route: bool = False
    random_route: bool = False
    route: str | None = None
    stack: str | None = None
    timeout: int | None = None
    path: str | None = None

    @property
    def given(self) -> bool:
        """Whether any of them was."""
        return self != Flags()


def find(folder: Path) -> Path | None:
    """The manifest of a folder."""
    return next((file for name in ("manifest.yml", "manifest.yaml") if (file := folder / name).is_file()), None)


def read(text: str | bytes, variables: Mapping[str, Any], source: str) -> Manifest:
    """A manifest with its variables put in. Raises CfrouteError for what is none."""
    manifest = load(text, source)
    if not isinstance(manifest, dict) or not _is_list_of_maps(manifest.get("applications")):
        raise CfrouteError(f"{source}: the manifest has no list of applications")
    missing: list[str] = []
    filled = _fill(manifest, variables, missing)
    if missing:
        raise CfrouteError(f"Expected to find variables: {', '.join(sorted(set(missing)))}")
    return dict(filled)


def load(text: str | bytes, source: str) -> Any:
    """The value of a YAML document. Raises ConfigurationError that says in one line where it is none."""
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigurationError(f"{source}: {where}{error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # no text, too deep, a date that there is not
        raise ConfigurationError(f"{source}: {' '.join(str(error).split())}") from error


def _is_list_of_maps(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _fill(value: Any, variables: Mapping[str, Any], missing: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(each, variables, missing) for key, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, variables, missing) for each in value]
    if not isinstance(value, str):
        return value
    missing += [name for name in _VARIABLE.findall(value) if name not in variables]
    whole = _VARIABLE.fullmatch(value)
    if whole and whole[1] in variables:
        return variables[whole[1]]  # a number stays a number
    return _VARIABLE.sub(lambda match: str(variables.get(match[1], match[0])), value)


def choose(manifest: Manifest, name: str | None) -> Manifest:
    """Narrow to the app that was named; an only app takes the name. Raises CfrouteError when it is not there."""
    apps = manifest["applications"]
    if name is None:
        return manifest
    chosen = [app for app in apps if app.get("name") == name]
    if not chosen and len(apps) == 1:
        chosen = [{**apps[0], "name": name}]
    if not chosen:
        raise CfrouteError(f"Could not find app named '{name}' in manifest")
    return {**manifest, "applications": chosen}


def merge(manifest: Manifest, flags: Flags) -> Manifest:
    """The manifest as it is sent: flags win over what it says, and every app gets its default route.

    Raises Misuse when flags are to change several apps.
    """
    apps = manifest["applications"]
    if flags.given and len(apps) > 1:
        raise Misuse(
            "Incorrect Usage: Command line flags (except -f and --no-start) cannot be applied when pushing multiple apps "
            "from a manifest file."
        )
    return {**manifest, "applications": [ordered(_with_route(_override(dict(app), flags))) for app in apps]}


def _override(app: App, flags: Flags) -> App:
    app.pop("path", None)
    if "disk_quota" in app:
        app["disk-quota"] = app.pop("disk_quota")
    changes = _changes(flags)
    web = next((p for p in app.get("processes") or [] if p.get("type") == "web"), None)
    if web is not None:
        moved = {key: changes.pop(key) for key in _PROCESS_KEYS & changes.keys()}
        app["processes"] = [{**p, **moved} if p is web else p for p in app["processes"]]
    app |= changes
    if flags.no_route or flags.random_route or flags.route:
        app.pop("routes", None)
        app |= _routes(flags)
    return app


def _changes(flags: Flags) -> App:
    changes: App = {
        "disk-quota": flags.disk,
        "health-check-http-endpoint": flags.endpoint,
        "health-check-type": flags.health_check_type,
        "instances": flags.instances,
        "memory": flags.memory,
        "stack": flags.stack,
        "timeout": flags.timeout,
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    if flags.buildpacks:
        changes["buildpacks"] = [] if flags.buildpacks[0] in ("null", "default") else list(flags.buildpacks)
    if flags.command is not None:
        changes["command"] = None if flags.command == "null" else flags.command
    return changes


def _routes(flags: Flags) -> App:
    if flags.no_route:
        return {"no-route": True, "random-route": False}
    if flags.random_route:
        return {"random-route": True}
    return {"routes": [{"route": flags.route}], "random-route": False}


def _with_route(app: App) -> App:
    app = {key: value for key, value in app.items() if key not in ("no-route", "random-route") or value}
    if not app.get("no-route") and not app.get("random-route"):
        app["default-route"] = True
    return app


def ordered(app: App) -> App:
    """The same app with its keys in cf's order."""
    position = {key: number for number, key in enumerate(_FIRST_KEYS)}
    return dict(sorted(app.items(), key=lambda item: (position.get(item[0], len(position)), item[0])))


_REDACTED = "<redacted>"


def redacted(manifest: Manifest) -> Manifest:
    """The manifest without the values of environment variables."""
    hidden = [{**app, "env": dict.fromkeys(app["env"], _REDACTED)} if app.get("env") else app for app in manifest["applications"]]
    return {**manifest, "applications": hidden}


def redacted_changes(changes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The changes of such a manifest, without the values that were there before."""
    return [{**change, "was": _hidden(change["was"])} if _is_env(change) else change for change in changes]


def _is_env(change: Mapping[str, Any]) -> bool:
    return "was" in change and re.match(r"/applications/\d+/env(/|$)", change["path"]) is not None


def _hidden(was: Any) -> Any:
    return dict.fromkeys(was, _REDACTED) if isinstance(was, dict) else _REDACTED


def to_yaml(manifest: Manifest) -> str:
    return yaml.safe_dump(manifest, sort_keys=False, default_flow_style=False, allow_unicode=True, width=10_000)


def diff_text(manifest: Manifest, changes: Iterable[Mapping[str, Any]]) -> str:
    """The manifest with `+` and `-` before what the changes (JSON-patch-like, from the API) add and remove."""
    operations = {str(change["path"]): change for change in changes}
    lines = [("  ", "---")] if operations else []
    lines += _mapping(manifest, "", operations, "  ")
    return "\n".join(mark + line for mark, line in lines)


Lines = Iterator[tuple[str, str]]
Operations = Mapping[str, Mapping[str, Any]]


def _mapping(values: Mapping[str, Any], path: str, operations: Operations, mark: str) -> Lines:
    for key, value in values.items():
        yield from _item(f"{key}:", {key: value}, value, f"{path}/{_escaped(key)}", operations, mark)
    for at, operation in operations.items():
        parent, _, key = at.rpartition("/")
        if parent == path and operation["op"] == "remove" and key not in values:
            yield from (("- ", line) for line in _dump({key: operation.get("was")}))


def _sequence(values: list[Any], path: str, operations: Operations, mark: str) -> Lines:
    for number, value in enumerate(values):
        here = f"{path}/{number}"
        if not isinstance(value, dict | list) or not value:
            yield from _item("-", [value], value, here, operations, mark)
            continue
        inner = "+ " if _is_added(here, operations) else mark
        for position, (each, line) in enumerate(_nested(value, here, operations, inner)):
            yield each, ("  " if position else "- ") + line


def _item(head: str, whole: Any, value: Any, here: str, operations: Operations, mark: str) -> Lines:
    """One entry of a map or list: `head` is its first line when the value is nested, `whole` the entry alone."""
    operation = operations.get(here)
    if operation and operation["op"] == "replace":
        was = operation.get("was")
        yield from (("- ", line) for line in _dump({next(iter(whole)): was} if isinstance(whole, dict) else [was]))
        yield from (("+ ", line) for line in _dump(whole))
        return
    mark = "+ " if _is_added(here, operations) else mark
    if not isinstance(value, dict | list) or not value:
        yield from ((mark, line) for line in _dump(whole))
        return
    yield mark, head
    indent = "  " if isinstance(value, dict) else ""  # a list stands under its key, as Go writes it
    yield from ((each, indent + line) for each, line in _nested(value, here, operations, mark))


def _nested(value: dict[str, Any] | list[Any], path: str, operations: Operations, mark: str) -> Lines:
    if isinstance(value, dict):
        return _mapping(value, path, operations, mark)
    return _sequence(value, path, operations, mark)


def _is_added(path: str, operations: Operations) -> bool:
    return path in operations and operations[path]["op"] == "add"


def _escaped(key: str) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _dump(value: Any) -> list[str]:
    return to_yaml(value).splitlines()
