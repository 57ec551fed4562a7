"""/v3/users: those of the UAA's users that the Cloud Controller knows"""

from typing import Any

from sqlalchemy import ColumnElement, select

from cfroute.cloud_controller.actions import jobs
from cfroute.cloud_controller.actions.metadata import change_metadata, set_metadata
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import Exchange, delete, get, patch, post
from cfroute.cloud_controller.errors import bad_query, refuse_if, unprocessable
from cfroute.cloud_controller.labels import problems as metadata_problems
from cfroute.cloud_controller.listing import Listing
from cfroute.cloud_controller.models import Organization, Person, Role, Space
from cfroute.cloud_controller.presenters import people as present
from cfroute.cloud_controller.query import Query
from cfroute.cloud_controller.validation.roles import user_problems

LISTING = Listing(Person, present.user, accepts=("usernames", "origins"))


async def index(exchange: Exchange) -> Reply:
    return await _listed(exchange)


async def of_organization(exchange: Exchange) -> Reply:
    """Whoever has a role in the organization or in one of its spaces."""

    def members(call: Call) -> ColumnElement[bool]:
        guid = call.the(Organization).guid
        within = Role.space_guid.in_(select(Space.guid).where(Space.organization_guid == guid))
        return Person.guid.in_(select(Role.user_guid).where((Role.organization_guid == guid) | within))

    return await _listed(exchange, members)


async def of_space(exchange: Exchange) -> Reply:
    def members(call: Call) -> ColumnElement[bool]:
        return Person.guid.in_(select(Role.user_guid).where(Role.space_guid == call.the(Space).guid))

    return await _listed(exchange, members)


async def _listed(exchange: Exchange, members: Any = None) -> Reply:
    """A page of users; their names, and which guids have a name, the UAA has to tell."""
    query, names = Query(exchange.request.url.query), exchange.platform.names
    called: list[str] | None = None
    if "usernames" in query:
        origins = query.values("origins") if "origins" in query else ()
        called = [name.guid for name in await names.called(query.values("usernames"), origins)]
    elif "origins" in query:
        raise bad_query("Origins filter cannot be provided without usernames or partial_usernames filter.")

    def page(call: Call) -> Reply:
        where = [Person.guid.in_(called)] if called is not None else []
        return LISTING.page(call, *where, *([members(call)] if members else []))

    reply = await exchange.run(page, write=False)
    await name(exchange, reply.body["resources"])
    return reply


async def name(exchange: Exchange, users: list[dict[str, Any]]) -> None:
    """Put the names into presented users."""
    present.name_all(users, await exchange.platform.names.of([each["guid"] for each in users]) if users else {})


async def _named(exchange: Exchange, user: dict[str, Any]) -> dict[str, Any]:
    await name(exchange, [user])
    return user


async def show(exchange: Exchange) -> dict[str, Any]:
    return await _named(exchange, await exchange.run(lambda call: present.user(call.the(Person, "User"), call.urls), write=False))


async def create(exchange: Exchange) -> Reply:
    """Make a user of the UAA known, by guid, or by name and origin."""
    raw = await exchange.body()
    body = await exchange.run(_checked, write=False, raw=raw)
    guid = body.get("guid")
    if guid is None:
        found = await exchange.platform.names.called([body["username"]], [body["origin"]])
        if not found:
            raise unprocessable(f"No user exists with the username '{body['username']}' and origin '{body['origin']}'.")
        guid = found[0].guid

    def save(call: Call) -> dict[str, Any]:
        if call.session.get(Person, guid):
            raise unprocessable(f"User with guid '{guid}' already exists.")
        person = Person(guid=guid)
        set_metadata(person, body)
        return present.user(call.save(person), call.urls)

    return Reply(201, await _named(exchange, await exchange.run(save, write=True)))


def _checked(call: Call) -> dict[str, Any]:
    call.only_admin()
    body = call.body
    refuse_if(user_problems(body) + metadata_problems(body.get("metadata")))
    return body


async def update(exchange: Exchange) -> dict[str, Any]:
    raw = await exchange.body()

    def change(call: Call) -> dict[str, Any]:
        call.only_admin()
        person = call.the(Person, "User")
        change_metadata(call, person)
        return present.user(person, call.urls)

    return await _named(exchange, await exchange.run(change, write=True, raw=raw))


def remove(call: Call) -> Reply:
    """With all roles. In the UAA, the user stays."""
    call.only_admin()
    call.session.delete(call.the(Person, "User"))
    return jobs.accepted(call, "user.delete")


ENDPOINTS = (
    get("/v3/users", index),
    post("/v3/users", create),
    get("/v3/users/{guid}", show),
    patch("/v3/users/{guid}", update),
    delete("/v3/users/{guid}", remove),
    get("/v3/organizations/{guid}/users", of_organization),
    get("/v3/spaces/{guid}/users", of_space),
)
