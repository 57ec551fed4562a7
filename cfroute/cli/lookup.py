"""Finding things by the names people use, with cf's words when there is none."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, ParamSpec
from urllib.parse import quote

from cfroute.cli.access.api import Api, Resource
from cfroute.errors import CfrouteError, NotFound

_Names = ParamSpec("_Names")


def part(word: str) -> str:
    """What a person has typed, as a part of a path: nothing in it ends the part, or leads out of it as `..` does.

    None is empty, which would mean a list.
    """
    return "%2E" * len(word) if word in (".", "..") else quote(word or " ", safe="")


class RouteName(NamedTuple):
    """A route as the command line names it. `port` None means that none was given."""

    domain: str
    host: str = ""
    path: str = ""
    port: int | None = None

    def __str__(self) -> str:
        """`host.domain/path` or `domain:port`; it repeats what was given, be it possible or not."""
        host = f"{self.host}." if self.host else ""
        port = f":{self.port}" if self.port else ""
        return f"{host}{self.domain}{self.path}{port}"

    @property
    def missing(self) -> str:
        """The sentence for a route that does not exist."""
        if self.port:
            return f"Route with domain '{self.domain}' and port {self.port} not found."
        path = self.path or "/"
        if self.host:
            return f"Route with host '{self.host}', domain '{self.domain}', and path '{path}' not found."
        return f"Route with domain '{self.domain}' and path '{path}' not found."


def route_name(domain: str, host: str | None, path: str | None, port: int | None = None) -> RouteName:
    """The route meant by DOMAIN, --hostname, --path and --port. `foo` and `/foo` are the same path."""
    wanted = path or ""
    if wanted and not wanted.startswith("/"):
        wanted = f"/{wanted}"
    return RouteName(domain, host or "", wanted, port)


def if_there(find: Callable[_Names, Resource], *names: _Names.args, **by_name: _Names.kwargs) -> Resource | None:
    """What `find` finds by these names; None instead of its NotFound, for what may be gone already."""
    try:
        return find(*names, **by_name)
    except NotFound:
        return None


def related(resource: Resource, name: str) -> str:
    """The guid of what a resource belongs to, as its relationships tell."""
    return str(resource["relationships"][name]["data"]["guid"])


def org(api: Api, name: str) -> Resource:
    """Raises NotFound."""
    found = api.first("/v3/organizations", names=[name])
    if found is None:
        raise NotFound(f"Organization '{name}' not found.")
    return found


def space(api: Api, org: Resource, name: str) -> Resource:
    """Raises NotFound."""
    found = api.first("/v3/spaces", names=[name], organization_guids=[org["guid"]])
    if found is None:
        raise NotFound(f"Space '{name}' not found.")
    return found


def domain(api: Api, name: str) -> Resource:
    """Raises NotFound."""
    found = api.first("/v3/domains", names=[name])
    if found is None:
        raise NotFound(f"Domain '{name}' not found.")
    return found


def app(api: Api, space: Resource, name: str) -> Resource:
    """Raises NotFound."""
    found = api.first("/v3/apps", names=[name], space_guids=[space["guid"]])
    if found is None:
        raise NotFound(f"App '{name}' not found.")
    return found


def active_deployment(api: Api, app_guid: str) -> Resource | None:
    """The deployment that an app is in, or None."""
    return api.first("/v3/deployments", app_guids=[app_guid], status_values="ACTIVE", order_by="-created_at")


def web_first(processes: Iterable[Resource]) -> list[Resource]:
    """Processes in cf's order: web, then the others by their types."""
    return sorted(processes, key=lambda process: (process["type"] != "web", process["type"]))


def service_instance(api: Api, space: Resource, name: str) -> Resource:
    """Raises NotFound."""
    found = api.first("/v3/service_instances", names=[name], space_guids=[space["guid"]])
    if found is None:
        raise NotFound(f"Service instance '{name}' not found")
    return found


def managed_instance(api: Api, space: Resource, name: str) -> Resource:
    """Raises NotFound, and CfrouteError for a user-provided one."""
    found = service_instance(api, space, name)
    if found["type"] != "managed":
        raise CfrouteError(f"The service instance '{name}' is not managed")
    return found


def service_offering(api: Api, name: str, broker: str | None) -> Resource:
    """The offering of that name. Raises NotFound, and CfrouteError when several brokers have one."""
    query = {"service_broker_names": [broker] if broker else None, "fields[service_broker]": "name,guid"}
    page = api.page("/v3/service_offerings", names=[name], **query)
    if len(page.resources) > 1:
        names = {each["guid"]: each["name"] for each in page.included["service_brokers"]}
        brokers = ", ".join(names[related(each, "service_broker")] for each in page.resources)
        raise CfrouteError(
            f"Service '{name}' is provided by multiple service brokers: {brokers}\nSpecify a broker by using the '-b' flag."
        )
    if not page.resources:
        whose = f" for service broker '{broker}'" if broker else ""
        raise NotFound(f"Service offering '{name}'{whose} not found.")
    return page.resources[0]


def find_route(api: Api, domain: Resource, name: RouteName) -> Resource | None:
    """The route, or None. Empty filters count: without a host the route is meant that has none."""
    query: dict[str, Any] = {"domain_guids": [domain["guid"]], "hosts": name.host, "paths": name.path}
    if "tcp" in domain["supported_protocols"]:
        query["ports"] = name.port or 0
    return api.first("/v3/routes", **query)
