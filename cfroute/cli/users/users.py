"""Users of the foundation: create, delete."""

from cfroute.cli import render
from cfroute.cli.access.api import Api, ApiError, Resource, UaaRefusal
from cfroute.cli.command import command
from cfroute.cli.misuse import Misuse
from cfroute.cli.options import argument, force, option
from cfroute.cli.session import Session
from cfroute.cli.users.roles import no_user
from cfroute.errors import CfrouteError


@command(
    "create-user",
    usage="cfroute create-user USERNAME [PASSWORD | --password-prompt]\ncfroute create-user USERNAME --origin ORIGIN",
    examples=("cfroute create-user bob s3cret", "cfroute create-user bob --password-prompt"),
    see_also=("delete-user", "passwd", "set-org-role", "set-space-role"),
)
@argument("username")
@argument("password", required=False)
@option("--origin", help="Origin for mapping a user account to a user in an external identity provider")
@option("--password-prompt", is_flag=True, help="Prompt interactively for password")
def create_user(
    session: Session, username: str, password: str | None, origin: str | None, password_prompt: bool
) -> Resource | None:
    if password_prompt and not password:
        session.target.check()
        password = session.ask("Password", hidden=True)
    if not password and origin in (None, "", "uaa"):
        raise Misuse("Incorrect Usage: the required argument `PASSWORD` was not provided")
    session.say(f"Creating user {render.name(username)}...")
    try:
        guid = _create(session.api, username, password or "", origin or "")
    except UaaRefusal as error:
        if error.status != 409:
            raise
        session.warn(f"User '{username}' already exists.")
        session.ok()
        return None
    user = session.api.post("/v3/users", {"guid": guid})
    session.ok()
    session.tip("Assign roles with 'cfroute set-org-role' and 'cfroute set-space-role'.")
    return dict(user)


def _create(api: Api, name: str, password: str, origin: str) -> str:
    body = {
        "userName": name,
        "password": password,
        "origin": origin,
        "name": {"familyName": name, "givenName": name},
        "emails": [{"value": name, "primary": True}],
    }
    return str(api.uaa("POST", "/Users", json=body).json()["id"])


@command(
    "delete-user",
    usage="cfroute delete-user USERNAME [--origin ORIGIN] [-f]",
    examples=("cfroute delete-user bob", "cfroute delete-user bob -f"),
    see_also=("create-user", "org-users", "space-users"),
)
@argument("username")
@option("--origin", help="Origin for mapping a user account to a user in an external identity provider")
@force
def delete_user(session: Session, username: str, origin: str | None, force: bool) -> Resource:
    session.target.check()
    if not force:
        kept = f"User '{username}' has not been deleted.\n{render.good('OK')}\n"
        session.confirm(f"Really delete the user {render.name(username)}?", otherwise=kept)
    session.say(f"Deleting user {render.name(username)} as {session.target.user}...")
    guid = _find(session.api, username, origin or "")
    if guid is None:
        session.say(no_user(username, origin))
    else:
        _delete(session.api, guid)
    session.ok()
    return {"name": username, "deleted": guid is not None}


def _find(api: Api, name: str, origin: str) -> str | None:
    """The user's guid. Raises CfrouteError when several are called so."""
    query = f'userName eq "{_quoted(name)}"' + (f' and origin eq "{_quoted(origin)}"' if origin else "")
    found = api.uaa("GET", "/Users", params={"filter": query}).json()["resources"]
    if len(found) > 1:
        origins = ", ".join(sorted(each["origin"] for each in found))
        raise CfrouteError(f"The username '{name}' is found in multiple origins: {origins}.", "say which one with --origin")
    return found[0]["id"] if found else None


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _delete(api: Api, guid: str) -> None:
    try:
        api.change("DELETE", f"/v3/users/{guid}")
    except ApiError as error:
        if error.status != 404:  # the Cloud Controller need not know everybody
            raise
    api.uaa("DELETE", f"/Users/{guid}")
