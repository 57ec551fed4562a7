"""`scale`: how many instances, how much memory and disk."""

import click

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.apps.starting import STARTUP, AllCrashed, wait_for_instances
from cfroute.cli.apps.summary import AppSummary, summarize, summary_text
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.cli.sizes import MIB, UNREADABLE, octets
from cfroute.cli.unsupported import refused
from cfroute.errors import UsageError


def _megabytes(flag: str, text: str | None) -> int | None:
    """`256M` or `1G` as a number of megabytes. Raises UsageError for what is neither."""
    if text is None:
        return None
    size = octets(text, units="MGT")
    if not size:
        raise UsageError(f"invalid argument for flag `{flag}': {UNREADABLE.format('M, MB, G, or GB')}")
    return size // MIB


@command(
    "scale",
    usage="""cfroute scale APP_NAME [--process PROCESS] [-i INSTANCES] [-k DISK] [-m MEMORY] [-f]

Modifying the app's disk or memory will cause the app to restart.""",
    examples=("cfroute scale spring-music -i 3", "cfroute scale spring-music -m 512M -f", "cfroute scale spring-music"),
    see_also=("app", "push"),
    environment=STARTUP,
    text=summary_text,
)
@argument("app_name")
@option("--force", "-f", is_flag=True, help="Force restart of app without prompt")
@option("--instances", "-i", type=click.IntRange(min=0), help="Number of instances")
@option("-k", "disk", help="Disk limit (e.g. 256M, 1024M, 1G)")
@refused("-l", "--log-rate-limit")
@option("-m", "memory", help="Memory limit (e.g. 256M, 1024M, 1G)")
@option("--process", default="web", help="App process to scale (Default: web)")
def scale(
    session: Session,
    app_name: str,
    force: bool,
    instances: int | None,
    disk: str | None,
    memory: str | None,
    process: str,
) -> AppSummary:
    sizes = {"memory_in_mb": _megabytes("-m", memory), "disk_in_mb": _megabytes("-k", disk)}
    wanted = {key: value for key, value in {"instances": instances, **sizes}.items() if value is not None}
    app = lookup.app(session.api, session.target.space, app_name)
    if wanted:
        app = _scale(session, app, process, wanted, force)
        _wait(session, app)
    return _current(session, app)


def _current(session: Session, app: Resource) -> AppSummary:
    session.say(f"Showing current scale of app {render.name(app['name'])} in {session.target.place}...")
    session.say()
    return summarize(session.api, app, session.clock)


def _wait(session: Session, app: Resource) -> None:
    """Wait for the instances of an app that is to run. Raises StartFailed; of those that crash it shows the scale, too."""
    if app["state"] != "STARTED" or not session.is_running:
        return
    try:
        wait_for_instances(session, app, session.say)
    except AllCrashed:
        session.say()
        session.say(summary_text(_current(session, app)))
        raise
    session.say()


def _scale(session: Session, app: Resource, process: str, wanted: Resource, force: bool) -> Resource:
    """Make the change, and restart the app where that is needed, also one that is stopped: so does cf. The app thereafter."""
    shown, place = render.name(app["name"]), session.target.place
    session.say(f"Scaling app {shown} in {place}...")
    session.say()
    must_restart = wanted.keys() != {"instances"}
    if must_restart and not force:
        question = f"This will cause the app to restart. Are you sure you want to scale {shown}?"
        session.confirm(question, otherwise="Scaling cancelled")
        session.say()
    session.api.post(f"/v3/apps/{app['guid']}/processes/{lookup.part(process)}/actions/scale", wanted)
    if not must_restart:
        return app
    session.say(f"Stopping app {shown} in {place}...")
    session.say()
    session.api.post(f"/v3/apps/{app['guid']}/actions/stop")
    session.say(f"Starting app {shown} in {place}...")
    session.say()
    return dict(session.api.post(f"/v3/apps/{app['guid']}/actions/start"))
