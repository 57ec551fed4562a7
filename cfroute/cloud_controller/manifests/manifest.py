"""App manifests, as `cf push` sends them. Pure: YAML text to values, or to all that is wrong with it.

    applications:
    - name: spring-music
      memory: 64M
      routes: [{route: spring-music.cf.localhost/albums, protocol: http2}]
      processes: [{type: worker, instances: 2, command: python worker.py}]

Keys may be written with hyphens or underscores. What stands at the top of an application is about its web process.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from cfroute.cloud_controller.documents import UnreadableDocument, read_yaml
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.manifests import routes
from cfroute.cloud_controller.manifests.routes import ManifestRoute
from cfroute.cloud_controller.sizes import SizeError, mebibytes
from cfroute.cloud_controller.validation.apps import environment_problems, health_check_problems
from cfroute.cloud_controller.validation.common import whole_number


class ManifestError(Exception):
    """The manifest cannot be taken. messages: one for each thing that is wrong; none when it is not even YAML."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages) or "the manifest is not YAML")
        self.messages = messages


class ProcessManifest(msgspec.Struct, frozen=True):
    """What is said of one process; None means nothing, but for the command: there it means the one that is found."""

    type: str = "web"
    command: str | msgspec.UnsetType | None = msgspec.UNSET
    scale: dict[str, int] = {}
    health_check: dict[str, Any] = {}


class AppManifest(msgspec.Struct, frozen=True):
    """What is said of one app.

    flags: of the features without which it cannot be run, and which no foundation of ours has. left_out: what it is run without.
    """

    name: str
    processes: list[ProcessManifest] = []
    lifecycle: dict[str, Any] = {}
    environment: dict[str, str] = {}
    routes: list[ManifestRoute] = []
    no_route: bool = False
    random_route: bool = False
    default_route: bool = False
    services: list[dict[str, Any]] = []
    metadata: dict[str, Any] = {}
    flags: list[str] = []
    left_out: list[str] = []
    revisions: bool | None = None


def parse(text: bytes, *, hashing: bool = False) -> list[AppManifest]:
    """The applications of a manifest. Raises ManifestError."""
    documents = applications(text)
    messages = [message for index, each in enumerate(documents) for message in _problems(index, each, hashing)]
    if messages:
        raise ManifestError(*messages)
    return [_app(each) for each in documents]


def applications(text: bytes) -> list[dict[str, Any]]:
    """The applications as they were written, with underscores in their keys. Raises ManifestError."""
    try:
        document = read_yaml(text)
    except UnreadableDocument:
        raise ManifestError from None
    fields = document if isinstance(document, dict) else {}
    found = fields.get("applications")
    if not isinstance(found, list) or not found:
        raise ManifestError("Cannot parse manifest with no 'applications' field.")
    if fields.get("version", 1) != 1:
        raise ManifestError("Unsupported manifest schema version. Currently supported versions: [1].")
    return [underscored(each) if isinstance(each, dict) else {} for each in found]


def named_applications(text: bytes) -> list[dict[str, Any]]:
    """The same, each of which has a name. Raises ManifestError."""
    found = applications(text)
    messages = [f"{_where(index, each)}{problem}" for index, each in enumerate(found) for problem in _name_problems(each)]
    if messages:
        raise ManifestError(*messages)
    return found


def underscored(value: Mapping[Any, Any]) -> dict[str, Any]:
    keyed = {str(key).replace("-", "_"): each for key, each in value.items()}
    if isinstance(keyed.get("processes"), list):
        keyed["processes"] = [underscored(each) if isinstance(each, dict) else each for each in keyed["processes"]]
    return keyed


def _problems(index: int, app: dict[str, Any], hashing: bool) -> list[str]:
    found = _name_problems(app) + _process_problems("web", app) + _processes_problems(app) + _own_problems(app)
    return [_where(index, app) + problem for problem in found + routes.problems(app, hashing=hashing)]


def _where(index: int, app: Mapping[str, Any]) -> str:
    return f"For application at index {index}: " if _name_problems(app) else f"For application '{app['name']}': "


def _name_problems(app: Mapping[str, Any]) -> list[str]:
    name = app.get("name")
    if name is None or name == "":
        return ["Name must not be empty"]
    return [] if isinstance(name, str) else ["Name must be a string"]


def _processes_problems(app: dict[str, Any]) -> list[str]:
    if "processes" not in app:
        return []
    processes = app["processes"]
    if not isinstance(processes, list) or not all(isinstance(each, dict) for each in processes):
        return ["Processes must be an array of process configurations"]
    types = Counter(str(each.get("type") or "") for each in processes)
    found = ["All Processes must specify a type"] if "" in types else []
    found += [f'Process "{kind}" may only be present once' for kind, count in types.items() if count > 1 and kind]
    return found + [problem for each in processes for problem in _process_problems(str(each.get("type")), each)]


