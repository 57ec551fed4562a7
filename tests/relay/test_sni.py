"""Ports with pools by the name that a TLS client asks for."""

import asyncio
import ssl
from collections.abc import Callable

import pytest

from cfroute.certificates import issue, make_authority
from cfroute.clock import SystemClock
from cfroute.relay import Listener
from cfroute.testing import ManualClock

from ..proxy.plumbing import Application
from ..waiting import until
from .plumbing import Site, backend

pytestmark = pytest.mark.anyio

NAMES = ("one.test", "two.test")


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, ssl.SSLContext], ssl.SSLContext]:
    """What servers of the names show, and what a client trusts."""
    folder, now = tmp_path_factory.mktemp("identities"), SystemClock().now()
    authority = make_authority("authority", now)
    servers = {}
    for name in NAMES:
        pair, file = issue(authority, name, [name], now), folder / name
        file.write_bytes(pair.certificate + pair.key)
        servers[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        servers[name].load_cert_chain(file)
    return servers, ssl.create_default_context(cadata=authority.certificate.decode())


def hello(name: str | None) -> bytes:
    """What a TLS client begins with that asks for the name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


async def named(site: Site, *, default: bool) -> dict[str, Application]:
    """A backend for each name, and one for all others if wanted."""
    found = {name: await site.application() for name in NAMES}
    if default:
        found[""] = await site.application()
    by_sni = {name: (backend(found[name]),) for name in NAMES}
    site.relay.apply({site.port: Listener((backend(found[""]),) if default else None, by_sni)})
    return found


async def test_real_clients_get_to_the_server_of_the_name(
    site: Site, identities: tuple[dict[str, ssl.SSLContext], ssl.SSLContext]
) -> None:
    servers, trust = identities
    applications = {name: await site.application(identity=servers[name]) for name in NAMES}
    site.relay.apply({site.port: Listener(None, {name: (backend(one),) for name, one in applications.items()})})
    for name in (*NAMES, "ONE.test"):
        client = await site.client(b"hello", ssl=trust, server_hostname=name)
        server = await applications[name.lower()].connection()
        await server.expect(b"hello")
        server.send(b"x" * 200_000)
        await client.expect(b"x" * 200_000)


@pytest.mark.parametrize("size", [1, 5, 50])
async def test_a_hello_in_pieces(site: Site, size: int) -> None:
    applications = await named(site, default=False)
    client, data = await site.client(), hello("two.test")
    await client.trickle(data, size)
    await (await applications["two.test"].connection()).expect(data)


DEFAULT = {
    "another name": hello("three.test"),
    "no name": hello(None),
    "no TLS": b"GET / HTTP/1.1\r\n\r\n",
    "one byte": b"\x00",
    "a broken hello": b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
    "an endless hello": b"\x16\x03\x01\xff\xff\x01\xff\xff\xff" + bytes(70_000),
}


@pytest.mark.parametrize("what", DEFAULT)
async def test_everybody_else_gets_the_default(site: Site, what: str) -> None:
    applications = await named(site, default=True)
    data = DEFAULT[what]
    await site.client(data)
    await (await applications[""].connection()).expect(data)


@pytest.mark.parametrize("what", DEFAULT)
async def test_without_a_default_everybody_else_is_turned_away(site: Site, what: str) -> None:
    await named(site, default=False)
    client = await site.client(DEFAULT[what])
    await client.nothing_more()
    await until(lambda: site.relay.current == 0)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("data", [b"", hello("one.test")[:100]], ids=["nothing", "half a hello"])
async def test_who_says_too_little_for_too_long(sites: Callable[..., Site], default: bool, data: bytes) -> None:
    clock = ManualClock()
    site = sites(clock=clock)
    applications = await named(site, default=default)
    client = await site.client(data)
    await until(lambda: site.relay.current == 1)
    clock.advance(4.5)
    assert site.relay.current == 1
    assert not any(one.connections for one in applications.values())
    await asyncio.sleep(0)
    clock.advance(1.0)
    if default:
        server = await applications[""].connection()
        server.send(b"220 I speak first")
        await client.expect(b"220 I speak first")
        await server.expect(data)
    else:
        await client.nothing_more()


async def test_a_client_that_leaves_before_its_hello_is_complete(site: Site) -> None:
    applications = await named(site, default=True)
    data = hello("one.test")[:100]
    client = await site.client(data)
    client.end()
    assert await (await applications[""].connection()).rest() == data


async def test_names_come_and_go(site: Site) -> None:
    applications = await named(site, default=True)
    client = await site.client(hello("one.test"))
    server = await applications["one.test"].connection()
    await server.expect(hello("one.test")[:5])
    site.route(applications[""])
    await site.client(hello("one.test"))
    await applications[""].connection()
    server.send(b"still here")
    await client.expect(b"still here")
