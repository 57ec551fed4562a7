"""Making an app what its manifest says."""

import re
from typing import Any

import msgspec
from sqlalchemy import select

from cfroute.cloud_controller import feature_flags
from cfroute.cloud_controller.actions import (
    app_events,
    apps,
    bindings,
    deployments,
    destinations,
    managed_bindings,
    processes,
    routes,
)
from cfroute.cloud_controller.actions.metadata import set_metadata
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.deployments import rows
from cfroute.cloud_controller.errors import NOT_AUTHORIZED, ApiError, not_found, unprocessable
from cfroute.cloud_controller.manifests.manifest import AppManifest, ProcessManifest
from cfroute.cloud_controller.manifests.routes import ManifestRoute
from cfroute.cloud_controller.models import App, CredentialBinding, Destination, Process, Route, ServiceInstance, Space
from cfroute.cloud_controller.validation import routes as rules
from cfroute.cloud_controller.validation.destinations import Wanted, protocol_problem

_ADJECTIVES = ("bright", "calm", "clever", "daring", "gentle", "happy", "lucky", "merry", "quick", "quiet", "swift", "wise")
_NOUNS = ("badger", "bear", "crane", "dolphin", "eagle", "fox", "heron", "koala", "lynx", "otter", "panda", "wombat")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def apply(call: Call, app: App, manifest: AppManifest) -> None:
    """What runs goes on as it is until the next start, but for its routes and the number of instances.

    Raises ApiError at the first thing that cannot be done.
    """
    for process in manifest.processes:
        _apply_process(call, app, process)
    apps.set_lifecycle(app, manifest.lifecycle)
    set_metadata(app, {"metadata": manifest.metadata})
    if manifest.revisions is not None:
        app.revisions_enabled = manifest.revisions
    if manifest.environment:
        app.environment = {**app.environment, **manifest.environment}
    call.session.flush()
    _apply_routes(call, app, manifest)
    for service in manifest.services:
        _apply_service(call, app, service)
    app_events.of_app(call, "apply_manifest", app)
    call.session.flush()


def _apply_process(call: Call, app: App, wanted: ProcessManifest) -> None:
    process = rows.newest(app, wanted.type)
    if process is None:
        instances = 1 if wanted.type == "web" else 0
        process = call.save(Process(app_guid=app.guid, type=wanted.type, instances=instances))
        call.session.expire(app, ["processes"])
    if wanted.command is not msgspec.UNSET or wanted.health_check:
        deployments.refuse_while_deploying(call, process, "update")
    if wanted.command is not msgspec.UNSET:
        process.command = wanted.command
    if wanted.health_check:
        processes.check_health(call, process, wanted.health_check, at_once=False)
    if wanted.scale:
        processes.scale(call, process, dict(wanted.scale), at_once=False)


def routes_of(call: Call, app: App) -> list[Route]:
    found = select(Route).where(Route.destinations.any(Destination.app_guid == app.guid)).order_by(Route.created_at)
    return list(call.session.scalars(found))


def _apply_routes(call: Call, app: App, manifest: AppManifest) -> None:
    if manifest.no_route:
        for route in routes_of(call, app):
            destinations.remove(call, route, [each for each in route.destinations if each.app_guid == app.guid])
    elif manifest.routes:
        found = [(wanted, _find_or_create(call, app, wanted)) for wanted in manifest.routes]
        for wanted, route in found:
            _map(call, app, wanted, route)
    elif (manifest.random_route or manifest.default_route) and not routes_of(call, app):
        _map_generated(call, app, random=manifest.random_route)


def _find_or_create(call: Call, app: App, wanted: ManifestRoute) -> Route:
    for host, name in wanted.candidates:
        domain = routes.find_domain(call, name)
        if domain is None:
            continue
        route = routes.find_route(call, domain, host, wanted.path, wanted.port or 0)
        if route is None:
            return _create(call, app, wanted, host, name)
        if app.space_guid not in route.space_guids:
            raise unprocessable("Routes cannot be mapped to destinations in different spaces")
        if wanted.options:
            route.options = routes.without_nulls({**route.options, **wanted.options})
            routes.route_changed(call, route)
        return route
    raise unprocessable(f"No domains exist for route {wanted.text}")


