"""Orgs, and which org and space commands work in."""

import msgspec

from cfroute.cli import render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.kinds import NEW
from cfroute.cli.options import argument, force, labels, option
from cfroute.cli.orgs import doomed, org_quotas
from cfroute.cli.session import Session
from cfroute.cli.settings import save
from cfroute.cli.target import find_org, find_space
from cfroute.errors import NotFound


class Named(msgspec.Struct):
    """One line of `orgs` or `spaces`."""

    guid: str
    name: str


def orgs_text(orgs: list[Named]) -> str:
    return render.table(("name",), [(org.name,) for org in orgs]) if orgs else "No orgs found."


@command(
    "orgs",
    usage="cfroute orgs",
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
        return find_org(session.api, org)
    session.ok()
    if quota:
        session.say()
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
@argument("new_org_name", NEW, metavar="NEW_ORG_NAME")
def rename_org(session: Session, org: str, new_org_name: str) -> Resource:
    session.say(f"Renaming org {render.name(org)} to {render.name(new_org_name)} as {session.target.user}...")
    found = find_org(session.api, org)
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
@argument("org", "org")
@force
@doomed.dry_run
def delete_org(session: Session, org: str, force: bool, dry_run: bool) -> Resource | None:
    if dry_run:
        session.emit(doomed.of_org(session.api, find_org(session.api, org)), doomed.text)
        return None
    question = (
        f"Really delete the org {render.name(org)}, including its spaces, apps, service instances, routes, "
        "private domains and space-scoped service brokers?"
    )
    if not force and not session.confirm(question):
        session.say(f"Organization '{org}' has not been deleted.")
        return None
    session.say(f"Deleting org {render.name(org)} as {session.target.user}...")
    try:
        found = find_org(session.api, org)
    except NotFound:
        session.warn(f"Org '{org}' does not exist.")
        session.ok()
        return {"name": org, "deleted": False}
    session.api.change("DELETE", f"/v3/organizations/{found['guid']}")
    session.ok()
    if same_name(org, session.settings.organization):
        session.settings.organization = session.settings.space = ""
        save(session.home, session.settings)
        session.tip("No org or space targeted, use 'cfroute target -o ORG -s SPACE' to target an org and space.")
    return {"name": org, "deleted": True}


class Targeted(msgspec.Struct):
    """What `target` shows; org and space are "" when none is targeted."""

    api_endpoint: str
    api_version: str
    user: str
    org: str
    space: str


def targeted_text(target: Targeted) -> str:
    facts = [
        ("API endpoint", target.api_endpoint),
        ("API version", target.api_version),
        ("user", target.user),
    ]
    if not target.org:
        return render.block(facts) + "\nNo org or space targeted, use 'cfroute target -o ORG -s SPACE'"
    facts.append(("org", target.org))
    if not target.space:
        return render.block(facts) + "\nNo space targeted, use 'cfroute target -s SPACE'"
    return render.block([*facts, ("space", target.space)])


@command(
    "target",
    usage="cfroute target [URL] [-o ORG] [-s SPACE]",
    examples=("cfroute target", "cfroute target -o acme -s dev", "cfroute target https://api.example.com"),
    see_also=("api", "create-org", "create-space", "info", "orgs", "spaces"),
    notes="With a URL this is 'cfroute api URL'.",
    text=targeted_text,
)
@argument("url", required=False)
@option("-o", "org", help="Organization")
@option("-s", "space", help="Space")
def target(session: Session, url: str | None, org: str | None, space: str | None) -> Targeted:
    if url:
        from cfroute.cli.access.endpoints import normalized
        from cfroute.cli.more.endpoint import choose

        choose(session, normalized(url))
    try:
        _retarget(session, org, space)
    finally:
        if org or space:
            save(session.home, session.settings)
    return targeted(session)


def _retarget(session: Session, org: str | None, space: str | None) -> None:
    """Where it fails, nothing is targeted any more, as with cf: the next commands must not change the place before."""
    settings = session.settings
    if org:
        settings.organization = settings.space = ""
        found = find_org(session.api, org)
        spaces = session.api.list("/v3/spaces", organization_guids=[found["guid"]])
        settings.organization = found["name"]
        settings.space = spaces[0]["name"] if len(spaces) == 1 else ""  # the only one is meant, as with cf
    if space:
        settings.space = ""
        settings.space = find_space(session.api, space, session.target.org)["name"]


def targeted(session: Session) -> Targeted:
    """Where commands work now, and on whose behalf."""
    user = session.api.user
    settings, root = session.settings, session.api.root()
    return Targeted(
        api_endpoint=session.api.url,
        api_version=root["links"]["cloud_controller_v3"]["meta"]["version"],
        user=user,
        org=settings.organization,
        space=settings.space,
    )
