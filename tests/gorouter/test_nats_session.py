"""The session with a real NATS server."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import nats
import pytest

from cfroute.clock import SystemClock
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.nats.session import NatsError, NatsSession
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.logs import Logger
from cfroute.testing import ManualClock

from ..nats.servers import NatsServer
from ..waiting import until

if TYPE_CHECKING:
    from tests.gorouter.conftest import LogLines

MakeRegistry = Callable[..., Registry]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Setting:
    """A session, the registry it feeds, and another client on the same server."""

    def __init__(self, server: NatsServer, registry: Registry, logger: Logger, lines: "LogLines", user: str = "u") -> None:
        text = f"""
index: 2
suspend_pruning_if_nats_unavailable: true
nats_client_ping_interval: 50ms
nats: {{user: {user}, pass: p, hosts: [{{hostname: 127.0.0.1, port: {server.port}}}]}}
cfroute: {{address: 127.4.4.4}}
"""
        self.server = server
        self.registry = registry
        self.lines = lines
        self.closed = 0
        self.session = NatsSession(
            parse(text), registry, logger, SystemClock(), Random(1), on_closed=lambda: setattr(self, "closed", 1)
        )
        registry.source_is_up = lambda: self.session.connected
        self.client: Any = None
        self.starts: list[dict[str, Any]] = []

    async def start(self) -> None:
        await self.session.connect()
        self.session.subscribe()

    async def connect_client(self) -> None:
        self.client = await nats.connect(
            f"nats://u:p@127.0.0.1:{self.server.port}", reconnect_time_wait=0.02, max_reconnect_attempts=-1, error_cb=_quiet
        )

        async def started(message: Any) -> None:
            self.starts.append(json.loads(message.data))

        await self.client.subscribe("router.start", cb=started)
        await self.client.flush()

    async def tell(self, subject: str, payload: bytes) -> None:
        await self.client.publish(subject, payload)
        await self.client.flush()

    async def close(self) -> None:
        self.session.close()
        if self.client is not None:
            await self.client.close()


async def _quiet(error: Exception) -> None:
    """The other client is not what is tested."""


@pytest.fixture
def setting(server: NatsServer, registry: Registry, logger: Logger, log_lines: "LogLines") -> Setting:
    return Setting(server, registry, logger, log_lines)


def run(setting: Setting, scenario: Callable[[Setting], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await scenario(setting)
        finally:
            await setting.close()

    asyncio.run(whole())


START = {
    "id": f"2-{UUID(int=Random(1).getrandbits(128), version=4)}",
    "hosts": ["127.4.4.4"],
    "minimumRegisterIntervalInSeconds": 5,
    "pruneThresholdInSeconds": 120,
}


def test_a_whole_session(setting: Setting) -> None:
    async def scenario(setting: Setting) -> None:
        await setting.connect_client()
        await setting.start()
        where = f"127.0.0.1:{setting.server.port}"
        assert setting.session.connected
        assert setting.lines.data("Successfully-connected-to-nats") == [{"host": where, "addr": where}]
        assert setting.lines.messages()[1:3] == ["subscriber-starting", "subscriber-started"]
        assert [line["source"] for line in setting.lines][:2] == ["gorouter.nats", "gorouter.subscriber"]
        await until(lambda: setting.starts)
        assert setting.starts == [START]

        answer = await setting.client.request("router.greet", b"", timeout=5)
        assert json.loads(answer.data) == START

        registration = {"host": "10.0.0.1", "port": 80, "uris": ["a.test", "b.test"], "app": "g"}
        await setting.tell("router.register", json.dumps(registration).encode())
        await until(lambda: len(setting.registry) == 2)
        await setting.tell("router.unregister", b'{"host":"10.0.0.1","port":80,"uris":["a.test"]}')
        await until(lambda: len(setting.registry) == 1)
        await setting.tell("router.register", b'{"port":"x"}')
        await until(lambda: len(setting.lines.data("validation-error")) == 2)

    run(setting, scenario)
    # An empty greeting is no registration either: upstream reads every message on router.* as one.
    errors = setting.lines.data("validation-error")
    assert errors[0] == {"error": "unexpected end of JSON input", "payload": "", "subject": "router.greet"}
    assert errors[-1] == {
        "error": "json: cannot unmarshal string into Go struct field RegistryMessage.port of type uint16",
        "payload": '{"port":"x"}',
        "subject": "router.register",
    }
    assert not setting.closed
    assert (setting.session.dropped, setting.session.buffered) == (0, 0)


def test_after_a_reconnect_the_router_announces_itself_again(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfroute.nats.client._RECONNECT_WAIT", 0.02)

    async def scenario(setting: Setting) -> None:
        await setting.connect_client()
        await setting.start()
        await until(lambda: setting.starts)
        setting.server.kill()
        await until(lambda: setting.lines.data("nats-connection-still-disconnected"))
        assert not setting.session.connected
        assert not setting.registry.source_is_up()
        setting.server.start()
        await until(lambda: setting.lines.data("nats-connection-reconnected") and setting.session.connected)
        assert setting.registry.source_is_up()
        await until(lambda: setting.client.is_connected)
        await setting.tell("router.register", b'{"host":"h","port":1,"uris":["a.test"]}')
        await until(lambda: len(setting.registry) == 1)

    run(setting, scenario)
    messages = setting.lines.messages()
    assert messages.index("nats-connection-disconnected") < messages.index("nats-connection-still-disconnected")
    assert setting.lines.data("nats-connection-disconnected")[0]["host"].startswith("127.0.0.1:")


def test_no_server(setting: Setting) -> None:
    setting.server.kill()

    async def scenario(setting: Setting) -> None:
        with pytest.raises(NatsError, match=r"^nats: no servers available for connection$"):
            await setting.start()

    run(setting, scenario)


def test_bad_credentials(server: NatsServer, registry: Registry, logger: Logger, log_lines: "LogLines") -> None:
    async def scenario(setting: Setting) -> None:
        with pytest.raises(NatsError, match=r"^nats: Authorization Violation$"):
            await setting.start()

    run(Setting(server, registry, logger, log_lines, user="wrong"), scenario)


def test_reminders_keep_the_interval(registry: Registry, logger: Logger, clock: ManualClock, log_lines: "LogLines") -> None:
    session = NatsSession(parse(""), registry, logger, clock, Random(1))
    session._where = {"host": "h", "addr": "a"}
    session.disconnected()
    clock.advance(45)
    assert log_lines.messages() == ["nats-connection-disconnected", *["nats-connection-still-disconnected"] * 2]
    session.close()
    clock.advance(45)
    assert len(log_lines) == 3
