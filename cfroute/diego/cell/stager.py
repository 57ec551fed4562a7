"""What a package is, and how it is started: the buildpacks' detection, as a function of its files.

The order is Cloud Foundry's: the first buildpack that recognises its files wins, a Procfile overrides its process
types. What none recognises is accepted when a command was given or a Procfile is there, as by the binary buildpack.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cfroute.errors import CfrouteError

PROCFILE_LINE = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*:\s*(.+?)\s*$")
MAIN_MODULES = ("app.py", "main.py", "server.py", "run.py", "application.py", "web.py")
STATIC_SERVER = "static_server.py"

Install = Literal["none", "pip", "npm", "static"]


class StagingFailed(CfrouteError):
    """The package cannot be staged; `code` is the Cloud Controller's name for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def reason(self) -> str:
        """As it is shown: `NoAppDetectedError - An app was …`."""
        return f"{self.code} - {self.message}"


def nothing_detected() -> StagingFailed:
    """No buildpack knows what to do with the package."""
    return StagingFailed("NoAppDetectedError", "An app was not successfully detected by any available buildpack")


def compile_failed() -> StagingFailed:
    """The buildpack knows what to do, but could not."""
    return StagingFailed("BuildpackCompileFailed", "App staging failed in the buildpack compile phase")


@dataclass(frozen=True)
class Package:
    """The files at the top of a package, and how to read one of them."""

    names: Collection[str]
    read: Callable[[str], str]

    def __contains__(self, name: str) -> bool:
        return name in self.names


@dataclass(frozen=True)
class Plan:
    """How to stage: which buildpack, what it has to install, and what the droplet then runs.

    static_root and push_state concern static sites only.
    """

    buildpack: str
    title: str
    install: Install = "none"
    process_types: Mapping[str, str] = field(default_factory=dict)
    static_root: str = "."
    push_state: bool = False


def plan(package: Package, command: str = "", buildpacks: Collection[str] = ()) -> Plan:
    """Decide. A named buildpack is used without asking it. Raises StagingFailed."""
    procfile = _procfile(package)
    chosen = _named(package, buildpacks) if buildpacks else _detected(package)
    if chosen is None:
        if not command and not procfile:
            raise nothing_detected()
        chosen = Plan("binary_buildpack", "Binary")
    commands = dict(chosen.process_types) | procfile
    if command:
        commands["web"] = command
    return Plan(chosen.buildpack, chosen.title, chosen.install, commands, chosen.static_root, chosen.push_state)


def _detected(package: Package) -> Plan | None:
    found = (buildpack(package) for recognises, buildpack in BUILDPACKS.values() if recognises(package))
    return next(found, None)


def _named(package: Package, buildpacks: Collection[str]) -> Plan:
    for name in reversed(list(buildpacks)):  # the last one decides how the app is started
        if name in BUILDPACKS:
            return BUILDPACKS[name][1](package)
    raise StagingFailed("NoCompatibleCell", f"there is no buildpack {', '.join(buildpacks)} here")


# static sites


def _is_static(package: Package) -> bool:
    return "Staticfile" in package or ("index.html" in package and "package.json" not in package)


def _static(package: Package) -> Plan:
    settings = dict(line.split(":", 1) for line in _text(package, "Staticfile").splitlines() if ":" in line)
    settings = {key.strip(): value.strip().strip("\"'") for key, value in settings.items()}
    root = settings.get("root") or "."
    push_state = settings.get("pushstate", "") in ("enabled", "true")
    option = " --push-state" if push_state else ""
    command = f'python3 "$DEPS_DIR/{STATIC_SERVER}"{option} "{_plain(root)}"'
    return Plan("staticfile_buildpack", "Staticfile", "static", {"web": command}, root, push_state)


def _plain(root: str) -> str:
    if not re.fullmatch(r"[\w. /-]+", root) or root.startswith("/") or ".." in root.split("/"):
        raise StagingFailed("BuildpackCompileFailed", f"the root in the Staticfile is no folder: {root}")
    return root


# Node


def _is_node(package: Package) -> bool:
    return "package.json" in package


def _node(package: Package) -> Plan:
    described = _json(package, "package.json")
    scripts = described.get("scripts")
    install: Install = "npm" if described.get("dependencies") and "node_modules" not in package else "none"
    if isinstance(scripts, dict) and scripts.get("start"):
        command = "npm start"
    elif "server.js" in package:
        command = "node server.js"
    elif isinstance(main := described.get("main"), str):
        command = f"node {json.dumps(main)}"
    else:
        return Plan("nodejs_buildpack", "Node.js", install)
    return Plan("nodejs_buildpack", "Node.js", install, {"web": command})


# Python


def _is_python(package: Package) -> bool:
    described = {"requirements.txt", "setup.py", "pyproject.toml", "Pipfile", "environment.yml"}
    return bool(described & set(package.names)) or any(name in package for name in MAIN_MODULES)


def _python(package: Package) -> Plan:
    module = next((name for name in MAIN_MODULES if name in package), None)
    commands = {"web": f"python3 {module}"} if module else {}
    return Plan("python_buildpack", "Python", "pip" if _has_requirements(package) else "none", commands)


def _has_requirements(package: Package) -> bool:
    lines = (line.split("#", 1)[0].strip() for line in _text(package, "requirements.txt").splitlines())
    return any(lines) or ("requirements.txt" not in package and "setup.py" in package)


def _binary(_package: Package) -> Plan:
    return Plan("binary_buildpack", "Binary")


BUILDPACKS: dict[str, tuple[Callable[[Package], bool], Callable[[Package], Plan]]] = {
    "staticfile_buildpack": (_is_static, _static),
    "nodejs_buildpack": (_is_node, _node),
    "python_buildpack": (_is_python, _python),
    "binary_buildpack": (lambda _: False, _binary),
}


def _procfile(package: Package) -> dict[str, str]:
    found = {}
    for line in _text(package, "Procfile").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = PROCFILE_LINE.match(line)
        if match is None:
            raise StagingFailed("BuildpackCompileFailed", f"the Procfile has a line that makes no sense: {line}")
        found[match.group(1)] = match.group(2)
    return found


def _json(package: Package, name: str) -> dict[str, Any]:
    try:
        value = json.loads(_text(package, name))
    except json.JSONDecodeError as error:
        raise StagingFailed("BuildpackCompileFailed", f"{name} is no valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise StagingFailed("BuildpackCompileFailed", f"{name} is no JSON object")
    return value


def _text(package: Package, name: str) -> str:
    return package.read(name) if name in package else ""
