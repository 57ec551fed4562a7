"""Letting other spaces have a route, and giving it to another one."""

from typing import NamedTuple

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.lookup import RouteName, route_name
from cfroute.cli.options import Function, argument, option, route_options
from cfroute.cli.session import Session
from cfroute.errors import NotFound


def _route_and_space(function: Function) -> Function:
    """DOMAIN, --hostname and --path, and the space by -s and -o."""
    function = option("-s", "space", help="The other space (default: targeted space)")(function)
    function = option("-o", "org", help="The org of the other space (default: targeted org)")(function)
    purpose = "Hostname for the HTTP route (required for shared domains)"
    return argument("domain")(route_options("for the HTTP route", hostname=purpose)(function))


class _Pair(NamedTuple):
    """A route and a space, as they were named and as they are."""

    name: RouteName
    route: Resource
    space: Resource


def _find(session: Session, name: RouteName, space: str | None, org: str | None, failed: str) -> _Pair:
    """Look the two up. `failed` is said before the reason why there is no such route, org or space. Raises NotFound."""
    session.target.check(space=True)
    domain = lookup.domain(session.api, name.domain)
    try:
        route = lookup.find_route(session.api, domain, name)
        if route is None:
            raise NotFound(name.missing)
        owner = lookup.org(session.api, org) if org else session.target.org
        return _Pair(name, route, lookup.space(session.api, owner, space) if space else session.target.space)
    except NotFound:
        session.say(failed)
        raise


@command(
    "share-route",
    usage="""Share an existing route in between two spaces:
   cfroute share-route DOMAIN [--hostname HOSTNAME] [--path PATH] -s OTHER_SPACE [-o OTHER_ORG]""",
    examples=(
        "cfroute share-route example.com --hostname myHost --path foo -s TargetSpace -o TargetOrg # myhost.example.com/foo",
        "cfroute share-route example.com --hostname myHost -s TargetSpace                         # myhost.example.com",
    ),
    see_also=("create-route", "map-route", "move-route", "routes", "unmap-route", "unshare-route"),
)
@_route_and_space
def share_route(
    session: Session, domain: str, hostname: str | None, path: str | None, space: str | None, org: str | None
) -> Resource:
    found = _find(session, route_name(domain, hostname, path), space, org, "Can not share route:")
    _announce(session, "Sharing route", found, "to")
    body = {"data": [{"guid": found.space["guid"]}]}
    session.api.post(f"/v3/routes/{found.route['guid']}/relationships/shared_spaces", body)
    return _done(session, found, shared=True)


@command(
    "unshare-route",
    usage="""Unshare an existing route from a space:
   cfroute unshare-route DOMAIN [--hostname HOSTNAME] [--path PATH] -s OTHER_SPACE [-o OTHER_ORG]""",
    examples=(
        "cfroute unshare-route example.com --hostname myHost --path foo -s TargetSpace -o TargetOrg # myhost.example.com/foo",
        "cfroute unshare-route example.com --hostname myHost -s TargetSpace                         # myhost.example.com",
    ),
    see_also=("delete-route", "map-route", "routes", "share-route", "unmap-route"),
)
@_route_and_space
def unshare_route(
    session: Session, domain: str, hostname: str | None, path: str | None, space: str | None, org: str | None
) -> Resource:
    found = _find(session, route_name(domain, hostname, path), space, org, "Can not unshare route:")
    _announce(session, "Unsharing route", found, "from")
    session.api.call("DELETE", f"/v3/routes/{found.route['guid']}/relationships/shared_spaces/{found.space['guid']}")
    return _done(session, found, shared=False)


@command(
    "move-route",
    usage="""Transfers the ownership of a route to a another space:
   cfroute move-route DOMAIN [--hostname HOSTNAME] [--path PATH] -s OTHER_SPACE [-o OTHER_ORG]""",
    examples=(
        "cfroute move-route example.com --hostname myHost --path foo -s TargetSpace -o TargetOrg # myhost.example.com/foo",
        "cfroute move-route example.com --hostname myHost -s TargetSpace                         # myhost.example.com",
    ),
    see_also=("create-route", "map-route", "routes", "share-route", "unmap-route"),
)
@_route_and_space
def move_route(
    session: Session, domain: str, hostname: str | None, path: str | None, space: str | None, org: str | None
) -> Resource:
    found = _find(session, route_name(domain, hostname, path), space, org, "Can not transfer ownership of route:")
    _announce(session, "Move ownership of route", found, "to")
    session.api.patch(f"/v3/routes/{found.route['guid']}/relationships/space", {"data": {"guid": found.space["guid"]}})
    return _done(session, found, moved=True)


def _announce(session: Session, what: str, found: _Pair, direction: str) -> None:
    # Without the dots of all other commands: cf has none here.
    space, user = render.name(found.space["name"]), session.target.user
    session.say(f"{what} {render.name(found.name)} {direction} space {space} as {user}")


def _done(session: Session, found: _Pair, **fact: bool) -> Resource:
    session.ok()
    return {"route": found.route["url"], "guid": found.route["guid"], "space": found.space["name"], **fact}
