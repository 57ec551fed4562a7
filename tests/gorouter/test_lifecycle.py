"""A whole router in this process: for what cannot be done to one from outside."""

import asyncio
import gc
import socket
from pathlib import Path
from random import Random

import pytest
import yaml

from cfroute.clock import SystemClock
from cfroute.daemon import Stop
from cfroute.gorouter import lifecycle
from cfroute.gorouter.basis import Basis
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.lifecycle import Gorouter
from cfroute.logs import Logger
from cfroute.proxy.server import ProxyServer

from ..nats.servers import NatsServer
from ..ports import free_port
from ..waiting import until
from .conftest import LogLines


@pytest.mark.statement("11.2", "An error of the loop that accepts connections starts a drain")
def test_a_listener_that_breaks_starts_a_drain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logger: Logger, log_lines: LogLines
) -> None:
    server = NatsServer(tmp_path)
    server.start()
    monkeypatch.setattr(lifecycle, "_LISTENERS_LOOKED_AT", 0.02)
    settings = {
        "port": free_port(),
        "status": {"port": free_port(), "routes": {"port": free_port()}},
        "route_services_internal_server_port": free_port(),
        "nats": {"hosts": [{"hostname": "127.0.0.1", "port": server.port}], "user": "u", "pass": "p"},
        "cfroute": {"start_delay": "0s", "address": "127.0.0.1"},
    }
    basis = Basis(parse(yaml.safe_dump(settings)), logger, SystemClock(), Random(1), lambda size: b"\0" * size)
    router = Gorouter(basis)

    async def scenario() -> int:
        running = asyncio.ensure_future(router.run(Stop()))
        await until(lambda: "gorouter.started" in log_lines.messages())
        (ours,) = (one for one in gc.get_objects() if isinstance(one, ProxyServer) and one._sockets)
        assert ours.accepts
        ours._sockets[-1].shutdown(socket.SHUT_RDWR)
        return await running

    try:
        assert asyncio.run(scenario()) == 0
    finally:
        server.kill()
    messages = log_lines.messages()
    assert log_lines.data("Error occurred")[0]["error"].startswith("accept tcp 127.0.0.1:")
    assert messages.index("Error occurred") < messages.index("gorouter-draining") < messages.index("gorouter.exited")
