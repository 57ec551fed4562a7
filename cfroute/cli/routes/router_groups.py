"""Router groups: the TCP routers that share their ports."""

import msgspec

from cfroute.cli import render
from cfroute.cli.access.api import ApiError
from cfroute.cli.command import command
from cfroute.cli.session import Session
from cfroute.errors import NotFound


class RouterGroup(msgspec.Struct):
    """One line of `router-groups`. reservable_ports is a list like `1024-1123,2000`."""

    guid: str
    name: str
    type: str
    reservable_ports: str = ""


def _text(groups: list[RouterGroup]) -> str:
    if not groups:
        return "No router groups found."
    return render.table(("name", "type"), [(group.name, group.type) for group in groups])


@command(
    "router-groups",
    usage="cfroute router-groups",
    notes="--json shows the ports, too, that TCP routes may have in each group.",
    examples=("cfroute router-groups", "cfroute router-groups --json"),
    see_also=("create-route", "create-shared-domain", "domains"),
    text=_text,
)
def router_groups(session: Session) -> list[RouterGroup]:
    session.say(f"Getting router groups as {session.target.user}...")
    session.say()
    return every(session)


def every(session: Session) -> list[RouterGroup]:
    """All router groups, as the Routing API shows them below the Cloud Controller's URL. Raises ApiError."""
    try:
        return msgspec.convert(session.api.get("/routing/v1/router_groups"), list[RouterGroup])
    except ApiError as error:
        error.hint = advice(error)
        raise


def advice(error: ApiError) -> str:
    """What to do when the Routing API is the reason for an error; else nothing."""
    if error.says(detail="The Routing API is disabled"):
        return "this foundation was started without TCP routing; 'cfroute up --tcp-routers 1' has it"
    if error.says(detail="The Routing API is currently unavailable"):
        return "'cfroute status' shows the components; 'cfroute restart routing_api/0' starts this one again"
    return ""


def find(session: Session, name: str) -> RouterGroup:
    """Raises NotFound."""
    for group in every(session):
        if group.name == name:
            return group
    raise NotFound(f"Router group '{name}' not found.")
