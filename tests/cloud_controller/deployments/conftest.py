"""A Cloud Controller with somebody who carries deployments on, and instances that come up when a test says so."""

import dataclasses
from typing import Any

import msgspec
import pytest

from cfroute.cloud_controller.deployments.worker import DeploymentWorker
from cfroute.diego.api import ActualLRP, LRPState
from tests.cloud_controller.conftest import CloudController


class Deploying:
    """What tests of deployments do."""

    def __init__(self, cc: CloudController) -> None:
        self.cc = cc
        self.begin()

    def begin(self) -> None:
        """With a new worker, as a Cloud Controller has it that comes back."""
        platform = self.cc.platform
        self.worker = DeploymentWorker(
            platform.database, self.cc.diego, platform.config, self.cc.clock, platform.new_guid, platform.log
        )
        self.cc.platform = dataclasses.replace(platform, deployments=self.worker)
        for name in ("_external", "_internal"):
            self.cc.__dict__.pop(name, None)

    def app(self, instances: int = 3, name: str = "music") -> str:
        """A started app, all of whose instances run."""
        app = self.cc.app(name)
        self.cc.droplet(app)
        self.cc.ok("POST", f"/v3/apps/{app}/processes/web/actions/scale", {"instances": instances})
        self.cc.ok("POST", f"/v3/apps/{app}/actions/start")
        self.up(app)
        return app

    def up(self, app: str) -> None:
        """Everything that is wanted runs, and requests reach it."""
        self.run(app, "RUNNING")

    def run(self, app: str, state: LRPState, reason: str = "") -> None:
        """What is wanted and does not run is in that state now."""
        known = {(lrp.process_guid, lrp.index): lrp for lrp in self.cc.diego.actual}
        wanted = [(each["process_guid"], index) for each in self.cc.desired(app) for index in range(each["instances"])]
        self.cc.diego.actual = [
            known[key] if key in known and known[key].state == "RUNNING" else ActualLRP(*key, state=state, crash_reason=reason)
            for key in wanted
        ]

    def look(self) -> bool:
        """The worker looks once; whether there is anything that it is to look at again."""
        return self.cc.runner.run(self.worker.look())

    def carry_on(self, app: str, rounds: int = 30) -> None:
        """Everything comes up, and the worker does what is due."""
        for _ in range(rounds):
            self.up(app)
            if not self.look():
                return
        raise AssertionError("it does not end")

    def deploy(self, app: str, **fields: Any) -> dict[str, Any]:
        body = {"relationships": {"app": {"data": {"guid": app}}}, **fields}
        return dict(self.cc.ok("POST", "/v3/deployments", body))

    def refused(self, app: str, **fields: Any) -> str:
        return self.cc.detail("POST", "/v3/deployments", {"relationships": {"app": {"data": {"guid": app}}}, **fields})

    def status(self, deployment: str | dict[str, Any]) -> tuple[str, str]:
        guid = deployment if isinstance(deployment, str) else deployment["guid"]
        status = self.cc.ok("GET", f"/v3/deployments/{guid}")["status"]
        return status["value"], status["reason"]

    def webs(self, app: str) -> list[tuple[str, int]]:
        """The app's web processes with the numbers of instances that are wanted of them."""
        found = self.cc.ok("GET", f"/v3/apps/{app}/processes")["resources"]
        return [(each["guid"], each["instances"]) for each in found if each["type"] == "web"]

    def numbers(self, app: str) -> list[int]:
        return [count for _, count in self.webs(app)]

    def droplet(self, app: str, command: str = "python new.py") -> str:
        """One that is not the app's current droplet."""
        current = self.cc.ok("GET", f"/v3/apps/{app}/relationships/current_droplet")["data"]["guid"]
        droplet = self.cc.droplet(app, msgspec.json.encode({"process_types": {"web": command}}).decode())
        self.cc.ok("PATCH", f"/v3/apps/{app}/relationships/current_droplet", {"data": {"guid": current}})
        return str(droplet)


@pytest.fixture
def deploying(cc: CloudController) -> Deploying:
    return Deploying(cc)
