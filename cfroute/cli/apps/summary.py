"""The health and status of an app, as `app`, `push`, `start`, `scale` and their like show it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import Api, ApiError, Resource
from cfroute.clock import Clock

INSTANCE_HEADERS = (
    "", "state", "since", "cpu", "memory", "disk", "logging", "cpu entitlement", "details", "ready",
)  # fmt: skip


class Instance(msgspec.Struct):
    """One instance of a process. Sizes in bytes; `since` is when it got into its state; cpu 1.0 is one whole core."""

    index: int
    state: str
    since: str
    cpu: float
    memory: int
    memory_quota: int
    disk: int
    disk_quota: int
    log_rate: int
    log_rate_limit: int
    cpu_entitlement: float | None
    details: str
    ready: bool | None


class Process(msgspec.Struct):
    """One process of an app; command is None where it was not asked for."""

    guid: str
    type: str
    memory_mb: int
    command: str | None
    instances: list[Instance]

    @property
    def running(self) -> int:
        return sum(instance.state == "running" for instance in self.instances)


class Buildpack(msgspec.Struct):
    """A buildpack that took part in making the droplet."""

    name: str
    version: str
    detect_output: str
    buildpack_name: str


class Deployment(msgspec.Struct):
    """The deployment that an app is in. `since` is when it got its status; of canary_steps canary_step is the present one."""

    guid: str
    strategy: str
    status: str
    since: str
    max_in_flight: int | None
    canary_step: int
    canary_steps: int


class AppSummary(msgspec.Struct):
    """What `app` shows."""

    guid: str
    name: str
    state: str
    routes: list[str]
    last_uploaded: str
    stack: str
    buildpacks: list[Buildpack]
    processes: list[Process]
    deployment: Deployment | None = None


def summarize(api: Api, app: Resource, clock: Clock, *, commands: bool = False) -> AppSummary:
    """Ask the API for everything about an app; `commands`: also for the start commands."""
    guid = app["guid"]
    routes = api.list(f"/v3/apps/{guid}/routes")
    droplet = _droplet(api, guid)
    return AppSummary(
        guid=guid,
        name=app["name"],
        state=app["state"].lower(),
        routes=[route["url"] for route in routes],
        last_uploaded=droplet.get("created_at", ""),
        stack=droplet.get("stack") or "",
        buildpacks=[_buildpack(each) for each in droplet.get("buildpacks") or []],
        processes=_processes(api, guid, clock, commands),
        deployment=_deployment(lookup.active_deployment(api, guid)),
    )


def _droplet(api: Api, app_guid: str) -> Resource:
    try:
        return dict(api.get(f"/v3/apps/{app_guid}/droplets/current"))
    except ApiError as error:
        if error.says(detail="Droplet not found"):
            return {}
        raise


def _deployment(deployment: Resource | None) -> Deployment | None:
    if deployment is None:
        return None
    status = deployment["status"]
    steps = (status.get("canary") or {}).get("steps") or {}
    return Deployment(
        guid=deployment["guid"],
        strategy=deployment["strategy"].lower(),
        status=status["reason"],
        since=(status.get("details") or {}).get("last_status_change") or "",
        max_in_flight=(deployment.get("options") or {}).get("max_in_flight"),
        canary_step=steps.get("current") or 0,
        canary_steps=steps.get("total") or 0,
    )


def _buildpack(buildpack: Resource) -> Buildpack:
    return Buildpack(
        name=buildpack.get("name") or "",
        version=buildpack.get("version") or "",
        detect_output=buildpack.get("detect_output") or "",
        buildpack_name=buildpack.get("buildpack_name") or "",
    )


def _processes(api: Api, app_guid: str, clock: Clock, commands: bool) -> list[Process]:
    """Those that are still there when they are looked at: a deployment that ends takes processes away."""
    found = []
    for process in lookup.web_first(api.list(f"/v3/apps/{app_guid}/processes")):
        try:
            found.append(_process(api, process, clock, commands))
        except ApiError as error:
            if not error.says(detail="Process not found"):
                raise
    return found


def _process(api: Api, process: Resource, clock: Clock, commands: bool) -> Process:
    stats = api.get(f"/v3/processes/{process['guid']}/stats")["resources"]
    command = api.get(f"/v3/processes/{process['guid']}").get("command") if commands else None
    return Process(
        guid=process["guid"],
        type=process["type"],
        memory_mb=process["memory_in_mb"],
        command=command,
        instances=[_instance(each, clock.now()) for each in sorted(stats, key=lambda s: int(s["index"]))],
    )


def _instance(stats: Resource, now: float) -> Instance:
    usage: dict[str, Any] = stats.get("usage") or {}
    since = datetime.fromtimestamp(now - (stats.get("uptime") or 0), UTC)
    return Instance(
        index=stats["index"],
        state=stats["state"].lower(),
        since=f"{since:%Y-%m-%dT%H:%M:%SZ}",
        cpu=usage.get("cpu") or 0.0,
        memory=usage.get("mem") or 0,
        memory_quota=stats.get("mem_quota") or 0,
        disk=usage.get("disk") or 0,
        disk_quota=stats.get("disk_quota") or 0,
        log_rate=usage.get("log_rate") or 0,
        log_rate_limit=stats.get("log_rate_limit", -1),
        cpu_entitlement=usage.get("cpu_entitlement"),
        details=stats.get("details") or "",
        ready=stats.get("routable"),
    )


def summary_text(app: AppSummary) -> str:
    """The blocks of `app`."""
    facts = [
        ("name", app.name),
        ("requested state", app.state),
        ("routes", ", ".join(app.routes)),
        ("last uploaded", render.date(app.last_uploaded)),
        ("stack", app.stack),
    ]
    parts = [render.block([*facts, ("buildpacks", "")])]
    if app.buildpacks:
        rows = [(b.name, b.version, b.detect_output, b.buildpack_name) for b in app.buildpacks]
        headers = ("name", "version", "detect output", "buildpack name")
        parts.append(render.table(headers, rows, indent="\t"))
    for process in app.processes:
        parts += ["", process_text(process)]
    if app.deployment is not None:
        parts += ["", deployment_text(app.name, app.deployment)]
    return "\n".join(parts)


def process_text(process: Process) -> str:
    """The block of one process, with its instances."""
    facts = [
        ("type", process.type),
        ("sidecars", ""),
        ("instances", f"{process.running}/{len(process.instances)}"),
        ("memory usage", f"{process.memory_mb}M"),
    ]
    if process.command is not None:
        facts.append(("start command", process.command))
    if not process.instances:
        return f"{render.block(facts)}\nThere are no running instances of this process."
    return f"{render.block(facts)}\n{render.table(INSTANCE_HEADERS, map(_cells, process.instances))}"


def deployment_text(app_name: str, deployment: Deployment) -> str:
    """The block of a deployment that is under way."""
    since = f" (since {render.date(deployment.since)})" if deployment.since else "."
    facts = [("strategy", deployment.strategy)]
    if deployment.max_in_flight:
        facts.append(("max-in-flight", str(deployment.max_in_flight)))
    if deployment.canary_steps:
        facts.append(("canary-steps", f"{deployment.canary_step}/{deployment.canary_steps}"))
    text = f"Active deployment with status {deployment.status}{since}\n{render.block(facts)}"
    if (deployment.strategy, deployment.status) != ("canary", "PAUSED"):
        return text
    return (
        f"{text}\n\nPlease run `cfroute continue-deployment {app_name}` to promote the canary deployment, or "
        f"`cfroute cancel-deployment {app_name}` to rollback to the previous version."
    )


def _cells(instance: Instance) -> tuple[str, ...]:
    limit = "unlimited" if instance.log_rate_limit < 0 else f"{render.size(instance.log_rate_limit)}/s"
    entitlement = instance.cpu_entitlement
    return (
        f"#{instance.index}",
        instance.state,
        instance.since,
        f"{instance.cpu * 100:.1f}%",
        f"{render.size(instance.memory)} of {render.size(instance.memory_quota)}",
        f"{render.size(instance.disk)} of {render.size(instance.disk_quota)}",
        f"{render.size(instance.log_rate)}/s of {limit}",
        f"{entitlement * 100:.1f}%" if entitlement is not None else "",
        instance.details,
        "" if instance.ready is None else str(instance.ready).lower(),
    )
