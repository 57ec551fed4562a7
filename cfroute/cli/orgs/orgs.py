"""Orgs: list, create, rename, delete."""

import msgspec

from cfroute.cli import doomed, lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.kinds import NEW
from cfroute.cli.options import argument, force, labels, option
from cfroute.cli.orgs import org_quotas
from cfroute.cli.session import Session
from cfroute.cli.settings import save


class Named(msgspec.Struct):
    """One line of `orgs` or `spaces`."""

    guid: str
    name: str


def orgs_text(orgs: list[Named]) -> str:
    return render.table(("name",), [(org.name,) for org in orgs]) if orgs else "No orgs found."


@command(
    "orgs",
    usage="cfroute orgs [--labels SELECTOR]",
    examples=("cfroute orgs", "cfroute orgs --json"),
    see_also=("create-org", "spaces", "target"),
    text=orgs_text,
)
@labels("orgs")
def orgs(session: Session, labels: str | None) -> list[Named]:
    session.say(f"Getting orgs as {session.target.user}...")
    session.say()
    found = session.api.list("/v3/organizations", order_by="name", label_selector=labels)
    return [Named(org["guid"], org["name"]) for org in found]


@command(
    "create-org",
    usage="cfroute create-org ORG [-q ORG_QUOTA]",
    examples=("cfroute create-org acme", "cfroute create-org acme -q small"),
    see_also=("create-space", "org-quotas", "orgs", "set-org-role", "target"),
)
@argument("org", NEW)
@option("--quota", "-q", help="Quota to assign to the newly created org")
def create_org(session: Session, org: str, quota: str | None) -> Resource:
    session.say(f"Creating org {render.name(org)} as {session.target.user}...")
    try:
        created = session.api.post("/v3/organizations", {"name": org})
    except ApiError as error:
        if not error.says(detail="already exists"):
            raise
        session.say(f"Organization '{org}' already exists.")
        session.ok()
        return lookup.org(session.api, org)
    session.ok()
    if quota:
        session.say(f"Setting org quota {render.name(quota)} to org {render.name(org)} as {session.target.user}...")
        org_quotas.give(session.api, created, quota)
        session.ok()
    session.tip(f"Use 'cfroute target -o \"{org}\"' to target new org")
    return dict(created)


@command(
    "rename-org",
    usage="cfroute rename-org ORG NEW_ORG_NAME",
    examples=("cfroute rename-org acme umbrella", "cfroute rename-org acme umbrella --json"),
    see_also=("org-quotas", "orgs", "set-org-role"),
)
@argument("org")
@argument("new_org_name", NEW)
def rename_org(session: Session, org: str, new_org_name: str) -> Resource:
    session.say(f"Renaming org {render.name(org)} to {render.name(new_org_name)} as {session.target.user}...")
    found = lookup.org(session.api, org)
    renamed = session.api.patch(f"/v3/organizations/{found['guid']}", {"name": new_org_name})
    if same_name(found["name"], session.settings.organization):
        session.settings.organization = new_org_name
        save(session.home, session.settings)
    session.ok()
    return dict(renamed)


def same_name(one: str, other: str) -> bool:
    """Whether orgs or spaces of these names are the same."""
    return one.lower() == other.lower()


@command(
    "delete-org",
    usage="cfroute delete-org ORG [-f | --dry-run]",
    examples=("cfroute delete-org acme --dry-run", "cfroute delete-org acme -f"),
    see_also=("create-org", "orgs"),
)
@argument("org")
@force
@doomed.dry_run
def delete_org(session: Session, org: str, force: bool, dry_run: bool) -> Resource | None:
    if dry_run:
        session.emit(doomed.of_org(session.api, lookup.org(session.api, org)), doomed.text)
        return None
    question = (
        f"Really delete the org {render.name(org)}, including its spaces, apps, service instances, routes, "
        "private domains and space-scoped service brokers?"
    )
    session.target.check()
    if not force:
        session.confirm(question, otherwise=f"Organization '{org}' has not been deleted.")
    session.say(f"Deleting org {render.name(org)} as {session.target.user}...")
    found = lookup.if_there(lookup.org, session.api, org)
    if found is None:
        session.warn(f"Org '{org}' does not exist.")
    else:
        session.api.change("DELETE", f"/v3/organizations/{found['guid']}")
    session.ok()
    if found and same_name(org, session.settings.organization):
        session.settings.organization = session.settings.space = ""
        save(session.home, session.settings)
        session.tip("No org or space targeted, use 'cfroute target -o ORG -s SPACE' to target an org and space.")
    return {"name": org, "deleted": found is not None}
