"""Ports of TCP routes when many want one at once."""

import asyncio
import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from cfroute.cloud_controller import app
from cfroute.cloud_controller.db import Database

from .conftest import CloudController

RESERVABLE = range(1024, 1124)


def another(cc: Any, number: int) -> Any:
    """A Cloud Controller of its own on the same file, as a command has one that runs while another does."""
    numbers = iter(range(1_000_000))
    database = Database.open(cc.platform.config.database, cc.clock, lambda: f"other-{number}-{next(numbers)}")
    return dataclasses.replace(cc.platform, database=database, chance=random.Random(7), writer=ThreadPoolExecutor(1))


def create(platform: Any, body: dict[str, Any], token: str, count: int) -> list[int]:
    """The ports that `count` routes get."""

    async def several() -> list[int]:
        transport = httpx.ASGITransport(app.external_app(platform))
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            answers = await asyncio.gather(
                *(client.post("/v3/routes", json=body, headers={"Authorization": token}) for _ in range(count))
            )
        return [answer.json()["port"] for answer in answers]

    try:
        return asyncio.run(several())
    finally:
        platform.writer.shutdown()
        platform.database.close()


def test_no_port_is_given_out_twice_and_none_is_left_over(cc: CloudController) -> None:
    body = cc.route_body(cc.domain("tcp.cf.localhost"))
    token = cc.token(*cc.scopes)
    with ThreadPoolExecutor(4) as pool:
        # All of them begin with the same chance: they would pick the same ports if they did not look.
        found = list(pool.map(lambda number: create(another(cc, number), body, token, 25), range(4)))
    assert sorted(port for each in found for port in each) == list(RESERVABLE)
    assert cc.detail("POST", "/v3/routes", body) == "There are no more ports available for this domain."
    route = cc.ok("GET", "/v3/routes?ports=1050")["resources"][0]["guid"]
    cc("DELETE", f"/v3/routes/{route}")
    assert cc.ok("POST", "/v3/routes", body)["port"] == 1050
