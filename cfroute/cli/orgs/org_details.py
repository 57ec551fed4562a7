"""`org`: what there is of one."""

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session


class Org(msgspec.Struct):
    """An org with the names of what it has."""

    guid: str
    name: str
    suspended: bool
    domains: list[str]
    quota: str
    spaces: list[str]
    isolation_segments: list[str]


def _text(org: Org) -> str:
    facts = (
        ("name", org.name),
        ("domains", ", ".join(org.domains)),
        ("quota", org.quota),
        ("spaces", ", ".join(org.spaces)),
        ("isolation segments", ", ".join(org.isolation_segments)),
    )
    return render.block(facts)


@command(
    "org",
    usage="cfroute org ORG [--guid]",
    examples=("cfroute org acme", "cfroute org acme --guid"),
    see_also=("org-users", "orgs"),
    text=_text,
)
@argument("org")
@option("--guid", is_flag=True, help="Retrieve and display the given org's guid.  All other output for the org is suppressed.")
def org(session: Session, org: str, guid: bool) -> Org | None:
    if guid:
        found = lookup.org(session.api, org)
        session.line({"guid": found["guid"]}, found["guid"])
        return None
    session.say(f"Getting info for org {render.name(org)} as {session.target.user}...")
    session.say()
    api, found = session.api, lookup.org(session.api, org)
    path = f"/v3/organizations/{found['guid']}"
    quota = lookup.related(found, "quota")
    return Org(
        guid=found["guid"],
        name=found["name"],
        suspended=found["suspended"],
        domains=names(api, f"{path}/domains"),
        quota=api.get(f"/v3/organization_quotas/{quota}")["name"],
        spaces=names(api, "/v3/spaces", organization_guids=[found["guid"]]),
        isolation_segments=_segments(api, found),
    )


def names(api: Api, path: str, **query: object) -> list[str]:
    """The names of all resources of a list, sorted."""
    return sorted(each["name"] for each in api.list(path, **query))


def _segments(api: Api, org: Resource) -> list[str]:
    default = api.get(f"/v3/organizations/{org['guid']}/relationships/default_isolation_segment")["data"] or {}
    found = api.list("/v3/isolation_segments", organization_guids=[org["guid"]])
    marked = (f"{each['name']} (default)" if each["guid"] == default.get("guid") else each["name"] for each in found)
    return sorted(marked)
