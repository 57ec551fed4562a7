"""Waiting for the instances of an app."""

import os
from collections.abc import Callable, Sequence

from cfroute.cli.access.api import ApiError, Resource
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError, ConfigurationError, NotRunning

POLL = 0.15  # seconds between two looks
REMIND = 3.0  # seconds between two lines of "Instances starting..."
PATIENCE = 5.0  # seconds that the other instances get once one runs
NO_PLACE = "No cell takes an instance"
_MORE_ROOM = "TIP: Apps ask for 1G of memory unless told otherwise: 'cfroute scale -m' for less, 'cfroute up --cells' for more."
STARTUP = (("CF_STARTUP_TIMEOUT=5", "Max wait time for app instance startup, in minutes"),)


class StartFailed(CfrouteError):
    """No instance of the app came up."""


class AllCrashed(StartFailed):
    """None will: they end by themselves."""


def require_running(session: Session, what: str) -> None:
    """Raises NotRunning when the foundation is down."""
    if not session.is_running:
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


class Waiting:
    """One wait for an app: it reminds of itself every few seconds, and ends after CF_STARTUP_TIMEOUT (5 minutes)."""

    def __init__(self, session: Session, app: Resource, tell: Callable[[str], None]) -> None:
        self._session, self._app, self._tell = session, app, tell
        self._began = session.clock.monotonic()
        self._limit = minutes("CF_STARTUP_TIMEOUT", 5)
        self._reminded = float("-inf")
        self._told: set[str] = set()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._session.clock.monotonic() - self._began

    def pause(self) -> None:
        """Let some time pass. Raises StartFailed when there is none left."""
        elapsed = self.elapsed
        if elapsed > self._limit:
            raise StartFailed(_timeout_text(self._app["name"]))
        if elapsed - self._reminded >= REMIND:
            self._tell("Instances starting...")
            if elapsed >= REMIND:
                self._tell_refusals()
            self._reminded = elapsed
        self._session.api.sleep(POLL)

    def _tell_refusals(self) -> None:
        """Say once why an instance finds no place: it may wait for one until the time is over."""
        for detail in sorted(refusals(_stats(self._session, self._app)) - self._told):
            self._told.add(detail)
            self._tell(f"{NO_PLACE}: {detail}\n\n{_MORE_ROOM}\n")


def refusals(stats: Sequence[Sequence[Resource]]) -> set[str]:
    """Why the auctioneer has put instances on no cell, from the states of an app's processes."""
    return {each["details"] for process in stats for each in process if each["state"] == "DOWN" and each.get("details")}


def wait_for_instances(session: Session, app: Resource, tell: Callable[[str], None], *, no_wait: bool = False) -> None:
    """Return when the instances run; `no_wait`: when one of each process does. Raises StartFailed."""
    waiting = Waiting(session, app, tell)
    first_running = float("inf")
    while True:
        stats = _stats(session, app)
        if any(each["state"] == "RUNNING" for process in stats for each in process):
            first_running = min(first_running, waiting.elapsed)
        enough = no_wait or first_running <= waiting.elapsed - PATIENCE
        verdicts = {verdict(process, first_is_enough=enough) for process in stats}
        if "crashed" in verdicts:
            raise crashed(app, stats, tell)
        if verdicts <= {"running"}:
            return
        waiting.pause()


def _stats(session: Session, app: Resource) -> list[list[Resource]]:
    processes = session.api.list(f"/v3/apps/{app['guid']}/processes")
    return [instances(session, process["guid"]) for process in processes]


def instances(session: Session, process_guid: str) -> list[Resource]:
    """The instances of a process; none if it is gone by now: a deployment that ends takes processes away."""
    try:
        return list(session.api.get(f"/v3/processes/{process_guid}/stats")["resources"])
    except ApiError as error:
        if error.says(detail="Process not found"):
            return []
        raise


def crashed(app: Resource, stats: list[list[Resource]], tell: Callable[[str], None]) -> AllCrashed:
    """What to raise when no instance of a process comes up; why they ended is told."""
    details = sorted({each.get("details") or "" for process in stats for each in process if each["state"] == "CRASHED"})
    for detail in filter(None, details):
        tell(f"Error starting instances: '{detail}'")
    return AllCrashed("Start unsuccessful", f"use 'cfroute logs {app['name']} --recent' for more information")


def _timeout_text(name: str) -> str:
    return (
        "Start app timeout\n\n"
        "TIP: Application must be listening on the right port. Instead of hard coding the port, use the $PORT "
        f"environment variable.\n\nUse 'cfroute logs {name} --recent' for more information"
    )
