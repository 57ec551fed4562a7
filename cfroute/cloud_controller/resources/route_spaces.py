"""/v3/routes/:guid/relationships: the spaces that a route is shared with, and moving it to another one."""

from typing import Any

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import sharing
from cfroute.cloud_controller.call import NO_CONTENT, Call, Reply
from cfroute.cloud_controller.endpoints import delete, get, patch, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.models import Route, Space
from cfroute.cloud_controller.presenters.common import to_many
from cfroute.cloud_controller.validation.common import to_one

_FLAG = "route_sharing"
_FOREIGN_DOMAIN = "Target space does not have access to route's domain"
_MOVED = {"status": "ok"}


def index(call: Call) -> dict[str, Any]:
    feature_flags.require(call, _FLAG)
    return _shared(call, call.the(Route))


def share(call: Call) -> dict[str, Any]:
    """Let apps of these spaces have the route, too; it stays the owner's."""
    feature_flags.require(call, _FLAG)
    route, guids = call.the(Route), sharing.named(call)
    if route.space_guid in guids:
        raise unprocessable(
            f"Unable to share route '{route.url}' with space '{route.space_guid}'. "
            "Routes cannot be shared into the space where they were created."
        )
    spaces = sharing.targets(call, "route", route.url, guids)
    for space in spaces:
        if not route.domain.usable_by(space.organization_guid):
            raise unprocessable(f"Unable to share route '{route.url}' with space '{space.guid}'. {_FOREIGN_DOMAIN}")
    for space in spaces:
        if space not in route.shared_spaces:
            route.shared_spaces.append(space)
            call.audit("route.share", route, route.host, route.space_guid)
    return _shared(call, route)


def unshare(call: Call) -> Reply:
    feature_flags.require(call, _FLAG)
    route, guid = call.the(Route), call.path["space"]
    failed = f"Unable to unshare route '{route.url}' from space '{guid}'."
    space = _target(call, guid, failed)
    if guid == route.space_guid:
        raise unprocessable(f"{failed} Routes cannot be removed from the space that owns them.")
    if space in route.shared_spaces:
        route.shared_spaces.remove(space)
        call.audit("route.unshare", route, route.host, route.space_guid)
    return NO_CONTENT


def move(call: Call) -> dict[str, Any]:
    """Give the route to another space; the one that had it goes on having it as a shared one."""
    feature_flags.require(call, _FLAG)
    route, body = call.the(Route), call.body
    refuse_if(to_one(body, "space"))
    guid = (body["data"] or {}).get("guid", "")
    if guid == route.space_guid:
        return _MOVED
    failed = f"Unable to transfer owner of route '{route.url}' to space '{guid}'."
    space = _target(call, guid, failed)
    if not route.domain.usable_by(space.organization_guid):
        raise unprocessable(f"{failed} {_FOREIGN_DOMAIN}")
    _give(route, space)
    call.audit("route.transfer-owner", route, route.host, route.space_guid)
    return _MOVED


def _target(call: Call, guid: str, failed: str) -> Space:
    space = call.find(Space, guid)
    if space is None:
        raise unprocessable(f"{failed} Ensure the space exists and that you have access to it.")
    if not call.may_at(space):
        raise unprocessable(f"{failed} You don't have write permission for the target space.")
    return space


def _give(route: Route, space: Space) -> None:
    former = route.space
    if space in route.shared_spaces:
        route.shared_spaces.remove(space)
    route.shared_spaces.append(former)
    route.space = space


def _shared(call: Call, route: Route) -> dict[str, Any]:
    return to_many(route.shared_spaces, f"/routes/{route.guid}/relationships/shared_spaces", call.urls)


ENDPOINTS = (
    get("/v3/routes/{guid}/relationships/shared_spaces", index),
    post("/v3/routes/{guid}/relationships/shared_spaces", share),
    delete("/v3/routes/{guid}/relationships/shared_spaces/{space}", unshare),
    patch("/v3/routes/{guid}/relationships/space", move),
)
