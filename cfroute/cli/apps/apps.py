"""Apps: list, show, delete."""

import msgspec

from cfroute.cli import lookup, render, unsupported
from cfroute.cli.access.api import Api, ApiError, Resource
from cfroute.cli.apps.summary import AppSummary, summarize, summary_text
from cfroute.cli.command import command
from cfroute.cli.kinds import NEW
from cfroute.cli.options import argument, force, labels, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError


class ProcessCount(msgspec.Struct):
    """How many instances of a process run, of how many."""

    type: str
    running: int
    instances: int


class AppRow(msgspec.Struct):
    """One line of `apps`."""

    guid: str
    name: str
    state: str
    processes: list[ProcessCount] | None
    routes: list[str]


def _text(rows: list[AppRow]) -> str:
    if not rows:
        return "No apps found"
    counted = [] if rows[0].processes is None else ["processes"]
    return render.table(
        ("name", "requested state", *counted, "routes"),
        ((row.name, row.state, *([_counts(row)] if counted else []), ", ".join(row.routes)) for row in rows),
    )


def _counts(row: AppRow) -> str:
    return ", ".join(f"{each.type}:{each.running}/{each.instances}" for each in row.processes or [])


@command(
    "apps",
    usage="cfroute apps [--labels SELECTOR] [--no-stats]",
    examples=(
        "cfroute apps",
        "cfroute apps --labels 'environment in (production,staging),tier in (backend)'",
        "cfroute apps --json",
    ),
    see_also=("app", "events", "logs", "map-route", "push", "restart", "scale", "start", "stop"),
    text=_text,
)
@labels("apps")
@option("--no-stats", is_flag=True, help="Do not retrieve process stats")
def apps(session: Session, labels: str | None, no_stats: bool) -> list[AppRow]:
    space = session.target.space
    session.say(f"Getting apps in {session.target.place}...")
    session.say()
    query = {"order_by": "name", "space_guids": [space["guid"]], "label_selector": labels}
    found = session.api.list("/v3/apps", **query)
    return _rows(session.api, found, counted=not no_stats) if found else []


def _rows(api: Api, apps: list[Resource], *, counted: bool) -> list[AppRow]:
    guids = [app["guid"] for app in apps]
    processes = lookup.web_first(api.list("/v3/processes", embed="process_instances", app_guids=guids)) if counted else []
    routes = api.list("/v3/routes", app_guids=guids)
    return [
        AppRow(
            guid=app["guid"],
            name=app["name"],
            state=app["state"].lower(),
            processes=[_count(each) for each in processes if lookup.related(each, "app") == app["guid"]] if counted else None,
            routes=[
                route["url"] for route in routes if any(each["app"]["guid"] == app["guid"] for each in route["destinations"])
            ],
        )
        for app in apps
    ]


def _count(process: Resource) -> ProcessCount:
    instances = process["process_instances"]
    return ProcessCount(process["type"], sum(each["state"] == "RUNNING" for each in instances), len(instances))


@command(
    "app",
    usage="cfroute app APP_NAME [--guid]",
    examples=("cfroute app spring-music", "cfroute app spring-music --guid"),
    see_also=("apps", "events", "logs", "map-route", "push", "unmap-route"),
    text=summary_text,
)
@argument("app_name")
@option(
    "--guid",
    is_flag=True,
    help="Retrieve and display the given app's guid.  All other health and status output for the app is suppressed.",
)
def app(session: Session, app_name: str, guid: bool) -> AppSummary | None:
    if guid:
        found = lookup.app(session.api, session.target.space, app_name)
        session.line({"guid": found["guid"]}, found["guid"])
        return None
    session.say(f"Showing health and status for app {render.name(app_name)} in {session.target.place}...")
    session.say()
    found = lookup.app(session.api, session.target.space, app_name)
    return summarize(session.api, found, session.clock)


@command(
    "create-app",
    usage="cfroute create-app APP_NAME [--app-type TYPE]",
    examples=("cfroute create-app spring-music", "cfroute create-app spring-music --json"),
    see_also=("app", "apps", "push"),
)
@argument("app_name", NEW)
@unsupported.app_type
def create_app(session: Session, app_name: str) -> Resource:
    session.say(f"Creating app {render.name(app_name)} in {session.target.place}...")
    space = {"space": {"data": {"guid": session.target.space["guid"]}}}
    try:
        app = session.api.post("/v3/apps", {"name": app_name, "relationships": space})
    except ApiError as error:
        if not error.says(title="CF-UniquenessError"):
            raise
        session.say(str(error))
        app = lookup.app(session.api, session.target.space, app_name)
    session.ok()
    return dict(app)


@command(
    "rename",
    usage="cfroute rename APP_NAME NEW_APP_NAME",
    examples=("cfroute rename spring-music summer-music", "cfroute rename spring-music summer-music --json"),
    see_also=("apps", "delete"),
)
@argument("app_name")
@argument("new_name", NEW, metavar="NEW_APP_NAME")
def rename(session: Session, app_name: str, new_name: str) -> Resource:
    session.say(f"Renaming app {render.name(app_name)} to {render.name(new_name)} in {session.target.place}...")
    app = lookup.app(session.api, session.target.space, app_name)
    renamed = session.api.patch(f"/v3/apps/{app['guid']}", {"name": new_name})
    session.ok()
    return dict(renamed)


class RouteOfOthers(CfrouteError):
    """An app is to go with its routes, one of which leads to another app too."""

    tip_last = True

    def __init__(self, app_name: str, route: str) -> None:
        super().__init__(
            f"App '{app_name}' was not deleted because route '{route}' is mapped to more than one app.",
            f"Run 'cfroute delete {app_name}' to delete the app and 'cfroute delete-route' to delete the route.",
        )


@command(
    "delete",
    usage="cfroute delete APP_NAME [-r] [-f]",
    examples=("cfroute delete spring-music", "cfroute delete spring-music -f -r"),
    see_also=("apps", "delete-route", "stop"),
)
@argument("app_name")
@force
@option("-r", "routes", is_flag=True, help="Also delete any mapped routes")
def delete(session: Session, app_name: str, force: bool, routes: bool) -> Resource:
    session.target.check(space=True)
    if not force:
        _confirm(session, app_name, routes)
    session.say(f"Deleting app {render.name(app_name)} in {session.target.place}...")
    deleted = _delete(session, app_name, routes)
    if not deleted:
        session.warn(f"App '{app_name}' does not exist.")
    session.ok()
    return {"name": app_name, "deleted": deleted}


def _confirm(session: Session, app_name: str, routes: bool) -> None:
    also = ""
    if routes:
        session.say("Deleting the app and associated routes will make apps with this route, in any org, unreachable.")
        also = " and associated routes"
    session.confirm(f"Really delete the app {render.name(app_name)}{also}?", otherwise=f"App '{app_name}' has not been deleted.")


def _delete(session: Session, app_name: str, with_routes: bool) -> bool:
    app = lookup.if_there(lookup.app, session.api, session.target.space, app_name)
    if app is None:
        return False
    routes = session.api.list(f"/v3/apps/{app['guid']}/routes") if with_routes else []
    for route in routes:
        if any(each["app"]["guid"] != app["guid"] for each in route["destinations"]):
            raise RouteOfOthers(app_name, route["url"])
    session.api.change("DELETE", f"/v3/apps/{app['guid']}")
    for route in routes:
        session.api.change("DELETE", f"/v3/routes/{route['guid']}")
    return True
