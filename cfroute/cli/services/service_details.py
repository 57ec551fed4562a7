"""`service`: one service instance, with what is bound to it, where it is shared, and whether it can be upgraded."""

from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.services.service_operations import operation_text
from cfroute.cli.services.service_parents import FIELDS, parents_of, related
from cfroute.cli.session import Session

_INDENT = "   "


class BoundApp(msgspec.Struct):
    """An app that is bound to a service instance."""

    name: str
    binding_name: str
    status: str
    message: str


class SharedWith(msgspec.Struct):
    """A space that a service instance is shared with; `bindings` of its apps."""

    org: str
    space: str
    bindings: int


class Sharing(msgspec.Struct):
    """Whether, and whether at all, a managed instance is shared. shared_from: (org, space), seen from another space."""

    shared_from: tuple[str, str] | None
    shared_with: list[SharedWith]
    enabled: bool
    shareable: bool


class ServiceDetails(msgspec.Struct):
    """What `service` shows. upgrade: available, none, or unsupported."""

    guid: str
    name: str
    type: str
    tags: list[str]
    route_service_url: str | None
    syslog_drain_url: str | None
    last_operation: dict[str, Any]
    bound_apps: list[BoundApp]
    broker: str = ""
    offering: str = ""
    plan: str = ""
    offering_tags: list[str] = []
    description: str = ""
    documentation: str = ""
    dashboard_url: str | None = None
    sharing: Sharing | None = None
    upgrade: str = ""
    upgrade_description: str = ""


def _text(service: ServiceDetails) -> str:
    operation = service.last_operation
    state = [
        ("status", operation_text({"last_operation": operation})),
        ("message", operation.get("description") or ""),
        ("started", operation.get("created_at") or ""),
        ("updated", operation.get("updated_at") or ""),
    ]
    sections = [
        render.block([("name", service.name), ("guid", service.guid), ("type", service.type), *_facts(service)]),
        f"Showing status of last operation:\n{render.block(state, indent=_INDENT)}",
        f"Showing bound apps:\n{_apps_text(service.bound_apps)}",
    ]
    if service.sharing is not None:
        sections.append(f"Showing sharing info:\n{_sharing_text(service.sharing)}")
        sections.append(f"Showing upgrade status:\n{_upgrade_text(service)}")
    return "\n\n".join(sections)


def _facts(service: ServiceDetails) -> list[tuple[str, str]]:
    if service.type != "managed":
        return [
            ("tags", ", ".join(service.tags)),
            ("route service url", service.route_service_url or ""),
            ("syslog drain url", service.syslog_drain_url or ""),
        ]
    return [
        ("broker", service.broker),
        ("offering", service.offering),
        ("plan", service.plan),
        ("tags", ", ".join(service.tags)),
        ("offering tags", ", ".join(service.offering_tags)),
        ("description", service.description),
        ("documentation", service.documentation),
        ("dashboard url", service.dashboard_url or ""),
    ]


def _apps_text(apps: list[BoundApp]) -> str:
    if not apps:
        return f"{_INDENT}There are no bound apps for this service instance."
    rows = ((app.name, app.binding_name, app.status, app.message) for app in apps)
    return render.table(("name", "binding name", "status", "message"), rows, indent=_INDENT)


def _sharing_text(sharing: Sharing) -> str:
    if sharing.shared_from is not None:
        org, space = map(render.name, sharing.shared_from)
        return f"{_INDENT}This service instance is shared from space {space} of org {org}."
    if sharing.shared_with:
        rows = ((each.org, each.space, str(each.bindings)) for each in sharing.shared_with)
        shared = f"{_INDENT}Shared with spaces:\n{render.table(('org', 'space', 'bindings'), rows, indent=_INDENT)}"
    else:
        shared = f"{_INDENT}This service instance is not currently being shared."
    reasons = (
        (
            sharing.enabled,
            'The "service_instance_sharing" feature flag is disabled for this Cloud Foundry platform.',
        ),
        (sharing.shareable, "Service instance sharing is disabled for this service offering."),
    )
    told = "\n".join(f"{_INDENT}{text}" for good, text in reasons if not good)
    return f"{shared}\n\n{told}" if told else shared


def _upgrade_text(service: ServiceDetails) -> str:
    lines = {
        "available": (
            "There is an upgrade available for this service.",
            "",
            f"Upgrade description: {service.upgrade_description}",
            f"TIP: You can upgrade using 'cfroute upgrade-service {service.name}'",
        ),
        "none": ("There is no upgrade available for this service.",),
        "unsupported": ("Upgrades are not supported by this broker.",),
    }
    return "\n".join(f"{_INDENT}{line}" if line else "" for line in lines[service.upgrade])


