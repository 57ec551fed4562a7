"""Who is what: roles in orgs and spaces."""

from typing import Any

import msgspec

from cfroute.cli import render
from cfroute.cli.access.api import Api, ApiError, Resource, UaaRefusal
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.cli.target import find_org, find_space
from cfroute.errors import CfrouteError, NotFound

ORG_ROLES = {
    "OrgManager": "organization_manager",
    "BillingManager": "organization_billing_manager",
    "OrgAuditor": "organization_auditor",
}
SPACE_ROLES = {
    "SpaceManager": "space_manager",
    "SpaceDeveloper": "space_developer",
    "SpaceAuditor": "space_auditor",
    "SpaceSupporter": "space_supporter",
}
_ORG_TITLES = ("ORG MANAGER", "BILLING MANAGER", "ORG AUDITOR")
_SPACE_TITLES = ("SPACE MANAGER", "SPACE DEVELOPER", "SPACE AUDITOR", "SPACE SUPPORTER")
_ORG_NOTES = "\n".join(["ROLES:", *(f"   {name}" for name in ORG_ROLES)])
_SPACE_NOTES = "\n".join(["ROLES:", *(f"   {name}" for name in SPACE_ROLES)])
_client = option("--client", is_flag=True, help="Treat USERNAME as the client-id of a (non-user) service account")
_origin = option("--origin", help="Indicates the identity provider to be used for authentication")


class Member(msgspec.Struct):
    """One user, or client, in one role."""

    name: str
    origin: str


class Group(msgspec.Struct):
    """All who have a role; `title` is cf's name for it."""

    title: str
    members: list[Member]


def _text(groups: list[Group]) -> str:
    blocks = []
    for group in groups:
        members = [f"  {each.name} ({each.origin})" for each in group.members] or [f"  No {group.title} found"]
        blocks.append("\n".join((group.title, *members)))
    return "\n\n".join(blocks)


class Held(msgspec.Struct):
    """A role that was given (`held`) or taken away; space is "" for a role in an org."""

    user: str
    org: str
    space: str
    role: str
    held: bool


@command(
    "org-users",
    usage="cfroute org-users ORG [-a]",
    examples=("cfroute org-users acme", "cfroute org-users acme -a"),
    see_also=("orgs", "set-org-role", "space-users"),
    text=_text,
)
@argument("org", "org")
@option("--all-users", "-a", "everybody", is_flag=True, help="List all users with roles in the org or in spaces within the org")
def org_users(session: Session, org: str, everybody: bool) -> list[Group]:
    session.say(f"Getting users in org {render.name(org)} as {session.target.user}...")
    session.say()
    found = find_org(session.api, org)
    if everybody:
        users = session.api.list(f"/v3/organizations/{found['guid']}/users")
        return [Group("ORG USERS", _sorted(users))]
    return _groups(session.api, _ORG_TITLES, ORG_ROLES, organization_guids=[found["guid"]])


@command(
    "space-users",
    usage="cfroute space-users ORG SPACE",
    examples=("cfroute space-users acme dev", "cfroute space-users acme dev --json"),
    see_also=("org-users", "set-space-role", "spaces"),
    text=_text,
)
@argument("org", "org")
@argument("space", "space")
def space_users(session: Session, org: str, space: str) -> list[Group]:
    place = _place(org, space)
    session.say(f"Getting users in {place} as {session.target.user}...")
    session.say()
    found = find_space(session.api, space, find_org(session.api, org))
    return _groups(session.api, _SPACE_TITLES, SPACE_ROLES, space_guids=[found["guid"]])


def _groups(api: Api, titles: tuple[str, ...], roles: dict[str, str], **place: Any) -> list[Group]:
    page = api.page("/v3/roles", include="user", **place)
    users = {user["guid"]: user for user in page.included.get("users", [])}

    def holders(kind: str) -> list[Resource]:
        return [users[_guid(role, "user")] for role in page.resources if role["type"] == kind]

    return [Group(title, _sorted(holders(kind))) for title, kind in zip(titles, roles.values(), strict=True)]


def _guid(role: Resource, related: str) -> str:
    return str(role["relationships"][related]["data"]["guid"])


def _sorted(users: list[Resource]) -> list[Member]:
    members = [Member(user["presentation_name"], user["origin"] or "client") for user in users]
    return sorted(members, key=lambda member: (member.name, member.origin))


@command(
    "set-org-role",
    usage="cfroute set-org-role USERNAME ORG ROLE [--client] [--origin ORIGIN]",
    examples=("cfroute set-org-role bob acme OrgManager", "cfroute set-org-role tool acme OrgAuditor --client"),
    see_also=("org-users", "set-space-role", "unset-org-role"),
    notes=_ORG_NOTES,
)
@argument("username")
@argument("org", "org")
@argument("role", values=ORG_ROLES.keys)
@_client
@_origin
def set_org_role(session: Session, username: str, org: str, role: str, client: bool, origin: str | None) -> Held:
    kind = _kind(role, ORG_ROLES)
    place = _place(org)
    session.say(f"Assigning role {render.name(role)} to user {render.name(username)} in {place} as {session.target.user}...")
    found = find_org(session.api, org)
    user = _user(session.api, username, origin, client=client)
    if not assign(session.api, kind, user, organization=found["guid"]):
        session.warn(f"User '{username}' already has role '{role}' in org '{org}'.")
    session.ok()
    return Held(username, org, "", role, True)


