"""`push`: from a folder with files to running instances with a route."""

import tempfile
from pathlib import Path
from typing import Any

import click
import yaml

from cfroute.cli import bits, lookup, manifest, plugin_commands, render, samples
from cfroute.cli.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.lifecycle import STARTUP
from cfroute.cli.manifest import Flags, Manifest
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.cli.starting import StartFailed, require_running, stage, use_droplet, wait_for_instances
from cfroute.cli.summary import AppSummary, summarize, summary_text
from cfroute.errors import CfrouteError, ConfigurationError, UsageError


def _text(summaries: list[AppSummary]) -> str:
    return "\n\n".join(map(summary_text, summaries))


@command(
    "push",
    usage="""cfroute push APP_NAME [-b BUILDPACK_NAME] [-c COMMAND] [-f MANIFEST_PATH | --no-manifest] [--no-start]
[--no-wait] [-i NUM_INSTANCES] [-k DISK] [-m MEMORY] [-p PATH | --sample SAMPLE] [-s STACK] [-t HEALTH_TIMEOUT]
[-u (process | port | http)] [--hostname HOSTNAME | --no-route | --random-route]
[--var KEY=VALUE]... [--vars-file VARS_FILE_PATH]...""",
    examples=(
        "cfroute push logger --sample logging-route-service",
        "cfroute push web -p ./app -c 'python3 server.py' -i 2",
        "cfroute push -f manifest.yml --var domain=cf.localhost",
    ),
    see_also=("app", "apps", "logs", "scale"),
    environment=(("CF_STAGING_TIMEOUT=15", "Max wait time for staging, in minutes"), *STARTUP),
    text=_text,
)
@argument("app_name", "app", required=False, metavar="APP_NAME")
@option("--app-start-timeout", "-t", "timeout", type=click.IntRange(min=1), help="Time (in seconds) allowed to elapse "
        "between starting up an app and the first healthy response from the app")  # fmt: skip
@option("--buildpack", "-b", "buildpacks", multiple=True, help="Custom buildpack by name; 'default' or 'null' resets")
@option("--disk", "-k", help="Disk limit (e.g. 256M, 1024M, 1G)")
@option("--endpoint", help="Valid path on the app for an HTTP health check. Only used with --health-check-type http")
@option("--health-check-type", "-u", type=click.Choice(["process", "port", "http"]), help="Application health check "
        "type. Defaults to 'port'. 'http' requires a valid endpoint, for example, '/health'.")  # fmt: skip
@option("--hostname", "-n", help="Hostname of the app's only route (default: the app's name)")
@option("--instances", "-i", type=click.IntRange(min=0), help="Number of instances")
@option("--manifest", "-f", "manifest_path", help="Path to manifest")
@option("--memory", "-m", help="Memory limit (e.g. 256M, 1024M, 1G)")
@option("--no-manifest", is_flag=True, help="Ignore manifest file")
@option("--no-route", is_flag=True, help="Do not map a route to this app")
@option("--no-start", is_flag=True, help="Do not stage and start the app after pushing")
@option("--no-wait", is_flag=True, help="Exit when the first instance of the web process is healthy")
@option("--path", "-p", help="Path to app directory or to a zip file of the contents of the app directory")
@option("--random-route", is_flag=True, help="Create a random route for this app")
@option("--sample", complete="sample", help="Push an app that comes with cfroute")
@option("--stack", "-s", help="Stack to use")
@option("--start-command", "-c", "command", help="Startup command, set to null to reset to default start command")
@option("--var", "variables", multiple=True, help="Variable key value pair for variable substitution, (e.g., "
        "name=app1); can specify multiple times")  # fmt: skip
@option("--vars-file", "variable_files", multiple=True, help="Path to a variable substitution file for manifest; can "
        "specify multiple times")  # fmt: skip
def push(session: Session, app_name: str | None, no_start: bool, no_wait: bool, **given: Any) -> list[AppSummary]:
    if not no_start:
        require_running(session, "push (but for --no-start)")
    _check(given)
    folder = _sample(session, given["sample"]) if given["sample"] else Path.cwd()
    file = _manifest_file(given, folder)
    wanted = _wanted(session, app_name or given["sample"], file, given)
    chosen = folder if given["sample"] else given["path"]
    sources = {app["name"]: _source(app, file, chosen) for app in wanted["applications"]}
    for source in sources.values():
        bits.check(source)  # before anything is made of an app that cannot be uploaded
    merged = manifest.merge(wanted, _flags(session, given))
    names = ", ".join(render.name(name) for name in sources)
    session.say(f"Pushing app{'s' * (len(sources) > 1)} {names} to {session.target.place}...")
    if file is not None:
        _show_changes(session, file, merged)
    _apply(session, merged, told=file is not None)
    return [_push(session, name, source, no_start, no_wait) for name, source in sources.items()]


def _sample(session: Session, name: str) -> Path:
    """A folder with the sample's files, until the command is done."""
    if name not in samples.names():
        plugin_commands.warn(session)
    return click.get_current_context().with_resource(samples.unpacked(name))


def _check(given: dict[str, Any]) -> None:
    """Raises UsageError for flags that exclude or need each other, or name what is not there."""
    for flags in (
        ("--hostname", "--no-route", "--random-route"),
        ("--path", "--sample"),
        ("--manifest", "--no-manifest"),
    ):
        names = {"--manifest": "manifest_path"}
        used = [flag for flag in flags if given[names.get(flag, flag[2:].replace("-", "_"))]]
        if len(used) > 1:
            raise UsageError(f"The following arguments cannot be used together: {', '.join(used)}")
    for path in given["variable_files"]:
        if not Path(path).is_file():
            raise UsageError(f"The specified path '{path}' does not exist.")
    if given["endpoint"] and given["health_check_type"] != "http":
        raise UsageError("'--endpoint' and '--health-check-type http' must be used together.")


