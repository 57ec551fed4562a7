"""What a cell fetches, and how long it waits for who has it."""

import asyncio
import socket
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cfroute import daemon
from cfroute.diego.cell.transfer import PATIENCE, RETRY, Droplets, TransferError
from cfroute.http_client import Client
from cfroute.testing import ManualClock


class World:
    """A cell's droplets, and the place of a Cloud Controller that is not there yet."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.client = Client(None, 5)
        self.droplets = Droplets(folder, self.client, self.clock)
        self.asked = 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.app = Starlette(routes=[Route("/droplet", self.answer), Route("/none", self.refuse)])

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        return Response(b"tgz")

    async def refuse(self, request: Request) -> Response:
        self.asked += 1
        return Response(status_code=404)

    async def get(self, path: str = "/droplet") -> bytes:
        async with self.droplets.get(f"http://127.0.0.1:{self.port}{path}") as file:
            return file.read_bytes()

    async def waits(self) -> None:
        """Return when it has tried in vain, and waits for its next try."""
        async with asyncio.timeout(30):
            while not self.clock.waiting:
                await asyncio.sleep(0)


def test_a_cloud_controller_that_starts_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)
        getting = [daemon.spawn(world.get(), name="get") for _ in range(3)]
        for _ in range(3):
            await world.waits()
            world.clock.advance(RETRY)
        await world.waits()
        async with daemon.serving(world.app, "127.0.0.1", world.port):
            world.clock.advance(RETRY)
            assert await asyncio.gather(*getting) == [b"tgz"] * 3
        assert world.asked == 1
        await world.client.aclose()

    asyncio.run(scene())


def test_one_that_does_not_come_is_not_waited_for_without_end(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)
        getting = daemon.spawn(world.get(), name="get")
        await world.waits()
        world.clock.advance(PATIENCE)
        with pytest.raises(TransferError, match="droplet"):
            await getting
        assert list(tmp_path.iterdir()) == []

    asyncio.run(scene())


def test_what_it_does_not_have_is_asked_for_once(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)
        async with daemon.serving(world.app, "127.0.0.1", world.port):
            with pytest.raises(TransferError, match="404"):
                await world.get("/none")
        assert world.asked == 1
        await world.client.aclose()

    asyncio.run(scene())
