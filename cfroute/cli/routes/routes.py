"""Routes: create, check, delete."""

import msgspec

from cfroute.cli import doomed, lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.lookup import RouteName, route_name
from cfroute.cli.options import argument, force, option, route_options
from cfroute.cli.routes import ports
from cfroute.cli.routes.route_options import parse_options, route_option
from cfroute.cli.session import Session
from cfroute.errors import NotFound


@command(
    "create-route",
    usage="""Create an HTTP route:
   cfroute create-route DOMAIN [--hostname HOSTNAME] [--path PATH] [--option OPTION=VALUE]

Create a TCP route:
   cfroute create-route DOMAIN [--port PORT] [--option OPTION=VALUE]""",
    examples=(
        "cfroute create-route example.com                             # example.com",
        "cfroute create-route example.com --hostname myapp            # myapp.example.com",
        "cfroute create-route example.com --hostname myapp --path foo # myapp.example.com/foo",
        "cfroute create-route example.com --port 5000                 # example.com:5000",
        "cfroute create-route example.com -n myapp -o loadbalancing=least-connection",
    ),
    see_also=("check-route", "domains", "map-route", "routes", "unmap-route", "update-route"),
)
@argument("domain")
@route_options(
    "for the HTTP route",
    hostname="Hostname for the HTTP route (required for shared domains)",
    port="Port for the TCP route (default: random port)",
)
@route_option
def create_route(
    session: Session,
    domain: str,
    hostname: str | None,
    path: str | None,
    port: int | None,
    options: tuple[str, ...],
) -> Resource | None:
    name = route_name(domain, hostname, path, port)
    session.say(f"Creating route {render.name(name)} for {session.target.place}...")
    try:
        created = create(session, lookup.domain(session.api, domain), name, parse_options(name, options))
    except ApiError as error:
        if not error.says(detail="Route already exists"):
            raise
        session.warn(error.message)
        session.ok()
        return lookup.find_route(session.api, lookup.domain(session.api, domain), name)
    session.say(f"Route {render.name(created['url'])} has been created.")
    session.ok()
    return created


def create(session: Session, domain: Resource, name: RouteName, options: dict[str, str]) -> Resource:
    """Make the route in the targeted space; what was not given is left for the API to decide. Raises ApiError."""
    body: Resource = {
        "relationships": {
            "space": {"data": {"guid": session.target.space["guid"]}},
            "domain": {"data": {"guid": domain["guid"]}},
        }
    }
    given = {"host": name.host, "path": name.path, "port": name.port, "options": options}
    body |= {key: value for key, value in given.items() if value}
    try:
        return dict(session.api.post("/v3/routes", body))
    except ApiError as error:
        error.hint = ports.hint(session, domain, name.port, error)
        raise


class RouteCheck(msgspec.Struct):
    """What `check-route` found out."""

    route: str
    exists: bool


@command(
    "check-route",
    usage="""Check an HTTP route:
   cfroute check-route DOMAIN [--hostname HOSTNAME] [--path PATH] [--exit-code]

Check a TCP route:
   cfroute check-route DOMAIN --port PORT [--exit-code]""",
    examples=(
        "cfroute check-route example.com                      # example.com",
        "cfroute check-route example.com -n myhost --path foo # myhost.example.com/foo",
        "cfroute check-route example.com --path foo           # example.com/foo",
        "cfroute check-route example.com --port 5000          # example.com:5000",
        "cfroute check-route example.com -n myhost --exit-code && echo it is there",
    ),
    see_also=("create-route", "delete-route", "routes"),
)
@argument("domain")
@route_options("used to identify the HTTP route", port="Port used to identify the TCP route")
@option("--exit-code", is_flag=True, help="Exit with 4 when the route does not exist (cf exits with 0)")
def check_route(
    session: Session,
    domain: str,
    hostname: str | None,
    path: str | None,
    port: int | None,
    exit_code: bool,
) -> RouteCheck:
    session.target.check(org=True)
    name = route_name(domain, hostname, path, port)
    session.say("Checking for route...")
    found = lookup.domain(session.api, domain)
    query = {"host": name.host or None, "path": name.path or None, "port": name.port}
    answer = session.api.get(f"/v3/domains/{found['guid']}/route_reservations", **query)
    exists = bool(answer["matching_route"])
    session.say(f"Route '{name}' does {'' if exists else 'not '}exist.")
    session.ok()
    if exit_code and not exists:
        session.exit_code = NotFound.exit_code
    return RouteCheck(str(name), exists)


@command(
    "delete-route",
    usage="""Delete an HTTP route:
   cfroute delete-route DOMAIN [--hostname HOSTNAME] [--path PATH] [-f]

Delete a TCP route:
   cfroute delete-route DOMAIN --port PORT [-f]""",
    examples=(
        "cfroute delete-route example.com                              # example.com",
        "cfroute delete-route example.com --hostname myhost            # myhost.example.com",
        "cfroute delete-route example.com --hostname myhost --path foo # myhost.example.com/foo",
        "cfroute delete-route example.com --port 5000                  # example.com:5000",
    ),
    see_also=("delete-orphaned-routes", "routes", "unmap-route"),
)
@argument("domain")
@force
@route_options(
    "used to identify the HTTP route",
    hostname="Hostname used to identify the HTTP route (required for shared domains)",
    port="Port used to identify the TCP route",
)
def delete_route(
    session: Session, domain: str, force: bool, hostname: str | None, path: str | None, port: int | None
) -> Resource:
    session.target.check(org=True)
    name = route_name(domain, hostname, path, port)
    session.say("This action impacts all apps using this route.")
    session.say("Deleting this route will make apps unreachable via this route.")
    if not force:
        session.confirm(f"Really delete the route {render.name(name)}?", otherwise=f"'{name}' has not been deleted.")
    session.say(f"Deleting route {render.name(name)}...")
    deleted = _delete(session, name)
    session.ok()
    return {"deleted": deleted, "route": str(name)}


def _delete(session: Session, name: RouteName) -> bool:
    try:
        domain = lookup.domain(session.api, name.domain)
    except NotFound as error:
        session.warn(error.message)
        return False
    route = lookup.find_route(session.api, domain, name)
    if route is None:
        session.say(f"Unable to delete. {name.missing}")
        return False
    session.api.change("DELETE", f"/v3/routes/{route['guid']}")
    return True


@command(
    "delete-orphaned-routes",
    usage="cfroute delete-orphaned-routes [-f | --dry-run]",
    examples=("cfroute delete-orphaned-routes --dry-run", "cfroute delete-orphaned-routes -f"),
    see_also=("delete-route", "routes"),
)
@force
@doomed.dry_run
def delete_orphaned_routes(session: Session, force: bool, dry_run: bool) -> Resource | None:
    if dry_run:
        session.emit(doomed.orphaned_routes(session.api, session.target.space), doomed.text)
        return None
    session.target.check(space=True)
    if not force:
        session.confirm("Really delete orphaned routes?", otherwise="Routes have not been deleted.")
    session.say(f"Deleting orphaned routes as {session.target.user}...")
    session.api.change("DELETE", f"/v3/spaces/{session.target.space['guid']}/routes", query={"unmapped": True})
    session.ok()
    return {"deleted": "orphaned routes"}
