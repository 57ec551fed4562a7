"""The client of the Routing API, with a real one and a real UAA; only a server in trouble is made up."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from cfroute.clock import SystemClock
from cfroute.http_client import Unreachable
from cfroute.routing_api.api import Event, ModificationTag, Route, RouterGroup, TcpRoute
from cfroute.routing_api.client import RoutingApi, mutual_tls
from cfroute.routing_api.errors import ApiError, Unauthorized, refusal
from cfroute.testing import ManualClock
from cfroute.uaa import client as uaa_client
from cfroute.uaa.client import Credentials, TokenFetcher, UaaClient, UaaError

from ..ports import free_port
from ..waiting import until
from .daemons import DEADLINE, Process, settings, write_identities
from .examples import tcp
from .uaas import SECRET, Uaa

T = TypeVar("T")
Launch = Callable[..., Process]


def run(api: RoutingApi, scenario: Awaitable[T]) -> T:
    async def whole() -> T:
        try:
            async with asyncio.timeout(DEADLINE):
                return await scenario
        finally:
            await api.aclose()

    return asyncio.run(whole())


def client(process: Process, clock: Any = None) -> RoutingApi:
    return RoutingApi(f"http://127.0.0.1:{process.port}", None, clock or SystemClock(), retry_after=0.02)


# Requests


def test_tcp_routes_and_router_groups(shared: Process, group: str) -> None:
    api = client(shared)
    one = tcp(router_group_guid=group, backend_ip="10.9.0.1", isolation_segment="of its client")

    async def scenario() -> None:
        assert RouterGroup(group, "default-tcp", "tcp", "1024-1123") in await api.router_groups("")
        (found,) = await api.router_groups("", "default-tcp")
        assert found.guid == group
        with pytest.raises(ApiError) as refused:
            await api.router_groups("", "nobody's & all")
        assert (refused.value.status, str(refused.value)) == (404, "Router Group 'nobody's & all' not found")
        await api.create_tcp_routes("", [one])
        (kept,) = await api.tcp_routes("", ["of its client"])
        assert kept.tagged(one.modification_tag) == one
        assert kept in await api.tcp_routes("")
        await api.delete_tcp_routes("", [one])
        assert await api.tcp_routes("", ["of its client"]) == []
        assert "api.sys.test/routing" in [route.route for route in await api.routes("")]
        with pytest.raises(ApiError) as refused:
            await api.create_tcp_routes("", [tcp(router_group_guid="nobody's")])
        assert (refused.value.status, refused.value.name) == (400, "ProcessRequestError")
        assert str(refused.value).endswith("router_group_guid: nobody's not found")

    run(api, scenario())


def test_mutual_tls(shared: Process) -> None:
    folder = shared.output.parent
    context = mutual_tls(str(folder / "ca.pem"), str(folder / "id.pem"), str(folder / "id.key"))
    api = RoutingApi(f"https://127.0.0.1:{shared.mtls_port}/", context, SystemClock())
    assert run(api, api.router_groups(""))
    with pytest.raises(OSError, match="No such file"):
        mutual_tls(str(folder / "nowhere"), str(folder / "id.pem"), str(folder / "id.key"))


def test_a_server_that_is_away() -> None:
    api = RoutingApi(f"http://127.0.0.1:{free_port()}", None, SystemClock())
    with pytest.raises(Unreachable):
        run(api, api.tcp_routes(""))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Uaa, Process]]:
    folder = tmp_path_factory.mktemp("asked")
    write_identities(folder)
    uaa = Uaa(folder)
    process = Process(folder, settings(folder, oauth=uaa.oauth())).started()
    yield uaa, process
    assert process.end() == 0
    uaa.stop()


def test_tokens_of_a_real_uaa(guarded: tuple[Uaa, Process]) -> None:
    uaa, process = guarded
    api = client(process)
    context = uaa_client.tls_context(str(uaa.folder / "ca.pem"), skip=False)
    url = uaa_client.url_of("127.0.0.1", uaa.port)

    async def scenario() -> None:
        log: Any = Silent()
        tokens = TokenFetcher(url, Credentials("emitter", SECRET), context, log, SystemClock())
        token = await tokens.fetch()
        assert await api.tcp_routes(token) == []
        assert await tokens.fetch() == token
        assert await tokens.fetch(anew=True) != token
        with pytest.raises(Unauthorized, match=r"^unauthorized$"):
            await api.router_groups(token)
        with pytest.raises(Unauthorized):
            async with api.events(TcpRoute, "no token"):
                raise AssertionError("it should not come to that")
        async with api.events(TcpRoute, token):
            pass
        await tokens.aclose()
        with pytest.raises(UaaError, match=r'oauth2: "unauthorized"'):
            await TokenFetcher(url, Credentials("emitter", "wrong"), context, log, SystemClock()).fetch()
        known = UaaClient(url, context)
        assert await known.issuer() == uaa.issuer
        assert (await known.token_key()).startswith("-----BEGIN PUBLIC KEY-----\n")
        await known.aclose()

    run(api, scenario())


class Silent:
    def debug(self, message: str, **data: Any) -> None:
        """Nobody reads it."""

    error = debug


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "parsing response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "parsing response"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "/token_key: 302$"),
        (b"", "hung up"),
    ],
)
def test_a_uaa_that_makes_no_sense(answer: bytes, text: str) -> None:
    async def scenario() -> None:
        async with Scripted(answer) as server:
            known = UaaClient(server.url, uaa_client.tls_context("", skip=True))
            with pytest.raises(UaaError, match=text):
                await known.token_key()
            await known.aclose()

    asyncio.run(scenario())


# Events


def test_events_of_both_kinds(shared: Process, group: str) -> None:
    api = client(shared)
    one = tcp(router_group_guid=group, backend_ip="10.9.0.2")

    async def scenario() -> None:
        async with api.events(TcpRoute, "") as events:
            await api.create_tcp_routes("", [one])
            action, first = await anext(events)
            assert (action, first.key, first.modification_tag.index) == ("Upsert", one.key, 0)
            await api.create_tcp_routes("", [one])
            second = (await anext(events)).route
            assert second.modification_tag == first.modification_tag.next()
            await api.delete_tcp_routes("", [one])
            assert await anext(events) == Event("Delete", second)
        async with api.events(Route, "") as http_events:
            shared.client().post("/routes", json=[{"route": "told.test", "port": 80, "ip": "1.2.3.4", "log_guid": "x"}])
            event = await anext(http_events)
            assert (event.action, event.route.route, event.route.ttl) == ("Upsert", "told.test", 120)

    run(api, scenario())


@pytest.mark.statement("Routing API 14", "the end of a stream is told to the caller; a stream that is cut off is taken up again")
def test_a_server_that_is_killed_is_found_again(launch: Launch) -> None:
    """It is waited for without a word, both while subscribing and after the stream was cut off."""
    process = launch("-devMode").started()
    api = client(process)
    config = process.config

    async def scenario() -> None:
        async with api.events(TcpRoute, "") as events:
            process.end(signal.SIGKILL)
            following = asyncio.ensure_future(anext(events))
            again = asyncio.ensure_future(subscribed(api))
            await asyncio.sleep(0)
            other = await asyncio.to_thread(lambda: launch("-devMode", config=config).started())
            await again
            group = (await api.router_groups(""))[0].guid
            for port in range(20000, 20500):  # the other subscription may come a bit later
                await api.create_tcp_routes("", [tcp(router_group_guid=group, port=port)])
                if (await asyncio.wait([following], timeout=0.02))[0]:
                    break
            assert (await following).action == "Upsert"
            assert other.end() == 0
            async for event in events:  # until it is ended, which is not being cut off
                assert event.action == "Upsert"

    run(api, scenario())


async def subscribed(api: RoutingApi) -> None:
    async with api.events(TcpRoute, ""):
        return


STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(text: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(text), text)


class Scripted:
    """A server that answers each connection's one request with the next of some texts, the last again and again."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.heads: list[str] = []

    async def __aenter__(self) -> "Scripted":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])
        writer.close()


