"""Which org and space commands work in: `target`, and what becomes of it when somebody logs in."""

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.cli.settings import save


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
    """Target what is asked for.

    Where it fails, nothing is targeted any more, as with cf: the next commands must not change the place before.
    """
    settings = session.settings
    if org:
        settings.organization = settings.space = ""
        found = lookup.org(session.api, org)
        spaces = _spaces(session.api, found)
        settings.organization = found["name"]
        settings.space = _only(spaces)
    if space:
        settings.space = ""
        settings.space = lookup.space(session.api, session.target.org, space)["name"]


def retarget_after_login(session: Session, org: str | None, space: str | None) -> None:
    """Target what is asked for, or what was targeted, or the only one, as far as the new user sees it."""
    settings, api = session.settings, session.api
    seen = [each["name"] for each in api.list("/v3/organizations", order_by="name")]
    chosen = org or _chosen(settings.organization, seen)
    if chosen != settings.organization:
        settings.organization, settings.space = chosen, ""
    if chosen:
        found = lookup.org(api, chosen)
        settings.space = lookup.space(api, found, space)["name"] if space else _chosen(settings.space, _spaces(api, found))
    save(session.home, settings)
    for word, name in (("org", org and settings.organization), ("space", space and settings.space)):
        if name:
            session.say(f"Targeted {word} {render.name(name)}.")
            session.say()


def _chosen(before: str, seen: list[str]) -> str:
    return before if before in seen else _only(seen)


def _only(names: list[str]) -> str:
    """The only one is meant without being named, as with cf."""
    return names[0] if len(names) == 1 else ""


def _spaces(api: Api, org: Resource) -> list[str]:
    """Names of the spaces of an org that the user sees."""
    return [space["name"] for space in api.list("/v3/spaces", organization_guids=[org["guid"]])]


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
