"""Roles in orgs and spaces: given and taken away."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, ApiError, UaaRefusal
from cfroute.cli.command import command
from cfroute.cli.misuse import apart
from cfroute.cli.options import Function, argument, option
from cfroute.cli.session import Session
from cfroute.errors import NotFound, UsageError

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
_ORG_NOTES = "\n".join(["ROLES:", *(f"   {name}" for name in ORG_ROLES)])
_SPACE_NOTES = "\n".join(["ROLES:", *(f"   {name}" for name in SPACE_ROLES)])


class Place(NamedTuple):
    """Where somebody has a role: an org, or with `space` a space of it. Both are names."""

    org: str
    space: str | None = None

    def __str__(self) -> str:
        return f"org '{self.org}'" + ("" if self.space is None else f" / space '{self.space}'")

    @property
    def shown(self) -> str:
        """For announcements."""
        return f"org {render.name(self.org)}" + ("" if self.space is None else f" / space {render.name(self.space)}")

    def role(self, name: str) -> tuple[str, str]:
        """cf's and the API's word for a role that there is here; it may be written in any case. Raises UsageError."""
        known, last = (ORG_ROLES, "and") if self.space is None else (SPACE_ROLES, "or")
        for title, kind in known.items():
            if title.lower() == name.lower():
                return title, kind
        *titles, rest = (f'"{title}"' for title in known)
        raise UsageError(f"ROLE must be {', '.join(titles)} {last} {rest}")

    def guids(self, api: Api) -> dict[str, str]:
        """Of the `organization` and, if it is one, of the `space`. Raises NotFound."""
        org = lookup.org(api, self.org)
        if self.space is None:
            return {"organization": org["guid"]}
        return {"organization": org["guid"], "space": lookup.space(api, org, self.space)["guid"]}


class Holder(NamedTuple):
    """Who is to have a role, or to have it no longer: a user of an origin, or a client."""

    name: str
    origin: str | None
    client: bool

    def named(self, api: Api) -> dict[str, str]:
        """How a new role names its holder. Raises NotFound for a client that there is not."""
        if not self.client:
            return {"username": self.name, "origin": self.origin or "uaa"}
        try:
            api.uaa("GET", f"/oauth/clients/{lookup.part(self.name)}")
        except UaaRefusal as error:
            raise NotFound(f"Client '{self.name}' not found.") if error.status == 404 else error from error
        return {"guid": self.name}

    def guid(self, api: Api) -> str:
        """Raises NotFound for a user that there is not."""
        if self.client:
            return self.name
        found = api.first("/v3/users", usernames=[self.name], origins=[self.origin or "uaa"])
        if found is None:
            raise NotFound(no_user(self.name, self.origin))
        return str(found["guid"])


def no_user(name: str, origin: str | None) -> str:
    """The sentence for a user that there is not."""
    where = f" with origin '{origin}'" if origin not in (None, "", "uaa") else ""
    return f"User '{name}'{where} does not exist."


class Held(msgspec.Struct):
    """A role that was given (`held`) or taken away; space is "" for a role in an org."""

    user: str
    org: str
    space: str
    role: str
    held: bool


def _parameters(roles: Mapping[str, str], *place: str) -> Callable[[Function], Function]:
    """Who, where, which role, and what kind of user."""

    def add(function: Function) -> Function:
        function = option("--origin", help="Indicates the identity provider to be used for authentication")(function)
        client = "Treat USERNAME as the client-id of a (non-user) service account"
        function = option("--client", is_flag=True, help=client)(function)
        function = argument("role", values=roles.keys)(function)
        for name in reversed(place):
            function = argument(name)(function)
        return argument("username")(function)

    return add


@command(
    "set-org-role",
    usage="cfroute set-org-role USERNAME ORG ROLE [--client] [--origin ORIGIN]",
    examples=("cfroute set-org-role bob acme OrgManager", "cfroute set-org-role tool acme OrgAuditor --client"),
    see_also=("org-users", "set-space-role", "unset-org-role"),
    notes=_ORG_NOTES,
)
@_parameters(ORG_ROLES, "org")
def set_org_role(session: Session, username: str, org: str, role: str, client: bool, origin: str | None) -> Held:
    return _give(session, role, Holder(username, origin, client), Place(org))


@command(
    "set-space-role",
    usage="cfroute set-space-role USERNAME ORG SPACE ROLE [--client] [--origin ORIGIN]",
    examples=("cfroute set-space-role bob acme dev SpaceDeveloper", "cfroute set-space-role tool acme dev SpaceAuditor --client"),
    see_also=("set-org-role", "space-users", "unset-space-role"),
    notes=_SPACE_NOTES,
)
@_parameters(SPACE_ROLES, "org", "space")
def set_space_role(session: Session, username: str, org: str, space: str, role: str, client: bool, origin: str | None) -> Held:
    return _give(session, role, Holder(username, origin, client), Place(org, space))


@command(
    "unset-org-role",
    usage="cfroute unset-org-role USERNAME ORG ROLE [--client] [--origin ORIGIN]",
    examples=("cfroute unset-org-role bob acme OrgManager", "cfroute unset-org-role tool acme OrgAuditor --client"),
    see_also=("org-users", "set-org-role", "unset-space-role"),
    notes=_ORG_NOTES,
)
@_parameters(ORG_ROLES, "org")
def unset_org_role(session: Session, username: str, org: str, role: str, client: bool, origin: str | None) -> Held:
    return _take(session, role, Holder(username, origin, client), Place(org))


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
@_parameters(SPACE_ROLES, "org", "space")
def unset_space_role(session: Session, username: str, org: str, space: str, role: str, client: bool, origin: str | None) -> Held:
    return _take(session, role, Holder(username, origin, client), Place(org, space))


def _begin(session: Session, doing: str, role: str, holder: Holder, place: Place) -> tuple[str, str]:
    """Announce what becomes of the role; how `Place.role` calls it. Raises UsageError, Misuse."""
    if holder.client and holder.origin:
        raise apart("--client", "--origin")
    title, kind = place.role(role)
    shown = doing.format(f"role {render.name(title)}", f"user {render.name(holder.name)}")
    session.say(f"{shown} in {place.shown} as {session.target.user}...")
    return title, kind


def _give(session: Session, role: str, holder: Holder, place: Place) -> Held:
    api = session.api
    title, kind = _begin(session, "Assigning {} to {}", role, holder, place)
    guids = place.guids(api)
    user = holder.named(api)
    if place.space is not None:
        assign(api, "organization_user", user, organization=guids.pop("organization"))
    if not assign(api, kind, user, **guids):
        session.warn(f"User '{holder.name}' already has role '{title}' in {place}.")
    session.ok()
    return Held(holder.name, place.org, place.space or "", title, True)


def _take(session: Session, role: str, holder: Holder, place: Place) -> Held:
    api = session.api
    title, kind = _begin(session, "Removing {} from {}", role, holder, place)
    innermost, guid = list(place.guids(api).items())[-1]
    query = {f"{innermost}_guids": [guid], "types": [kind], "user_guids": [holder.guid(api)]}
    for each in api.list("/v3/roles", **query):
        api.change("DELETE", f"/v3/roles/{each['guid']}")
    session.ok()
    return Held(holder.name, place.org, place.space or "", title, False)


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
