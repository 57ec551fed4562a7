"""Creating and deleting apps."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cfroute.cloud_controller.actions import brokered
from cfroute.cloud_controller.buildpacks import BUILDPACKS
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import NOT_UNIQUE, ApiError, unprocessable
from cfroute.cloud_controller.models import App, Build, CredentialBinding, Droplet, Package, Process, Space


def create_app(call: Call, name: str, space: Space) -> App:
    """A stopped app with one web process. Raises 10016 when the space has one of that name."""
    refuse_taken(call, name, space.guid)
    app = call.save(App(name=name, space_guid=space.guid))
    call.save(Process(app_guid=app.guid, type="web"))
    call.audit("app.create", app, name, space.guid)
    call.after.lines.append((app.guid, f"Created app with guid {app.guid}"))
    return app


def refuse_taken(call: Call, name: str, space_guid: str, but: str = "") -> None:
    """Raise 10016 when another app of the space (than the one with guid `but`) has that name."""
    taken = call.session.scalars(select(App.guid).where(App.space_guid == space_guid, App.name == name, App.guid != but)).first()
    if taken:
        raise ApiError(NOT_UNIQUE, f"App with the name '{name}' already exists.")


def set_lifecycle(app: App, lifecycle: dict[str, Any]) -> None:
    """Take over buildpacks and stack. Raises 422 for a buildpack that is not there."""
    data = lifecycle.get("data") or {}
    if data.get("buildpacks") is not None:
        for buildpack in data["buildpacks"]:
            refuse_unknown_buildpack(buildpack)
        app.buildpacks = data["buildpacks"]
    if data.get("stack") is not None:
        app.stack = data["stack"]


def refuse_unknown_buildpack(buildpack: str) -> None:
    if buildpack not in BUILDPACKS and "://" not in buildpack:
        raise unprocessable(f'Buildpack "{buildpack}" must be an existing admin buildpack or a valid git URI')


def assign_droplet(call: Call, app: App, droplet: Droplet) -> None:
    """Make it the app's current droplet; processes that it has and the app has not are added, with no instances.

    Raises 422 for one that has not been uploaded yet.
    """
    if droplet.state != "STAGED":
        raise unprocessable("droplet must be in staged state")
    app.droplet_guid = droplet.guid
    known = {process.type for process in app.processes}
    for kind in droplet.process_types:
        if kind not in known:
            call.save(Process(app_guid=app.guid, type=kind, instances=1 if kind == "web" else 0))
    call.session.expire(app, ["processes"])


def delete_apps(call: Call, apps: Sequence[App]) -> None:
    """Delete apps with all that belongs to them. Files and instances follow after the commit."""
    guids = [app.guid for app in apps]
    blobs = call.platform.blobs
    packages = call.session.scalars(select(Package.guid).where(Package.app_guid.in_(guids)))
    call.after.files += [blobs.package(guid) for guid in packages]
    for model, column in ((Droplet, Droplet.guid), (Build, Build.droplet_guid)):
        found = call.session.scalars(select(column).where(model.app_guid.in_(guids)))
        call.after.files += [blobs.droplet(guid) for guid in found]
    brokered.leave_credential_bindings(call, CredentialBinding.app_guid.in_(guids))
    for app in apps:
        call.audit("app.delete-request", app, app.name, app.space_guid)
        call.session.delete(app)
    call.after.apps |= set(guids)
    call.session.flush()
