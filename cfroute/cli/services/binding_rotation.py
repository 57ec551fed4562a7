"""Removing the bindings of an app that newer ones have taken the place of."""

from collections import defaultdict
from collections.abc import Iterable

import click

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.services.service_bindings import unbind
from cfroute.cli.services.service_options import wait_option
from cfroute.cli.session import Session


def outdated(bindings: Iterable[Resource], keep: int) -> list[Resource]:
    """All but the newest `keep` bindings to each service instance, instance by instance, the oldest first."""
    groups: dict[str, list[Resource]] = defaultdict(list)
    for binding in bindings:
        groups[_instance(binding)].append(binding)
    found = []
    for _, group in sorted(groups.items()):
        group.sort(key=lambda binding: str(binding["created_at"]))
        found += group[: max(0, len(group) - keep)]
    return found


def _instance(binding: Resource) -> str:
    return lookup.related(binding, "service_instance")


@command(
    "cleanup-outdated-service-bindings",
    usage="""cfroute cleanup-outdated-service-bindings APP_NAME [--keep-last N] [--service-instance SERVICE_INSTANCE]
   [--force] [--wait]""",
    examples=(
        "cfroute cleanup-outdated-service-bindings myapp",
        "cfroute cleanup-outdated-service-bindings myapp --keep-last 2 --service-instance myinstance --wait",
    ),
    see_also=("bind-service", "unbind-service"),
)
@argument("app_name")
@option("--force", "-f", is_flag=True, help="Force deletion without confirmation")
@option(
    "--keep-last", type=click.IntRange(min=1), default=1, complete="text", help="Keep the last N service bindings (default: 1)"
)
@option("--service-instance", help="Only delete service bindings for the specified service instance")
@wait_option
def cleanup_outdated_service_bindings(
    session: Session, app_name: str, force: bool, keep_last: int, service_instance: str | None, wait: bool
) -> Resource:
    session.say(f"Cleaning up outdated service bindings for app {render.name(app_name)} in {session.target.place}...")
    found = outdated(_bindings(session, app_name, service_instance), keep_last)
    if not found:
        session.say("No outdated service bindings found.")
        session.ok()
        return {"app": app_name, "deleted": []}
    session.say(f"Found {len(found)} outdated service binding{'s' if len(found) > 1 else ''}.")
    if not force:
        session.confirm(
            "Really delete all outdated service bindings?", otherwise="Outdated service bindings have not been deleted."
        )
    for binding in found:
        unbind(session, binding, wait=wait)
    return {"app": app_name, "deleted": [binding["guid"] for binding in found]}


def _bindings(session: Session, app_name: str, service_instance: str | None) -> list[Resource]:
    app = lookup.app(session.api, session.target.space, app_name)
    of_instance = {}
    if service_instance is not None:
        instance = lookup.service_instance(session.api, session.target.space, service_instance)
        of_instance = {"service_instance_guids": [instance["guid"]]}
    return session.api.list("/v3/service_credential_bindings", type="app", app_guids=[app["guid"]], **of_instance)
