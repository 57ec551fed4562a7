"""`routes`: routes joined with their spaces, domains, apps and service instances."""

from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import labels, option
from cfroute.cli.session import Session

HEADERS = (
    "space", "host", "domain", "port", "path", "protocol",
    "app-protocol", "app-port", "apps", "service instance", "options",
)  # fmt: skip


class RouteRow(msgspec.Struct):
    """One line of `routes`."""

    guid: str
    url: str
    space: str
    host: str
    domain: str
    port: int | None
    path: str
    protocol: str
    app_protocols: list[str]
    app_ports: list[int]
    apps: list[str]
    service_instance: str
    options: dict[str, Any]


def rows_text(rows: list[RouteRow]) -> str:
    """The table, in cf's order of columns."""
    if not rows:
        return "No routes found."
    return render.table(HEADERS, (_cells(row) for row in rows))


def _cells(row: RouteRow) -> tuple[str, ...]:
    return (
        row.space,
        row.host,
        row.domain,
        str(row.port or ""),
        row.path,
        row.protocol,
        ", ".join(row.app_protocols),
        ", ".join(map(str, row.app_ports)),
        ", ".join(row.apps),
        row.service_instance,
        options_text(row.options),
    )


def options_text(options: dict[str, Any]) -> str:
    """`{loadbalancing=round-robin}`."""
    pairs = ", ".join(f"{key}={value}" for key, value in sorted(options.items()))
    return f"{{{pairs}}}" if pairs else ""


def route_rows(api: Api, routes: list[Resource]) -> list[RouteRow]:
    """Join routes with the names of what they belong to, in the order of their spaces' names."""
    if not routes:
        return []
    spaces = _names(api, "/v3/spaces", {lookup.related(route, "space") for route in routes})
    apps = _names(api, "/v3/apps", {d["app"]["guid"] for route in routes for d in route["destinations"]})
    services = _bound_services(api, routes)
    rows = (_row(route, spaces, apps, services.get(route["guid"], "")) for route in routes)
    return sorted(rows, key=lambda row: row.space.lower())


def _row(route: Resource, spaces: dict[str, str], apps: dict[str, str], service: str) -> RouteRow:
    destinations = route["destinations"]
    return RouteRow(
        guid=route["guid"],
        url=route["url"],
        space=spaces.get(lookup.related(route, "space"), ""),
        host=route["host"],
        domain=domain_of(route),
        port=route["port"],
        path=route["path"],
        protocol=route["protocol"],
        app_protocols=sorted({d["protocol"] for d in destinations if d["protocol"]}),
        app_ports=sorted({d["port"] for d in destinations if d["port"]}),
        apps=[apps.get(d["app"]["guid"], d["app"]["guid"]) for d in destinations],
        service_instance=service,
        options=route.get("options") or {},
    )


def domain_of(route: Resource) -> str:
    """The name of a route's domain: what is left of its URL without host, path and port."""
    url = str(route["url"])
    if route["port"]:
        url = url.removesuffix(f":{route['port']}")
    if route["host"]:
        url = url.removeprefix(f"{route['host']}.")
    return url.removesuffix(route["path"])


def _names(api: Api, path: str, guids: set[str]) -> dict[str, str]:
    found = api.list(path, guids=sorted(guids)) if guids else []
    return {resource["guid"]: resource["name"] for resource in found}


def _bound_services(api: Api, routes: list[Resource]) -> dict[str, str]:
    """Route guid → the name of the service instance that is bound to it."""
    guids = [route["guid"] for route in routes]
    page = api.page("/v3/service_route_bindings", include="service_instance", route_guids=guids)
    names = {each["guid"]: each["name"] for each in page.included.get("service_instances", [])}
    return {
        lookup.related(binding, "route"): names.get(lookup.related(binding, "service_instance"), "") for binding in page.resources
    }


@command(
    "routes",
    usage="cfroute routes [--org-level] [--labels SELECTOR]",
    examples=("cfroute routes", "cfroute routes --org-level --json"),
    see_also=("check-route", "create-route", "domains", "map-route", "table", "unmap-route"),
    text=rows_text,
)
@option("--org-level", is_flag=True, help="List all the routes for all spaces of current organization")
@labels("routes")
def routes(session: Session, org_level: bool, labels: str | None) -> list[RouteRow]:
    target = session.target
    if org_level:
        session.say(f"Getting routes for {target.org_place}...")
        where = {"organization_guids": [target.org["guid"]]}
    else:
        session.say(f"Getting routes for {target.place}...")
        where = {"space_guids": [target.space["guid"]]}
    session.say()
    return route_rows(session.api, session.api.list("/v3/routes", label_selector=labels, **where))
