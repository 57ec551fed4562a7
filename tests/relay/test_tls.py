"""TLS towards backends: who they have to prove to be, and that bytes and ends get through."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from cfroute.certificates import Pair, issue, make_authority
from cfroute.clock import SystemClock
from cfroute.relay import Backend, BackendTls, Listener, Settings
from cfroute.relay.tls import backend_context
from cfroute.testing import ManualClock

from ..proxy.plumbing import Application, Peer
from ..waiting import until
from .plumbing import Site, backend

pytestmark = pytest.mark.anyio

INSTANCE = "3f1c2f5e-8d3c-4f0c-5a5d-0b1e"
NOW = SystemClock().now()
AUTHORITY = make_authority("instances", NOW)


def written(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def shown(folder: Path, pair: Pair, *, wanted: bytes = b"") -> ssl.SSLContext:
    """What a backend shows; `wanted` is the authority that its clients need a certificate of."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(written(folder, "server.pem", pair.certificate + pair.key))
    if wanted:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=wanted.decode())
    return context


def context(folder: Path, client: Pair | None = None) -> ssl.SSLContext:
    """What the relay trusts and shows."""
    ca = written(folder, "ca.pem", AUTHORITY.certificate)
    return backend_context(ca, written(folder, "client.pem", client.certificate + client.key) if client else None)


async def secured(site: Site, folder: Path, server: ssl.SSLContext, client: Pair | None = None) -> Application:
    """An application behind the port that is spoken to by TLS."""
    application = await site.application(identity=server)
    tls = BackendTls(INSTANCE, context(folder, client))
    site.relay.apply({site.port: Listener((Backend(application.host, application.port, tls),))})
    return application


@pytest.fixture
def right() -> Pair:
    return issue(AUTHORITY, INSTANCE, [INSTANCE], NOW)


@pytest.mark.parametrize("hosts", [[INSTANCE], []], ids=["alternative name", "common name"])
async def test_a_backend_that_proves_who_it_is(site: Site, tmp_path: Path, hosts: list[str]) -> None:
    application = await secured(site, tmp_path, shown(tmp_path, issue(AUTHORITY, INSTANCE, hosts, NOW)))
    client = await site.client(b"ping")
    server = await application.connection()
    await server.expect(b"ping")
    server.send(b"pong")
    await client.expect(b"pong")


async def test_megabytes_both_ways_and_the_end(site: Site, tmp_path: Path, right: Pair) -> None:
    application = await secured(site, tmp_path, shown(tmp_path, right))
    client = await site.client()
    server = await application.connection()
    data = bytes(range(256)) * 8192
    client.send(data)
    server.send(data)
    await server.expect(data)
    await client.expect(data)
    server.close()
    await client.nothing_more()
    client.close()
    await until(lambda: site.relay.current == 0)


async def test_a_client_that_ends_ends_the_backends_input(site: Site, tmp_path: Path, right: Pair) -> None:
    application = await secured(site, tmp_path, shown(tmp_path, right))
    client = await site.client(b"all I have")
    client.end()
    server = await application.connection()
    await server.expect(b"all I have")
    await server.nothing_more()


async def test_a_backend_that_wants_a_certificate(site: Site, tmp_path: Path, right: Pair) -> None:
    mine = issue(AUTHORITY, "tcp-router", [], NOW)
    application = await secured(site, tmp_path, shown(tmp_path, right, wanted=AUTHORITY.certificate), mine)
    await site.client(b"ping")
    await (await application.connection()).expect(b"ping")


WRONG: dict[str, tuple[Callable[[], Pair], str]] = {
    "another name": (lambda: issue(AUTHORITY, "x", ["another"], NOW), "Hostname mismatch"),
    "another authority": (lambda: issue(make_authority("x", NOW), INSTANCE, [INSTANCE], NOW), "unable to get local issuer"),
    "too old": (lambda: issue(AUTHORITY, INSTANCE, [INSTANCE], NOW - 10 * 86400, days=1), "certificate has expired"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_backend_that_cannot_prove_it_is_passed_over(site: Site, tmp_path: Path, what: str) -> None:
    made, reason = WRONG[what]
    bad = await site.application(identity=shown(tmp_path, made()))
    tls = BackendTls(INSTANCE, context(tmp_path))
    good = site.applications[0]
    site.relay.apply({site.port: Listener((Backend(bad.host, bad.port, tls), backend(good)))})
    client = await site.client(b"secret")
    await (await good.connection()).expect(b"secret")
    [(_, _, told)] = site.diary.failures
    assert reason in told
    client.close()


async def test_a_backend_that_speaks_no_tls(site: Site, tmp_path: Path) -> None:
    bad, good = await site.application(), site.applications[0]
    tls = BackendTls(INSTANCE, context(tmp_path))
    site.relay.apply({site.port: Listener((Backend(bad.host, bad.port, tls), backend(good)))})
    await site.client(b"secret")
    (await bad.connection()).send(b"220 welcome\r\n" * 10)
    await (await good.connection()).expect(b"secret")
    assert "tls: WRONG_VERSION_NUMBER" in site.diary.failures[0][2]


@pytest.mark.parametrize("end", [Peer.close, Peer.reset])
async def test_a_backend_that_hangs_up_during_the_handshake(site: Site, tmp_path: Path, end: Callable[[Peer], None]) -> None:
    bad, good = await site.application(), site.applications[0]
    tls = BackendTls(INSTANCE, context(tmp_path))
    site.relay.apply({site.port: Listener((Backend(bad.host, bad.port, tls), backend(good)))})
    await site.client(b"secret")
    end(await bad.connection())
    await (await good.connection()).expect(b"secret")
    assert len(site.diary.failures) == 1


async def test_a_handshake_that_takes_too_long(sites: Callable[..., Site], tmp_path: Path) -> None:
    clock = ManualClock()
    site = sites(clock=clock, settings=Settings(connect_timeout=5.0))
    bad, good = await site.application(), await site.application()
    tls = BackendTls(INSTANCE, context(tmp_path))
    site.relay.apply({site.port: Listener((Backend(bad.host, bad.port, tls), backend(good)))})
    await site.client(b"secret")
    await (await bad.connection()).read(1)
    clock.advance(6.0)
    await (await good.connection()).expect(b"secret")
    assert site.diary.failures[0][2] == f"dial tcp {backend(bad)}: i/o timeout"


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64])
async def test_a_name_that_no_certificate_can_have(site: Site, tmp_path: Path, name: str) -> None:
    good = site.applications[0]
    tls = BackendTls(name, context(tmp_path))
    site.relay.apply({site.port: Listener((Backend(good.host, good.port, tls), backend(good)))})
    await site.client(b"secret")
    await (await good.connection()).nothing_more()
    await (await good.connection()).expect(b"secret")
    assert len(site.diary.failures) == 1


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        backend_context(str(tmp_path / "nothing.pem"))
    with pytest.raises(ssl.SSLError):
        backend_context(written(tmp_path, "ca.pem", b"nonsense"))
