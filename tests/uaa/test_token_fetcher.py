"""Tokens of a client: kept, fetched anew, waited for. The UAA is a stub, which can be in trouble."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cfroute.clock import SystemClock
from cfroute.http_client import Client
from cfroute.testing import ManualClock
from cfroute.uaa import client as uaa
from cfroute.uaa.client import Credentials, NoTokens, Patience, TokenFetcher, UaaError

from ..gorouter.routing_servers import RoutingServers


class Lines:
    """What is logged."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []

    def debug(self, message: str, **data: Any) -> None:
        self.said.append((message, data))

    error = debug


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[RoutingServers]:
    servers = RoutingServers(tmp_path)
    yield servers
    servers.close()


def run(
    servers: RoutingServers,
    scenario: Callable[[TokenFetcher], Awaitable[Any]],
    clock: Any = None,
    log: Lines | None = None,
    **patience: float,
) -> Any:
    """Let a scenario have a fetcher; what it gives back."""
    context = uaa.tls_context(str(servers.identities.ca_file), skip=False)

    async def whole() -> Any:
        tokens = TokenFetcher(
            uaa.url_of("127.0.0.1", servers.uaa_port),
            Credentials("gorouter", "a+b"),
            context,
            log or Lines(),
            clock or SystemClock(),
            Patience(**{"pause": 0.001, **patience}),  # type: ignore[arg-type]
        )
        try:
            return await scenario(tokens)
        finally:
            await tokens.aclose()

    return asyncio.run(whole())


def test_how_it_is_asked(servers: RoutingServers) -> None:
    assert run(servers, lambda tokens: tokens.fetch()) == "token-1"
    assert servers.credentials == "gorouter:a%2Bb"
    (asked,) = servers.asked("POST /oauth/token")
    assert asked["x-cf-encoded-credentials"] == "true"
    assert asked["content-type"] == "application/x-www-form-urlencoded"
    assert servers.requests[0][2] == b"grant_type=client_credentials&token_format=jwt"


def test_a_uaa_in_trouble_is_asked_again(servers: RoutingServers) -> None:
    servers.token_answers = [(500, b"{}"), (503, b""), (500, b"{}")]
    log = Lines()
    assert run(servers, lambda tokens: tokens.fetch(), log=log) == "token-1"
    assert len(servers.asked("POST")) == 4
    messages = [message for message, _ in log.said]
    assert messages == [
        "started-fetching-token",
        *["error-fetching-token", "retry-fetching-token"] * 3,
        "successfully-fetched-token",
    ]


def test_but_not_for_ever(servers: RoutingServers) -> None:
    servers.token_answers = [(500, b"{}")] * 3
    with pytest.raises(UaaError, match=r"^oauth2: cannot fetch token: 500 Internal Server Error\nResponse: {}$"):
        run(servers, lambda tokens: tokens.fetch(), retries=2)
    assert len(servers.asked("POST")) == 3


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (401, b'{"error":"unauthorized","error_description":"Bad credentials"}', 'oauth2: "unauthorized" "Bad credentials"'),
        (400, b'{"error":"invalid_scope"}', 'oauth2: "invalid_scope"'),
        (404, b"no", "oauth2: cannot fetch token: 404 Not Found\nResponse: no"),
        (200, b"{}", "oauth2: server response missing access_token"),
    ],
)
def test_a_refusal_is_final(servers: RoutingServers, status: int, body: bytes, text: str) -> None:
    servers.token_answers = [(status, body)]
    log = Lines()
    with pytest.raises(UaaError) as refused:
        run(servers, lambda tokens: tokens.fetch(), log=log)
    assert str(refused.value) == text
    assert log.said[-1] == ("error-fetching-token", {"error": text})
    assert len(servers.asked("POST")) == 1


def test_an_answer_that_is_no_json(servers: RoutingServers) -> None:
    servers.token_answers = [(200, b"access_token=x")]
    with pytest.raises(UaaError, match=r"^oauth2: cannot parse json"):
        run(servers, lambda tokens: tokens.fetch())


def test_a_token_is_fetched_anew_before_its_end(servers: RoutingServers) -> None:
    servers.expires_in = 100
    clock = ManualClock()

    async def scenario(tokens: TokenFetcher) -> list[str]:
        first = await tokens.fetch()
        clock.advance(69)
        again = await tokens.fetch()
        clock.advance(1)
        return [first, again, await tokens.fetch(), await tokens.fetch(anew=True)]

    assert run(servers, scenario, clock) == ["token-1", "token-1", "token-2", "token-3"]


def test_one_fetch_serves_all_who_wait(servers: RoutingServers) -> None:
    async def scenario(tokens: TokenFetcher) -> list[str]:
        return [
            *await asyncio.gather(*(tokens.fetch() for _ in range(5))),
            *await asyncio.gather(*(tokens.fetch(anew=True) for _ in range(5))),
        ]

    assert run(servers, scenario) == ["token-1"] * 5 + ["token-2"] * 5
    assert len(servers.asked("POST")) == 2


def test_who_does_not_wait_any_more_does_not_stop_the_others(servers: RoutingServers) -> None:
    async def scenario(tokens: TokenFetcher) -> str:
        impatient = asyncio.ensure_future(tokens.fetch())
        patient = asyncio.ensure_future(tokens.fetch())
        await asyncio.sleep(0)
        impatient.cancel()
        return await patient

    assert run(servers, scenario).startswith("token-")


def test_authorities_that_are_not_there() -> None:
    with pytest.raises(UaaError, match=r"^failed to read ca cert file /nowhere/ca.pem: no such file or directory$"):
        uaa.tls_context("/nowhere/ca.pem", skip=False)


def test_who_needs_no_tokens() -> None:
    async def scenario() -> str:
        tokens = NoTokens()
        await tokens.aclose()
        return await tokens.fetch(anew=True)

    assert asyncio.run(scenario()) == ""


@pytest.mark.parametrize("skip", [True, False])
def test_a_uaa_of_another_authority(servers: RoutingServers, skip: bool) -> None:
    async def scenario() -> int:
        client = Client(uaa.tls_context("", skip=skip), 5.0)
        status, _ = await client.request("POST", uaa.url_of("localhost", servers.uaa_port))
        await client.aclose()
        return status

    if skip:
        assert asyncio.run(scenario()) == 200
    else:
        with pytest.raises(Exception, match="certificate verify failed"):
            asyncio.run(scenario())
