"""Building a droplet of a package, and what the build says meanwhile."""

from cfroute.cli.access.api import Resource
from cfroute.cli.apps.app_logs import Tail
from cfroute.cli.apps.starting import POLL, minutes
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError

STAGING = (("CF_STAGING_TIMEOUT=15", "Max wait time for staging, in minutes"),)


class StagingFailed(CfrouteError):
    """The app could not be built."""


def newest_package(session: Session, app: Resource) -> Resource:
    """The newest one that can be staged. Raises CfrouteError when there is none."""
    package = _newest(session, app)
    if package is None:
        raise CfrouteError(
            f"App '{app['name']}' has no eligible packages.",
            f"Use 'cfroute packages {app['name']}' to list packages in your app. Use 'cfroute create-package' to create one.",
        )
    return package


def unstaged_package(session: Session, app: Resource) -> Resource | None:
    """The newest package, if nobody has built it yet, as after `push --no-start`."""
    package = _newest(session, app)
    if package is None or session.api.first(f"/v3/packages/{package['guid']}/droplets", states="STAGED"):
        return None
    return package


def _newest(session: Session, app: Resource) -> Resource | None:
    return session.api.first("/v3/packages", app_guids=[app["guid"]], states="READY", order_by="-created_at")


def stage(session: Session, app: Resource, package_guid: str) -> str:
    """Announce that a droplet is built, and build it; its guid. Raises StagingFailed."""
    session.say("Staging app and tracing logs...")
    return build(session, app, package_guid)


def build(session: Session, app: Resource, package_guid: str) -> str:
    """Build a droplet and show what the build says; the droplet's guid. Raises StagingFailed."""
    tail = Tail(session.api, app, session.clock.now_ns())
    begun = session.api.post("/v3/builds", {"package": {"guid": package_guid}})
    deadline = session.clock.monotonic() + minutes("CF_STAGING_TIMEOUT", 15)
    while True:
        # Asked for before the logs are read: so the last lines of a build that has ended are not missed.
        begun = session.api.get(f"/v3/builds/{begun['guid']}")
        for line in tail.new():
            if line.source.startswith("STG"):
                session.say(f"   {line.message}")
        if begun["state"] == "STAGED":
            return str(begun["droplet"]["guid"])
        if begun["state"] == "FAILED":
            raise StagingFailed(begun["error"] or "staging failed")
        if session.clock.monotonic() > deadline:
            raise StagingFailed(f"Staging timed out: {app['name']}", "CF_STAGING_TIMEOUT sets the limit in minutes")
        session.api.sleep(POLL)


def use_droplet(session: Session, app: Resource, droplet_guid: str) -> None:
    """Make the droplet the one that the app runs."""
    session.api.patch(f"/v3/apps/{app['guid']}/relationships/current_droplet", {"data": {"guid": droplet_guid}})
