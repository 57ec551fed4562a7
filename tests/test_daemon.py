"""What every daemon shares: stopping, the tie to the supervisor, and serving an app."""

import asyncio
import json
import os
import resource
import signal
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from cfroute import certificates, daemon, entrance
from cfroute.errors import ConfigurationError

NOW = 1_700_000_000.0


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """The smallest ASGI app."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def get(port: int, context: ssl.SSLContext | None = None) -> tuple[bytes, asyncio.StreamWriter]:
    """One request on a connection that is kept open; the status line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="x.test" if context else None)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await reader.readuntil(b"hi")
    return answer.partition(b"\r\n")[0], writer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_asks_to_stop(number: signal.Signals) -> None:
    async def serve(stop: daemon.Stop) -> int:
        os.kill(os.getpid(), number)
        await stop.wait()
        assert stop.signal is number
        return 7

    assert daemon.run(serve, signals=(signal.SIGUSR1,)) == 7


def test_the_end_of_the_lifeline_asks_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    watched, held = os.pipe()
    monkeypatch.setenv(daemon.LIFELINE, str(watched))

    async def serve(stop: daemon.Stop) -> int:
        assert daemon.LIFELINE not in os.environ
        assert not stop.asked
        os.close(held)
        await stop.wait()
        return 0

    assert daemon.run(serve) == 0
    os.close(watched)


@pytest.mark.parametrize(("seconds", "asked", "done"), [(0, False, True), (3600, True, False)])
def test_who_waits_for_a_task_hears_when_to_stop(seconds: int, asked: bool, done: bool) -> None:
    async def serve(stop: daemon.Stop) -> int:
        work = daemon.spawn(asyncio.sleep(seconds), name="work")
        if asked:
            stop.ask()
        assert await stop.wait_or(work) is done
        work.cancel()
        return 5

    assert daemon.run(serve) == 5


def test_a_daemon_may_open_as_many_files_as_the_system_lets_it() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def serve(stop: daemon.Stop) -> int:
        return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

    resource.setrlimit(resource.RLIMIT_NOFILE, (128, before[1]))
    try:
        assert daemon.run(serve) in (before[1], 10240)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_an_app_is_served_until_the_block_ends() -> None:
    async def serve(stop: daemon.Stop) -> int:
        async with daemon.serving(hello, "127.0.0.1", 0) as port:
            status, writer = await get(port)
            assert status == b"HTTP/1.1 200 OK"
        writer.close()
        with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port)):
            pass
        return 0

    assert daemon.run(serve) == 0


def test_an_idle_tls_client_does_not_delay_the_end(tmp_path: Path) -> None:
    authority = certificates.make_authority("test", NOW)
    pair = certificates.issue(authority, "x", ["x.test"], NOW)
    for name, text in zip(("crt", "key"), pair, strict=True):
        (tmp_path / name).write_bytes(text)

    async def serve(stop: daemon.Stop) -> int:
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        certificate = (str(tmp_path / "crt"), str(tmp_path / "key"))
        async with daemon.serving(hello, "127.0.0.1", 0, certificate=certificate) as port:
            _, writer = await get(port, context)
            writer.transport.pause_reading()  # as a client does that keeps it in its pool
            began = loop.time()
        assert loop.time() - began < 5
        writer.transport.abort()
        return 0

    assert daemon.run(serve) == 0


def test_a_taken_port_is_an_error() -> None:
    async def serve(stop: daemon.Stop) -> int:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(ConfigurationError, match=r"cannot listen on 127\.0\.0\.1:\d+: address already in use"):
                async with daemon.serving(hello, "127.0.0.1", taken.getsockname()[1]):
                    pass
        return 0

    assert daemon.run(serve) == 0


def test_what_a_daemon_cannot_start_for_is_a_line_of_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    def main(arguments: list[str]) -> int:
        raise ConfigurationError(f"{arguments[0]}: no such file")

    main.__module__ = "cfroute.uaa.main"
    assert entrance.call(main, ["uaa.yml"]) == 1
    written = capsys.readouterr()
    line = json.loads(written.out)
    assert (line["source"], line["message"], line["log_level"]) == ("uaa", "failed-to-start", 3)
    assert line["data"] == {"error": "uaa.yml: no such file"}
    assert written.err == ""


def test_a_failed_task_is_not_silent() -> None:
    async def serve(stop: daemon.Stop) -> int:
        told: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["message"]))

        async def fail() -> None:
            raise ValueError

        await asyncio.wait([daemon.spawn(fail(), name="fails")])
        await asyncio.sleep(0)
        return told == ["task fails failed"]

    assert daemon.run(serve) == 1
