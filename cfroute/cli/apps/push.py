"""`push`: from a folder with files to running instances with a route."""

from pathlib import Path
from typing import Any, NamedTuple

import click

from cfroute.cli import lookup, plugin_commands, render
from cfroute.cli.access.api import Resource
from cfroute.cli.apps import bits, deploying, manifest, manifest_io, samples, uploads
from cfroute.cli.apps.deploying import Strategy
from cfroute.cli.apps.manifest import Manifest
from cfroute.cli.apps.push_flags import check, manifest_flags, push_options
from cfroute.cli.apps.staging import STAGING, stage, use_droplet
from cfroute.cli.apps.starting import STARTUP, StartFailed, require_running, wait_for_instances
from cfroute.cli.apps.summary import AppSummary, summarize, summary_text
from cfroute.cli.command import command
from cfroute.cli.misuse import Misuse
from cfroute.cli.options import argument
from cfroute.cli.session import Session
from cfroute.errors import UsageError


class _Plan(NamedTuple):
    """What happens to each app: what is uploaded of it, and how it starts (None: not at all)."""

    sources: dict[str, Path]
    droplet: Path | None
    strategy: Strategy | None


def _text(summaries: list[AppSummary]) -> str:
    return "\n\n".join(map(summary_text, summaries))


@command(
    "push",
    usage="""cfroute push APP_NAME [-b BUILDPACK_NAME] [-c COMMAND] [-f MANIFEST_PATH | --no-manifest] [--no-start]
[--no-wait] [-i NUM_INSTANCES] [-k DISK] [-m MEMORY] [-p PATH | --sample SAMPLE | --droplet FILE] [-s STACK]
[-t HEALTH_TIMEOUT] [-u (process | port | http)] [--hostname HOSTNAME | --no-route | --random-route]
[--strategy (rolling | canary)] [--max-in-flight N] [--instance-steps WEIGHTS] [--redact-env]
[--var KEY=VALUE]... [--vars-file VARS_FILE_PATH]...""",
    examples=(
        "cfroute push logger --sample logging-route-service",
        "cfroute push web -p ./app -c 'python3 server.py' -i 2",
        "cfroute push -f manifest.yml --var domain=cf.localhost",
        "cfroute push web -p ./app --strategy canary --instance-steps 20,60",
    ),
    see_also=("app", "apps", "cancel-deployment", "logs", "scale"),
    environment=(*STAGING, *STARTUP),
    text=_text,
)
@argument("app_name", required=False)
@push_options
def push(session: Session, app_name: str | None, no_start: bool, **given: Any) -> list[AppSummary]:
    check({"no_start": no_start, **given})
    strategy = deploying.chosen(given)
    if not no_start:
        require_running(session, "push (but for --no-start)")
    folder = _sample(session, given["sample"]) if given["sample"] else Path.cwd()
    file = _manifest_file(given, folder)
    wanted = _wanted(app_name or given["sample"], file, given)
    plan = _Plan(
        sources={app["name"]: _source(app, file, folder if given["sample"] else given["path"]) for app in wanted["applications"]},
        droplet=Path(given["droplet"]) if given["droplet"] else None,
        strategy=None if no_start else strategy,
    )
    _check_sources(plan)
    merged = manifest.merge(wanted, manifest_flags(session, given))
    names = ", ".join(render.name(name) for name in plan.sources)
    session.say(f"Pushing app{'s' * (len(plan.sources) > 1)} {names} to {session.target.place}...")
    if file is not None:
        session.say(f"Applying manifest file {render.name(file)}...")
        session.say()
        manifest_io.show_changes(session, merged, redact=given["redact_env"])
    manifest_io.apply(session, merged)
    if file is not None:
        session.say("Manifest applied")
    return [_push(session, name, plan) for name in plan.sources]


def _sample(session: Session, name: str) -> Path:
    """A folder with the sample's files, until the command is done."""
    if name not in samples.names():
        plugin_commands.warn(session)
    return click.get_current_context().with_resource(samples.unpacked(name))


def _manifest_file(given: dict[str, Any], folder: Path) -> Path | None:
    """-f, or the manifest of the folder, which is the sample's or the current one."""
    if given["no_manifest"]:
        return None
    if given["manifest_path"] is None:
        return manifest.find(folder)
    found = manifest_io.locate(Path(given["manifest_path"]))
    if found is None:
        raise UsageError(f"The specified path '{given['manifest_path']}' does not exist.")
    return found


def _wanted(name: str | None, file: Path | None, given: dict[str, Any]) -> Manifest:
    """The apps to push, from the manifest or from the name alone."""
    if file is not None:
        return manifest.choose(manifest_io.load(file, given["variables"], given["variable_files"]), name)
    if name is None:
        raise Misuse(
            "Incorrect Usage: The push command requires an app name. "
            "The app name can be supplied as an argument or with a manifest.yml file."
        )
    return {"applications": [{"name": name}]}


def _source(app: Resource, file: Path | None, chosen: str | Path | None) -> Path:
    """Where an app's files are: what --path or --sample chose, or the path that counts from the manifest's folder."""
    if chosen is not None:
        return Path(chosen).absolute()
    return (file.parent if file else Path.cwd()) / (app.get("path") or "")


def _check_sources(plan: _Plan) -> None:
    """Before anything is made of an app that cannot be uploaded."""
    if plan.droplet is None:
        for source in plan.sources.values():
            bits.check(source)


def _push(session: Session, name: str, plan: _Plan) -> AppSummary:
    app = lookup.app(session.api, session.target.space, name)
    droplet = _droplet(session, app, plan)
    if plan.strategy is None:
        if app["state"] == "STARTED":
            app = session.api.post(f"/v3/apps/{app['guid']}/actions/stop")
    elif plan.strategy.name is None:
        app = _restart(session, app, droplet, no_wait=plan.strategy.no_wait)
    else:
        app = _deploy(session, app, droplet, plan.strategy)
    session.say()
    return summarize(session.api, app, session.clock, commands=True)


def _droplet(session: Session, app: Resource, plan: _Plan) -> str:
    """The guid of what is to run, uploaded or built; "" when nothing is to."""
    if plan.droplet is not None:
        droplet = uploads.droplet(session, app, plan.droplet)
        if plan.strategy is None:
            use_droplet(session, app, droplet)
        return droplet
    package = uploads.package(session, app, plan.sources[app["name"]], session.say)
    if plan.strategy is None:
        return ""
    session.say()
    return stage(session, app, package["guid"])


def _restart(session: Session, app: Resource, droplet: str, *, no_wait: bool) -> Resource:
    use_droplet(session, app, droplet)
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


def _deploy(session: Session, app: Resource, droplet: str, strategy: Strategy) -> Resource:
    session.say()
    session.say(f"Starting deployment for app {render.name(app['name'])}...")
    deployment = deploying.begin(session, app, strategy, droplet=droplet)
    session.say("Waiting for app to deploy...")
    session.say()
    deploying.wait(session, app, deployment, session.warn, no_wait=strategy.no_wait)
    return dict(session.api.get(f"/v3/apps/{app['guid']}"))