def is_new(call: Call, wanted: ManifestRoute) -> bool:
    """Whether the route would have to be created."""
    for host, name in wanted.candidates:
        domain = routes.find_domain(call, name)
        if domain is not None:
            return routes.find_route(call, domain, host, wanted.path, wanted.port or 0) is None
    return False


def _create(call: Call, app: App, wanted: ManifestRoute, host: str, domain_name: str) -> Route:
    feature_flags.require(call, "route_creation")
    domain = routes.find_domain(call, domain_name)
    assert domain is not None
    if host == "*" and domain.shared:
        raise ApiError(NOT_AUTHORIZED)
    problems = rules.host_problems(host) + rules.path_problems(wanted.path) + rules.port_problems(wanted.port)
    if problems:
        raise unprocessable(f"For route '{wanted.text}': {', '.join(problems)}")
    try:
        return routes.create_route(
            call,
            domain,
            app.space,
            host=host,
            path=wanted.path,
            # A TCP route in a manifest names its port: none is picked.
            port=wanted.port or 0,
            options=wanted.options,
        )
    except ApiError as error:
        raise unprocessable(f"For route '{wanted.text}': {error}") from error


def _map(call: Call, app: App, wanted: ManifestRoute, route: Route) -> None:
    default = "tcp" if route.protocol == "tcp" else "http1"
    mapped = [each for each in route.destinations if each.app_guid == app.guid]
    protocol = wanted.protocol or default
    if problem := protocol_problem(protocol, route.protocol):
        raise unprocessable(f"For route '{wanted.text}': {problem}")
    if not mapped:
        destinations.add(call, route, [Wanted(app.guid, "web", 8080, protocol)])
    elif wanted.protocol:
        for each in mapped:
            each.protocol = protocol
        routes.route_changed(call, route)


def _map_generated(call: Call, app: App, *, random: bool) -> None:
    domain = routes.default_domain(call, app.space.organization_guid)
    if domain is None:
        raise unprocessable("No default domains available")
    if not random and not re.fullmatch(r"[\w-]+", app.name, re.ASCII):
        raise unprocessable(f"Failed to create default route from app name: {rules.HOST_RULE}")
    host = _random_host(call, app.name) if random else app.name
    route = routes.find_route(call, domain, host, "", 0)
    if route is None:
        route = routes.create_route(call, domain, app.space, host=host)
    elif app.space_guid not in route.space_guids:
        raise unprocessable("Routes cannot be mapped to destinations in different spaces")
    destinations.add(call, route, [Wanted(app.guid, "web", 8080, "http1")])


def _random_host(call: Call, name: str) -> str:
    chance = call.platform.chance
    stem = re.sub(r"[^\w-]+", "-", name, flags=re.ASCII)[:40]
    letters = "".join(chance.choices(_LETTERS, k=2))
    return f"{stem}-{chance.choice(_ADJECTIVES)}-{chance.choice(_NOUNS)}-{letters}"


def _apply_service(call: Call, app: App, service: dict[str, Any]) -> None:
    name = service["name"]
    shared = ServiceInstance.shared_spaces.any(Space.guid == app.space_guid)
    here = (ServiceInstance.space_guid == app.space_guid) | shared
    found = select(ServiceInstance).where(here, ServiceInstance.name == name)
    instance = call.session.scalars(found).first()
    if instance is None:
        raise not_found(f"Service instance '{name}'")
    bound = select(CredentialBinding.guid).where(
        CredentialBinding.app_guid == app.guid, CredentialBinding.service_instance_guid == instance.guid
    )
    if call.session.scalars(bound).first() is None:
        wanted = {"name": service.get("binding_name"), "parameters": service.get("parameters")}
        if instance.managed:
            managed_bindings.create_credentials(call, instance, app, wanted)
        else:
            bindings.bind(call, app, instance, wanted)
