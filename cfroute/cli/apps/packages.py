"""The packages of an app: what was uploaded of it."""

from pathlib import Path

import msgspec

from cfroute.cli import lookup, render, unsupported
from cfroute.cli.access.api import Resource
from cfroute.cli.apps import bits, uploads
from cfroute.cli.apps.staging import STAGING, build, newest_package
from cfroute.cli.apps.starting import require_running
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session


class Package(msgspec.Struct):
    """One line of `packages`."""

    guid: str
    state: str
    created_at: str


def _text(packages: list[Package]) -> str:
    rows = ((each.guid, each.state, render.date(each.created_at)) for each in packages)
    return render.table(("guid", "state", "created"), rows) if packages else "No packages found."


@command(
    "packages",
    usage="cfroute packages APP_NAME",
    examples=("cfroute packages spring-music", "cfroute packages spring-music --json"),
    see_also=("app", "create-package", "droplets", "push"),
    text=_text,
)
@argument("app_name")
def packages(session: Session, app_name: str) -> list[Package]:
    session.say(f"Getting packages of app {render.name(app_name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    found = session.api.list(f"/v3/apps/{app['guid']}/packages", order_by="-created_at")
    return [Package(each["guid"], each["state"].lower(), each["created_at"]) for each in found]


@command(
    "create-package",
    usage="cfroute create-package APP_NAME [-p APP_PATH]",
    examples=("cfroute create-package spring-music", "cfroute create-package spring-music -p ./app"),
    see_also=("app", "droplets", "packages", "push", "stage-package"),
)
@argument("app_name")
@unsupported.docker_image
@option("-p", "path", complete="file", help="Path to app directory or to a zip file of the contents of the app directory")
def create_package(session: Session, app_name: str, path: str | None) -> Resource:
    source = Path(path or ".").absolute()
    bits.check(source)
    session.say(f"Creating and uploading bits package for app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    package = uploads.package(session, app, source, lambda text: None)
    session.say(f"Package with guid '{package['guid']}' has been created.")
    session.ok()
    return package


def _staged_text(droplet: Resource) -> str:
    facts = (
        ("droplet guid", droplet["guid"]),
        ("state", droplet["state"].lower()),
        ("created", render.date(droplet["created_at"])),
    )
    return f"\nPackage staged\n{render.block(facts)}"


@command(
    "stage-package",
    usage="cfroute stage-package APP_NAME [--package-guid PACKAGE_GUID]",
    examples=("cfroute stage-package spring-music", "cfroute stage spring-music --package-guid $(cat guid)"),
    see_also=("app", "create-package", "droplets", "packages", "push", "set-droplet"),
    environment=STAGING,
    text=_staged_text,
)
@argument("app_name")
@option("--package-guid", help="The guid of the package to stage (default: latest ready package)")
def stage_package(session: Session, app_name: str, package_guid: str | None) -> Resource:
    require_running(session, "staging")
    session.say(f"Staging package for {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    wanted = package_guid or newest_package(session, app)["guid"]
    return dict(session.api.get(f"/v3/droplets/{build(session, app, wanted)}"))
