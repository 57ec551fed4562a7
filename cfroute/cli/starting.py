"""Waiting for the instances of an app, and building its droplet."""

import os
from collections.abc import Callable, Sequence

from cfroute.cli.api import Resource
from cfroute.cli.app_logs import Tail
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, ConfigurationError, NotRunning

POLL = 0.15  # seconds between two looks
REMIND = 3.0  # seconds between two lines of "Instances starting..."
PATIENCE = 5.0  # seconds that the other instances get once one runs


class StartFailed(CfrouteError):
    """No instance of the app came up."""


class StagingFailed(CfrouteError):
    """The app could not be built."""


def require_running(session: Session, what: str) -> None:
    """Raises NotRunning when the foundation is down."""
    if not session.foundation.is_up():
        raise NotRunning(f"{what} needs the foundation, and it is not running", "start it with 'cfroute up --detach'")


def minutes(variable: str, default: float) -> float:
    """A time limit from the environment, in seconds. Raises ConfigurationError for what is no number."""
    text = os.environ.get(variable) or str(default)
    try:
        return float(text) * 60
    except ValueError as error:
        raise ConfigurationError(f"{variable}: {text!r} is no number of minutes") from error


def verdict(stats: Sequence[Resource], *, first_is_enough: bool) -> str:
    """`running`, `crashed` or `starting`, from the states of a process's instances.

    cf is content with one running instance; here the others are waited for too, unless `first_is_enough`.
    """
    states = [each["state"] for each in stats]
    unfinished = any(state in ("STARTING", "DOWN") for state in states)
    if not states or ("RUNNING" in states and (first_is_enough or not unfinished)):
        return "running"
    return "crashed" if all(state == "CRASHED" for state in states) else "starting"


def wait_for_instances(
    session: Session, app: Resource, tell: Callable[[str], None], *, no_wait: bool = False, timeout: float = 0
) -> None:
    """Return when the instances run. Raises StartFailed when they crash or `timeout` seconds (default 5 min) pass."""
    clock = session.clock
    began = clock.monotonic()
    limit = timeout or minutes("CF_STARTUP_TIMEOUT", 5)
    reminded = first_running = float("-inf")
    while True:
        stats = _stats(session, app)
        now = clock.monotonic()
        if any(each["state"] == "RUNNING" for process in stats for each in process):
            first_running = now if first_running < began else first_running
        enough = no_wait or began <= first_running <= now - PATIENCE
        verdicts = {verdict(process, first_is_enough=enough) for process in stats}
        if "crashed" in verdicts:
            raise _crashed(app, stats, tell)
        if verdicts <= {"running"}:
            return
        if now - began > limit:
            raise StartFailed(_timeout_text(app["name"]))
        if now - reminded >= REMIND:
            tell("Instances starting...")
            reminded = now
        session.api.sleep(POLL)


def _stats(session: Session, app: Resource) -> list[list[Resource]]:
    processes = session.api.list(f"/v3/apps/{app['guid']}/processes")
    return [session.api.get(f"/v3/processes/{process['guid']}/stats")["resources"] for process in processes]


def _crashed(app: Resource, stats: list[list[Resource]], tell: Callable[[str], None]) -> StartFailed:
    details = sorted({each.get("details") or "" for process in stats for each in process if each["state"] == "CRASHED"})
    for detail in filter(None, details):
        tell(f"Error starting instances: '{detail}'")
    return StartFailed("Start unsuccessful", f"use 'cfroute logs {app['name']} --recent' for more information")


def _timeout_text(name: str) -> str:
    return (
        "Start app timeout\n\n"
        "TIP: Application must be listening on the right port. Instead of hard coding the port, use the $PORT "
        f"environment variable.\n\nUse 'cfroute logs {name} --recent' for more information"
    )


def stage(session: Session, app: Resource, package: Resource) -> str:
    """Build a droplet and show what the build says; the droplet's guid. Raises StagingFailed."""
    session.say("Staging app and tracing logs...")
    tail = Tail(session.api, app, session.clock.now_ns())
    build = session.api.post("/v3/builds", {"package": {"guid": package["guid"]}})
    deadline = session.clock.monotonic() + minutes("CF_STAGING_TIMEOUT", 15)
    while True:
        # Asked for before the logs are read: so the last lines of a build that has ended are not missed.
        build = session.api.get(f"/v3/builds/{build['guid']}")
        for line in tail.new():
            if line.source.startswith("STG"):
                session.say(f"   {line.message}")
        if build["state"] == "STAGED":
            return str(build["droplet"]["guid"])
        if build["state"] == "FAILED":
            raise StagingFailed(build["error"] or "staging failed")
        if session.clock.monotonic() > deadline:
            raise StagingFailed(f"Staging timed out: {app['name']}", "CF_STAGING_TIMEOUT sets the limit in minutes")
        session.api.sleep(POLL)


def use_droplet(session: Session, app: Resource, droplet_guid: str) -> None:
    """Make the droplet the one that the app runs."""
    session.api.patch(f"/v3/apps/{app['guid']}/relationships/current_droplet", {"data": {"guid": droplet_guid}})