@command(
    "service",
    usage="cfroute service SERVICE_INSTANCE [--guid | --params]",
    examples=("cfroute service mylogger", "cfroute service mylogger --guid", "cfroute service mylimit --params"),
    see_also=("bind-route-service", "bind-service", "rename-service", "services", "update-service"),
    text=_text,
)
@argument("service_instance")
@option("--guid", is_flag=True, help="Retrieve and display the given service instance's guid. All other output is suppressed.")
@option(
    "--params",
    is_flag=True,
    help="Retrieve and display the given service instance's parameters. All other output is suppressed.",
)
def service(session: Session, service_instance: str, guid: bool, params: bool) -> ServiceDetails | None:
    if guid or params:
        found = lookup.service_instance(session.api, session.target.space, service_instance)
        if guid:
            session.line({"guid": found["guid"]}, found["guid"])
        else:
            session.emit(session.api.get(f"/v3/service_instances/{found['guid']}/parameters"), render.document)
        return None
    session.say(f"Showing info of service {render.name(service_instance)} in {session.target.place}...")
    session.say()
    found = lookup.service_instance(session.api, session.target.space, service_instance)
    return _details(session, found)


def _details(session: Session, instance: Resource) -> ServiceDetails:
    included = session.api.page("/v3/service_instances", guids=[instance["guid"]], **FIELDS).included
    parents = parents_of(instance, included)
    managed = instance["type"] == "managed"
    return ServiceDetails(
        guid=instance["guid"],
        name=instance["name"],
        type=instance["type"],
        tags=instance.get("tags") or [],
        route_service_url=instance.get("route_service_url"),
        syslog_drain_url=instance.get("syslog_drain_url"),
        last_operation=instance.get("last_operation") or {},
        bound_apps=_bound_apps(session.api, instance),
        broker=parents.broker.get("name", ""),
        offering=parents.offering.get("name", ""),
        plan=parents.plan.get("name", ""),
        offering_tags=parents.offering.get("tags") or [],
        description=parents.offering.get("description", ""),
        documentation=parents.offering.get("documentation_url", ""),
        dashboard_url=instance.get("dashboard_url"),
        sharing=_sharing(session, instance, included, parents.offering) if managed else None,
        upgrade=_upgrade(instance) if managed else "",
        upgrade_description=_upgrade_description(session.api, parents.plan) if instance.get("upgrade_available") else "",
    )


def _bound_apps(api: Api, instance: Resource) -> list[BoundApp]:
    page = api.page("/v3/service_credential_bindings", include="app", type="app", service_instance_guids=[instance["guid"]])
    names = {app["guid"]: app["name"] for app in page.included.get("apps", [])}
    return [
        BoundApp(
            name=names[lookup.related(binding, "app")],
            binding_name=binding["name"] or "",
            status=operation_text(binding),
            message=(binding.get("last_operation") or {}).get("description") or "",
        )
        for binding in page.resources
    ]


def _sharing(session: Session, instance: Resource, included: dict[str, list[Resource]], offering: Resource) -> Sharing:
    space = related(instance, "space", included["spaces"])
    shared_from = None
    if space["guid"] != session.target.space["guid"]:
        shared_from = related(space, "organization", included["organizations"])["name"], space["name"]
    return Sharing(
        shared_from=shared_from,
        shared_with=_shared_with(session.api, instance) if shared_from is None else [],
        enabled=session.api.get("/v3/feature_flags/service_instance_sharing")["enabled"],
        shareable=session.api.get(f"/v3/service_offerings/{offering['guid']}")["shareable"],
    )


def _shared_with(api: Api, instance: Resource) -> list[SharedWith]:
    path = f"/v3/service_instances/{instance['guid']}/relationships/shared_spaces"
    wanted = {name: FIELDS[name] for name in ("fields[space]", "fields[space.organization]")}
    answer = api.get(path, **wanted)
    if not answer["data"]:
        return []
    spaces = {space["guid"]: space for space in answer["included"]["spaces"]}
    found = []
    for usage in api.get(f"{path}/usage_summary")["usage_summary"]:
        space = spaces[usage["space"]["guid"]]
        org = related(space, "organization", answer["included"]["organizations"])
        found.append(SharedWith(org["name"], space["name"], usage["bound_app_count"]))
    return found


def _upgrade(instance: Resource) -> str:
    if instance["upgrade_available"]:
        return "available"
    return "none" if (instance.get("maintenance_info") or {}).get("version") else "unsupported"


def _upgrade_description(api: Api, plan: Resource) -> str:
    return str((api.get(f"/v3/service_plans/{plan['guid']}")["maintenance_info"] or {}).get("description", ""))
