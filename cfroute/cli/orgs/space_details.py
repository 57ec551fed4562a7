"""`space`: what there is of one."""

from collections.abc import Iterator

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.orgs.org_details import names
from cfroute.cli.session import Session


class SecurityRule(msgspec.Struct):
    """One rule of a security group, for apps that run or for those that are staged (`lifecycle`)."""

    security_group: str
    destination: str
    ports: str
    protocol: str
    lifecycle: str
    description: str


class Space(msgspec.Struct):
    """A space with the names of what it has; isolation_segment and quota are "" when there is none.

    security_group_rules is None unless it was asked for.
    """

    guid: str
    name: str
    org: str
    apps: list[str]
    services: list[str]
    isolation_segment: str
    quota: str
    running_security_groups: list[str]
    staging_security_groups: list[str]
    security_group_rules: list[SecurityRule] | None = None


def _text(space: Space) -> str:
    facts = (
        ("name", space.name),
        ("org", space.org),
        ("apps", ", ".join(space.apps)),
        ("services", ", ".join(space.services)),
        ("isolation segment", space.isolation_segment),
        ("quota", space.quota),
        ("running security groups", ", ".join(space.running_security_groups)),
        ("staging security groups", ", ".join(space.staging_security_groups)),
    )
    block = render.block(facts)
    return block if space.security_group_rules is None else f"{block}\n\n{_rules_text(space.security_group_rules)}"


def _rules_text(rules: list[SecurityRule]) -> str:
    if not rules:
        return "No security group rules found."
    headers = [field.replace("_", " ") for field in SecurityRule.__struct_fields__]
    return render.table(headers, (msgspec.structs.astuple(rule) for rule in rules))


@command(
    "space",
    usage="cfroute space SPACE [--guid] [--security-group-rules]",
    examples=("cfroute space dev", "cfroute space dev --guid"),
    see_also=("space-quota", "space-users"),
    text=_text,
)
@argument("space")
@option(
    "--guid", is_flag=True, help="Retrieve and display the given space's guid.  All other output for the space is suppressed."
)
@option("--security-group-rules", is_flag=True, help="Retrieve the rules for all the security groups associated with the space.")
def space(session: Session, space: str, guid: bool, security_group_rules: bool) -> Space | None:
    org = session.target.org
    if guid:
        found = lookup.space(session.api, org, space)
        session.line({"guid": found["guid"]}, found["guid"])
        return None
    session.say(f"Getting info for space {render.name(space)} in {session.target.org_place}...")
    session.say()
    return _summary(session, lookup.space(session.api, org, space), with_rules=security_group_rules)


def _summary(session: Session, found: Resource, *, with_rules: bool) -> Space:
    api, path, inside = session.api, f"/v3/spaces/{found['guid']}", {"space_guids": [found["guid"]]}
    segment = api.get(f"{path}/relationships/isolation_segment")["data"]
    quota = found["relationships"]["quota"]["data"]
    running, staging = (api.list(f"{path}/{kind}_security_groups") for kind in ("running", "staging"))
    rules = sorted([*_rules(running, "running"), *_rules(staging, "staging")], key=lambda rule: rule.security_group)
    return Space(
        guid=found["guid"],
        name=found["name"],
        org=session.target.org["name"],
        apps=names(api, "/v3/apps", **inside),
        services=names(api, "/v3/service_instances", **inside),
        isolation_segment=api.get(f"/v3/isolation_segments/{segment['guid']}")["name"] if segment else "",
        quota=api.get(f"/v3/space_quotas/{quota['guid']}")["name"] if quota else "",
        running_security_groups=[group["name"] for group in running],
        staging_security_groups=[group["name"] for group in staging],
        security_group_rules=rules if with_rules else None,
    )


def _rules(groups: list[Resource], lifecycle: str) -> Iterator[SecurityRule]:
    for group in groups:
        for rule in group["rules"]:
            described = rule.get("ports") or "", rule["protocol"], lifecycle, rule.get("description") or ""
            yield SecurityRule(group["name"], rule["destination"], *described)
