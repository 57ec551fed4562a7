"""Letting other orgs have a private domain."""

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session


@command(
    "share-private-domain",
    usage="cfroute share-private-domain ORG DOMAIN",
    examples=("cfroute share-private-domain acme shop.example.com", "cfroute share-private-domain acme shop.example.com --json"),
    see_also=("create-private-domain", "domains", "unshare-private-domain"),
)
@argument("org")
@argument("domain")
def share_private_domain(session: Session, org: str, domain: str) -> Resource:
    session.say(f"Sharing domain {render.name(domain)} with org {render.name(org)} as {session.target.user}...")
    other, found = lookup.org(session.api, org), lookup.domain(session.api, domain)
    session.api.post(f"/v3/domains/{found['guid']}/relationships/shared_organizations", {"data": [{"guid": other["guid"]}]})
    session.ok()
    return {"domain": domain, "org": org, "shared": True}


@command(
    "unshare-private-domain",
    usage="cfroute unshare-private-domain ORG DOMAIN [-f]",
    examples=("cfroute unshare-private-domain acme shop.example.com", "cfroute unshare-private-domain acme shop.example.com -f"),
    see_also=("delete-private-domain", "domains", "share-private-domain"),
)
@argument("org")
@argument("domain")
@option("-f", "force", is_flag=True, help="Unshare without confirmation (cf always asks)")
def unshare_private_domain(session: Session, org: str, domain: str, force: bool) -> Resource:
    session.target.check()
    shown, whom = render.name(domain), render.name(org)
    session.say(f"Warning: org {whom} will no longer be able to access private domain {shown}")
    if not force:
        session.confirm(
            f"Really unshare private domain {shown}?", otherwise=f"Domain {shown} has not been unshared from organization {whom}"
        )
    session.say(f"Unsharing domain {shown} from org {whom} as {session.target.user}...")
    other, found = lookup.org(session.api, org), lookup.domain(session.api, domain)
    session.api.call("DELETE", f"/v3/domains/{found['guid']}/relationships/shared_organizations/{other['guid']}")
    session.ok()
    return {"domain": domain, "org": org, "shared": False}