@pytest.mark.statement(
    "Routing API 14", "subscribers retry failed connections and 500, 502, 503, 504 every second for ever, and nothing else"
)
def test_what_a_subscription_waits_for_and_what_not() -> None:
    clock = ManualClock()
    troubles = [b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status for status in (500, 502, 503, 504)]
    event = b'id: 7\nevent: Upsert\ndata: {"port":1024}\n\n'
    refused = b"HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n"
    answers = [b"", *troubles, STREAM + chunk(event), refused]

    async def scenario() -> list[str]:
        async with Scripted(*answers) as server:
            api = RoutingApi(server.url, None, clock)
            entering = asyncio.ensure_future(follow(api))
            for number in range(1, len(answers)):
                await until(lambda number=number: len(server.heads) == number and clock.waiting)  # type: ignore[misc]
                clock.advance(0.999)
                assert len(server.heads) == number, "it waits for a second"
                clock.advance(0.001)
            with pytest.raises(Unauthorized):
                await entering
            await api.aclose()
            return server.heads

    async def follow(api: RoutingApi) -> None:
        async with api.events(TcpRoute, "t") as events:
            assert await anext(events) == Event("Upsert", TcpRoute(port=1024))
            await anext(events)

    heads = asyncio.run(asyncio.wait_for(scenario(), DEADLINE))
    assert len(heads) == len(answers)
    assert all("Accept: text/event-stream\r\n" in head and "Authorization: bearer t\r\n" in head for head in heads)
    assert ["Last-Event-ID: 7\r\n" in head for head in heads] == [False] * 6 + [True]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"event: Upsert\ndata: {\n\n", "^the event cannot be read: "),
        (b'event: Upsert\ndata: {"port":70000}\n\n', "^the event cannot be read: "),
        (b"event: Upsert\n\n", "^the event cannot be read: "),
        (b"data: " + b"x" * (1 << 20), "^the event stream cannot be read: an event has no end$"),
    ],
)
def test_events_that_make_no_sense(text: bytes, complaint: str) -> None:
    async def scenario() -> None:
        async with Scripted(STREAM + chunk(text)) as server:
            api = RoutingApi(server.url, None, SystemClock())
            with pytest.raises(ApiError, match=complaint):
                async with api.events(TcpRoute, "") as events:
                    await anext(events)
            await api.aclose()

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


