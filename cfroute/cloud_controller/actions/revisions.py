"""Revisions: a new one whenever an app is started with something else than before."""

from sqlalchemy import delete, select

from cfroute.cloud_controller.actions import app_events
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.deployments.reasons import INITIAL, Content, reasons, rolled_back
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, Revision

KEPT = 100
"""So many of an app's revisions are kept, as upstream's `max_retained_revisions_per_app` has it."""
_SAME = "Unable to rollback. The code and configuration you are rolling back to is the same as the deployed revision."


def current(call: Call, app: App) -> Revision | None:
    """The revision with what the app would be started with now; None when the app has its revisions switched off."""
    if not app.revisions_enabled or app.droplet_guid is None:
        return None
    latest, content = _latest(call, app), _content(app)
    if latest is None:
        return _create(call, app, content, 1, INITIAL)
    why = reasons(_of(latest), content)
    return _create(call, app, content, latest.version + 1, " ".join(why)) if why else latest


def back_to(call: Call, app: App, target: Revision) -> Revision:
    """A new revision with the content of an earlier one. Raises 422 when the latest has the same content."""
    latest = _latest(call, app) or target
    if not reasons(_of(latest), _of(target)):
        raise unprocessable(_SAME)
    return _create(call, app, _of(target), latest.version + 1, rolled_back(_of(latest), _of(target), target.version))


def _latest(call: Call, app: App) -> Revision | None:
    found = select(Revision).where(Revision.app_guid == app.guid).order_by(Revision.version.desc())
    return call.session.scalars(found).first()


def _content(app: App) -> Content:
    commands = {process.type: process.command for process in app.processes}
    return Content(app.droplet_guid or "", app.environment, commands)


def _of(revision: Revision) -> Content:
    return Content(revision.droplet_guid, revision.environment, revision.commands)


def _create(call: Call, app: App, content: Content, version: int, description: str) -> Revision:
    revision = Revision(
        app_guid=app.guid,
        version=version,
        description=description,
        droplet_guid=content.droplet_guid,
        environment=dict(content.environment),
        commands=dict(content.commands),
    )
    call.save(revision)
    call.session.execute(delete(Revision).where(Revision.app_guid == app.guid, Revision.version <= version - KEPT))
    app_events.of_app(call, "revision.create", app)
    call.after.lines.append((app.guid, f"Creating revision for app with guid {app.guid}"))
    return revision