def _process_problems(kind: str, process: dict[str, Any]) -> list[str]:
    found = []
    for key, label in (("memory", "Memory"), ("disk_quota", "Disk quota")):
        try:
            size = mebibytes(process.get(key))
        except SizeError as error:
            found.append(f"{label} {error}")
        else:
            found += [f"{label} must be greater than 0MB"] if size is not None and size < 1 else []
    found += whole_number(process, "instances", "Instances", 0)
    if process.get("command") is not None and not isinstance(process["command"], str):
        found.append("Command must be a string")
    found += [problem.replace("Health check timeout", "Timeout") for problem in health_check_problems(_check(process))]
    return [f'Process "{kind}": {problem}' for problem in found]


def _own_problems(app: dict[str, Any]) -> list[str]:
    env, services, buildpacks = app.get("env"), app.get("services"), app.get("buildpacks")
    found = []
    if "buildpack" in app and "buildpacks" in app:
        found.append("Buildpack and Buildpacks fields cannot be used together.")
    if buildpacks is not None and not (isinstance(buildpacks, list) and all(isinstance(b, str) for b in buildpacks)):
        found.append("Buildpacks can only contain strings")
    if env is not None and not isinstance(env, dict):
        found.append("Env must be an object of keys and values")
    elif env:
        found += environment_problems({str(key): "" for key in env}, "Env")
    if services is not None and not (isinstance(services, list) and all(map(_is_service, services))):
        found.append("Services must be a list of service instance names or service objects")
    return found + _features_problems(app.get("features")) + metadata_problems(app.get("metadata"))


def _features_problems(features: object) -> list[str]:
    if features is None:
        return []
    if not isinstance(features, dict) or not all(isinstance(value, bool) for value in features.values()):
        return ["Features must be a map of valid feature names to booleans (true = enabled, false = disabled)"]
    return []


def _is_service(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("name"), str))


def _check(process: dict[str, Any]) -> dict[str, Any]:
    kind = process.get("health_check_type")
    check: dict[str, Any] = {"type": "process" if kind == "none" else kind} if kind is not None else {}
    keys = {
        "health_check_http_endpoint": "endpoint",
        "timeout": "timeout",
        "health_check_timeout": "timeout",
        "health_check_invocation_timeout": "invocation_timeout",
    }
    data = {name: process[key] for key, name in keys.items() if process.get(key) is not None}
    return check | ({"data": data} if data else {})


def _app(app: dict[str, Any]) -> AppManifest:
    others = [_process(each) for each in app.get("processes", [])]
    top = _process({**app, "type": "web"})
    if top != ProcessManifest() and all(each.type != "web" for each in others):
        others.insert(0, top)
    return AppManifest(
        name=app["name"],
        processes=others,
        lifecycle=_lifecycle(app),
        environment={str(key): as_text(value) for key, value in (app.get("env") or {}).items()},
        routes=[route for each in app.get("routes") or [] if (route := routes.parse(each))],
        no_route=bool(app.get("no_route")),
        random_route=bool(app.get("random_route")),
        default_route=bool(app.get("default_route")),
        services=[{"name": each} if isinstance(each, str) else each for each in app.get("services") or []],
        metadata=app.get("metadata") or {},
        flags=_flags(app),
        left_out=_left_out(app),
        revisions=(app.get("features") or {}).get("revisions"),
    )


def _flags(app: dict[str, Any]) -> list[str]:
    lifecycle = app.get("lifecycle")
    needed = (("diego_docker", app.get("docker") or lifecycle == "docker"), ("diego_cnb", lifecycle == "cnb"))
    return [flag for flag, wanted in needed if wanted]


def _left_out(app: dict[str, Any]) -> list[str]:
    asked = [app, *app.get("processes", [])]
    found = (
        ("Sidecars", app.get("sidecars")),
        ("Log rate limits", any(each.get("log_rate_limit_per_second") not in (None, -1, "-1") for each in asked)),
        ("Readiness checks", any(each.get("readiness_health_check_type") not in (None, "process") for each in asked)),
        ("SSH sessions", (app.get("features") or {}).get("ssh")),
    )
    return [name for name, given in found if given]


def _process(process: dict[str, Any]) -> ProcessManifest:
    scale = {
        "instances": process.get("instances"),
        "memory_in_mb": mebibytes(process.get("memory")),
        "disk_in_mb": mebibytes(process.get("disk_quota")),
    }
    command = process.get("command", msgspec.UNSET)
    return ProcessManifest(
        type=process["type"],
        command=None if command in ("null", "default") else command,
        scale={name: value for name, value in scale.items() if value is not None},
        health_check=_check(process),
    )


def _lifecycle(app: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if app.get("buildpacks") is not None:
        data["buildpacks"] = app["buildpacks"]
    elif "buildpack" in app:
        single = app["buildpack"]
        data["buildpacks"] = [] if single in (None, "default", "null") else [str(single)]
    if app.get("stack"):
        data["stack"] = str(app["stack"])
    return {"data": data} if data else {}


def as_text(value: object) -> str:
    """A YAML value as an environment variable."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)
