"""A defect in a policy costs one client one response, and is told."""

import pytest

from cfroute.proxy.exchange import Exchange

from ..waiting import until
from .plumbing import OK, Rig, get

GONE_WRONG = (
    b"HTTP/1.1 502 Bad Gateway\r\nX-Cf-Routererror: unknown_failure\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


@pytest.fixture
def defects(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    monkeypatch.setattr(rig.witness, "panicked", lambda exchange, defect: told.append(str(defect)))
    return told


def raising(*_: object) -> None:
    raise ValueError("out of order")


async def test_before_the_request_is_sent(rig: Rig, defects: list[str]) -> None:
    rig.policy.at_once = raising
    client = await rig.client(get())
    await client.expect(GONE_WRONG)
    await client.nothing_more()
    assert defects == ["out of order"]
    assert list(rig.policy.finished_times.values()) == [1]


async def test_when_the_response_is_there(rig: Rig, defects: list[str]) -> None:
    rig.policy.instead = raising
    app = await rig.application()
    client = await rig.client(get())
    (await app.request()).send(OK)
    await client.expect(GONE_WRONG)
    await client.nothing_more()
    assert defects == ["out of order"]


async def test_at_the_end(rig: Rig, defects: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    finished = rig.policy.finished

    def finished_badly(exchange: Exchange) -> None:
        finished(exchange)
        raising()

    monkeypatch.setattr(rig.policy, "finished", finished_badly)
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    backend.send(OK)
    await client.response()
    await until(lambda: defects == ["out of order"])
    client.send(get("/next"))  # the connection goes on
    await backend.head()
