"""How it is found out whether the processes of an app are well."""

import click
import msgspec

from cfroute.cli import lookup, render
from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.command import command
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError

_DEFAULT_ENDPOINT = "/"
_DEFAULT_INVOCATION_TIMEOUT = 1  # second


class HealthCheck(msgspec.Struct):
    """The check of one process. Timeout and interval in seconds; None: the platform's own."""

    process: str
    type: str
    endpoint: str
    invocation_timeout: int | None
    interval: int | None


def _live_text(checks: list[HealthCheck]) -> str:
    headers = ("process", "health check", "endpoint (for http)", "invocation timeout")
    rows = ((c.process, c.type, c.endpoint, str(c.invocation_timeout or _DEFAULT_INVOCATION_TIMEOUT)) for c in checks)
    return render.table(headers, rows) if checks else "App has no processes"


def _ready_text(checks: list[HealthCheck]) -> str:
    headers = ("process", "type", "endpoint (for http)", "invocation timeout", "interval")
    rows = ((c.process, c.type, c.endpoint, str(c.invocation_timeout or ""), str(c.interval or "")) for c in checks)
    return render.table(headers, rows) if checks else "App has no processes"


@command(
    "get-health-check",
    usage="cfroute get-health-check APP_NAME",
    examples=("cfroute get-health-check spring-music", "cfroute get-health-check spring-music --json"),
    see_also=("get-readiness-health-check", "set-health-check"),
    text=_live_text,
)
@argument("app_name")
def get_health_check(session: Session, app_name: str) -> list[HealthCheck]:
    session.say(f"Getting health check type for app {render.name(app_name)} in {session.target.place}...")
    return _checks(session, app_name, "health_check")


@command(
    "get-readiness-health-check",
    usage="cfroute get-readiness-health-check APP_NAME",
    examples=("cfroute get-readiness-health-check spring-music", "cfroute get-readiness-health-check spring-music --json"),
    see_also=("get-health-check",),
    text=_ready_text,
)
@argument("app_name")
def get_readiness_health_check(session: Session, app_name: str) -> list[HealthCheck]:
    session.say(f"Getting readiness health check type for app {render.name(app_name)} in {session.target.place}...")
    return _checks(session, app_name, "readiness_health_check")


def _checks(session: Session, app_name: str, kind: str) -> list[HealthCheck]:
    app = lookup.app(session.api, session.target.space, app_name)
    processes = session.api.list(f"/v3/apps/{app['guid']}/processes")
    session.say()
    return [_check(process["type"], process[kind]) for process in lookup.web_first(processes)]


def _check(process: str, check: Resource) -> HealthCheck:
    data = check.get("data") or {}
    return HealthCheck(
        process=process,
        type=check["type"],
        endpoint=data.get("endpoint") or "",
        invocation_timeout=data.get("invocation_timeout"),
        interval=data.get("interval"),
    )


@command(
    "set-health-check",
    usage="cfroute set-health-check APP_NAME (process | port | http [--endpoint PATH]) [--process PROCESS] "
    "[--invocation-timeout INVOCATION_TIMEOUT]",
    examples=(
        "cfroute set-health-check worker-app process --process worker",
        "cfroute set-health-check my-web-app http --endpoint /foo",
        "cfroute set-health-check my-web-app http --invocation-timeout 10",
    ),
    see_also=("get-health-check", "restart"),
)
@argument("app_name")
@argument("check", metavar="HEALTH_CHECK_TYPE", type=click.Choice(["process", "port", "http"]))
@option("--endpoint", default=_DEFAULT_ENDPOINT, help="Path on the app (Default: /)")
@option("--invocation-timeout", type=click.IntRange(min=1), help="Time (in seconds) that controls individual health "
        "check invocations")  # fmt: skip
@option("--process", default="web", help="App process to update (Default: web)")
def set_health_check(
    session: Session, app_name: str, check: str, endpoint: str, invocation_timeout: int | None, process: str
) -> Resource:
    session.say(
        f"Updating health check type for app {render.name(app_name)} process {render.name(process)} in {session.target.place}..."
    )
    session.say()
    app = lookup.app(session.api, session.target.space, app_name)
    if check != "http" and endpoint != _DEFAULT_ENDPOINT:
        raise CfrouteError("Health check type must be 'http' to set a health check HTTP endpoint.")
    data = {"endpoint": endpoint if check == "http" else None, "invocation_timeout": invocation_timeout}
    given = {key: value for key, value in data.items() if value is not None}
    found = _process(session, app, process)
    changed = session.api.patch(f"/v3/processes/{found['guid']}", {"health_check": {"type": check, "data": given}})
    session.ok()
    if app["state"] == "STARTED":
        session.tip("An app restart is required for the change to take effect.")
    return dict(changed)


def _process(session: Session, app: Resource, kind: str) -> Resource:
    try:
        return dict(session.api.get(f"/v3/apps/{app['guid']}/processes/{lookup.part(kind)}"))
    except ApiError as error:
        if error.says(detail="Process not found"):
            raise CfrouteError(f"Process {kind} not found") from error
        raise
