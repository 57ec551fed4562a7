"""The files of an app on their way to the Cloud Controller: as a package to be built, or as a droplet that is built already."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from cfroute.cli.access.api import Resource
from cfroute.cli.apps import bits
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError

POLL = 0.1  # seconds between two looks
_BYTES = "application/octet-stream"


def package(session: Session, app: Resource, source: Path, tell: Callable[[str], None]) -> Resource:
    """Pack a folder (a zip file is taken as it is), and upload it; the package once it is ready. Raises CfrouteError."""
    tell("Packaging files to upload...")
    with tempfile.TemporaryDirectory(prefix="cfroute-push-") as folder:
        packed = bits.pack(source, Path(folder) / "package.zip")
        tell("Uploading files...")
        made = session.api.post("/v3/packages", {"type": "bits", "relationships": _of(app)})
        with packed.open("rb") as file:
            files = {"bits": ("package.zip", file, _BYTES)}
            path = f"/v3/packages/{made['guid']}/upload"
            made = session.api.call("POST", path, data={"resources": "[]"}, files=files).json()
    tell("\n\nWaiting for API to complete processing files...")
    while made["state"] != "READY":
        if made["state"] in ("FAILED", "EXPIRED"):
            raise CfrouteError(f"Package {made['guid']} is {made['state'].lower()}: {made['data'].get('error')}")
        session.api.sleep(POLL)
        made = session.api.get(f"/v3/packages/{made['guid']}")
    return dict(made)


def droplet(session: Session, app: Resource, source: Path) -> str:
    """Upload a droplet; its guid once it is there. Raises ApiError."""
    session.say("Uploading droplet bits...")
    made = session.api.post("/v3/droplets", {"relationships": _of(app)})
    with source.open("rb") as file:
        session.api.change("POST", f"/v3/droplets/{made['guid']}/upload", files={"bits": (source.name, file, _BYTES)})
    session.say("\n\nWaiting for API to complete processing files...")
    return str(made["guid"])


def _of(app: Resource) -> Resource:
    return {"app": {"data": {"guid": app["guid"]}}}
