"""The components' HTTP client against servers that behave, and against those that do not."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cfroute import certificates, daemon, http_client
from cfroute.http_client import Client, Unreachable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Server:
    """Reads requests without looking at them, and sends what it was told to send, one answer a request.

    An answer of None hangs up. What comes after the last answer is left without one.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self._answers.pop(0) if self._answers else b""
                if answer is None:
                    return
                writer.write(answer)
                if b"Connection: close" in answer:
                    return


def play(server: Server, scene: Callable[[Client, str], Awaitable[Any]], timeout: float = 5.0) -> Any:
    """What `scene` gives back, called with a client and the server's URL."""

    async def main() -> Any:
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        client = Client(None, timeout)
        try:
            return await scene(client, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        finally:
            await client.aclose()
            listener.close()

    return asyncio.run(main())


def test_connections_are_kept_for_the_next_request() -> None:
    server = Server(OK, OK, OK)

    async def scene(client: Client, url: str) -> list[tuple[int, bytes]]:
        return [await client.request("POST", f"{url}/a?b=c", b"body") for _ in range(3)]

    assert play(server, scene) == [(200, b"hi")] * 3
    assert server.connections == 1
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert body == b"body"


@pytest.mark.parametrize("answer", [OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK])
def test_a_connection_that_is_over_is_not_used_again(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    if answer == OK:
        monkeypatch.setattr(http_client, "_KEPT_FOR", 0.0)
    server = Server(answer, answer)

    async def scene(client: Client, url: str) -> list[tuple[int, bytes]]:
        return [await client.request("GET", url) for _ in range(2)]

    assert play(server, scene) == [(200, b"hi")] * 2
    assert server.connections == 2


def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    server = Server(*[OK] * 20)

    async def scene(client: Client, url: str) -> list[tuple[int, bytes]]:
        return list(await asyncio.gather(*(client.request("GET", url) for _ in range(20))))

    assert play(server, scene) == [(200, b"hi")] * 20
    assert server.connections == 20


def test_bodies_are_streamed_in_both_directions() -> None:
    chunked = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = Server(chunked + b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", OK)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 10_000

    async def scene(client: Client, url: str) -> Any:
        async with client.stream("PUT", url, pieces(), length=500_000) as response:
            got = response.status, response.is_error, [chunk async for chunk in response.chunks()]
        return got, await client.request("GET", url)

    assert play(server, scene) == ((201, False, [b"one", b"two"]), (200, b"hi"))
    assert server.connections == 1
    assert server.requests[0].endswith(b"x" * 500_000)


def test_an_answer_that_is_not_read_to_its_end_ends_the_connection() -> None:
    server = Server(b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\nbegin", OK)

    async def scene(client: Client, url: str) -> Any:
        async with client.stream("GET", url) as response:
            assert response.is_error
        with pytest.raises(KeyError):
            async with client.stream("GET", url):
                raise KeyError
        return await client.request("GET", url)

    server._answers.append(OK)
    assert play(server, scene) == (200, b"hi")
    assert server.connections == 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "hung up without an answer"),
        (b"nonsense\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhi", "without sending complete message body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "illegal chunk header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "no answer in time"),
        (b"", "no answer in time"),
    ],
)
def test_what_is_no_answer_says_so(answer: bytes | None, reason: str) -> None:
    async def scene(client: Client, url: str) -> None:
        await client.request("GET", f"{url}/x")

    with pytest.raises(Unreachable, match=rf"^GET http://127.0.0.1:\d+/x: .*{reason}"):
        play(Server(answer), scene, timeout=0.2)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http:///x", "ftp://x/", "http://[::1/", "http://a:b/", "http://a/ b"])
def test_where_nobody_is_and_where_nobody_can_be(url: str) -> None:
    with pytest.raises(Unreachable, match=r"^GET "):
        asyncio.run(Client(None, 5).request("GET", url))


def test_errors_of_the_reader_are_its_own() -> None:
    async def scene(client: Client, url: str) -> None:
        async with client.stream("GET", url):
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        play(Server(OK), scene)


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


def test_servers_are_verified(tmp_path: Path) -> None:
    authority = certificates.make_authority("CA", time.time())
    pair = certificates.issue(authority, "server", ["127.0.0.1"], time.time())
    for name, pem in {"ca": authority.certificate, "crt": pair.certificate, "key": pair.key}.items():
        (tmp_path / name).write_bytes(pem)
    identity = str(tmp_path / "crt"), str(tmp_path / "key")

    async def ask(context: ssl.SSLContext) -> tuple[int, bytes]:
        async with daemon.serving(hello, "127.0.0.1", 0, certificate=identity) as port:
            return await Client(context, 5).request("GET", f"https://127.0.0.1:{port}/")

    assert asyncio.run(ask(ssl.create_default_context(cafile=str(tmp_path / "ca")))) == (200, b"hi")
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(ask(ssl.create_default_context()))


def test_the_headers_of_an_answer_are_there_before_its_body() -> None:
    async def scene(client: Client, url: str) -> list[tuple[str, str]]:
        async with client.stream("GET", url) as answer:
            return answer.headers

    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Cf-Warnings: a+b\r\n\r\nhi")
    assert play(server, scene) == [("content-length", "2"), ("x-cf-warnings", "a+b")]