@command(
    "set-space-role",
    usage="cfroute set-space-role USERNAME ORG SPACE ROLE [--client] [--origin ORIGIN]",
    examples=("cfroute set-space-role bob acme dev SpaceDeveloper", "cfroute set-space-role tool acme dev SpaceAuditor --client"),
    see_also=("set-org-role", "space-users", "unset-space-role"),
    notes=_SPACE_NOTES,
)
@argument("username")
@argument("org", "org")
@argument("space", "space")
@argument("role", values=SPACE_ROLES.keys)
@_client
@_origin
def set_space_role(session: Session, username: str, org: str, space: str, role: str, client: bool, origin: str | None) -> Held:
    kind = _kind(role, SPACE_ROLES)
    place = _place(org, space)
    session.say(f"Assigning role {render.name(role)} to user {render.name(username)} in {place} as {session.target.user}...")
    owner = find_org(session.api, org)
    found = find_space(session.api, space, owner)
    user = _user(session.api, username, origin, client=client)
    assign(session.api, "organization_user", user, organization=owner["guid"])
    if not assign(session.api, kind, user, space=found["guid"]):
        session.warn(f"User '{username}' already has role '{role}' in org '{org}' / space '{space}'.")
    session.ok()
    return Held(username, org, space, role, True)


@command(
    "unset-org-role",
    usage="cfroute unset-org-role USERNAME ORG ROLE [--client] [--origin ORIGIN]",
    examples=("cfroute unset-org-role bob acme OrgManager", "cfroute unset-org-role tool acme OrgAuditor --client"),
    see_also=("org-users", "set-org-role", "unset-space-role"),
    notes=_ORG_NOTES,
)
@argument("username")
@argument("org", "org")
@argument("role", values=ORG_ROLES.keys)
@_client
@_origin
def unset_org_role(session: Session, username: str, org: str, role: str, client: bool, origin: str | None) -> Held:
    kind = _kind(role, ORG_ROLES)
    place = _place(org)
    session.say(f"Removing role {render.name(role)} from user {render.name(username)} in {place} as {session.target.user}...")
    found = find_org(session.api, org)
    guid = _known(session.api, username, origin, client=client)
    _remove(session.api, kind, guid, organization_guids=[found["guid"]])
    session.ok()
    return Held(username, org, "", role, False)


@command(
    "unset-space-role",
    usage="cfroute unset-space-role USERNAME ORG SPACE ROLE [--client] [--origin ORIGIN]",
    examples=(
        "cfroute unset-space-role bob acme dev SpaceDeveloper",
        "cfroute unset-space-role tool acme dev SpaceAuditor --client",
    ),
    see_also=("set-space-role", "space-users", "unset-org-role"),
    notes=_SPACE_NOTES,
)
@argument("username")
@argument("org", "org")
@argument("space", "space")
@argument("role", values=SPACE_ROLES.keys)
@_client
@_origin
def unset_space_role(session: Session, username: str, org: str, space: str, role: str, client: bool, origin: str | None) -> Held:
    kind = _kind(role, SPACE_ROLES)
    place = _place(org, space)
    session.say(f"Removing role {render.name(role)} from user {render.name(username)} in {place} as {session.target.user}...")
    found = find_space(session.api, space, find_org(session.api, org))
    guid = _known(session.api, username, origin, client=client)
    _remove(session.api, kind, guid, space_guids=[found["guid"]])
    session.ok()
    return Held(username, org, space, role, False)


def _place(org: str, space: str | None = None) -> str:
    """Where the role is, for announcements."""
    return f"org {render.name(org)}" + (f" / space {render.name(space)}" if space is not None else "")


def _kind(role: str, known: dict[str, str]) -> str:
    """The API's word for a role, which may be written in any case. Raises CfrouteError."""
    kinds = {name.lower(): kind for name, kind in known.items()}
    if role.lower() not in kinds:
        *others, last = known
        raise CfrouteError(f"ROLE must be {', '.join(others)} or {last}")
    return kinds[role.lower()]


def _user(api: Api, name: str, origin: str | None, *, client: bool) -> dict[str, str]:
    """How a new role names its holder. Raises NotFound for a client that there is not."""
    if not client:
        return {"username": name, "origin": origin or "uaa"}
    try:
        api.uaa("GET", f"/oauth/clients/{name}")
    except UaaRefusal as error:
        raise NotFound(f"Client '{name}' not found.") if error.status == 404 else error from error
    return {"guid": name}


def _known(api: Api, name: str, origin: str | None, *, client: bool) -> str:
    """The guid of somebody who may have a role. Raises NotFound."""
    if client:
        return name
    found = api.first("/v3/users", usernames=[name], origins=[origin or "uaa"])
    if found is None:
        raise NotFound(f"User '{name}' does not exist.")
    return str(found["guid"])


def assign(api: Api, kind: str, user: dict[str, str], **place: str) -> bool:
    """Whether the role is a new one."""
    relationships = {name: {"data": {"guid": guid}} for name, guid in place.items()}
    try:
        api.post("/v3/roles", {"type": kind, "relationships": {"user": {"data": user}, **relationships}})
    except ApiError as error:
        if not error.says(detail=f"already has '{kind}' role"):
            raise
        return False
    return True


def _remove(api: Api, kind: str, user_guid: str, **place: Any) -> None:
    for role in api.list("/v3/roles", types=[kind], user_guids=[user_guid], **place):
        api.change("DELETE", f"/v3/roles/{role['guid']}")
