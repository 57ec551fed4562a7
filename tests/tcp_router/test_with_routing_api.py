"""A TCP router between a real Routing API and a real UAA, with traffic through it, while they are killed."""

import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cfroute import certificates
from cfroute.routing_api.api import TcpRoute

from ..ports import free_port
from ..routing_api.daemons import Process, settings, write_identities
from ..routing_api.uaas import Uaa
from ..waiting import eventually
from .daemons import Backend, TcpRouter, ask, connected, line, need
from .examples import route


class Tier:
    """UAA, Routing API and TCP router. Who upserts routes has a token."""

    def __init__(self, folder: Path) -> None:
        write_identities(folder)
        self.folder = folder
        self.uaa = Uaa(folder)
        self.config = settings(folder, oauth=self.uaa.oauth())
        self.api = Process(folder, self.config).started()
        self.group = self._group()
        own = {
            "uri": "https://127.0.0.1",
            "port": self.api.mtls_port,
            "client_cert_path": str(folder / "id.pem"),
            "client_private_key_path": str(folder / "id.key"),
            "ca_cert_path": str(folder / "ca.pem"),
        }
        self.settings = {"oauth": self.uaa.oauth("gorouter"), "routing_api": own}
        self.router = self.start("router")

    def start(self, name: str, *flags: str) -> TcpRouter:
        usual = ("-syncInterval", "1s", "-subscriptionRetryInterval", "1", "-tokenFetchRetryInterval", "50ms")
        return TcpRouter(self.folder / name, self.settings, *usual, *flags).until_healthy()

    def restart_api(self) -> None:
        self.api = Process(self.folder, self.config).started()

    def _group(self) -> str:
        with self.api.client(headers=self.uaa.token("admin")) as client:
            return str(client.get("/router_groups").json()[0]["guid"])

    def upsert(self, *routes: TcpRoute) -> None:
        self._post("create", routes)

    def delete(self, *routes: TcpRoute) -> None:
        self._post("delete", routes)

    def _post(self, what: str, routes: tuple[TcpRoute, ...]) -> None:
        body = msgspec.json.encode([msgspec.structs.replace(each, router_group_guid=self.group) for each in routes])
        with self.api.client(headers=self.uaa.token("emitter")) as client:
            assert client.post(f"/tcp_routes/{what}", content=body).status_code in (201, 204)

    def close(self) -> None:
        assert self.router.end() == 0
        assert "Traceback" not in self.router.output.read_text()
        self.api.process.kill()
        self.api.process.wait()
        self.uaa.stop()


@pytest.fixture(scope="module")
def tier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tier]:
    one = Tier(tmp_path_factory.mktemp("tier"))
    yield one
    one.close()


def test_a_route_from_its_creation_to_its_end(tier: Tier, backend: Backend) -> None:
    to = route(free_port(), "127.0.0.1", backend.port)
    tier.upsert(to)
    assert ask(to.port) == "backend"
    eventually(lambda: tier.router.table()["routes"][0]["total"] == 1, "the connection to be counted")
    tier.delete(to)
    eventually(lambda: not tier.router.routes(), "the end of the route")


def test_an_event_gets_to_the_relay_at_once(tier: Tier, backend: Backend) -> None:
    def took() -> float:
        to = route(free_port(), "127.0.0.1", backend.port)
        tier.upsert(to)
        acknowledged = time.monotonic()
        with connected(to.port):
            seconds = time.monotonic() - acknowledged
        tier.delete(to)
        return seconds

    assert any(took() < 0.1 for _ in range(20))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_routing_api_goes_away_and_comes_back(tier: Tier, backend: Backend, how: signal.Signals) -> None:
    kept, new = (route(free_port(), "127.0.0.1", backend.port) for _ in range(2))
    tier.upsert(kept)
    with connected(kept.port) as connection:
        assert line(connection) == "backend"
        tier.api.end(how)
        connection.sendall(b"hello\n")
        assert line(connection) == "hello"
        assert ask(kept.port) == "backend"
        tier.restart_api()
        tier.upsert(new)
        assert ask(new.port) == "backend"
        connection.sendall(b"again\n")
        assert line(connection) == "again"
    tier.delete(kept, new)
    eventually(lambda: not tier.router.routes(), "the end of the routes")


