"""What is done with manifests outside of `manifest`: they are read from files, and applied to the targeted space."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cfroute.cli.access.api import ApiError
from cfroute.cli.apps import manifest
from cfroute.cli.apps.manifest import Manifest
from cfroute.cli.options import Function, option
from cfroute.cli.session import Session
from cfroute.errors import ConfigurationError, UsageError


def variable_options(function: Function) -> Function:
    """--redact-env, --var and --vars-file."""
    function = option("--vars-file", "variable_files", multiple=True, help="Path to a variable substitution file for "
                      "manifest; can specify multiple times")(function)  # fmt: skip
    function = option("--var", "variables", multiple=True, help="Variable key value pair for variable substitution, "
                      "(e.g., name=app1); can specify multiple times")(function)  # fmt: skip
    return option("--redact-env", is_flag=True, help="Do not print values for environment vars set in the application "
                  "manifest")(function)  # fmt: skip


def locate(path: Path) -> Path | None:
    """The manifest at this path, which may be that of its folder; None when there is none."""
    found = manifest.find(path) if path.is_dir() else path
    return found.absolute() if found is not None and found.is_file() else None


def load(file: Path, variables: Sequence[str], variable_files: Sequence[str]) -> Manifest:
    """The manifest of a file with its variables put in. Raises CfrouteError for what is none, or lacks one."""
    return manifest.read(file.read_bytes(), _variables(variables, variable_files), str(file))


def _variables(pairs: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    """The files in their order, then KEY=VALUE."""
    variables: dict[str, Any] = {}
    for name in files:
        if not Path(name).is_file():
            raise UsageError(f"The specified path '{name}' does not exist.")
        try:
            variables |= manifest.load(Path(name).read_bytes(), f"--vars-file {name}") or {}
        except (OSError, TypeError) as error:
            raise ConfigurationError(f"--vars-file {name}: {error}") from error
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"invalid argument for flag `--var': {pair!r} is no KEY=VALUE")
        variables[key] = manifest.load(value, f"--var {key}")
    return variables


def show_changes(session: Session, wanted: Manifest, *, redact: bool) -> None:
    """Say what applying the manifest will change; `redact`: without the values of environment variables."""
    try:
        answer = session.api.call("POST", f"/v3/spaces/{session.target.space['guid']}/manifest_diff", **_yaml(wanted)).json()
    except ApiError as error:
        if error.status < 500:
            raise
        session.warn("Unable to generate diff. Continuing to apply manifest...")
        return
    session.say("Updating with these attributes...")
    changes = answer["diff"]
    if redact:
        wanted, changes = manifest.redacted(wanted), manifest.redacted_changes(changes)
    session.say(manifest.diff_text(wanted, changes))


def apply(session: Session, wanted: Manifest) -> None:
    """Make the space's apps what the manifest says. Raises ApiError for what cannot be."""
    session.api.change("POST", f"/v3/spaces/{session.target.space['guid']}/actions/apply_manifest", **_yaml(wanted))


def _yaml(wanted: Manifest) -> dict[str, Any]:
    return {"content": manifest.to_yaml(wanted).encode(), "headers": {"Content-Type": "application/x-yaml"}}
