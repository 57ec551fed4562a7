"""Brokers that never answer hold up nobody but those who have asked for them."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from cfroute.cloud_controller.app import external_app
from cfroute.cloud_controller.brokers import worker
from cfroute.cloud_controller.models import ServiceBroker

from .conftest import Brokered

MANY = 45
"""More than there are threads for requests."""


@pytest.fixture
def hung() -> Iterator[str]:
    """The URL of a broker to which one can connect; that is all it does."""
    with socket.create_server(("127.0.0.1", 0), backlog=4 * MANY) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def others(client: httpx.AsyncClient, route: dict[str, Any], pending: list[asyncio.Task[Any]]) -> None:
    """Requests that read and write, each of which is answered before any of the pending ones."""
    for number in range(5):
        made = await client.post("/v3/routes", json=route | {"host": f"quick{number}"})
        read = await client.get(f"/v3/routes/{made.json()['guid']}")
        listed = await client.get("/v3/organizations")
        assert [each.status_code for each in (made, read, listed)] == [201, 200, 200]
        assert not any(task.done() for task in pending)


def test_who_asks_for_something_else_is_answered_meanwhile(
    brokered: Brokered, hung: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the hung ones takes as long as a broker may; nobody waits behind them, for a thread, a lock or the database."""
    monkeypatch.setattr(worker, "PATIENCE", 0.1)
    brokered.register()
    cc = brokered.cc
    instance = brokered.instance("parameters")
    wanted = [brokered.instance_body(f"wanted{number}") for number in range(MANY)]
    route = cc.route_body()
    with cc.platform.database.writing() as session:
        session.scalars(select(ServiceBroker)).one().url = hung

    async def scene() -> None:
        transport = httpx.ASGITransport(external_app(cc.platform))
        headers = {"Authorization": cc.token(*cc.scopes, name=cc.who)}
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as client:
            path = f"/v3/service_instances/{instance}/parameters"
            reading = [asyncio.create_task(client.get(path)) for _ in range(MANY)]
            made = await asyncio.gather(*(client.post("/v3/service_instances", json=body) for body in wanted))
            assert {answer.status_code for answer in made} == {202}
            await others(client, route, reading)
            jobs = {answer.headers["location"] for answer in made}
            assert {(await client.get(job)).json()["state"] for job in jobs} == {"PROCESSING"}
            for task in reading:
                task.cancel()
            await asyncio.wait(reading)

    cc.runner.run(scene())
