"""One connection through the relay, from its beginning to its end."""

import asyncio
import os
import socket
from collections.abc import Callable

import pytest

from cfroute.relay import Backend, Listener, Settings
from cfroute.testing import ManualClock

from ..ports import free_port
from ..proxy.plumbing import Peer
from ..waiting import until
from .plumbing import HOST, Site, backend

pytestmark = pytest.mark.anyio


async def test_bytes_go_both_ways(site: Site) -> None:
    client, server = await site.pair()
    client.send(b"ping")
    await server.expect(b"ping")
    server.send(b"pong")
    await client.expect(b"pong")
    site.relay.count()
    counts = site.relay.ports[site.port].counts
    assert (counts.sessions, counts.current, counts.bytes_in, counts.bytes_out) == (1, 1, 4, 4)


async def test_the_server_may_speak_first(site: Site) -> None:
    client, server = await site.pair()
    server.send(b"220 hello")
    await client.expect(b"220 hello")


@pytest.mark.parametrize("first", ["client", "server"])
async def test_each_way_ends_by_itself(site: Site, first: str) -> None:
    one, other = await site.pair() if first == "client" else reversed(await site.pair())
    one.send(b"all I have")
    one.end()
    assert await other.rest() == b"all I have"
    for _ in range(3):
        other.send(b"late")
        await one.expect(b"late")
    other.end()
    await one.nothing_more()
    await until(lambda: site.relay.current == 0)


async def test_a_client_that_only_sends_and_leaves(site: Site) -> None:
    client, server = await site.pair()
    client.send(b"line\n" * 1000)
    client.close()
    assert await server.rest() == b"line\n" * 1000


async def test_urgent_bytes_do_not_hold_up_the_others(site: Site) -> None:
    client, server = await site.pair()
    client.send(b"x")
    await server.expect(b"x")
    with socket.socket(fileno=os.dup(client.socket.fileno())) as raw:
        for _ in range(20):
            for data, flags in ((b"before ", 0), (b"!", socket.MSG_OOB), (b"after ", 0)):
                raw.send(data, flags)
            await server.expect(b"before after ")
    client.end()
    await server.nothing_more()


async def ending(peer: Peer) -> str:
    """How the connection ends, after all that was sent."""
    try:
        while await peer.reader.read(65536):
            pass
    except ConnectionResetError:
        return "reset"
    return "end"


async def test_a_client_that_resets_resets_the_backend(site: Site) -> None:
    client, server = await site.pair()
    client.send(b"hello")
    await server.expect(b"hello")
    client.reset()
    assert await ending(server) == "reset"
    await until(lambda: site.relay.current == 0)


async def test_a_backend_that_resets_ends_the_client(site: Site) -> None:
    client, server = await site.pair()
    server.send(b"hello")
    await client.expect(b"hello")
    server.reset()
    assert await ending(client) == "end"
    await until(lambda: site.relay.current == 0)


async def test_what_a_lost_backend_has_sent_still_arrives(site: Site) -> None:
    client, server = await site.pair()
    client.stop_reading()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.send(b"x" * 30_000)
    await until(lambda: server.writer.transport.get_write_buffer_size() == 0)
    await until(lambda: received(site) == 30_000)
    server.reset()
    client.go_on_reading()
    assert len(await client.rest()) == 30_000


def received(site: Site) -> int:
    site.relay.count()
    return site.relay.ports[site.port].counts.bytes_out


async def test_a_client_that_resets_after_its_end(site: Site) -> None:
    client, server = await site.pair()
    client.end()
    await server.nothing_more()
    client.reset()
    await until(lambda: server.send(b"too late") or site.relay.current == 0)


# Backends that cannot be had


async def test_backends_take_turns(site: Site) -> None:
    second = await site.application()
    site.route(*site.applications)
    for _ in range(3):
        for application in site.applications:
            client = await site.client(b"x")
            await (await application.connection()).expect(b"x")
            client.close()
    assert second.connections == 3


async def test_a_backend_that_refuses_is_passed_over(site: Site) -> None:
    gone = Backend(HOST, free_port())
    site.relay.apply({site.port: Listener((gone, backend(site.applications[0])))})
    client, server = await site.pair()
    client.send(b"x")
    await server.expect(b"x")
    reason = f"dial tcp {gone}: connect: connection refused"
    assert site.diary.failures == [(site.port, str(gone), reason)]
    [(_, rotation)] = site.relay.ports[site.port].rotations()
    assert [member.counts.connection_errors for member in rotation.members] == [1, 0]
    assert [member.counts.current for member in rotation.members] == [0, 1]


