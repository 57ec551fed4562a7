"""A Cloud Controller with somebody who asks brokers, and a broker."""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from cfroute.cloud_controller.brokers.worker import BrokerWorker
from cfroute.http_client import Client
from tests.cloud_controller.conftest import CloudController
from tests.waiting import eventually

from .osb import Broker

LONG_ENOUGH = 20.0  # seconds that a broker has, however loaded the machine is


class Brokered:
    """What tests of managed services do."""

    def __init__(self, cc: CloudController, broker: Broker) -> None:
        self.cc, self.broker = cc, broker
        self.start()

    def start(self, timeout: float = LONG_ENOUGH) -> None:
        """Begin with a new worker, as a Cloud Controller does that comes back. timeout: seconds that a broker has from now on."""
        platform = self.cc.platform
        config = msgspec.structs.replace(platform.config, broker_client_timeout_seconds=timeout)
        self.worker = BrokerWorker(
            Client(None, 5.0), platform.database, platform.diego, config, self.cc.clock, platform.new_guid, platform.log
        )
        self.cc.platform = dataclasses.replace(platform, brokers=self.worker)
        for name in ("_external", "_internal"):
            self.cc.__dict__.pop(name, None)

    def work(self, until: Callable[[], bool]) -> None:
        """Let the worker do what is due."""

        async def begin() -> asyncio.Task[None]:
            return asyncio.create_task(self.worker.run())

        task = self.cc.runner.run(begin())
        try:
            eventually(until, "the worker", pause=self.turn)
        finally:
            task.cancel()

    def turn(self, seconds: float) -> None:
        """Let what was begun go on."""
        self.cc.runner.run(asyncio.sleep(seconds))

    def later(self, seconds: float, until: Callable[[], bool]) -> None:
        """Let the worker do what is due after so many seconds."""
        self.cc.clock.advance(seconds)
        self.work(until)

    def job(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The job of a request that is answered by one, when the broker has answered: the request itself waits only a while."""
        response = self.cc(method, path, body)
        assert response.status_code == 202, response.text
        assert response.content == b""
        at = response.headers["location"].removeprefix("http://api.test")
        eventually(lambda: self.job_at(at)["state"] != "PROCESSING", "the broker's answer", pause=self.turn)
        return self.job_at(at)

    def job_at(self, path: str) -> dict[str, Any]:
        return dict(self.cc.ok("GET", path))

    def done(self, method: str, path: str, body: Any = None) -> None:
        job = self.job(method, path, body)
        assert job["state"] == "COMPLETE", job

    def failed(self, method: str, path: str, body: Any = None) -> str:
        job = self.job(method, path, body)
        assert job["state"] == "FAILED", job
        (error,) = job["errors"]
        return str(error["detail"])

    def broker_body(self, **fields: Any) -> dict[str, Any]:
        credentials = {"username": "me", "password": fields.pop("password", "secret")}
        return {"name": "flow", "url": self.broker.url, "authentication": {"type": "basic", "credentials": credentials}, **fields}

    def register(self, *, public: bool = True) -> str:
        """The guid of the broker, whose plans everybody may use."""
        self.done("POST", "/v3/service_brokers", self.broker_body())
        for plan in self.cc.ok("GET", "/v3/service_plans")["resources"] if public else ():
            self.cc.ok("POST", f"/v3/service_plans/{plan['guid']}/visibility", {"type": "public"})
        return str(self.cc.ok("GET", "/v3/service_brokers?names=flow")["resources"][0]["guid"])

    def plan(self, name: str = "small") -> str:
        return str(self.cc.ok("GET", f"/v3/service_plans?names={name}")["resources"][0]["guid"])

    def instance_body(self, name: str = "limits", plan: str = "small", **fields: Any) -> dict[str, Any]:
        relationships = {"space": {"data": {"guid": self.cc.space}}, "service_plan": {"data": {"guid": self.plan(plan)}}}
        return {"type": "managed", "name": name, "relationships": relationships, **fields}

    def instance(self, name: str = "limits", plan: str = "small", **fields: Any) -> str:
        self.done("POST", "/v3/service_instances", self.instance_body(name, plan, **fields))
        return self.guid(name)

    def guid(self, name: str = "limits") -> str:
        return str(self.cc.ok("GET", f"/v3/service_instances?names={name}")["resources"][0]["guid"])

    def operation(self, name: str = "limits") -> tuple[str, str, str]:
        last = self.cc.ok("GET", f"/v3/service_instances?names={name}")["resources"][0]["last_operation"]
        return last["type"], last["state"], last["description"]

    def bindings(self) -> list[dict[str, Any]]:
        return list(self.cc.ok("GET", "/v3/service_route_bindings")["resources"])


@pytest.fixture
def broker() -> Iterator[Broker]:
    server = Broker()
    yield server
    server.close()


@pytest.fixture
def brokered(cc: CloudController, broker: Broker) -> Brokered:
    return Brokered(cc, broker)
