"""The emitter's schedule while nobody answers, its log, and its configuration."""

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cfroute import daemon
from cfroute.diego.route_emitter import scheduler as scheduling
from cfroute.diego.route_emitter.config import Config, load
from cfroute.diego.route_emitter.log import logger
from cfroute.diego.route_emitter.scheduler import Scheduler, emit_regularly
from cfroute.errors import ConfigurationError
from cfroute.lager import Lager, Sink
from cfroute.testing.clock import ManualClock

NEEDED = {
    **dict.fromkeys(("bbs_address", "bbs_ca_cert_file", "bbs_client_cert_file", "bbs_client_key_file"), ""),
    "nats_addresses": "127.0.0.1:4222",
}


class Silence:
    """A NATS on which nobody answers."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.answer: Callable[[bytes], None] = lambda data: None

    def inbox(self) -> str:
        return "inbox"

    async def subscribe(self, subject: str, take: Callable[[bytes], None]) -> None:
        if subject == "inbox":
            self.answer = take

    async def publish(self, subject: str, data: bytes, reply: str = "") -> bool:
        self.published.append(subject)
        return True


def test_everything_is_said_although_nobody_answers_greetings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "GREET_EVERY", 0.002)

    async def scene() -> None:
        bus, emitted = Silence(), asyncio.Event()
        greetings: list[int] = []

        async def emit_all() -> None:
            greetings.append(len(bus.published))
            emitted.set()

        log = Lager("x", Sink(3))
        scheduler = Scheduler(bus, "router", emit_all, 0, ManualClock(), random.Random(1), log)  # type: ignore[arg-type]
        work = daemon.spawn(scheduler.run(), name="scheduler")
        async with asyncio.timeout(30):
            await emitted.wait()
            assert greetings == [20]
            assert not scheduler.greeted.is_set()
            emitted.clear()
            for nonsense in (b"\xff", b"[" * 100_000, b"{"):
                bus.answer(nonsense)
            bus.answer(b'{"minimumRegisterIntervalInSeconds":60}')
            await scheduler.greeted.wait()
            await emitted.wait()
        work.cancel()

    asyncio.run(scene())


def test_without_nats_everything_is_said_every_20_seconds() -> None:
    async def scene() -> int:
        clock, count = ManualClock(), 0

        async def emit_all() -> None:
            nonlocal count
            count += 1

        work = daemon.spawn(emit_regularly(emit_all, clock), name="emit")
        for _ in range(5):
            await asyncio.sleep(0)
            clock.advance(10)
        await asyncio.sleep(0)
        work.cancel()
        return count

    assert asyncio.run(scene()) == 3


def lines(capsys: pytest.CaptureFixture[str], **config: Any) -> list[dict[str, Any]]:
    log = logger(Config(**NEEDED, **config), ManualClock())
    log.info("said", password="hidden", text="x" * 30, inner={"list": ["y" * 30]})
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.statement("route emitter 1", "The log has the name, level, time format, redaction and lengths that are configured")
def test_the_log_is_as_configured(capsys: pytest.CaptureFixture[str]) -> None:
    [line] = lines(capsys)
    assert (line["source"], line["message"], line["timestamp"]) == ("route-emitter", "route-emitter.said", "1700000000.000000000")
    assert line["data"]["password"] == "hidden"
    [line] = lines(capsys, locket_session_name="emitter1", time_format=1, redact_secrets=True, max_data_string_length=20)
    assert (line["message"], line["timestamp"]) == ("emitter1.said", "2023-11-14T22:13:20.000000000Z")
    assert line["data"] == {"password": "*REDACTED*", "text": "xxxxxxxx-(truncated)", "inner": {"list": ["yyyyyyyy-(truncated)"]}}
    assert not lines(capsys, log_level="error")


@pytest.mark.parametrize(
    "wrong",
    [
        {"nats_addresses": ""},
        {"tcp_route_ttl": "0s"},
        {"sync_interval": "often"},
        {"lock_ttl": "15"},
        {"oauth": {"uaa_request_timeout": "-1s"}},
        {"log_level": "loud"},
        {"routing_api": {"port": 70000}},
        {"cfroute": {"tcp_only": 1}},
    ],
)
def test_a_configuration_that_makes_no_sense(tmp_path: Path, wrong: dict[str, Any]) -> None:
    file = tmp_path / "file.json"
    file.write_text(json.dumps(NEEDED | wrong))
    with pytest.raises(ConfigurationError):
        load(file)


def test_unknown_keys_are_ignored_and_an_emitter_of_tcp_routes_alone_has_no_nats(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text(json.dumps(NEEDED | {"nats_addresses": "", "cfroute": {"tcp_only": True}, "loggregator": {"x": []}}))
    assert load(file).cfroute.tcp_only
