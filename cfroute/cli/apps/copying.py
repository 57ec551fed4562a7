"""`copy-source`: the files of one app become those of another one."""

from typing import Any

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.apps import deploying
from cfroute.cli.apps.lifecycle import stop_and_start
from cfroute.cli.apps.staging import STAGING, newest_package, stage
from cfroute.cli.apps.starting import STARTUP, require_running
from cfroute.cli.apps.summary import AppSummary, summary_text
from cfroute.cli.command import command
from cfroute.cli.misuse import apart, together
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session


@command(
    "copy-source",
    usage="cfroute copy-source SOURCE_APP DESTINATION_APP [-s TARGET_SPACE [-o TARGET_ORG]] [--no-restart] "
    "[--strategy STRATEGY]\n   [--instance-steps WEIGHTS] [--max-in-flight N] [--no-wait]",
    examples=("cfroute copy-source staging production", "cfroute copy-source web web -s production -o acme --strategy rolling"),
    see_also=("apps", "push", "restage", "restart", "target"),
    environment=(*STAGING, *STARTUP),
    text=summary_text,
)
@argument("source_app", "app")
@argument("destination_app")
@option("--no-restart", is_flag=True, help="Do not restage the destination application")
@option("--organization", "-o", "org", help="Org that contains the destination application")
@option("--space", "-s", help="Space that contains the destination application")
@deploying.strategy_options("restarted")
def copy_source(
    session: Session,
    source_app: str,
    destination_app: str,
    no_restart: bool,
    org: str | None,
    space: str | None,
    **given: Any,
) -> AppSummary | None:
    strategy = deploying.chosen(given)
    if org and not space:
        raise together("--organization, -o", "--space, -s")
    if no_restart and strategy.name is not None:
        raise apart("--no-restart", "--strategy")
    if not no_restart:
        require_running(session, "copy-source (but for --no-restart)")
    place = f"org {render.name(org or session.target.org['name'])} / space {render.name(space or session.target.space['name'])}"
    apps = f"from app {render.name(source_app)} to target app {render.name(destination_app)}"
    session.say(f"Copying source {apps} in {place} as {session.target.user}...")
    there = _space(session, org, space)
    source = lookup.app(session.api, session.target.space, source_app)
    target = lookup.app(session.api, there, destination_app)
    package = _copy(session, source, target)
    if no_restart:
        session.say()
        session.ok()
        return None
    droplet = stage(session, target, package["guid"])
    session.say()
    if strategy.name is not None:
        return deploying.deploy(session, target, strategy, droplet=droplet)
    session.say(f"Restarting app {render.name(destination_app)} in {place} as {session.target.user}...")
    session.say()
    return stop_and_start(session, target, droplet, no_wait=strategy.no_wait)


def _space(session: Session, org: str | None, space: str | None) -> Resource:
    """Where the files are to go; without names, the targeted one. Raises NotFound."""
    if space is None:
        return session.target.space
    return lookup.space(session.api, lookup.org(session.api, org) if org else session.target.org, space)


def _copy(session: Session, source: Resource, target: Resource) -> Resource:
    """The package that the other app now has; it is there with all its bits when the API answers."""
    guid = newest_package(session, source)["guid"]
    body = {"relationships": {"app": {"data": {"guid": target["guid"]}}}}
    return dict(session.api.post("/v3/packages", body, source_guid=guid))
