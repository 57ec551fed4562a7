"""Service instances, whoever has made them: list, rename, delete."""

from collections import defaultdict

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, force, option
from cfroute.cli.services.service_operations import changed, operation_text
from cfroute.cli.services.service_options import wait_option
from cfroute.cli.services.service_parents import FIELDS, parents_of
from cfroute.cli.session import Session
from cfroute.errors import NotFound


class ServiceRow(msgspec.Struct):
    """One line of `services`. bound_apps is None when nobody has looked."""

    guid: str
    name: str
    offering: str
    plan: str
    bound_apps: list[str] | None
    last_operation: str
    broker: str
    upgrade_available: str


def _text(rows: list[ServiceRow]) -> str:
    if not rows:
        return "No service instances found."
    apps = ("bound apps",) if rows[0].bound_apps is not None else ()
    headers = ("name", "offering", "plan", *apps, "last operation", "broker", "upgrade available")
    return render.table(headers, (_cells(row) for row in rows))


def _cells(row: ServiceRow) -> tuple[str, ...]:
    apps = (", ".join(row.bound_apps),) if row.bound_apps is not None else ()
    return (row.name, row.offering, row.plan, *apps, row.last_operation, row.broker, row.upgrade_available)


@command(
    "services",
    usage="cfroute services [--no-apps]",
    examples=("cfroute services", "cfroute services --no-apps --json"),
    see_also=("create-service", "create-user-provided-service", "marketplace", "service"),
    text=_text,
)
@option("--no-apps", is_flag=True, help="Do not retrieve bound apps information.")
def services(session: Session, no_apps: bool) -> list[ServiceRow]:
    space = session.target.space
    session.say(f"Getting service instances in {session.target.place}...")
    session.say()
    page = session.api.page("/v3/service_instances", order_by="name", space_guids=[space["guid"]], **FIELDS)
    apps = None if no_apps else _bound_apps(session.api, page.resources, space)
    return [_row(each, page.included, apps[each["guid"]] if apps is not None else None) for each in page.resources]


def _row(instance: Resource, included: dict[str, list[Resource]], apps: list[str] | None) -> ServiceRow:
    parents = parents_of(instance, included)
    return ServiceRow(
        guid=instance["guid"],
        name=instance["name"],
        offering=parents.offering.get("name", "user-provided"),
        plan=parents.plan.get("name", ""),
        bound_apps=apps,
        last_operation=operation_text(instance),
        broker=parents.broker.get("name", ""),
        upgrade_available=("yes" if instance.get("upgrade_available") else "no") if parents.plan else "",
    )


def _bound_apps(api: Api, instances: list[Resource], space: Resource) -> dict[str, list[str]]:
    """Guid of a service instance → the names of the apps of this space that are bound to it, each once."""
    guids = [each["guid"] for each in instances]
    found: dict[str, list[str]] = defaultdict(list)
    page = api.page("/v3/service_credential_bindings", include="app", type="app", service_instance_guids=guids)
    apps = {app["guid"]: app for app in page.included.get("apps", [])}
    for binding in page.resources:
        ends = binding["relationships"]
        bound, app = found[ends["service_instance"]["data"]["guid"]], apps[ends["app"]["data"]["guid"]]
        if lookup.related(app, "space") == space["guid"] and app["name"] not in bound:
            bound.append(app["name"])
    return found


@command(
    "rename-service",
    usage="cfroute rename-service SERVICE_INSTANCE NEW_SERVICE_INSTANCE",
    examples=("cfroute rename-service mydb yourdb", "cfroute rename-service mydb yourdb --json"),
    see_also=("services", "update-service"),
)
@argument("service_instance")
@argument("new_service_instance", "new")
def rename_service(session: Session, service_instance: str, new_service_instance: str) -> Resource:
    session.say(
        f"Renaming service {render.name(service_instance)} to {render.name(new_service_instance)} in {session.target.place}..."
    )
    try:
        found = lookup.service_instance(session.api, session.target.space, service_instance)
    except NotFound:
        session.say("TIP: Use 'cfroute services' to view all services in this org and space.")
        raise
    changed(session, "PATCH", f"/v3/service_instances/{found['guid']}", {"name": new_service_instance}, wait=False)
    session.ok()
    return {"guid": found["guid"], "name": new_service_instance}


@command(
    "delete-service",
    usage="cfroute delete-service SERVICE_INSTANCE [-f] [--wait]",
    examples=("cfroute delete-service mylogger", "cfroute delete-service mylogger -f"),
    see_also=("services", "unbind-route-service", "unbind-service"),
)
@argument("service_instance")
@force
@wait_option
def delete_service(session: Session, service_instance: str, force: bool, wait: bool) -> Resource:
    session.target.check(space=True)
    shown = render.name(service_instance)
    if not force:
        session.say(
            "This action impacts all resources scoped to this service instance, including service bindings, "
            "service keys and route bindings."
        )
        session.say("This will remove the service instance from any spaces where it has been shared.")
        session.confirm(f"Really delete the service instance {shown}?", otherwise="Delete cancelled")
    session.say(f"Deleting service instance {shown} in {session.target.place}...")
    session.say()
    found = lookup.if_there(lookup.service_instance, session.api, session.target.space, service_instance)
    if found is None:
        session.say(f"Service instance {shown} did not exist.")
        session.ok()
        return {"name": service_instance, "deleted": False}
    deleted = changed(session, "DELETE", f"/v3/service_instances/{found['guid']}", wait=wait)
    hint = f"Delete in progress. Use 'cfroute services' or 'cfroute service {shown}' to check operation status."
    session.say(f"Service instance {shown} deleted." if deleted else hint)
    session.ok()
    return {"name": service_instance, "deleted": deleted}
