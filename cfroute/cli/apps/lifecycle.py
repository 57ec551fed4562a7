"""Starting and stopping apps, and `restart`, which knows components too."""

from typing import Any

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.apps import deploying
from cfroute.cli.apps.staging import STAGING, newest_package, stage, unstaged_package, use_droplet
from cfroute.cli.apps.starting import STARTUP, require_running, wait_for_instances
from cfroute.cli.apps.summary import AppSummary, summarize, summary_text
from cfroute.cli.command import command
from cfroute.cli.foundation import component_names, components
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError


@command(
    "start",
    usage="cfroute start APP_NAME",
    examples=("cfroute start spring-music", "cfroute st spring-music --json"),
    see_also=("apps", "logs", "restart", "scale", "stop"),
    environment=STARTUP,
    text=summary_text,
)
@argument("app_name")
def start(session: Session, app_name: str) -> AppSummary | None:
    app = lookup.app(session.api, session.target.space, app_name)
    _announce(session, "Starting", app)
    if app["state"] == "STARTED":
        session.say(f"App '{app_name}' is already started.")
        session.ok()
        return None
    droplet = _staged(session, app)
    if droplet is not None:
        _announce(session, "Starting", app)  # again, as cf does: the build may have said a lot
    return _start(session, app, droplet)


def _announce(session: Session, doing: str, app: Resource) -> None:
    session.say(f"{doing} app {render.name(app['name'])} in {session.target.place}...")
    session.say()


def _start(session: Session, app: Resource, droplet: str | None, *, no_wait: bool = False) -> AppSummary:
    """Start the app, with another droplet if there is one."""
    if droplet is not None:
        use_droplet(session, app, droplet)
    app = session.api.post(f"/v3/apps/{app['guid']}/actions/start")
    if session.is_running:
        session.say("Waiting for app to start...")
        session.say()
        wait_for_instances(session, app, session.say, no_wait=no_wait)
    else:
        session.warn("The foundation is not running: the instances start with 'cfroute up'.")
    session.say()
    return summarize(session.api, app, session.clock)


def _staged(session: Session, app: Resource) -> str | None:
    """The guid of the droplet of a package that nobody has built yet."""
    package = unstaged_package(session, app)
    if package is None:
        return None
    require_running(session, "building a droplet")
    droplet = stage(session, app, package["guid"])
    session.say()
    return droplet


@command(
    "stop",
    usage="cfroute stop APP_NAME",
    examples=("cfroute stop spring-music", "cfroute sp spring-music"),
    see_also=("restart", "scale", "start"),
)
@argument("app_name")
def stop(session: Session, app_name: str) -> Resource:
    app = lookup.app(session.api, session.target.space, app_name)
    if app["state"] == "STOPPED":
        session.say(f"App {render.name(app_name)} is already stopped.")
    else:
        session.say(f"Stopping app {render.name(app_name)} in {session.target.place}...")
        app = session.api.post(f"/v3/apps/{app['guid']}/actions/stop")
    session.ok()
    return app


@command(
    "restart",
    usage="cfroute restart NAME [--app | --component] [--strategy (canary | rolling)] [--instance-steps WEIGHTS]\n"
    "   [--max-in-flight N] [--no-wait]",
    notes=f"""This command will cause downtime unless you use '--strategy canary' or '--strategy rolling'.

If the app's most recent package is unstaged, restarting the app will stage and run that package.
Otherwise, the app's current droplet will be run.

NAME is an app, or a component: {component_names.TOLD}""",
    examples=(
        "cfroute restart spring-music",
        "cfroute restart spring-music --strategy rolling",
        "cfroute restart gorouter/0",
        "cfroute rs nats --app",
    ),
    see_also=("kill", "restage", "restart-app-instance", "status"),
    environment=(*STAGING, *STARTUP),
    text=summary_text,
)
@argument("name", "app-or-component")
@components.app_or_component
@deploying.strategy_options("restarted")
def restart(session: Session, name: str, kind: str | None, **given: Any) -> AppSummary | None:
    strategy = deploying.chosen(given)
    if components.is_meant(name, kind):
        components.restart(session, name)
        return None
    app = lookup.app(session.api, session.target.space, name)
    if strategy.name is not None:
        require_running(session, "a deployment")
    _announce(session, "Restarting", app)
    droplet = _staged(session, app)
    if strategy.name is not None:
        return deploying.deploy(session, app, strategy, **({"droplet": droplet} if droplet else {}))
    if droplet is not None:
        _announce(session, "Restarting", app)
    return stop_and_start(session, app, droplet, no_wait=strategy.no_wait)


def stop_and_start(session: Session, app: Resource, droplet: str | None, *, no_wait: bool) -> AppSummary:
    """Restart the app, with another droplet if there is one; what is stopped is only started."""
    if app["state"] == "STARTED":
        session.say("Stopping app...")
        session.say()
        session.api.post(f"/v3/apps/{app['guid']}/actions/stop")
    return _start(session, app, droplet, no_wait=no_wait)


@command(
    "restage",
    usage="cfroute restage APP_NAME [--strategy (canary | rolling)] [--instance-steps WEIGHTS] [--max-in-flight N] [--no-wait]",
    notes="This command will cause downtime unless you use '--strategy' flag.",
    examples=(
        "cfroute restage spring-music",
        "cfroute restage spring-music --strategy rolling",
        "cfroute rg spring-music --strategy canary --no-wait",
    ),
    see_also=("push", "restart"),
    environment=(*STAGING, *STARTUP),
    text=summary_text,
)
@argument("app_name")
@deploying.strategy_options("restaged")
def restage(session: Session, app_name: str, **given: Any) -> AppSummary | None:
    strategy = deploying.chosen(given)
    require_running(session, "restaging")
    if strategy.name is None:
        session.warn("This action will cause app downtime.")
    session.say()
    session.say(f"Restaging app {render.name(app_name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    droplet = stage(session, app, newest_package(session, app)["guid"])
    session.say()
    if strategy.name is not None:
        return deploying.deploy(session, app, strategy, droplet=droplet)
    _announce(session, "Restarting", app)
    return stop_and_start(session, app, droplet, no_wait=strategy.no_wait)


@command(
    "restart-app-instance",
    usage="cfroute restart-app-instance APP_NAME INDEX [--process PROCESS]",
    examples=("cfroute restart-app-instance spring-music 0", "cfroute restart-app-instance web 1 --process worker"),
    see_also=("restart",),
)
@argument("app_name")
@argument("index")
@option("--process", default="web", help="Process to restart (Default: web)")
def restart_app_instance(session: Session, app_name: str, index: str, process: str) -> Resource:
    session.say(
        f"Restarting instance {render.name(index)} of process {render.name(process)} of app "
        f"{render.name(app_name)} in {session.target.place}..."
    )
    app = lookup.app(session.api, session.target.space, app_name)
    require_running(session, "restarting an instance")
    try:
        session.api.call("DELETE", f"/v3/apps/{app['guid']}/processes/{lookup.part(process)}/instances/{lookup.part(index)}")
    except ApiError as error:
        if error.says(detail="Instance not found"):
            raise CfrouteError(f"Instance {index} of process {process} not found") from error
        if error.says(detail="Process not found"):
            raise CfrouteError(f"Process {process} not found") from error
        raise
    session.ok()
    return {"app": app_name, "process": process, "index": index}
