"""Starting and stopping apps, and `restart`, which knows components too."""

from cfroute.cli import components, lookup, render
from cfroute.cli.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.cli.starting import require_running, stage, use_droplet, wait_for_instances
from cfroute.cli.summary import AppSummary, summarize, summary_text
from cfroute.errors import CfrouteError

STARTUP = (("CF_STARTUP_TIMEOUT=5", "Max wait time for app instance startup, in minutes"),)


@command(
    "start",
    usage="cfroute start APP_NAME",
    examples=("cfroute start spring-music", "cfroute st spring-music --json"),
    see_also=("apps", "logs", "restart", "scale", "stop"),
    environment=STARTUP,
    text=summary_text,
)
@argument("app_name", "app", metavar="APP_NAME")
def start(session: Session, app_name: str) -> AppSummary | None:
    session.say(f"Starting app {render.name(app_name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    if app["state"] == "STARTED":
        session.say(f"App '{app_name}' is already started.")
        session.ok()
        return None
    return _start(session, app)


def _start(session: Session, app: Resource) -> AppSummary:
    _stage_newest_package(session, app)
    app = session.api.post(f"/v3/apps/{app['guid']}/actions/start")
    if session.foundation.is_up():
        session.say("Waiting for app to start...")
        session.say()
        wait_for_instances(session, app, session.say)
    else:
        session.warn("The foundation is not running: the instances start with 'cfroute up'.")
    session.say()
    return summarize(session.api, app, session.clock)


def _stage_newest_package(session: Session, app: Resource) -> None:
    """`push --no-start` leaves a package that nobody has built yet."""
    package = _newest_package(session, app)
    if package is None or session.api.first(f"/v3/packages/{package['guid']}/droplets", states="STAGED"):
        return
    require_running(session, "building a droplet")
    droplet = stage(session, app, package)
    use_droplet(session, app, droplet)
    session.say()


def _newest_package(session: Session, app: Resource) -> Resource | None:
    return session.api.first("/v3/packages", app_guids=[app["guid"]], states="READY", order_by="-created_at")


@command(
    "stop",
    usage="cfroute stop APP_NAME",
    examples=("cfroute stop spring-music", "cfroute sp spring-music"),
    see_also=("restart", "scale", "start"),
)
@argument("app_name", "app", metavar="APP_NAME")
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
    usage="cfroute restart NAME [--app | --component]",
    notes=f"NAME is an app, or a component: {components.NAMES}",
    examples=("cfroute restart spring-music", "cfroute restart gorouter/0", "cfroute rs nats --app"),
    see_also=("kill", "restage", "restart-app-instance", "status"),
    environment=STARTUP,
    text=summary_text,
)
@argument("name", "app-or-component")
@components.app_or_component
def restart(session: Session, name: str, kind: str | None) -> AppSummary | None:
    if components.is_meant(name, kind):
        components.restart(session, name)
        return None
    session.say(f"Restarting app {render.name(name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, name)
    if app["state"] == "STARTED":
        session.say("Stopping app...")
        session.say()
        session.api.post(f"/v3/apps/{app['guid']}/actions/stop")
    return _start(session, app)


@command(
    "restage",
    usage="cfroute restage APP_NAME",
    notes="This command will cause downtime.",
    examples=("cfroute restage spring-music", "cfroute rg spring-music"),
    see_also=("push", "restart"),
    environment=(("CF_STAGING_TIMEOUT=15", "Max wait time for staging, in minutes"), *STARTUP),
    text=summary_text,
)
@argument("app_name", "app", metavar="APP_NAME")
def restage(session: Session, app_name: str) -> AppSummary:
    require_running(session, "restaging")
    session.warn("This action will cause app downtime.")
    session.say()
    session.say(f"Restaging app {render.name(app_name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    package = _newest_package(session, app)
    if package is None:
        raise CfrouteError(f"App '{app_name}' has no package to stage", f"use 'cfroute push {app_name}'")
    droplet = stage(session, app, package)
    session.say()
    session.say(f"Restarting app {render.name(app_name)} in {session.target.place}...")
    session.say()
    session.say("Stopping app...")
    session.say()
    session.api.post(f"/v3/apps/{app['guid']}/actions/stop")
    use_droplet(session, app, droplet)
    return _start(session, app)


@command(
    "restart-app-instance",
    usage="cfroute restart-app-instance APP_NAME INDEX [--process PROCESS]",
    examples=("cfroute restart-app-instance spring-music 0", "cfroute restart-app-instance web 1 --process worker"),
    see_also=("restart",),
)
@argument("app_name", "app", metavar="APP_NAME")
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
        session.api.call("DELETE", f"/v3/apps/{app['guid']}/processes/{process}/instances/{index}")
    except ApiError as error:
        if error.says(detail="Instance not found"):
            raise CfrouteError(f"Instance {index} of process {process} not found") from error
        if error.says(detail="Process not found"):
            raise CfrouteError(f"Process {process} not found") from error
        raise
    session.ok()
    return {"app": app_name, "process": process, "index": index}
