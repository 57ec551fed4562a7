"""Clients that are greedy, silent or hostile, and a disk that is full: nobody else notices, and nothing is lost."""

import contextlib
import itertools
import resource
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from ..waiting import eventually
from .daemons import DEADLINE, Process
from .test_api import http, tcp

Launch = Callable[..., Process]


@pytest.mark.parametrize("repeated", ["[", '[{"x":', '[{"modification_tag":'])
def test_brackets_without_end(api: httpx.Client, repeated: str) -> None:
    opening = '[{"x":' + repeated * 60_000
    for path in ("/routes", "/tcp_routes/create", "/router_groups"):
        answer = api.post(path, content=opening)
        assert (answer.status_code, answer.json()["message"]) == (400, "Cannot process request: exceeded max depth")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b'[{"route":"\xff.test","port":1,"ip":"x"}]',
        b'[{"route":"\\ud800.test","port":1}]',
        b"\0",
        b"{" * 100,
    ],
)
def test_bodies_that_are_no_text(api: httpx.Client, body: bytes) -> None:
    answer = api.post("/routes", content=body)
    assert answer.status_code == 400
    assert answer.json()["name"] in ("ProcessRequestError", "RouteInvalidError")


@pytest.mark.parametrize("request_", [b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n"])
def test_what_is_no_http(shared: Process, api: httpx.Client, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), DEADLINE) as client:
        client.sendall(request_)
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    assert api.get("/routes").status_code == 200


# A full disk


def room(process: Process, size: int) -> None:
    """Let the process write files of at most that many bytes."""
    resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.statement("Routing API 5", "while nothing can be written, upserts are 503 and told to nobody; reading goes on")
def test_a_full_disk(launch: Launch, tmp_path: Path) -> None:
    process = launch("-devMode").started()
    acknowledged, numbers = {"api.sys.test/routing"}, itertools.count()
    with process.client() as api, process.events("/events") as events:

        def upsert() -> httpx.Response:
            number = next(numbers)
            assert number < 50, "the disk is never full"
            batch = [http(f"{number}-{each}.test") for each in range(100)]
            answer = api.post("/routes", json=batch)
            acknowledged.update(route["route"] for route in batch if answer.status_code == 201)
            return answer

        assert upsert().status_code == 201
        room(process, (tmp_path / "routing.sqlite-wal").stat().st_size + (64 << 10))
        while (refused := upsert()).status_code == 201:
            continue
        assert (refused.status_code, refused.json()["name"]) == (503, "DBCommunicationError")
        assert process.said("api-http-server.request.error") == [
            {**process.said("api-http-server.request.error")[0], "error": refused.json()["message"]}
        ]
        assert {route["route"] for route in api.get("/routes").json()} == acknowledged, "reading goes on"
        room(process, resource.RLIM_INFINITY)
        assert upsert().status_code == 201
        told = {events.next()[2]["route"] for _ in range(len(acknowledged) - 1)}
        assert told == acknowledged - {"api.sys.test/routing"}, "what was not written was not told"
    process.end(signal.SIGKILL)
    process = launch("-devMode", config=process.config).started()
    with process.client() as api:
        assert {route["route"] for route in api.get("/routes").json()} == acknowledged
    assert process.end() == 0


# Connections


@contextlib.contextmanager
def connections(*what: tuple[int, bytes]) -> Iterator[list[socket.socket]]:
    """Connections to these ports on which that is sent."""
    with contextlib.ExitStack() as stack:
        made = []
        for port, data in what:
            made.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE)))
            made[-1].sendall(data)
        yield made


REQUEST = b"GET /routing/v1/routes HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST /routing/v1/routes HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[{"
EVENTS = b"GET /routing/v1/tcp_routes/events HTTP/1.1\r\nHost: x\r\n\r\n"


def test_who_says_nothing_holds_nobody_up(launch: Launch, tmp_path: Path) -> None:
    process = launch("-devMode").started()
    plain = [b"", b"GET /rou", REQUEST, BODY, EVENTS] * 20
    context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    context.load_cert_chain(tmp_path / "id.pem", tmp_path / "id.key")
    silent = [*((process.port, data) for data in plain), *((process.mtls_port, b""), (process.mtls_port, b"\x16\x03")) * 20]
    with connections(*silent), process.client() as api:
        assert api.get("/routes").status_code == 200
        url = f"https://127.0.0.1:{process.mtls_port}/routing/v1/routes"
        assert httpx.get(url, verify=context, trust_env=False).status_code == 200
        started = time.monotonic()
        assert process.end() == 0
        assert time.monotonic() - started < 8.0
    assert "Traceback" not in process.output.read_text()


@pytest.mark.statement("Routing API 7", "subscribers beyond what there is room for do not disturb those inside")
def test_more_subscribers_than_there_is_room_for(launch: Launch) -> None:
    """Those that got in hear of everything, and when they go there is room for others."""
    process = launch("-devMode").started()
    with process.client() as api:
        (group,) = api.get("/router_groups").json()
        used = len(list(Path(f"/proc/{process.process.pid}/fd").iterdir()))
        resource.prlimit(process.process.pid, resource.RLIMIT_NOFILE, (used + 40, used + 40))
        with connections(*[(process.port, EVENTS)] * 100) as crowd:
            inside = [each for each in crowd if answered(each)]
            assert 20 < len(inside) < 100
            assert api.post("/tcp_routes/create", json=[tcp(group["guid"], 1024)]).status_code == 201
            for each in inside:
                assert b'"port":1024' in each.recv(10_000)
        eventually(lambda: has_room(process), "room")
        with process.events() as late:
            assert api.post("/tcp_routes/create", json=[tcp(group["guid"], 1025)]).status_code == 201
            assert late.next()[2]["port"] == 1025
    assert process.end() == 0


def answered(client: socket.socket) -> bool:
    try:
        return client.recv(10_000).startswith(b"HTTP/1.1 200 ")
    except ConnectionResetError:
        return False


def has_room(process: Process) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{process.port}/routing/v1/routes", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_who_does_not_read_is_dropped_and_costs_little(launch: Launch) -> None:
    """Readers that have stopped wait for megabytes that are kept once, not for each of them."""
    process = launch("-devMode").started()
    with process.client() as api, connections(*[(process.port, EVENTS)] * 30) as slow, process.events() as quick:
        (group,) = api.get("/router_groups").json()
        for each in slow:
            assert answered(each)
        before = resident(process)
        batch = [tcp(group["guid"], 1024 + n % 100, backend_port=1 + n // 100) for n in range(4000)]
        for _ in range(3):
            assert api.post("/tcp_routes/create", json=batch).status_code == 201
        told = [quick.next()[0] for _ in range(3 * len(batch))]
        assert told == list(range(3 * len(batch)))
        assert resident(process) - before < 60 << 20, "there is no copy for each of them: that would be 120 MB"
    eventually(lambda: len(process.said("api-http-server.request.tcp-event-stream-handler.connection-closed")) == 31)
    assert process.end() == 0


def resident(process: Process) -> int:
    """Bytes of memory."""
    pages = Path(f"/proc/{process.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()
