"""Who has roles in an org or a space: `org-users`, `space-users`."""

from typing import Any

import msgspec

from cfroute.cli import lookup
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.cli.users.roles import ORG_ROLES, SPACE_ROLES, Place

_ORG_TITLES = ("ORG MANAGER", "BILLING MANAGER", "ORG AUDITOR")
_SPACE_TITLES = ("SPACE MANAGER", "SPACE DEVELOPER", "SPACE AUDITOR", "SPACE SUPPORTER")


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
    return "\n\n".join(blocks) + "\n"


@command(
    "org-users",
    usage="cfroute org-users ORG [-a]",
    examples=("cfroute org-users acme", "cfroute org-users acme -a"),
    see_also=("orgs", "set-org-role", "space-users"),
    text=_text,
)
@argument("org")
@option("--all-users", "-a", "everybody", is_flag=True, help="List all users with roles in the org or in spaces within the org")
def org_users(session: Session, org: str, everybody: bool) -> list[Group]:
    session.say(f"Getting users in {Place(org).shown} as {session.target.user}...")
    session.say()
    found = lookup.org(session.api, org)
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
@argument("org")
@argument("space")
def space_users(session: Session, org: str, space: str) -> list[Group]:
    session.say(f"Getting users in {Place(org, space).shown} as {session.target.user}...")
    session.say()
    found = lookup.space(session.api, lookup.org(session.api, org), space)
    return _groups(session.api, _SPACE_TITLES, SPACE_ROLES, space_guids=[found["guid"]])


def _groups(api: Api, titles: tuple[str, ...], roles: dict[str, str], **place: Any) -> list[Group]:
    page = api.page("/v3/roles", include="user", **place)
    users = {user["guid"]: user for user in page.included.get("users", [])}

    def holders(kind: str) -> list[Resource]:
        return [users[lookup.related(role, "user")] for role in page.resources if role["type"] == kind]

    return [Group(title, _sorted(holders(kind))) for title, kind in zip(titles, roles.values(), strict=True)]


def _sorted(users: list[Resource]) -> list[Member]:
    members = [Member(user["presentation_name"], user["origin"] or "client") for user in users]
    return sorted(members, key=lambda member: (member.name, member.origin))
