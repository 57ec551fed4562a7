"""Revisions: what an app was made of each time it was deployed, and the way back to one of them."""

import click
import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.apps import deploying
from cfroute.cli.apps.starting import STARTUP, require_running
from cfroute.cli.apps.summary import AppSummary, summary_text
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, NotFound


class Revision(msgspec.Struct):
    """One revision; `deployed`: the app runs it, or is just getting it."""

    guid: str
    version: int
    deployed: bool
    description: str
    deployable: bool
    droplet: str
    created_at: str
    labels: dict[str, str]
    annotations: dict[str, str]
    environment: dict[str, str] | None = None


def _list_text(revisions: list[Revision]) -> str:
    if not revisions:
        return "No revisions found"
    headers = ("revision", "description", "deployable", "revision guid", "created at")
    return render.table(headers, map(_cells, revisions))


def _cells(revision: Revision) -> tuple[str, ...]:
    version = f"{revision.version}{'(deployed)' * revision.deployed}"
    return version, revision.description, str(revision.deployable).lower(), revision.guid, revision.created_at


@command(
    "revisions",
    usage="cfroute revisions APP_NAME",
    examples=("cfroute revisions spring-music", "cfroute revisions spring-music --json"),
    see_also=("revision", "rollback"),
    text=_list_text,
)
@argument("app_name")
def revisions(session: Session, app_name: str) -> list[Revision]:
    session.say(f"Getting revisions for app {render.name(app_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    if not session.api.get(f"/v3/apps/{app['guid']}/features/revisions")["enabled"]:
        session.warn(f"Warning: Revisions for app '{app_name}' are disabled. Updates to the app will not create new revisions.")
    if app["state"] == "STOPPED":
        session.say()
        session.say("Info: this app is in a stopped state. It is not possible to determine which revision is currently deployed.")
    session.say()
    found = session.api.list(f"/v3/apps/{app['guid']}/revisions", order_by="-created_at")
    deployed = _deployed(session, app)
    return [_revision(each, deployed) for each in found]


def _deployed(session: Session, app: Resource) -> set[str]:
    return {each["guid"] for each in session.api.list(f"/v3/apps/{app['guid']}/revisions/deployed")}


def _revision(revision: Resource, deployed: set[str], environment: dict[str, str] | None = None) -> Revision:
    return Revision(
        guid=revision["guid"],
        version=revision["version"],
        deployed=revision["guid"] in deployed,
        description=revision["description"],
        deployable=revision["deployable"],
        droplet=revision["droplet"]["guid"],
        created_at=revision["created_at"],
        labels=revision["metadata"]["labels"],
        annotations=revision["metadata"]["annotations"],
        environment=environment,
    )


def _details_text(revisions: list[Revision]) -> str:
    return "\n".join(map(_detail_text, revisions))


def _detail_text(revision: Revision) -> str:
    facts = (
        ("revision", str(revision.version)),
        ("deployed", str(revision.deployed).lower()),
        ("description", revision.description),
        ("deployable", str(revision.deployable).lower()),
        ("revision GUID", revision.guid),
        ("droplet GUID", revision.droplet),
        ("created on", revision.created_at),
    )
    parts = [render.block(facts), ""]
    groups = (("labels", revision.labels), ("annotations", revision.annotations))
    for title, values in (*groups, ("application environment variables", revision.environment or {})):
        parts += [render.heading(f"{title}:"), *([render.block(sorted(values.items())), ""] if values else [])]
    return "\n".join(parts)


@command(
    "revision",
    usage="cfroute revision APP_NAME [--version VERSION]",
    examples=("cfroute revision spring-music", "cfroute revision spring-music --version 3"),
    see_also=("revisions", "rollback"),
    text=_details_text,
)
@argument("app_name")
@option("--version", complete="revision", type=click.IntRange(min=1), help="The integer representing the specific revision "
        "to show (default: those that are deployed)")  # fmt: skip
def revision(session: Session, app_name: str, version: int | None) -> list[Revision]:
    what = f"revision {version}" if version else "revisions"
    session.say(f"Showing {what} for app {render.name(app_name)} in {session.target.place}...")
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    deployed = session.api.list(f"/v3/apps/{app['guid']}/revisions/deployed")
    guids = {each["guid"] for each in deployed}
    shown = [_find(session, app, version)] if version else deployed
    return [_revision(each, guids, _environment(session, each)) for each in shown]


def _environment(session: Session, revision: Resource) -> dict[str, str]:
    return dict(session.api.get(f"/v3/revisions/{revision['guid']}/environment_variables")["var"])


def _find(session: Session, app: Resource, version: int) -> Resource:
    found = session.api.first(f"/v3/apps/{app['guid']}/revisions", versions=str(version))
    if found is None:
        raise NotFound(f"Revision '{version}' not found")
    return found


def _rolled_back_text(app: AppSummary) -> str:
    return f"{summary_text(app)}\n{render.good('OK')}\n"


@command(
    "rollback",
    usage="cfroute rollback APP_NAME [--version VERSION] [-f] [--strategy (canary | rolling)] [--instance-steps WEIGHTS]\n"
    "   [--max-in-flight N] [--no-wait]",
    examples=("cfroute rollback spring-music --version 2", "cfroute rollback spring-music --version 2 -f --strategy canary"),
    see_also=("revision", "revisions"),
    environment=STARTUP,
    text=_rolled_back_text,
)
@argument("app_name")
@option("-f", "force", is_flag=True, help="Force rollback without confirmation")
@option("--version", complete="revision", type=click.IntRange(min=1), required=True, help="Roll back to the specified revision")
@deploying.strategy_options(
    "rolled back", "Deployment strategy can be canary or rolling. When not specified, it defaults to rolling."
)
def rollback(session: Session, app_name: str, version: int, force: bool, **given: object) -> AppSummary | None:
    strategy = deploying.chosen(given, default=deploying.ROLLING)
    require_running(session, "rolling back")
    app = lookup.app(session.api, session.target.space, app_name)
    if session.api.first(f"/v3/apps/{app['guid']}/revisions") is None:
        raise CfrouteError(f"No revisions for app {app_name}")
    wanted = _find(session, app, version)
    shown = render.name(app_name)
    if not force:
        session.say(
            f"Rolling '{shown}' back to revision '{render.name(version)}' will create a new revision. "
            f"The new revision will use the settings from revision '{render.name(version)}'."
        )
        session.confirm(
            "Are you sure you want to continue?", otherwise=f"App '{app_name}' has not been rolled back to revision '{version}'."
        )
    session.say(f"Rolling back to revision {render.name(version)} for app {shown} in {session.target.place}...")
    return deploying.deploy(session, app, strategy, revision=wanted["guid"])
