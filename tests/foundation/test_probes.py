"""What a probe finds out about a component."""

import asyncio
from pathlib import Path

import pytest

from cfroute.foundation import probes
from cfroute.foundation.components import Probe
from cfroute.foundation.machine import LocalMachine
from cfroute.foundation.plan import Listener


def probed(greeting: bytes | None) -> str:
    """What is wrong with a NATS server that says this to a new connection; None says nothing, and keeps the connection."""

    async def run() -> str:
        asked = asyncio.Event()

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if greeting is None:
                await asked.wait()
            else:
                writer.write(greeting)
            writer.close()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            found = await probes.look(Probe("nats", Listener("127.0.0.1", port)), Path("none"))
            asked.set()
        return found

    return asyncio.run(run())


def test_nats_is_well_when_it_greets() -> None:
    assert probed(b'INFO {"server_id":"x"}\r\n') == ""


def test_another_server_is_no_nats() -> None:
    assert "without the greeting" in probed(b"220 mail\r\n")
    assert "without the greeting" in probed(b"")


def test_a_nats_that_hangs_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "TIMEOUT", 0.05)
    assert "no answer" in probed(None)


def test_one_that_stands_in_for_another_has_to_live_itself() -> None:
    async def run() -> tuple[str, str]:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            there = Listener("127.0.0.1", server.sockets[0].getsockname()[1])
            nowhere = Listener("127.0.0.1", LocalMachine().pick("127.0.0.1"))
            alive = await probes.look(Probe("tcp", there, lives=there), Path("none"))
            return alive, await probes.look(Probe("tcp", there, lives=nowhere), Path("none"))

    alive, dead = asyncio.run(run())
    assert alive == ""
    assert "refused" in dead
