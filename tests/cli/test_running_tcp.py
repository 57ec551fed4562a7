"""The commands for TCP routes, against a real foundation."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cfroute.cli import live_values
from cfroute.cli.main import COMPLETION, main

from ..waiting import eventually
from .conftest import Run, down, line, read_until, up

pytestmark = pytest.mark.e2e

UP = ("--tcp-ports", "0")
PUSHED = ("tcp-echo", "--sample", "tcp-echo", "--no-route")
DOMAIN = "tcp.cf.localhost"


@pytest.fixture
def port(running: Run) -> Iterator[int]:
    """The port of a route to the sample, which any was good for."""
    mapped = running("map-route", "tcp-echo", DOMAIN, "--json")
    assert mapped.status == 0, mapped.err
    yield mapped.data["port"]
    assert running("delete-route", DOMAIN, "--port", str(mapped.data["port"]), "-f").status == 0


def echoed(port: int, said: bytes = b"hello\n") -> bytes:
    """What comes back after all was said, as with `echo hello | nc -N`; it takes a moment until a new route is everywhere."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                if heard := b"".join(iter(lambda: connection.recv(65536), b"")):
                    return heard
        except OSError:
            continue
    return b""


def rows(running: Run, *words: str) -> list[dict[str, Any]]:
    """The rows of the table once there are any."""
    return list(eventually(lambda: running("table", *words, "--json").data, "a row"))


def test_a_route_is_mapped_and_all_comes_back(running: Run, port: int) -> None:
    assert echoed(port) == b"hello\n"
    assert running("app", "tcp-echo", "--json").data["routes"] == [f"{DOMAIN}:{port}"]
    [group] = running("router-groups", "--json").data
    assert group["reservable_ports"] == running("info", "--json").data["tcp_ports"]
    outside = running("create-route", DOMAIN, "--port", "80")
    assert f"TIP: router group 'default-tcp' has the ports {group['reservable_ports']}; " in outside.err


def test_the_table_shows_the_tcp_routers_with_apps_by_name(running: Run, port: int) -> None:
    [row] = rows(running, "--tcp")
    assert (row["route"], row["app_name"], row["index"]) == (f"{DOMAIN}:{port}", "tcp-echo", "0")
    assert (row["router"], row["protocol"], row["tls"]) == ("tcp_router/0", "tcp", True)
    assert f"{DOMAIN}:{port}" in running("table").out
    assert DOMAIN not in running("table", "--http").out
    assert running("table", "--http", "--tcp").status == 2


def test_the_watched_table_shows_what_comes_and_goes(running: Run, folder: Path) -> None:
    command = line(folder, "table", "--tcp", "--watch", "--interval", "0.1")
    watch = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        port = running("map-route", "tcp-echo", DOMAIN, "--json").data["port"]
        assert f"{DOMAIN}:{port}" in read_until(watch, lambda text: text.startswith("+ "))
        running("delete-route", DOMAIN, "--port", str(port), "-f")
        assert f"{DOMAIN}:{port}" in read_until(watch, lambda text: text.startswith("- "))
    finally:
        watch.kill()
        watch.communicate()


def test_ports_and_groups_are_completed(
    running: Run, port: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_values, "WITHIN", 10.0)
    monkeypatch.setenv("CFROUTE_HOME", str(folder))
    monkeypatch.setenv(COMPLETION, "bash_complete")

    def completions(words: str) -> str:
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
        assert main([]) == 0
        return capsys.readouterr().out

    assert f"plain,{port}\n" in completions(f"cfroute delete-route {DOMAIN} --port ")
    assert completions("cfroute delete-route cf.localhost --port ").strip() == ""
    assert completions("cfroute create-shared-domain x.test --router-group def") == "plain,default-tcp\n"


def test_the_routing_api_is_behind_the_link_and_its_groups_hold_at_once(running: Run) -> None:
    [group] = running("router-groups", "--json").data
    path = f"/routing/v1/router_groups/{group['guid']}"
    last = group["reservable_ports"].rpartition("-")[2]
    for ports in (last, group["reservable_ports"]):
        changed = running("curl", path, "-X", "PUT", "-d", f'{{"reservable_ports": "{ports}"}}')
        assert f'"reservable_ports":"{ports}"' in changed.out.replace(" ", "")
        if ports == last:
            assert str(running("create-route", DOMAIN, "--json").data["port"]) == last
            full = running("create-route", DOMAIN)
            assert full.err.splitlines()[0] == "There are no more ports available for this domain."
    assert running("delete-route", DOMAIN, "--port", last, "-f").status == 0


def test_what_is_made_while_the_foundation_is_down_works_when_it_is_up(running: Run, folder: Path) -> None:
    down(folder)
    try:
        [group] = running("router-groups", "--json").data
        route = running("map-route", "tcp-echo", DOMAIN, "--json").data
        first, last = map(int, group["reservable_ports"].split("-"))
        assert first <= route["port"] <= last
        assert running("table", "--tcp").status == 3
    finally:
        up(folder, *UP)
    assert echoed(route["port"]) == b"hello\n"
