"""What Diego is to run: desired LRPs as a pure function of database rows.

A process is started with a `Run`, which is kept in its row: droplet, command, environment, sizes. Later changes to the app
wait for the next start, which makes a new version, and with it a new desired LRP. Only the number of instances and the
routes reach what is running already.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from cfroute.diego.api import DesiredLRP, HealthCheck


class Run(msgspec.Struct, frozen=True):
    """What one version of a process was started with."""

    droplet_guid: str
    command: str
    environment: dict[str, str] = {}
    ports: tuple[int, ...] = (8080,)
    memory_mb: int = 1024
    disk_mb: int = 1024
    health_check: HealthCheck = HealthCheck()
    metric_tags: dict[str, str] = {}


class Mapping(msgspec.Struct, frozen=True):
    """A route leads to the process. url is `host.domain/path`; router_group and external_port are a TCP route's."""

    url: str
    port: int = 8080
    protocol: str = "http1"
    options: dict[str, Any] = {}
    route_service_url: str = ""
    internal: bool = False
    router_group: str = ""
    external_port: int = 0


class Started(msgspec.Struct, frozen=True):
    """A process of an app that is started."""

    guid: str
    version: str
    app_guid: str
    type: str
    instances: int
    run: Run
    mappings: tuple[Mapping, ...] = ()

    @property
    def process_guid(self) -> str:
        """Diego's name of this version of the process."""
        return lrp_guid(self.guid, self.version)


def lrp_guid(process: str, version: str) -> str:
    return f"{process}-{version}"


def desired_lrp(process: Started, internal_url: str) -> DesiredLRP:
    """The LRP of a started process; cells download the droplet below `internal_url`."""
    run = process.run
    return DesiredLRP(
        process_guid=process.process_guid,
        app_guid=process.app_guid,
        instances=process.instances,
        droplet_url=f"{internal_url}/internal/v4/droplets/{run.droplet_guid}/download",
        command=run.command,
        process_type=process.type,
        environment=run.environment,
        ports=run.ports,
        memory_mb=run.memory_mb,
        disk_mb=run.disk_mb,
        health_check=run.health_check,
        routes=routing(process.mappings),
        metric_tags=run.metric_tags,
    )


def routing(mappings: Iterable[Mapping]) -> dict[str, Any]:
    """The routing info that the route emitter reads; a kind of route that there is none of has no key."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for mapping in mappings:
        if mapping.internal:
            kinds.setdefault("internal-router", []).append({"hostname": mapping.url})
        elif mapping.router_group:
            kinds.setdefault("tcp-router", []).append(
                {
                    "router_group_guid": mapping.router_group,
                    "external_port": mapping.external_port,
                    "container_port": mapping.port,
                }
            )
        else:
            kinds.setdefault("cf-router", []).append(_http(mapping))
    return kinds


def _http(mapping: Mapping) -> dict[str, Any]:
    return {
        "hostnames": [mapping.url],
        "port": mapping.port,
        "route_service_url": mapping.route_service_url,
        "protocol": mapping.protocol,
        "options": _options(mapping.options),
    }


def _options(options: dict[str, Any]) -> dict[str, Any]:
    """As Gorouter reads them: it refuses a balance that is not a number, and the API takes text, too."""
    balance = options.get("hash_balance")
    return options if balance is None else {**options, "hash_balance": float(balance)}


class Change(msgspec.Struct, frozen=True):
    """One thing to tell the BBS. lrp is what to desire; remove and update name the LRP by its process_guid."""

    remove: str = ""
    desire: DesiredLRP | None = None
    update: str = ""
    fields: dict[str, Any] = {}


def changes(known: Iterable[DesiredLRP], wanted: Iterable[DesiredLRP]) -> list[Change]:
    """How to get from what the BBS was told to what is wanted. Old versions go first: their memory is needed."""
    before = {lrp.process_guid: lrp for lrp in known}
    after = {lrp.process_guid: lrp for lrp in wanted}
    found = [Change(remove=guid) for guid in before if guid not in after]
    for guid, lrp in after.items():
        old = before.get(guid)
        if old is None:
            found.append(Change(desire=lrp))
        elif fields := _differences(old, lrp):
            found.append(Change(update=guid, fields=fields))
    return found


def _differences(old: DesiredLRP, new: DesiredLRP) -> dict[str, Any]:
    names = (name for name in new.__struct_fields__ if name not in ("process_guid", "modification_tag"))
    return {name: getattr(new, name) for name in names if getattr(old, name) != getattr(new, name)}
