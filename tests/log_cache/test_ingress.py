"""Log lines that come by UDP."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from cfroute.dropsonde import CounterEvent, LogMessage, envelope
from cfroute.errors import ConfigurationError
from cfroute.log_cache import LogWriter, read
from cfroute.log_cache.ingress import Ingress, listening
from cfroute.logs import DEBUG, Logger
from cfroute.testing import ManualClock

pytestmark = pytest.mark.anyio


class Lines(list[dict]):
    """A log stream that keeps its lines as objects."""

    def write(self, text: str) -> None:
        self.append(json.loads(text))

    def flush(self) -> None:
        """Nothing is held back."""


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def log(lines, clock):
    return Logger("test", DEBUG, stream=lines, clock=clock)


def told(app: str, text: bytes, stamp: int = 7, *, error: bool = False) -> bytes:
    return envelope(b"gorouter", stamp, LogMessage(text, stamp, app.encode(), b"RTR", b"1", error))


def test_lines_are_written_together(tmp_path, clock, log, lines):
    ingress = Ingress(LogWriter(tmp_path, clock=clock), clock, log)
    ingress.datagram_received(told("one", b"first"), None)
    ingress.datagram_received(told("two", b"other", error=True), None)
    ingress.datagram_received(told("one", "caf\u00e9 \udcff".encode("utf-8", "surrogateescape"), 8), None)
    assert read(tmp_path, "one") == []
    clock.advance(0.05)
    first, second = read(tmp_path, "one")
    assert (first.timestamp, first.source_type, first.instance_id, first.type, first.payload) == (7, "RTR", "1", "OUT", "first")
    assert (second.timestamp, second.payload) == (8, "café \ufffd")
    assert [each.type for each in read(tmp_path, "two")] == ["ERR"]
    assert (lines, clock.waiting) == ([], 0)


def test_what_is_no_log_line_is_not_kept(tmp_path, clock, log, lines):
    ingress = Ingress(LogWriter(tmp_path, clock=clock), clock, log)
    ingress.datagram_received(envelope(b"gorouter", 1, CounterEvent("c", 1)), None)
    ingress.datagram_received(b"\xff", None)
    ingress.datagram_received(told("../escape", b"x"), None)
    clock.advance(1)
    assert list(tmp_path.iterdir()) == []
    assert [line["message"] for line in lines] == ["not-an-envelope", "not-an-app"]


def test_a_full_disk_is_told_once(tmp_path, clock, log, lines):
    ingress = Ingress(LogWriter(tmp_path / "missing", clock=clock), clock, log)
    for _ in range(3):
        ingress.datagram_received(told("app", b"x"), None)
        ingress.flush()
    assert [line["message"] for line in lines] == ["app-logs-not-written"]
    (tmp_path / "missing").mkdir()
    ingress.datagram_received(told("app", b"written"), None)
    ingress.flush()
    assert [each.payload for each in read(tmp_path / "missing", "app")] == ["written"]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_datagrams_arrive_and_the_last_ones_are_not_lost(tmp_path: Path, clock, log):
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        async with listening("127.0.0.1", port, LogWriter(tmp_path, clock=clock), clock, log):
            sender.sendto(told("app", b"here"), ("127.0.0.1", port))
            async with asyncio.timeout(30):
                while not clock.waiting:
                    await asyncio.sleep(0)
    assert [each.payload for each in read(tmp_path, "app")] == ["here"]


async def test_a_port_that_is_taken(tmp_path, clock, log):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}: address already in use"):
            async with listening("127.0.0.1", port, LogWriter(tmp_path), clock, log):
                pass


async def test_without_a_port_nobody_listens(tmp_path, clock, log):
    async with listening("127.0.0.1", 0, LogWriter(tmp_path), clock, log):
        assert list(tmp_path.iterdir()) == []
