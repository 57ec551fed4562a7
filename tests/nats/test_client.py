"""The client, with real servers."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cfroute import certificates
from cfroute.clock import SystemClock
from cfroute.nats import client as nats_client
from cfroute.nats import inbox as nats_inbox
from cfroute.nats.client import Listener, NatsClient, NatsError, Settings
from cfroute.nats.wire import Message

from ..ports import free_port
from ..waiting import until
from .servers import NatsServer

MakeServer = Callable[..., NatsServer]


class Events(Listener):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def disconnected(self) -> None:
        self.heard.append("disconnected")

    def reconnected(self) -> None:
        self.heard.append("reconnected")

    def closed(self, error: str) -> None:
        self.heard.append(f"closed: {error}")

    def slow(self, text: str) -> None:
        self.heard.append(text)


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    with ExitStack() as stack:

        def make(settings: str = "", *, start: bool = True, **login: str) -> NatsServer:
            server = NatsServer(tmp_path, settings, **login)
            stack.callback(server.kill)
            if start:
                server.start()
            return server

        yield make


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_client, "_RECONNECT_WAIT", 0.02)


def client(*servers: NatsServer, host: str = "127.0.0.1", seed: int = 1, **values: Any) -> tuple[NatsClient, Events]:
    settings = {"user": "u", "password": "p", **values}
    events = Events()
    places = [(host, server.port) for server in servers]
    return NatsClient(Settings(servers=places, **settings), SystemClock(), Random(seed), events), events


def run(scenario: Awaitable[None], *clients: NatsClient) -> None:
    async def whole() -> None:
        try:
            await scenario
        finally:
            for one in clients:
                one.close()

    asyncio.run(whole())


def test_messages_come_and_go(make_server: MakeServer) -> None:
    router, events = client(make_server())
    got: list[Message] = []

    async def scenario() -> None:
        await router.connect()
        router.subscribe(b"a.*", got.append)
        for number in range(2000):
            router.publish(b"a.b", b"%d" % number)
        router.publish(b"b.c", b"not for us")
        await until(lambda: len(got) == 2000)

    run(scenario(), router)
    assert [message.payload for message in got] == [b"%d" % number for number in range(2000)]
    assert got[0].subject == b"a.b"
    assert events.heard == []
    assert not router.connected


def test_a_server_that_is_not_there(make_server: MakeServer) -> None:
    router, _ = client(make_server(start=False))

    async def scenario() -> None:
        with pytest.raises(NatsError, match=r"^nats: no servers available for connection$"):
            await router.connect()

    run(scenario(), router)


def test_wrong_credentials(make_server: MakeServer) -> None:
    router, _ = client(make_server(start=False), make_server(), password="wrong")

    async def scenario() -> None:
        with pytest.raises(NatsError, match=r"^nats: Authorization Violation$"):
            await router.connect()

    run(scenario(), router)


def test_a_host_that_nobody_knows(make_server: MakeServer) -> None:
    router, _ = client(make_server(start=False), host="nowhere.invalid")

    async def scenario() -> None:
        with pytest.raises(NatsError, match=r"^dial tcp: lookup nowhere\.invalid: no such host$"):
            await router.connect()

    run(scenario(), router)


def test_something_that_is_no_nats_server() -> None:
    async def scenario() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        port = free_port()
        async with await asyncio.start_server(greet, "127.0.0.1", port):
            settings = Settings(servers=[("127.0.0.1", port)])
            with pytest.raises(NatsError, match="INFO cannot be read"):
                await NatsClient(settings, SystemClock(), Random(1), Events()).connect()

    asyncio.run(scenario())


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_client, "_CONNECT_TIMEOUT", 0.05)

    async def scenario() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        port = free_port()
        async with await asyncio.start_server(silent, "127.0.0.1", port):
            settings = Settings(servers=[("127.0.0.1", port)])
            with pytest.raises(NatsError, match="nats: timeout"):
                await NatsClient(settings, SystemClock(), Random(1), Events()).connect()

    asyncio.run(scenario())


class TestReconnection:
    def test_the_server_comes_back(self, make_server: MakeServer) -> None:
        server = make_server()
        router, events = client(server)
        got: list[Message] = []

        async def scenario() -> None:
            await router.connect()
            router.subscribe(b"a", got.append)
            server.kill()
            await until(lambda: events.heard == ["disconnected"])
            assert not router.connected
            router.publish(b"a", b"lost")
            await asyncio.sleep(0.1)  # some tries in vain
            server.start()
            await until(lambda: events.heard == ["disconnected", "reconnected"])
            router.publish(b"a", b"heard")
            await until(lambda: got)

        run(scenario(), router)
        assert [message.payload for message in got] == [b"heard"]

    def test_the_next_server_is_tried_at_once(self, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nats_client, "_RECONNECT_WAIT", 60.0)
        servers = [make_server(), make_server()]
        router, events = client(*servers)

        async def scenario() -> None:
            await router.connect()
            first = router.server
            next(server for server in servers if server.port == first.port).kill()
            await until(lambda: "reconnected" in events.heard)
            assert router.server is not first
            assert router.peer == router.server.address

        run(scenario(), router)

    def test_a_cluster_tells_of_its_members(self, make_server: MakeServer) -> None:
        ports = [free_port(), free_port()]
        one = make_server(f"cluster {{ name: c, listen: 127.0.0.1:{ports[0]}, routes: [nats://127.0.0.1:{ports[1]}] }}")
        two = make_server(f"cluster {{ name: c, listen: 127.0.0.1:{ports[1]}, routes: [nats://127.0.0.1:{ports[0]}] }}")
        router, events = client(one)

        async def scenario() -> None:
            await router.connect()
            await until(lambda: len(router._servers) == 2)
            one.kill()
            await until(lambda: "reconnected" in events.heard)
            assert router.server.port == two.port

        run(scenario(), router)

    def test_it_gives_up_when_the_password_has_changed(self, make_server: MakeServer) -> None:
        server = make_server()
        router, events = client(server)

        async def scenario() -> None:
            await router.connect()
            server.kill()
            server.configure(password="new")
            server.start()
            await until(lambda: len(events.heard) == 2)

        run(scenario(), router)
        assert events.heard == ["disconnected", "closed: nats: Authorization Violation"]

    def test_a_server_that_does_not_answer_pings_is_lost(self) -> None:
        events = Events()

        async def scenario() -> None:
            async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"INFO {}\r\n")
                await reader.readuntil(b"PING\r\n")
                writer.write(b"PONG\r\n")
                await reader.read()
                writer.close()

            port = free_port()
            async with await asyncio.start_server(deaf, "127.0.0.1", port):
                settings = Settings(servers=[("127.0.0.1", port)], ping_interval=0.01)
                router = NatsClient(settings, SystemClock(), Random(1), events)
                await router.connect()
                await until(lambda: events.heard)
                assert router.last_error == "nats: stale connection"
                router.close()

        asyncio.run(scenario())
        assert events.heard[0] == "disconnected"

    @pytest.mark.parametrize(
        ("line", "heard"),
        [
            (b"-ERR 'Unknown Protocol Operation'\r\n", "closed: nats: Unknown Protocol Operation"),
            (b"-ERR 'Stale Connection'\r\n", "disconnected"),
            (b"-ERR 'maximum connections exceeded'\r\n", "disconnected"),
            (b"MSG a\r\n", "disconnected"),
        ],
    )
    def test_what_a_server_complains_of(self, line: bytes, heard: str) -> None:
        events = Events()

        async def scenario() -> None:
            async def complain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"INFO {}\r\n")
                await reader.readuntil(b"PING\r\n")
                writer.write(b"PONG\r\n-ERR 'Permissions Violation for Subscription to \"x\"'\r\n")
                await asyncio.sleep(0.02)
                writer.write(line)
                await reader.read()
                writer.close()

            port = free_port()
            async with await asyncio.start_server(complain, "127.0.0.1", port):
                router = NatsClient(Settings(servers=[("127.0.0.1", port)]), SystemClock(), Random(1), events)
                await router.connect()
                await until(lambda: events.heard)
                router.close()

        asyncio.run(scenario())
        assert events.heard[0] == heard


class TestTls:
    @pytest.fixture
    def authority(self) -> certificates.Pair:
        return certificates.make_authority("nats", time.time())

    @pytest.fixture
    def settings(self, authority: certificates.Pair, tmp_path: Path) -> str:
        pair = certificates.issue(authority, "nats", ["localhost"], time.time())
        for name, pem in (("ca", authority.certificate), ("cert", pair.certificate), ("key", pair.key)):
            (tmp_path / name).write_bytes(pem)
        return f"tls {{ cert_file: {tmp_path}/cert, key_file: {tmp_path}/key, ca_file: {tmp_path}/ca, verify: true }}"

    @staticmethod
    def context(authority: certificates.Pair, folder: Path, *, identity: bool = True) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=authority.certificate.decode())
        if identity:
            pair = certificates.issue(authority, "gorouter", [], time.time())
            (folder / "us").write_bytes(pair.certificate + pair.key)
            context.load_cert_chain(folder / "us")
        return context

    def test_with_certificates_on_both_sides(
        self, make_server: MakeServer, settings: str, authority: certificates.Pair, tmp_path: Path
    ) -> None:
        context = self.context(authority, tmp_path)
        router, _ = client(make_server(settings), host="localhost", context=context)
        got: list[Message] = []

        async def scenario() -> None:
            await router.connect()
            router.subscribe(b"a", got.append)
            router.publish(b"a", b"x" * 200_000)
            await until(lambda: got)

        run(scenario(), router)
        assert got[0].payload == b"x" * 200_000

    def test_a_name_that_is_not_in_the_certificate(
        self, make_server: MakeServer, settings: str, authority: certificates.Pair, tmp_path: Path
    ) -> None:
        router, _ = client(make_server(settings), context=self.context(authority, tmp_path))

        async def scenario() -> None:
            with pytest.raises(NatsError, match=r"^tls: failed to verify certificate: x509: "):
                await router.connect()

        run(scenario(), router)

    def test_a_server_that_does_not_know_our_authority(
        self, make_server: MakeServer, settings: str, authority: certificates.Pair, tmp_path: Path
    ) -> None:
        context = self.context(authority, tmp_path, identity=False)
        router, _ = client(make_server(settings), host="localhost", context=context)

        async def scenario() -> None:
            with pytest.raises(NatsError):
                await router.connect()

        run(scenario(), router)

    def test_a_server_without_tls(self, make_server: MakeServer, authority: certificates.Pair, tmp_path: Path) -> None:
        router, _ = client(make_server(), context=self.context(authority, tmp_path))

        async def scenario() -> None:
            with pytest.raises(NatsError, match=r"^nats: secure connection not available$"):
                await router.connect()

        run(scenario(), router)

    def test_a_server_that_insists(self, make_server: MakeServer, settings: str) -> None:
        router, _ = client(make_server(settings), host="localhost")

        async def scenario() -> None:
            with pytest.raises(NatsError, match=r"^tls: failed to verify certificate"):
                await router.connect()

        run(scenario(), router)


class TestSlowness:
    def test_what_is_too_much_is_dropped_and_told(self, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nats_inbox, "MOST_MESSAGES", 300)
        server = make_server()
        router, events = client(server)
        other, _ = client(server)
        seen: list[Message] = []

        async def scenario() -> None:
            await router.connect()
            await other.connect()
            router.subscribe(b"a", seen.append)
            router.publish(b"a", b"ready")
            await until(lambda: seen)
            for _ in range(5000):
                other.publish(b"a", b"")
            await asyncio.sleep(0)
            await until(lambda: len(seen) + router.dropped == 5001)

        run(scenario(), router, other)
        assert router.dropped > 0
        assert events.heard[0].startswith("nats: slow consumer, messages dropped on connection [")
        assert events.heard[0].endswith('] for subscription on "a"')

    def test_a_server_that_hangs_up_on_us(self, make_server: MakeServer) -> None:
        router, events = client(make_server('write_deadline: "50ms"'))
        other, _ = client(make_server(start=False))
        other._servers = router._servers
        flooded: list[Message] = []

        async def scenario() -> None:
            await router.connect()
            router.subscribe(b"a", flooded.append)
            await other.connect()
            assert router._connection is not None
            router._connection._transport.pause_reading()
            payload = b"x" * 500_000
            for _ in range(40):
                other.publish(b"a", payload)
            await asyncio.sleep(0.5)
            router._connection._transport.resume_reading()
            await until(lambda: events.heard == ["disconnected", "reconnected"])

        run(scenario(), router, other)


def test_flushing_waits_for_the_server_and_not_for_one_that_is_gone(make_server: MakeServer) -> None:
    server = make_server()
    ours, _ = client(server)

    async def scenario() -> None:
        await ours.flush()
        await ours.connect()
        await ours.flush()
        waiting = asyncio.ensure_future(ours.flush())
        await asyncio.sleep(0)
        server.kill()
        await asyncio.wait_for(waiting, 30)

    run(scenario(), ours)


def test_who_is_to_give_up_does_so_after_so_many_tries(make_server: MakeServer) -> None:
    server = make_server()
    listener, events = client(server, reconnects=3)

    async def scenario() -> None:
        await listener.connect()
        server.kill()
        await until(lambda: len(events.heard) == 2)

    run(scenario(), listener)
    assert events.heard == ["disconnected", "closed: nats: no servers available for connection"]
