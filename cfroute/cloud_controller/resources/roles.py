"""/v3/roles: who is what, in which organization or space"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import jobs, people
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import Exchange, delete, get, post
from cfroute.cloud_controller.errors import refuse_if, unprocessable
from cfroute.cloud_controller.listing import Listing, among, of_guids
from cfroute.cloud_controller.models import Organization, Person, Role, Space
from cfroute.cloud_controller.permissions import SPACE_ROLES
from cfroute.cloud_controller.presenters import people as present
from cfroute.cloud_controller.presenters import tenancy
from cfroute.cloud_controller.resources.users import name
from cfroute.cloud_controller.uaa.names import Name
from cfroute.cloud_controller.urls import Urls
from cfroute.cloud_controller.validation.common import related
from cfroute.cloud_controller.validation.roles import role_problems

_NOT_IN_ORGANIZATION = "Users cannot be assigned roles in a space if they do not have a role in that space's organization."
_STILL_IN_SPACES = "Cannot delete organization_user role while user has roles in spaces in that organization."
Included = tuple[str, list[dict[str, Any]]]


def _users(session: Session, found: Sequence[Role], urls: Urls) -> Included:
    wanted = select(Person).where(Person.guid.in_({role.user_guid for role in found})).order_by(Person.created_at, Person.guid)
    return "users", [present.user(each, urls) for each in session.scalars(wanted)]


def _organizations(session: Session, found: Sequence[Role], urls: Urls) -> Included:
    organizations = of_guids(session, Organization, (role.organization_guid for role in found))
    return "organizations", [tenancy.organization(each, urls) for each in organizations]


def _spaces(session: Session, found: Sequence[Role], urls: Urls) -> Included:
    return "spaces", [tenancy.space(each, urls) for each in of_guids(session, Space, (role.space_guid for role in found))]


LISTING = Listing(
    Role,
    present.role,
    {
        "types": among(Role.type),
        "user_guids": among(Role.user_guid),
        "organization_guids": among(Role.organization_guid),
        "space_guids": among(Role.space_guid),
    },
    includes={"user": _users, "organization": _organizations, "space": _spaces},
)


async def index(exchange: Exchange) -> Reply:
    reply = await exchange.run(LISTING.page, write=False)
    await name(exchange, reply.body.get("included", {}).get("users", []))
    return reply


async def show(exchange: Exchange) -> dict[str, Any]:
    answer = await exchange.run(lambda call: LISTING.included(call, call.the(Role)), write=False)
    await name(exchange, answer.get("included", {}).get("users", []))
    return answer


async def create(exchange: Exchange) -> Reply:
    """Give somebody a role. Who that is may be told by name: then the UAA is asked in between."""
    raw = await exchange.body()
    body = await exchange.run(_admitted, write=False, raw=raw)
    who = body["relationships"]["user"]["data"]
    names = exchange.platform.names
    guid = who["guid"] if "guid" in who else _only(await names.called([who["username"]], _origins(who)), body)
    known = await names.of([guid])
    title = known[guid].username if guid in known else guid
    return await exchange.run(lambda call: _save(call, body["type"], guid, title), write=True, raw=raw)


def _admitted(call: Call) -> dict[str, Any]:
    """The body, if it is one, and if the user may give roles there."""
    body = call.body
    refuse_if(role_problems(body))
    _place(call, body)
    if "username" in body["relationships"]["user"]["data"]:
        feature_flags.require(call, "set_roles_by_username")
    return body


def _place(call: Call, body: dict[str, Any]) -> Organization | Space:
    kind: type[Organization | Space] = Space if _in_space(body["type"]) else Organization
    word = "space" if kind is Space else "organization"
    found = call.find(kind, related(body, word))
    if found is None:
        raise unprocessable(f"Invalid {word}. Ensure that the {word} exists and you have access to it.")
    return found


def _in_space(kind: str) -> bool:
    return kind in SPACE_ROLES


def _origins(who: dict[str, Any]) -> list[str]:
    return [who["origin"]] if "origin" in who else []


def _only(found: Sequence[Name], body: dict[str, Any]) -> str:
    """The guid of the one user of the name in the body. Raises 10008 for none, and for several."""
    who = body["relationships"]["user"]["data"]
    if len(found) > 1:
        origins = ", ".join(sorted(each.origin for each in found))
        raise unprocessable(
            f"Ambiguous user. User with username '{who['username']}' exists in the following origins: "
            f"{origins}. Specify an origin to disambiguate."
        )
    if found:
        return found[0].guid
    if _in_space(body["type"]):
        raise unprocessable(_NOT_IN_ORGANIZATION)
    origin = f" and origin '{who['origin']}'" if "origin" in who else ""
    raise unprocessable(f"No user exists with the username '{who['username']}'{origin}.")


def _save(call: Call, kind: str, guid: str, title: str) -> Reply:
    place = _place(call, call.body)
    if isinstance(place, Space):
        if call.find(Person, guid) is None or not people.has_role(
            call, Role.user_guid == guid, Role.organization_guid == place.organization_guid
        ):
            raise unprocessable(_NOT_IN_ORGANIZATION)
        role, where = Role(type=kind, user_guid=guid, space_guid=place.guid), f"space '{place.name}'"
        same = (Role.space_guid == place.guid,)
    else:
        people.ensure(call, guid)
        role, where = Role(type=kind, user_guid=guid, organization_guid=place.guid), f"organization '{place.name}'"
        same = (Role.organization_guid == place.guid,)
    if people.has_role(call, Role.user_guid == guid, Role.type == kind, *same):
        raise unprocessable(f"User '{title}' already has '{kind}' role in {where}.")
    return Reply(201, present.role(call.save(role), call.urls))


def remove(call: Call) -> Reply:
    role = call.the(Role)
    if role.type == "organization_user":
        inside = select(Space.guid).where(Space.organization_guid == role.organization_guid)
        if people.has_role(call, Role.user_guid == role.user_guid, Role.space_guid.in_(inside)):
            raise unprocessable(_STILL_IN_SPACES)
    call.session.delete(role)
    return jobs.accepted(call, "role.delete")


ENDPOINTS = (
    get("/v3/roles", index),
    post("/v3/roles", create),
    get("/v3/roles/{guid}", show),
    delete("/v3/roles/{guid}", remove),
)