def test_actions_that_there_will_be() -> None:
    async def scenario() -> None:
        async with Scripted(STREAM + chunk(b": hello\n\nevent: Rename\ndata: {}\n\n") + b"0\r\n\r\n") as server:
            api = RoutingApi(server.url, None, SystemClock())
            async with api.events(TcpRoute, "") as events:
                assert [event async for event in events] == [Event("Rename", TcpRoute())]
            await api.aclose()

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


# Values


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'[{"port":70000}]'])
def test_answers_that_make_no_sense(body: bytes) -> None:
    async def scenario() -> None:
        async with Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as server:
            api = RoutingApi(server.url, None, SystemClock())
            with pytest.raises(ApiError, match=r"^the answer cannot be read: "):
                await api.routes("")
            await api.aclose()

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE))


@pytest.mark.statement("Routing API 14", '401 is "unauthorized"; other refusals are the JSON\'s message, or a ResponseError')
def test_refusals() -> None:
    assert isinstance(refusal(401, b"x"), Unauthorized)
    assert str(refusal(401, b'{"message":"Token is expired"}')) == "unauthorized"
    told = refusal(503, b'{"name":"DBCommunicationError","message":"Database unavailable"}')
    assert (told.status, told.name, str(told)) == (503, "DBCommunicationError", "Database unavailable")
    assert str(refusal(500, b"oops")) == str(refusal(500, b"{}")) == "bad response: 500"
    assert refusal(500, b"\xff").name == "ResponseError"


@pytest.mark.statement("Routing API 6", "a tag succeeds another if it counts more, has another guid, or one of them has none")
@pytest.mark.parametrize(
    ("newer", "older", "succeeds"),
    [
        (("a", 2), ("a", 1), True),
        (("a", 1), ("a", 1), False),
        (("a", 1), ("a", 2), False),
        (("b", 0), ("a", 9), True),
        (("", 0), ("a", 9), True),
        (("a", 0), ("", 9), True),
    ],
)
def test_which_version_succeeds_which(newer: tuple[str, int], older: tuple[str, int], succeeds: bool) -> None:
    assert ModificationTag(*newer).succeeds(ModificationTag(*older)) is succeeds


def test_what_a_client_loads() -> None:
    """Every daemon that asks the Routing API pays for it."""
    heavy = ("sqlalchemy", "httpx", "starlette", "uvicorn", "cryptography", "anyio")
    program = f"import cfroute.uaa.client, cfroute.routing_api.client, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
