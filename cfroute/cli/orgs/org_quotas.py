"""Org quotas: list, show, create, update, delete, and give them to orgs."""

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

PATH = "/v3/organization_quotas"


def find_quota(api: Api, name: str) -> Resource:
    """The org quota of that name. Raises NotFound."""
    found = api.first(PATH, names=[name])
    if found is None:
        raise NotFound(f"Organization quota with name '{name}' not found.")
    return found


def give(api: Api, org: Resource, quota: str) -> None:
    """Apply the quota of that name to the org. Raises NotFound."""
    guid = find_quota(api, quota)["guid"]
    api.post(f"{PATH}/{guid}/relationships/organizations", {"data": [{"guid": org["guid"]}]})


@command(
    "org-quotas",
    usage="cfroute org-quotas",
    examples=("cfroute org-quotas", "cfroute org-quotas --json"),
    see_also=("org-quota",),
    text=lambda found: quotas.table(found, "No organization quotas found."),
)
def org_quotas(session: Session) -> list[Quota]:
    session.say(f"Getting org quotas as {session.target.user}...")
    session.say()
    return [quotas.shown(each) for each in session.api.list(PATH)]


@command(
    "org-quota",
    usage="cfroute org-quota QUOTA",
    examples=("cfroute org-quota default", "cfroute org-quota default --json"),
    see_also=("org", "org-quotas"),
    text=quotas.block,
)
@argument("quota")
def org_quota(session: Session, quota: str) -> Quota:
    session.say(f"Getting org quota {render.name(quota)} as {session.target.user}...")
    session.say()
    return quotas.shown(find_quota(session.api, quota))


@command(
    "create-org-quota",
    usage="cfroute create-org-quota ORG_QUOTA " + quotas.usage(new=True),
    examples=(
        "cfroute create-org-quota small -m 2G -r 20 -s 5",
        "cfroute create-org-quota ports -r 50 --reserved-route-ports 10",
    ),
    see_also=("create-org", "org-quotas", "set-org-quota"),
)
@argument("org_quota", NEW)
@quotas.limits(new=True)
def create_org_quota(session: Session, org_quota: str, **given: Any) -> Resource:
    session.say(f"Creating org quota {render.name(org_quota)} as {session.target.user}...")
    created = quotas.create(session, PATH, {"name": org_quota, **quotas.new_limits(given)})
    session.ok()
    return created


@command(
    "update-org-quota",
    usage="cfroute update-org-quota QUOTA " + quotas.usage(new=False),
    examples=("cfroute update-org-quota small -r 50", "cfroute update-org-quota small -n medium -m 4G"),
    see_also=("org", "org-quota"),
)
@argument("quota")
@quotas.limits(new=False)
@option("-n", "new_name", complete=NEW, help="New name")
def update_org_quota(session: Session, quota: str, new_name: str | None, **given: Any) -> Resource:
    change = quotas.changed_limits(given)
    session.say(f"Updating org quota {render.name(quota)} as {session.target.user}...")
    found = find_quota(session.api, quota)
    changed = session.api.patch(f"{PATH}/{found['guid']}", {"name": new_name or quota, **change})
    session.ok()
    return dict(changed)


@command(
    "delete-org-quota",
    usage="cfroute delete-org-quota QUOTA [-f]",
    examples=("cfroute delete-org-quota small", "cfroute delete-org-quota small -f"),
    see_also=("org-quotas",),
)
@argument("quota")
@force
def delete_org_quota(session: Session, quota: str, force: bool) -> Resource:
    session.target.check()
    if not force:
        session.confirm(
            f"Really delete the org quota {render.name(quota)}?", otherwise=f"Organization quota '{quota}' has not been deleted."
        )
    session.say(f"Deleting org quota {render.name(quota)} as {session.target.user}...")
    return quotas.delete(session, PATH, quota, lambda: find_quota(session.api, quota))


@command(
    "set-org-quota",
    usage="cfroute set-org-quota ORG QUOTA",
    examples=("cfroute set-org-quota acme small", "cfroute set-org-quota acme default"),
    see_also=("org-quotas", "orgs"),
)
@argument("org")
@argument("quota")
def set_org_quota(session: Session, org: str, quota: str) -> Resource:
    session.say(f"Setting quota {render.name(quota)} to org {render.name(org)} as {session.target.user}...")
    give(session.api, lookup.org(session.api, org), quota)
    session.ok()
    return {"org": org, "quota": quota}
