"""The process: it starts, balances, drains and ends."""

import asyncio
import contextlib
import json
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfroute.certificates import issue, make_authority
from cfroute.clock import SystemClock
from cfroute.load_balancer.main import main

from ..ports import free_port
from ..proxy.plumbing import OK, Application, Peer, get, listen

pytestmark = pytest.mark.anyio

PROGRAM = "import sys; from cfroute.load_balancer.main import main; sys.exit(main(sys.argv[1:]))"
HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
STARTING = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def prepare(folder: Path, gorouters: list[Any], **changes: Any) -> tuple[str, ssl.SSLContext]:
    """A configuration file, and what a client has to trust."""
    now = SystemClock().now()
    authority = make_authority("authority", now)
    pair = issue(authority, "load_balancer", ["a.test"], now)
    (folder / "certificate.pem").write_bytes(pair.certificate)
    (folder / "key.pem").write_bytes(pair.key)
    config = {
        "address": "127.0.0.1",
        "http_port": 0,
        "https_port": 0,
        "status_port": 0,
        "certificate": str(folder / "certificate.pem"),
        "key": str(folder / "key.pem"),
        "health_check_interval": "20ms",
        "gorouters": gorouters,
        **changes,
    }
    path = folder / "load_balancer.yml"
    path.write_text(yaml.safe_dump(config))
    return str(path), ssl.create_default_context(cadata=authority.certificate.decode())


class Process:
    """The load balancer's, with the lines of its log as they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self, message: str) -> dict[str, Any]:
        """The data of the next line with this message."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while text := await self.process.stdout.readline():
                if (line := json.loads(text))["message"] == message:
                    return line["data"]  # type: ignore[no-any-return]
        raise AssertionError(f"no line {message}")


@contextlib.asynccontextmanager
async def started(path: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, "-c", path, stdout=asyncio.subprocess.PIPE)
    try:
        yield Process(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def answer_check(status: Application, answer: bytes) -> None:
    """Answer the next health check."""
    peer = await status.arrived.get()
    await peer.head()
    peer.send(answer)
    peer.close()


async def healthy(status: Application) -> None:
    """Answer health checks for ever."""
    while True:
        await answer_check(status, HEALTHY)


async def test_from_start_to_end(tmp_path: Path) -> None:
    gorouter, status = await listen(), await listen()
    path, trust = prepare(tmp_path, [{"address": "127.0.0.1", "port": gorouter.port, "status_port": status.port}])
    async with started(path) as balancer:
        await answer_check(status, STARTING)
        ports = await balancer.line("started")
        probe = Peer(*await asyncio.open_connection("127.0.0.1", ports["status"]))
        probe.send(get("/healthz"))
        assert (await probe.response())[0] == 503
        checking = asyncio.ensure_future(healthy(status))
        assert await balancer.line("router-healthy") == {"router": f"127.0.0.1:{gorouter.port}"}
        probe.send(get("/healthz"))
        assert (await probe.response())[0] == 200

        plain = Peer(*await asyncio.open_connection("127.0.0.1", ports["http"]))
        plain.send(get())
        backend = await gorouter.connection()
        assert b"\r\nX-Forwarded-Proto: http\r\n" in await backend.head()
        backend.send(OK)
        assert (await plain.response())[0] == 200

        secure = Peer(*await asyncio.open_connection("127.0.0.1", ports["https"], ssl=trust, server_hostname="a.test"))
        secure.send(get())
        assert b"\r\nX-Forwarded-Proto: https\r\n" in await backend.head()
        balancer.process.send_signal(signal.SIGTERM)
        assert await balancer.line("draining") == {"requests": 1}
        await plain.nothing_more()
        backend.send(OK)
        assert (await secure.response())[0] == 200
        await balancer.line("stopped")
        assert await balancer.process.wait() == 0
        checking.cancel()
    for one in (gorouter, status):
        one.listener.close()


async def test_the_first_client_finds_a_gorouter(tmp_path: Path) -> None:
    gorouter, status = await listen(), await listen()
    path, _ = prepare(tmp_path, [{"address": "127.0.0.1", "port": gorouter.port, "status_port": status.port}])
    checking = asyncio.ensure_future(healthy(status))
    async with started(path) as balancer:
        await balancer.line("router-healthy")
        ports = await balancer.line("started")
        client = Peer(*await asyncio.open_connection("127.0.0.1", ports["http"]))
        client.send(get())
        backend = await gorouter.connection()
        await backend.head()
        backend.send(OK)
        assert (await client.response())[0] == 200
    checking.cancel()
    for one in (gorouter, status):
        one.listener.close()


async def test_the_tcp_side(tmp_path: Path) -> None:
    gorouter, status, port = await listen(), await listen(), free_port()
    tcp_router = await listen(host="127.77.0.3", port=port)
    checking = asyncio.ensure_future(healthy(status))
    tcp = {
        "ports": f"{port}",
        "routers": [{"address": "127.77.0.3", "health": f"http://127.0.0.1:{status.port}/health"}],
    }
    path, _ = prepare(tmp_path, [{"address": "127.0.0.1", "port": gorouter.port, "status_port": status.port}], tcp=tcp)
    async with started(path) as balancer:
        ports = await balancer.line("started")
        assert await balancer.line("tcp-started") == {"ports": 1}
        client = Peer(*await asyncio.open_connection("127.0.0.1", port))
        client.send(b"hello")
        backend = await tcp_router.connection()
        await backend.expect(b"hello")
        probe = Peer(*await asyncio.open_connection("127.0.0.1", ports["status"]))
        probe.send(get("/healthz"))
        status_code, _, body = await probe.response()
        assert (status_code, json.loads(body)) == (
            200,
            {
                "gorouters": [{"router": f"127.0.0.1:{gorouter.port}", "healthy": True, "reason": ""}],
                "tcp_routers": [{"router": "127.77.0.3", "healthy": True, "reason": ""}],
                "tcp_ports": {"listening": 1, "missing": {}},
            },
        )
        balancer.process.send_signal(signal.SIGTERM)
        assert await balancer.line("tcp-stopping") == {"connections": 1}
        await client.nothing_more()
        assert await balancer.process.wait() == 0
    checking.cancel()
    for one in (gorouter, status, tcp_router):
        one.listener.close()


async def test_an_address_in_use(tmp_path: Path) -> None:
    other = await listen()
    path, _ = prepare(tmp_path, [{"address": "127.0.0.1", "port": 1, "status_port": 1}], http_port=other.port)
    async with started(path) as balancer:
        assert re.search("address already in use", (await balancer.line("listen-failed"))["error"], re.IGNORECASE)
        assert await balancer.process.wait() == 1
    other.listener.close()


def lines(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    return [(line["message"], line["data"]["error"]) for line in map(json.loads, capsys.readouterr().out.splitlines())]


def test_a_configuration_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _ = prepare(tmp_path, [])
    assert main(["-c", path]) == 1
    assert lines(capsys) == [("Error loading config:", f"{path}: `gorouters` is empty: there is nothing to balance")]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None) -> None:
    path, _ = prepare(tmp_path, [{"address": "127.0.0.1", "port": 1, "status_port": 1}])
    (tmp_path / "certificate.pem").unlink()
    if content is not None:
        (tmp_path / "certificate.pem").write_text(content)
    assert main(["-c", path]) == 1
    [(message, error)] = lines(capsys)
    assert message == "Error loading config:"
    assert error.startswith(f"`certificate` {tmp_path / 'certificate.pem'} and `key` {tmp_path / 'key.pem'} cannot be used: ")


def test_the_file_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "the following arguments are required: -c" in capsys.readouterr().err
