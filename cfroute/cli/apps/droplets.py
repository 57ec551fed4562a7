"""The droplets of an app: what was built of its packages."""

from pathlib import Path

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.apps.downloads import fetch
from cfroute.cli.apps.staging import use_droplet
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError


class Droplet(msgspec.Struct):
    """One line of `droplets`; `current`: the app runs it."""

    guid: str
    current: bool
    state: str
    created_at: str


def _text(droplets: list[Droplet]) -> str:
    rows = ((each.guid + " (current)" * each.current, each.state, render.date(each.created_at)) for each in droplets)
    return render.table(("guid", "state", "created"), rows) if droplets else "No droplets found"


@command(
    "droplets",
    usage="cfroute droplets APP_NAME",
    examples=("cfroute droplets spring-music", "cfroute droplets spring-music --json"),
    see_also=("app", "create-package", "download-droplet", "packages", "push", "set-droplet"),
    text=_text,
)
@argument("app_name")
def droplets(session: Session, app_name: str) -> list[Droplet]:
    session.say(f"Getting droplets of app {render.name(app_name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    found = session.api.list(f"/v3/apps/{app['guid']}/droplets", order_by="-created_at")
    current = app["relationships"]["current_droplet"]["data"]
    guid = current["guid"] if current else None
    return [Droplet(each["guid"], each["guid"] == guid, each["state"].lower(), each["created_at"]) for each in found]


@command(
    "set-droplet",
    usage="cfroute set-droplet APP_NAME DROPLET_GUID",
    examples=(
        "cfroute set-droplet spring-music a3f8...",
        "cfroute set-droplet spring-music a3f8... && cfroute restart spring-music",
    ),
    see_also=("app", "create-package", "droplets", "packages", "push", "stage-package"),
)
@argument("app_name")
@argument("droplet_guid", "droplet")
def set_droplet(session: Session, app_name: str, droplet_guid: str) -> Resource:
    session.say(f"Setting app {render.name(app_name)} to droplet {render.name(droplet_guid)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    use_droplet(session, app, droplet_guid)
    session.ok()
    return {"app": app_name, "droplet": droplet_guid}


@command(
    "download-droplet",
    usage="cfroute download-droplet APP_NAME [--droplet DROPLET_GUID] [--path /path/to/droplet.tgz]",
    examples=("cfroute download-droplet spring-music", "cfroute download-droplet spring-music --path droplet.tgz"),
    see_also=("apps", "droplets", "push", "set-droplet"),
)
@argument("app_name")
@option("--droplet", "guid", complete="droplet", help="The guid of the droplet to download (default: app's current droplet).")
@option("--path", "-p", complete="output", help="File path to download droplet to (default: current working directory).")
def download_droplet(session: Session, app_name: str, guid: str | None, path: str | None) -> Resource:
    which = f"droplet {render.name(guid)}" if guid else "current droplet"
    session.say(f"Downloading {which} for app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    wanted = guid or _current(session, app)
    target = _target(path, wanted)
    try:
        address = f"/v3/droplets/{lookup.part(wanted)}"
        fetch(session.api, f"{address}/download", target, session.api.get(address).get("checksum"))
    except ApiError as error:
        if error.says(detail="Droplet not found"):
            raise CfrouteError(f"Droplet '{wanted}' not found for app '{app_name}'") from error
        raise
    session.say(f"Droplet downloaded successfully at {target}")
    session.ok()
    return {"droplet": wanted, "path": str(target)}


def _current(session: Session, app: Resource) -> str:
    current = app["relationships"]["current_droplet"]["data"]
    if current is None:
        raise CfrouteError(f"App '{app['name']}' does not have a current droplet.")
    return str(current["guid"])


def _target(path: str | None, guid: str) -> Path:
    name = f"droplet_{guid}.tgz"
    if path is None:
        return Path.cwd() / name
    return Path(path, name) if Path(path).is_dir() else Path(path)