def _manifest_file(given: dict[str, Any], folder: Path) -> Path | None:
    """-f, or the manifest of the folder, which is the sample's or the current one."""
    if given["no_manifest"]:
        return None
    if given["manifest_path"] is None:
        return manifest.find(folder)
    path = Path(given["manifest_path"])
    found = manifest.find(path) if path.is_dir() else path
    if found is None or not found.is_file():
        raise UsageError(f"The specified path '{path}' does not exist.")
    return found.absolute()


def _wanted(session: Session, name: str | None, file: Path | None, given: dict[str, Any]) -> Manifest:
    """The apps to push, from the manifest or from the name alone."""
    if file is not None:
        read = manifest.read(file.read_text(), _variables(given), str(file))
        return manifest.choose(read, name)
    if name is None:
        raise UsageError(
            "The push command requires an app name. The app name can be supplied as an argument or with a manifest.yml file."
        )
    return {"applications": [{"name": name}]}


def _variables(given: dict[str, Any]) -> dict[str, Any]:
    """--vars-file in their order, then --var."""
    variables: dict[str, Any] = {}
    for name in given["variable_files"]:
        try:
            variables |= yaml.safe_load(Path(name).read_text()) or {}
        except (OSError, yaml.YAMLError, TypeError) as error:
            raise ConfigurationError(f"--vars-file {name}: {error}") from error
    for pair in given["variables"]:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"invalid argument for flag `--var': {pair!r} is no KEY=VALUE")
        variables[key] = yaml.safe_load(value)
    return variables


def _source(app: Resource, file: Path | None, chosen: str | Path | None) -> Path:
    """Where an app's files are: what --path or --sample chose, or the path that counts from the manifest's folder."""
    if chosen is not None:
        return Path(chosen).absolute()
    return (file.parent if file else Path.cwd()) / (app.get("path") or "")


def _flags(session: Session, given: dict[str, Any]) -> Flags:
    names = Flags.__struct_fields__
    return Flags(
        **{name: value for name, value in given.items() if name in names and name != "path"},
        path=given["path"],
        route=_route(session, given["hostname"]) if given["hostname"] else None,
    )


def _route(session: Session, hostname: str) -> str:
    domain = session.api.get(f"/v3/organizations/{session.target.org['guid']}/domains/default")
    return f"{hostname}.{domain['name']}"


def _show_changes(session: Session, file: Path, merged: Manifest) -> None:
    session.say(f"Applying manifest file {render.name(file)}...")
    session.say()
    try:
        answer = session.api.call("POST", f"/v3/spaces/{session.target.space['guid']}/manifest_diff", **_yaml(merged)).json()
    except ApiError as error:
        if error.status < 500:
            raise
        session.warn("Unable to generate diff. Continuing to apply manifest...")
        return
    session.say("Updating with these attributes...")
    session.say(manifest.diff_text(merged, answer["diff"]))


def _apply(session: Session, merged: Manifest, *, told: bool) -> None:
    path = f"/v3/spaces/{session.target.space['guid']}/actions/apply_manifest"
    session.api.change("POST", path, **_yaml(merged))
    if told:
        session.say("Manifest applied")


def _yaml(merged: Manifest) -> dict[str, Any]:
    return {"content": manifest.to_yaml(merged).encode(), "headers": {"Content-Type": "application/x-yaml"}}


def _push(session: Session, name: str, source: Path, no_start: bool, no_wait: bool) -> AppSummary:
    app = lookup.app(session.api, session.target.space, name)
    package = _upload(session, app, source)
    if no_start:
        if app["state"] == "STARTED":
            app = session.api.post(f"/v3/apps/{app['guid']}/actions/stop")
    else:
        session.say()
        use_droplet(session, app, stage(session, app, package))
        app = _restart(session, app, no_wait)
    session.say()
    return summarize(session.api, app, session.clock, commands=True)


def _upload(session: Session, app: Resource, source: Path) -> Resource:
    session.say("Packaging files to upload...")
    with tempfile.TemporaryDirectory(prefix="cfroute-push-") as folder:
        packed = bits.pack(source, Path(folder) / "package.zip")
        session.say("Uploading files...")
        body = {"type": "bits", "relationships": {"app": {"data": {"guid": app["guid"]}}}}
        package = session.api.post("/v3/packages", body)
        with packed.open("rb") as file:
            upload = {"bits": ("package.zip", file, "application/octet-stream")}
            path = f"/v3/packages/{package['guid']}/upload"
            package = session.api.call("POST", path, data={"resources": "[]"}, files=upload).json()
    session.say()
    session.say()
    session.say("Waiting for API to complete processing files...")
    while package["state"] != "READY":
        if package["state"] in ("FAILED", "EXPIRED"):
            raise CfrouteError(f"Package {package['guid']} is {package['state'].lower()}: {package['data'].get('error')}")
        session.api.sleep(0.1)
        package = session.api.get(f"/v3/packages/{package['guid']}")
    return dict(package)


def _restart(session: Session, app: Resource, no_wait: bool) -> Resource:
    session.say()
    session.say(f"Waiting for app {render.name(app['name'])} to start...")
    session.say()
    restarted = session.api.post(f"/v3/apps/{app['guid']}/actions/restart")
    try:
        wait_for_instances(session, restarted, session.warn, no_wait=no_wait)
    except StartFailed:
        session.say()
        session.say(summary_text(summarize(session.api, restarted, session.clock, commands=True)))
        raise
    return dict(restarted)
