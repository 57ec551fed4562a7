"""Starting and stopping apps: what happens in the database. Diego is told after the commit."""

from cfroute.cloud_controller.actions import quotas, revisions
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.diego import runs
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, Process, Revision


def start(call: Call, app: App) -> None:
    """Want the app to run; a started one is left as it is. Raises 422 when there is nothing to run, or no room in a quota."""
    if app.droplet_guid is None:
        raise unprocessable("Assign a droplet before starting this app.")
    if app.state != "STARTED":
        begin(call, app, revisions.current(call, app))
    changed(call, app)


def begin(call: Call, app: App, revision: Revision | None) -> None:
    """Start every process with the app's droplet; revision: the one of that. Raises 10008 when there is no room in a quota."""
    app.state = "STARTED"
    quotas.refuse_processes(call, app, app.processes)
    for process in app.processes:
        process.revision_guid = revision.guid if revision else None
        renew(call, process)
    changed(call, app)


def stop(call: Call, app: App) -> None:
    """Want nothing of the app to run."""
    app.state = "STOPPED"
    changed(call, app)


def restart(call: Call, app: App) -> None:
    """Want every instance replaced by one of the current droplet and settings."""
    if app.droplet_guid is None:
        raise unprocessable("Assign a droplet before starting this app.")
    app.state = "STOPPED"
    start(call, app)


def changed(call: Call, app: App) -> None:
    """Diego has to hear of the app."""
    call.after.apps.add(app.guid)


def renew(call: Call, process: Process, droplet_guid: str | None = None) -> None:
    """Give the process a new version, with everything as it is now, but maybe another droplet than the app's."""
    runs.begin(call.session, process, call.platform.new_guid(), call.platform.config.external_url, droplet_guid)


def destinations_changed(call: Call, app_guids: set[str]) -> None:
    """Routes were mapped or unmapped.

    A process that now has to listen on other ports is started anew, with the droplet that it has: it may be about to be replaced.
    """
    call.session.flush()
    for guid in app_guids:
        app = call.session.get_one(App, guid)
        for process in app.processes:
            if app.state == "STARTED" and process.run and set(process.run["ports"]) != set(runs.ports(call.session, process)):
                renew(call, process, process.run["droplet_guid"])
        changed(call, app)
