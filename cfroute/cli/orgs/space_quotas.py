"""Space quotas of the targeted org: list, show, create, update, delete, give them to spaces and take them away."""

from typing import Any

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.kinds import NEW
from cfroute.cli.options import argument, force, option
from cfroute.cli.orgs import quotas
from cfroute.cli.orgs.quotas import Quota
from cfroute.cli.session import Session
from cfroute.errors import NotFound

PATH = "/v3/space_quotas"


def find_quota(api: Api, name: str, org: Resource) -> Resource:
    """The org's space quota of that name. Raises NotFound."""
    found = api.first(PATH, names=[name], organization_guids=[org["guid"]])
    if found is None:
        raise NotFound(f"Space quota with name '{name}' not found.")
    return found


def give(api: Api, space: Resource, quota: str, org: Resource) -> None:
    """Apply the org's quota of that name to the space. Raises NotFound."""
    guid = find_quota(api, quota, org)["guid"]
    api.post(f"{PATH}/{guid}/relationships/spaces", {"data": [{"guid": space["guid"]}]})


@command(
    "space-quotas",
    usage="cfroute space-quotas",
    examples=("cfroute space-quotas", "cfroute space-quotas --json"),
    see_also=("set-space-quota", "space-quota"),
    text=lambda found: quotas.table(found, "No space quotas found."),
)
def space_quotas(session: Session) -> list[Quota]:
    org = session.target.org
    session.say(f"Getting space quotas as {session.target.user}...")
    session.say()
    return [quotas.shown(each) for each in session.api.list(PATH, organization_guids=[org["guid"]])]


@command(
    "space-quota",
    usage="cfroute space-quota QUOTA",
    examples=("cfroute space-quota small", "cfroute space-quota small --json"),
    see_also=("space", "space-quotas"),
    text=quotas.block,
)
@argument("quota", "space-quota")
def space_quota(session: Session, quota: str) -> Quota:
    org = session.target.org
    session.say(f"Getting space quota {render.name(quota)} for {session.target.org_place}...")
    session.say()
    return quotas.shown(find_quota(session.api, quota, org))


@command(
    "create-space-quota",
    usage="cfroute create-space-quota QUOTA " + quotas.usage(new=True),
    examples=("cfroute create-space-quota small -m 1G -r 10", "cfroute create-space-quota ports -r 5 --reserved-route-ports 5"),
    see_also=("create-space", "set-space-quota", "space-quotas"),
)
@argument("quota", NEW)
@quotas.limits(new=True)
def create_space_quota(session: Session, quota: str, **given: Any) -> Resource:
    org = session.target.org
    session.say(f"Creating space quota {render.name(quota)} for {session.target.org_place}...")
    relationships = {"organization": {"data": {"guid": org["guid"]}}}
    created = quotas.create(session, PATH, {"name": quota, **quotas.new_limits(given), "relationships": relationships})
    session.ok()
    return created


@command(
    "update-space-quota",
    usage="cfroute update-space-quota QUOTA " + quotas.usage(new=False),
    examples=("cfroute update-space-quota small -r 50", "cfroute update-space-quota small -n medium -m 4G"),
    see_also=("space", "space-quota", "space-quotas"),
)
@argument("quota", "space-quota")
@quotas.limits(new=False)
@option("-n", "new_name", complete=NEW, help="New name")
def update_space_quota(session: Session, quota: str, new_name: str | None, **given: Any) -> Resource:
    change, org = quotas.changed_limits(given), session.target.org
    session.say(f"Updating space quota {render.name(quota)} as {session.target.user}...")
    found = find_quota(session.api, quota, org)
    changed = session.api.patch(f"{PATH}/{found['guid']}", {"name": new_name or quota, **change})
    session.ok()
    return dict(changed)


@command(
    "delete-space-quota",
    usage="cfroute delete-space-quota QUOTA [-f]",
    examples=("cfroute delete-space-quota small", "cfroute delete-space-quota small -f"),
    see_also=("space-quotas",),
)
@argument("quota", "space-quota")
@force
def delete_space_quota(session: Session, quota: str, force: bool) -> Resource:
    org = session.target.org
    question = f"Really delete the space quota {render.name(quota)} in org {render.name(org['name'])}?"
    if not force:
        session.confirm(question, otherwise=f"Space quota '{quota}' has not been deleted.")
    session.say(f"Deleting space quota {render.name(quota)} for {session.target.org_place}...")
    return quotas.delete(session, PATH, quota, lambda: find_quota(session.api, quota, org))


@command(
    "set-space-quota",
    usage="cfroute set-space-quota SPACE QUOTA",
    examples=("cfroute set-space-quota dev small", "cfroute set-space-quota dev small --json"),
    see_also=("space", "space-quotas", "spaces"),
)
@argument("space")
@argument("quota", "space-quota")
def set_space_quota(session: Session, space: str, quota: str) -> Resource:
    org = session.target.org
    session.say(f"Setting space quota {render.name(quota)} to space {render.name(space)} as {session.target.user}...")
    give(session.api, lookup.space(session.api, org, space), quota, org)
    session.ok()
    return {"space": space, "quota": quota}


@command(
    "unset-space-quota",
    usage="cfroute unset-space-quota SPACE SPACE_QUOTA",
    examples=("cfroute unset-space-quota dev small", "cfroute unset-space-quota dev small --json"),
    see_also=("space",),
)
@argument("space")
@argument("space_quota")
def unset_space_quota(session: Session, space: str, space_quota: str) -> Resource:
    org = session.target.org
    session.say(f"Unassigning space quota {render.name(space_quota)} from space {render.name(space)} as {session.target.user}...")
    owner = lookup.space(session.api, org, space)
    found = find_quota(session.api, space_quota, org)
    session.api.change("DELETE", f"{PATH}/{found['guid']}/relationships/spaces/{owner['guid']}")
    session.ok()
    return {"space": space, "quota": None}
