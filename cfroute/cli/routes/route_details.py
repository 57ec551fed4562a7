"""`route`: one route, and where its requests go."""

from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.lookup import route_name
from cfroute.cli.options import argument, route_options
from cfroute.cli.routes.route_list import options_text
from cfroute.cli.session import Session
from cfroute.errors import NotFound


class Destination(msgspec.Struct):
    """Where requests for a route go."""

    app: str
    process: str
    port: int | None
    app_protocol: str | None


class RouteDetails(msgspec.Struct):
    """What `route` shows."""

    guid: str
    url: str
    domain: str
    host: str
    port: int | None
    path: str
    protocol: str
    options: dict[str, Any]
    destinations: list[Destination]


def _details_text(route: RouteDetails) -> str:
    pairs = [
        ("domain", route.domain),
        ("host", route.host),
        ("port", str(route.port or "")),
        ("path", route.path),
        ("protocol", route.protocol),
        ("options", options_text(route.options)),
    ]
    rows = [(d.app, d.process, str(d.port or ""), d.app_protocol or "") for d in route.destinations]
    destinations = render.table(("app", "process", "port", "app-protocol"), rows, indent="\t") if rows else ""
    return "\n".join(filter(None, (render.block(pairs), "\nDestinations:", destinations)))


@command(
    "route",
    usage="""Display an HTTP route:
   cfroute route DOMAIN [--hostname HOSTNAME] [--path PATH]

Display a TCP route:
   cfroute route DOMAIN --port PORT""",
    examples=(
        "cfroute route example.com                      # example.com",
        "cfroute route example.com -n myhost --path foo # myhost.example.com/foo",
        "cfroute route example.com --path foo           # example.com/foo",
        "cfroute route example.com --port 5000          # example.com:5000",
    ),
    see_also=("create-route", "delete-route", "routes"),
    text=_details_text,
)
@argument("domain")
@route_options("used to identify the HTTP route", port="Port used to identify the TCP route")
def route(session: Session, domain: str, hostname: str | None, path: str | None, port: int | None) -> RouteDetails:
    session.target.check(org=True)
    name = route_name(domain, hostname, path, port)
    owner = lookup.domain(session.api, domain)
    session.say(f" Showing route {render.name(name)} in {session.target.place}...")
    session.say()
    found = lookup.find_route(session.api, owner, name)
    if found is None:
        raise NotFound(name.missing)
    apps = _app_names(session, found)
    return RouteDetails(
        guid=found["guid"],
        url=found["url"],
        domain=domain,
        host=found["host"],
        port=found["port"],
        path=found["path"],
        protocol=found["protocol"],
        options=found.get("options") or {},
        destinations=[
            Destination(apps[d["app"]["guid"]], d["app"]["process"]["type"], d["port"], d["protocol"])
            for d in found["destinations"]
        ],
    )


def _app_names(session: Session, route: Resource) -> dict[str, str]:
    guids = sorted({d["app"]["guid"] for d in route["destinations"]})
    apps = session.api.list("/v3/apps", guids=guids) if guids else []
    return {guid: guid for guid in guids} | {app["guid"]: app["name"] for app in apps}
