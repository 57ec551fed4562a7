"""The health port answers what it is asked, and is not kept busy by those who ask nothing."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cfroute import health
from cfroute.errors import ConfigurationError


def answered(scene: Callable[[int], Any], **options: Any) -> Any:
    """What `scene` gives back, run in a thread against a health port."""

    async def main() -> Any:
        async with health.answering("127.0.0.1", 0, b"OK", **options) as port:
            return await asyncio.to_thread(scene, port)

    return asyncio.run(main())


def ask(port: int, path: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, f"http://127.0.0.1:{port}{path}", trust_env=False)


def talk(port: int, data: bytes) -> bytes:
    """What comes back until the other side closes, or hangs up on us."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection, contextlib.suppress(OSError):  # nothing left to shut
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))
    return b""


@pytest.mark.parametrize(("target", "status"), [("/ping", 200), ("/ping?x=1", 200), ("/", 404), ("/pong", 404)])
def test_one_path(target: str, status: int) -> None:
    answer = answered(lambda port: ask(port, target), path="/ping", content_type="application/json")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert (answer.text == "OK") is (status == 200)


def test_every_path_and_without_a_body_where_none_is_wanted() -> None:
    assert answered(lambda port: ask(port, "/anything")).text == "OK"
    head = answered(lambda port: ask(port, "/anything", "HEAD"))
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "2")


@pytest.mark.parametrize("data", [b"", b"GET /ping", b"x" * 200_000])
def test_what_is_no_request_gets_no_answer(data: bytes) -> None:
    assert answered(lambda port: talk(port, data)) == b""


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe \xff\r\n\r\n"])
def test_odd_requests_are_answered(data: bytes) -> None:
    assert answered(lambda port: talk(port, data), path="/ping").startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="address already in use"):
        asyncio.run(_answer_on(taken.getsockname()[1]))


async def _answer_on(port: int) -> None:
    async with health.answering("127.0.0.1", port, b""):
        pass
