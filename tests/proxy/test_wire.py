"""Messages in the order in which Go writes them."""

from typing import Any

import pytest

from cfroute.proxy.answer import Answer
from cfroute.proxy.head import RequestHead, parse_request
from cfroute.proxy.headers import Headers
from cfroute.proxy.status import reason, status_line
from cfroute.proxy.wire import answer_bytes, http_date, request_bytes


def head(first: str = "GET / HTTP/1.1", *lines: str) -> RequestHead:
    read = parse_request("\r\n".join((first, "Host: a.test:81", *lines, "", "")).encode(), 1 << 20)
    assert read is not None
    return read[0]


def written(*arguments: str, close: bool = False, **more: Any) -> str:
    request = head(*arguments)
    return request_bytes(request, (request.target, request.host, close)).decode()


def test_a_request_begins_with_host_and_user_agent() -> None:
    lines = ("X-B: 1", "Accept: x", "User-Agent: u", "X-A: 1", "X-B: 2", "Cookie: a=1", "Cookie: b=2")
    assert written("GET /p?q HTTP/1.0", *lines).split("\r\n") == [
        "GET /p?q HTTP/1.1", "Host: a.test:81", "User-Agent: u", "Accept: x", "Cookie: a=1", "Cookie: b=2", "X-A: 1", "X-B: 1",
        "X-B: 2", "", "",
    ]  # fmt: skip


LENGTHS = {
    ("POST",): "Content-Length: 0",
    ("PUT",): "Content-Length: 0",
    ("PATCH",): "Content-Length: 0",
    ("GET",): None,
    ("HEAD",): None,
    ("DELETE", "Content-Length: 0"): None,
    ("GET", "Content-Length: 3"): "Content-Length: 3",
    ("DELETE", "Content-Length: 003"): "Content-Length: 3",
    ("POST", "Transfer-Encoding: chunked"): "Transfer-Encoding: chunked",
    ("GET", "Transfer-Encoding: chunked", "Content-Length: 3"): "Transfer-Encoding: chunked",
}


@pytest.mark.parametrize("case", LENGTHS)
def test_the_length_of_a_request(case: tuple[str, ...]) -> None:
    method, *lines = case
    found = [line for line in written(f"{method} / HTTP/1.1", *lines).split("\r\n") if line.startswith(("Content", "Transfer"))]
    assert found == ([LENGTHS[case]] if LENGTHS[case] else [])


def test_announced_trailers_follow_the_length() -> None:
    assert written("POST / HTTP/1.1", "Trailer: x, A", "Transfer-Encoding: chunked", "Accept: y").split("\r\n")[2:6] == [
        "Transfer-Encoding: chunked", "Trailer: A,X", "Accept: y", "",
    ]  # fmt: skip


def test_close_comes_last_but_not_for_a_change_of_protocol() -> None:
    assert written("GET / HTTP/1.1", "X: y", close=True).endswith("\r\nX: y\r\nConnection: close\r\n\r\n")
    upgrade = written("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: x", close=True)
    assert upgrade.endswith("\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")


def test_an_answer() -> None:
    answer = Answer(404, b"no\n", Headers({b"X-B": (b"1",), b"Content-Type": (b"t",)}))
    start = b"HTTP/1.1 404 Not Found\r\nContent-Type: t\r\nX-B: 1\r\nDate: Thu, 01 Jan 1970 00:00:01 GMT\r\nContent-Length: 3\r\n"
    assert answer_bytes(answer, head(), 1.5, keep_alive=True) == start + b"\r\nno\n"
    assert answer_bytes(answer, head("HEAD / HTTP/1.1"), 1.5, keep_alive=True) == start + b"\r\n"
    assert answer_bytes(answer, head(), 1.5, keep_alive=False) == start + b"Connection: close\r\n\r\nno\n"
    old = start.replace(b"1.1", b"1.0")
    assert answer_bytes(answer, head("GET / HTTP/1.0"), 1.5, keep_alive=True) == old + b"Connection: keep-alive\r\n\r\nno\n"
    assert answer_bytes(Answer(0, bare=b"bare"), head(), 1.5, keep_alive=True) == b"bare"


def test_the_date_is_that_of_the_second() -> None:
    assert http_date(1_700_000_000.9) == b"Tue, 14 Nov 2023 22:13:20 GMT"
    assert http_date(1_700_000_001) == b"Tue, 14 Nov 2023 22:13:21 GMT"
    assert http_date(1_700_000_000.1) == b"Tue, 14 Nov 2023 22:13:20 GMT"


REASONS = {
    103: "Early Hints", 203: "Non-Authoritative Information", 413: "Request Entity Too Large", 414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable", 418: "I'm a teapot", 421: "Misdirected Request", 422: "Unprocessable Entity",
    425: "Too Early", 505: "HTTP Version Not Supported", 499: "status code 499", 526: "status code 526", 306: "status code 306",
}  # fmt: skip


@pytest.mark.parametrize("code", REASONS)
def test_reasons(code: int) -> None:
    assert reason(code) == REASONS[code]
    assert status_line(b"HTTP/1.1", code) == f"HTTP/1.1 {code} {REASONS[code]}\r\n".encode()