@pytest.mark.statement(
    "TCP router 4", "without a UAA each try is logged, -tokenFetchMaxRetries times after the first; the table stays"
)
def test_no_tokens(tier: Tier, backend: Backend) -> None:
    to = route(free_port(), "127.0.0.1", backend.port)
    tier.upsert(to)
    other = tier.start(
        "other", "-tokenFetchExpirationBufferTime", "1000000", "-tokenFetchMaxRetries", "1", "-syncInterval", "200ms"
    )
    tier.uaa.stop()
    told = ("uaa-client.error-fetching-token", "bulk-sync.error-fetching-token")
    other.until_said(told[1])
    assert [message for message in other.messages() if message in told][:3] == [told[0], told[0], told[1]]
    assert list(other.routes()) == [(to.port, "")]
    tier.uaa.start(new_key=False)
    tier.delete(to)
    eventually(lambda: not other.routes(), "the end of the route")
    assert other.end() == 0


@pytest.mark.statement("TCP router 4", "a token that the Routing API refuses is replaced at once, whatever its time")
def test_the_uaa_goes_away_and_comes_back_with_another_key(tier: Tier, backend: Backend) -> None:
    to = route(free_port(), "127.0.0.1", backend.port)
    tier.upsert(to)
    assert ask(to.port) == "backend"
    tier.uaa.stop()
    refused = len(tier.router.said("bulk-sync.retrying-sync"))
    assert ask(to.port) == "backend"
    tier.uaa.start()
    tier.upsert(route(free_port(), "127.0.0.1", backend.port))  # the Routing API learns of the new key
    eventually(lambda: len(tier.router.said("bulk-sync.retrying-sync")) > refused, "a token that is refused")
    eventually(lambda: len(tier.router.routes()) == 2, "the route that is made then")
    assert ask(to.port) == "backend"


class TlsBackends:
    """An authority, and backends with a certificate for an instance."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = certificates.make_authority("instances", time.time())
        (folder / "instances.pem").write_bytes(self.authority.certificate)
        pair = certificates.issue(self.authority, "tcp_router", [], time.time())
        (folder / "client.pem").write_bytes(pair.certificate + pair.key)

    def backend(self, instance: str, *, mutual: bool = False) -> Backend:
        pair = certificates.issue(self.authority, instance, [instance], time.time())
        file = self.folder / f"{instance}.pem"
        file.write_bytes(pair.certificate + pair.key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        if mutual:
            context.load_verify_locations(self.folder / "instances.pem")
            context.verify_mode = ssl.CERT_REQUIRED
        return Backend(instance, lambda plain: context.wrap_socket(plain, server_side=True))

    def settings(self) -> dict[str, Any]:
        paths = {"ca_cert_path": str(self.folder / "instances.pem"), "client_cert_and_key_path": str(self.folder / "client.pem")}
        return {"backend_tls": {"enabled": True, **paths}}


@pytest.mark.parametrize("engine", ["embedded", "haproxy"])
def test_tls_to_backends(start: Callable[..., TcpRouter], api: Any, tmp_path: Path, engine: str) -> None:
    need(engine)
    tls = TlsBackends(tmp_path)
    good, other = tls.backend("instance-1", mutual=True), tls.backend("instance-2")
    ports = [free_port() for _ in range(2)]
    api.routes = [
        route(ports[0], "127.0.0.1", 1, tls_port=good.port, instance_id="instance-1"),
        route(ports[1], "127.0.0.1", 1, tls_port=other.port, instance_id="instance-1"),
    ]
    start("-engine", engine, **tls.settings()).until_healthy()
    assert ask(ports[0]) == "instance-1"
    if engine == "embedded":  # it takes a while until they give up; what HAProxy verifies stands in its file
        assert ask(ports[1]) == ""
    good.close()
    other.close()


@pytest.mark.statement(
    "TCP router 9", "a port's connections are spread by the server name of their hello; without one the default gets them"
)
@pytest.mark.parametrize("engine", ["embedded", "haproxy"])
def test_server_names(start: Callable[..., TcpRouter], api: Any, tmp_path: Path, engine: str) -> None:
    need(engine)
    tls = TlsBackends(tmp_path)
    named, usual, port = tls.backend("a.test"), Backend("usual"), free_port()
    api.routes = [route(port, "127.0.0.1", named.port, sni="a.test"), route(port, "127.0.0.1", usual.port)]
    start("-engine", engine).until_healthy()
    context = ssl.create_default_context(cafile=str(tmp_path / "instances.pem"))
    with connected(port) as plain, context.wrap_socket(plain, server_hostname="a.test") as connection:
        assert line(connection) == "a.test"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"no hello\n")
        assert line(connection) == "usual"
    named.close()
    usual.close()
