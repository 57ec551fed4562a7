"""Domains: list, create, delete."""

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, force, labels, option
from cfroute.cli.routes import router_groups
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError


class Domain(msgspec.Struct):
    """One line of `domains`."""

    guid: str
    name: str
    availability: str
    internal: bool
    protocols: list[str]


def _text(domains: list[Domain]) -> str:
    if not domains:
        return "No domains found."
    rows = [(d.name, d.availability, "true" if d.internal else "", ",".join(d.protocols)) for d in domains]
    return render.table(("name", "availability", "internal", "protocols"), rows)


@command(
    "domains",
    usage="cfroute domains [--labels SELECTOR]",
    examples=(
        "cfroute domains",
        "cfroute domains --labels 'environment in (production,staging),tier in (backend)'",
        "cfroute domains --labels 'env=dev,!chargeback-code,tier in (backend,worker)'",
    ),
    see_also=("create-private-domain", "create-route", "create-shared-domain", "routes"),
    text=_text,
)
@labels("domains")
def domains(session: Session, labels: str | None) -> list[Domain]:
    org = session.target.org
    session.say(f"Getting domains in {session.target.org_place}...")
    session.say()
    found = session.api.list(f"/v3/organizations/{org['guid']}/domains", label_selector=labels)
    return [_domain(each) for each in sorted(found, key=lambda each: str(each["name"]))]


def _domain(domain: Resource) -> Domain:
    return Domain(
        guid=domain["guid"],
        name=domain["name"],
        availability="private" if is_private(domain) else "shared",
        internal=domain["internal"],
        protocols=domain["supported_protocols"],
    )


def is_private(domain: Resource) -> bool:
    """Whether it belongs to one org."""
    return domain["relationships"]["organization"]["data"] is not None


@command(
    "create-shared-domain",
    usage="cfroute create-shared-domain DOMAIN [--router-group ROUTER_GROUP_NAME | --internal]",
    examples=(
        "cfroute create-shared-domain apps.localhost",
        "cfroute create-shared-domain tcp.localhost --router-group default-tcp",
        "cfroute create-shared-domain apps.internal --internal",
    ),
    see_also=("create-private-domain", "domains", "router-groups"),
)
@argument("domain")
@option("--router-group", complete="router-group", help="Routes for this domain will use routers in the specified router group")
@option(
    "--internal",
    is_flag=True,
    help="Applications that use internal routes communicate directly on the container network",
)
def create_shared_domain(session: Session, domain: str, router_group: str | None, internal: bool) -> Resource:
    session.say(f"Creating shared domain {render.name(domain)} as {session.target.user}...")
    body: Resource = {"name": domain, "internal": internal}
    if router_group:
        body["router_group"] = {"guid": router_groups.find(session, router_group).guid}
    created = session.api.post("/v3/domains", body)
    session.ok()
    session.tip(f"Domain '{domain}' is shared with all orgs. Run 'cfroute domains' to view available domains.")
    return dict(created)


@command(
    "create-private-domain",
    usage="cfroute create-private-domain ORG DOMAIN",
    examples=(
        "cfroute create-private-domain local acme.localhost",
        "cfroute create-domain local acme.localhost --json",
    ),
    see_also=("create-shared-domain", "domains", "share-private-domain"),
)
@argument("org")
@argument("domain")
def create_private_domain(session: Session, org: str, domain: str) -> Resource:
    session.say(f"Creating private domain {render.name(domain)} for org {render.name(org)} as {session.target.user}...")
    owner = lookup.org(session.api, org)
    body = {"name": domain, "relationships": {"organization": {"data": {"guid": owner["guid"]}}}}
    created = session.api.post("/v3/domains", body)
    session.ok()
    session.tip(
        f"Domain '{domain}' is a private domain. Run 'cfroute share-private-domain' to share this domain with a different org."
    )
    return dict(created)


@command(
    "delete-shared-domain",
    usage="cfroute delete-shared-domain DOMAIN [-f]",
    examples=("cfroute delete-shared-domain apps.localhost", "cfroute delete-shared-domain apps.localhost -f"),
    see_also=("delete-private-domain", "domains"),
)
@argument("domain")
@force
def delete_shared_domain(session: Session, domain: str, force: bool) -> Resource:
    session.target.check(org=True)
    session.say("This action impacts all orgs using this domain.")
    session.say(
        "Deleting the domain will remove associated routes which will make apps with this domain, in any org, unreachable."
    )
    if not force:
        session.confirm(f"Really delete the shared domain {render.name(domain)}?", otherwise=f"'{domain}' has not been deleted.")
    session.say(f"Deleting domain {render.name(domain)} as {session.target.user}...")
    found = _find(session, domain, private=False)
    if found is None:
        return {"deleted": False, "name": domain}
    session.api.change("DELETE", f"/v3/domains/{found['guid']}")
    session.ok()
    return {"deleted": True, "name": domain, "guid": found["guid"]}


@command(
    "delete-private-domain",
    usage="cfroute delete-private-domain DOMAIN [-f]",
    examples=("cfroute delete-private-domain acme.localhost", "cfroute delete-domain acme.localhost -f"),
    see_also=("delete-shared-domain", "domains", "unshare-private-domain"),
)
@argument("domain")
@force
def delete_private_domain(session: Session, domain: str, force: bool) -> Resource:
    session.target.check(org=True)
    announcement = f"Deleting private domain {render.name(domain)} as {session.target.user}..."
    session.say(announcement)
    found = _find(session, domain, private=True)
    if found is None:
        return {"deleted": False, "name": domain}
    session.say("Deleting the private domain will remove associated routes which will make apps with this domain unreachable.")
    if not force:
        session.confirm(f"Really delete the private domain {render.name(domain)}?", otherwise=f"'{domain}' has not been deleted.")
    session.say(announcement)
    session.api.change("DELETE", f"/v3/domains/{found['guid']}")
    session.ok()
    session.tip("Run 'cfroute domains' to view available domains.")
    return {"deleted": True, "name": domain, "guid": found["guid"]}


def _find(session: Session, name: str, *, private: bool) -> Resource | None:
    """The domain of that kind; None, and said, if there is no such domain. Raises CfrouteError for the other kind."""
    domain = lookup.if_there(lookup.domain, session.api, name)
    if domain is None:
        session.warn(f"Domain '{name}' does not exist.")
        session.ok()
        return None
    if is_private(domain) != private:
        is_kind, not_kind = ("shared", "private") if private else ("private", "shared")
        raise CfrouteError(f"Domain '{name}' is a {is_kind} domain, not a {not_kind} domain.")
    return domain