async def test_the_only_backend_is_dialled_four_times(sites: Callable[..., Site]) -> None:
    clock = ManualClock()
    site = sites(clock=clock)
    site.relay.apply({site.port: Listener((Backend(HOST, free_port()),))})
    client = await site.client(b"hello")
    for count in range(1, 5):
        await until(lambda count=count: len(site.diary.failures) == count)
        assert site.relay.current == (count < 4)
        clock.advance(1.0)
    assert await ending(client) == "end"
    assert len(site.diary.failures) == 4


async def test_a_backend_that_comes_back_between_two_dials(sites: Callable[..., Site]) -> None:
    clock = ManualClock()
    site = sites(clock=clock)
    site.relay.apply({site.port: Listener((Backend(HOST, free_port()),))})
    await site.client(b"hello")
    await until(lambda: site.diary.failures)
    site.route(await site.application())
    clock.advance(1.0)
    await (await site.applications[0].connection()).expect(b"hello")


async def test_a_backend_that_does_not_answer(sites: Callable[..., Site]) -> None:
    clock = ManualClock()
    site = sites(clock=clock)
    with FullBacklog() as hanging:
        site.relay.apply({site.port: Listener((Backend(HOST, hanging), backend(await site.application())))})
        client = await site.client(b"hello")
        await until(lambda: site.relay.current == 1)
        clock.advance(29.0)
        assert not site.diary.failures
        clock.advance(2.0)
        assert site.diary.failures == [(site.port, f"{HOST}:{hanging}", f"dial tcp {HOST}:{hanging}: i/o timeout")]
        await (await site.applications[0].connection()).expect(b"hello")
        client.close()


class FullBacklog:
    """A listener whose queue is full, so that a connection to it is neither made nor refused."""

    def __enter__(self) -> int:
        self._listener = socket.create_server((HOST, 0), backlog=0)
        port = int(self._listener.getsockname()[1])
        self._clients = [socket.socket() for _ in range(4)]
        for client in self._clients:
            client.setblocking(False)
            client.connect_ex((HOST, port))
        return port

    def __exit__(self, *_: object) -> None:
        for one in (*self._clients, self._listener):
            one.close()


@pytest.mark.parametrize("name", ["localhost", "nobody.invalid", "a..b"])
async def test_a_backend_may_have_a_name(site: Site, name: str) -> None:
    application = site.applications[0]
    site.relay.apply({site.port: Listener((Backend(name, application.port), backend(application)))})
    client, server = await site.pair()
    client.send(b"x")
    await server.expect(b"x")
    unknown = (site.port, f"{name}:{application.port}", f"dial tcp: lookup {name}: no such host")
    assert site.diary.failures == ([] if name == "localhost" else [unknown])


async def test_nobody_is_there(site: Site) -> None:
    site.relay.apply({site.port: Listener(())})
    assert await ending(await site.client(b"hello")) == "end"


# Time


async def test_a_connection_that_is_quiet_for_too_long_is_ended(sites: Callable[..., Site]) -> None:
    clock = ManualClock()
    site = sites(clock=clock, settings=Settings(idle_timeout=10.0))
    site.route(await site.application())
    client, server = await site.pair()
    for _ in range(5):
        clock.advance(8.0)
        server.send(b"tick")
        await client.expect(b"tick")
    assert site.relay.current == 1
    clock.advance(11.5)
    await client.nothing_more()
    await server.nothing_more()


async def test_a_backend_is_told_the_clients_address(sites: Callable[..., Site]) -> None:
    site = sites(settings=Settings(proxy_line=True))
    site.route(await site.application())
    client, server = await site.pair()
    client.send(b"hello")
    port = client.socket.getsockname()[1]
    await server.expect(f"PROXY TCP4 {HOST} {HOST} {port} {site.port}\r\nhello".encode())


async def test_draining(site: Site) -> None:
    client, server = await site.pair()
    site.relay.stop_listening()
    assert not await site.relay.drain(0.0)
    with pytest.raises(ConnectionRefusedError):
        await site.client()
    draining = asyncio.ensure_future(site.relay.drain(5.0))
    client.send(b"last")
    client.close()
    assert await server.rest() == b"last"
    server.close()
    assert await draining
