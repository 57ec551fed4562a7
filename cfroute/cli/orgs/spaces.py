"""Spaces: list, create, rename, delete."""

from cfroute.cli import doomed, lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.kinds import NEW
from cfroute.cli.options import argument, force, labels, option
from cfroute.cli.orgs import space_quotas
from cfroute.cli.orgs.orgs import Named, same_name
from cfroute.cli.session import Session
from cfroute.cli.settings import save
from cfroute.cli.users.roles import SPACE_ROLES, Place, assign

_IMPACT = (
    "This action impacts all resources scoped to this space, including apps, service instances, and space-scoped service brokers."
)


def _text(spaces: list[Named]) -> str:
    return render.table(("name",), [(space.name,) for space in spaces]) if spaces else "No spaces found."


@command(
    "spaces",
    usage="cfroute spaces [--labels SELECTOR]",
    examples=("cfroute spaces", "cfroute spaces --json"),
    see_also=("create-space", "orgs", "target"),
    text=_text,
)
@labels("spaces")
def spaces(session: Session, labels: str | None) -> list[Named]:
    org = session.target.org
    session.say(f"Getting spaces in {session.target.org_place}...")
    session.say()
    found = session.api.list("/v3/spaces", order_by="name", organization_guids=[org["guid"]], label_selector=labels)
    return [Named(space["guid"], space["name"]) for space in found]


org_option = option("-o", "org", help="Organization (default: the targeted one)")


@command(
    "create-space",
    usage="cfroute create-space SPACE [-o ORG] [-q QUOTA]",
    examples=("cfroute create-space staging", "cfroute create-space staging -o acme -q small"),
    see_also=("set-space-role", "space-quotas", "spaces", "target"),
)
@argument("space", NEW)
@org_option
@option("--quota", "-q", complete="space-quota", help="Quota to assign to the newly created space")
def create_space(session: Session, space: str, org: str | None, quota: str | None) -> Resource:
    owner = lookup.org(session.api, org) if org else session.target.org
    place = f"org {render.name(owner['name'])}"
    session.say(f"Creating space {render.name(space)} in {place} as {session.target.user}...")
    body = {"name": space, "relationships": {"organization": {"data": {"guid": owner["guid"]}}}}
    try:
        created = session.api.post("/v3/spaces", body)
    except ApiError as error:
        if not error.says(detail="ame must be unique"):
            raise
        session.say(f"Space '{space}' already exists.")
        session.ok()
        return lookup.space(session.api, owner, space)
    session.ok()
    if quota:
        session.say(f"Setting space quota {render.name(quota)} to space {render.name(space)} as {session.target.user}...")
        space_quotas.give(session.api, created, quota, owner)
        session.ok()
    if session.settings.login and session.settings.login.refresh_token:
        _become_developer(session, created, owner)
    session.tip(f'Use \'cfroute target -o "{owner["name"]}" -s "{space}"\' to target new space')
    return dict(created)


def _become_developer(session: Session, space: Resource, org: Resource) -> None:
    """Whoever has logged in manages a space that he makes, and works in it; the admin may do that anyway."""
    api, place = session.api, Place(org["name"], space["name"]).shown
    for title in ("SpaceManager", "SpaceDeveloper"):
        who = f"user {render.name(api.user)} in {place} as {session.target.user}"
        session.say(f"Assigning role {render.name(title)} to {who}...")
        assign(api, SPACE_ROLES[title], {"guid": api.user_guid}, space=space["guid"])
        session.ok()


@command(
    "rename-space",
    usage="cfroute rename-space SPACE NEW_SPACE_NAME",
    examples=("cfroute rename-space staging production", "cfroute rename-space staging production --json"),
    see_also=("space", "space-quotas", "space-users", "spaces", "target"),
)
@argument("space")
@argument("new_space_name", NEW)
def rename_space(session: Session, space: str, new_space_name: str) -> Resource:
    owner = session.target.org
    session.say(f"Renaming space {render.name(space)} to {render.name(new_space_name)} as {session.target.user}...")
    found = lookup.space(session.api, owner, space)
    renamed = session.api.patch(f"/v3/spaces/{found['guid']}", {"name": new_space_name})
    if same_name(found["name"], session.settings.space):
        session.settings.space = new_space_name
        save(session.home, session.settings)
    session.ok()
    return dict(renamed)


@command(
    "delete-space",
    usage="cfroute delete-space SPACE [-o ORG] [-f | --dry-run]",
    examples=("cfroute delete-space staging --dry-run", "cfroute delete-space staging -o acme -f"),
    see_also=("create-space", "spaces"),
)
@argument("space")
@org_option
@force
@doomed.dry_run
def delete_space(session: Session, space: str, org: str | None, force: bool, dry_run: bool) -> Resource | None:
    owner = lookup.org(session.api, org) if org else session.target.org
    if dry_run:
        session.emit(doomed.of_space(session.api, lookup.space(session.api, owner, space)), doomed.text)
        return None
    if not force:
        session.say(_IMPACT)
        session.confirm(f"Really delete the space {render.name(space)}?", otherwise=f"'{space}' has not been deleted.")
    place = f"org {render.name(owner['name'])} as {session.target.user}"
    session.say(f"Deleting space {render.name(space)} in {place}...")
    found = lookup.if_there(lookup.space, session.api, owner, space)
    if found is None:
        session.warn(f"Space '{space}' does not exist.")
    else:
        session.api.change("DELETE", f"/v3/spaces/{found['guid']}")
    session.ok()
    if found and same_name(owner["name"], session.settings.organization) and same_name(space, session.settings.space):
        session.settings.space = ""
        save(session.home, session.settings)
        session.tip("No space targeted, use 'cfroute target -s' to target a space.")
    return {"name": space, "deleted": found is not None}
