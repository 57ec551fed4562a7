"""Manifests on their own: written from an app, and applied without pushing anything."""

from pathlib import Path

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.apps import manifest_io
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError


@command(
    "create-app-manifest",
    usage="cfroute create-app-manifest APP_NAME [-p /path/to/<app-name>_manifest.yml]",
    examples=("cfroute create-app-manifest spring-music", "cfroute create-app-manifest spring-music -p manifest.yml"),
    see_also=("apply-manifest", "apps", "push"),
)
@argument("app_name")
@option("-p", "path", complete="output", help="Specify a path for file creation. If path not specified, manifest file is "
        "created in current working directory.")  # fmt: skip
def create_app_manifest(session: Session, app_name: str, path: str | None) -> Resource:
    session.say(f"Creating an app manifest from current settings of app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    text = session.api.call("GET", f"/v3/apps/{app['guid']}/manifest").text
    target = Path(path) if path else Path.cwd() / f"{app_name}_manifest.yml"
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CfrouteError(f"Error creating file: {target}: {error.strerror}") from error
    session.say(f"Manifest file created successfully at {target}")
    session.ok()
    return {"path": str(target), "manifest": text}


@command(
    "apply-manifest",
    usage="cfroute apply-manifest -f APP_MANIFEST_PATH [--var KEY=VALUE]... [--vars-file FILE]... [--redact-env]",
    examples=("cfroute apply-manifest -f manifest.yml", "cfroute apply-manifest -f . --var domain=cf.localhost"),
    see_also=("create-app-manifest", "push"),
)
@option("-f", "path", complete="file", help="Path to app manifest")
@manifest_io.variable_options
def apply_manifest(
    session: Session, path: str | None, variables: tuple[str, ...], variable_files: tuple[str, ...], redact_env: bool
) -> Resource:
    file = manifest_io.locate(Path(path) if path else Path.cwd())
    if file is None:
        raise CfrouteError(f"Could not find 'manifest.yml' file in {path or Path.cwd()}")
    session.say(f"Applying manifest {render.name(file)} in {session.target.place}...")
    wanted = manifest_io.load(file, variables, variable_files)
    session.say()
    manifest_io.show_changes(session, wanted, redact=redact_env)
    manifest_io.apply(session, wanted)
    session.say()
    session.ok()
    return wanted
