"""Whole foundations of real processes, driven with the command line as a person would."""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..program import program
from ..waiting import eventually

CFROUTE = str(program())
DEADLINE = 30.0


class Foundation:
    """A foundation in a state folder of its own, on ports that nobody else has."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CFROUTE_", "CF_")) and "proxy" not in name.lower()
        }

    def run(self, *arguments: str, stdin: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """`cfroute` with these arguments."""
        return subprocess.run(
            [CFROUTE, *arguments],
            env={**self._environment, "CFROUTE_HOME": str(self.home)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ok(self, *arguments: str, **options: Any) -> str:
        """Its output, of a call that must succeed."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"cfroute {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self, *options: str) -> None:
        """Start it; without TCP routing, unless the options ask for it."""
        tcp = () if any(option.startswith("--tcp") for option in options) else ("--tcp-routers", "0")
        self.ok("up", "--detach", "--http-port", "0", "--https-port", "0", "--api-port", "0", *tcp, *options)
        self.info = json.loads(self.ok("info", "--json"))
        self.port = int(self.info["http"].rpartition(":")[2])

    def down(self) -> None:
        self.run("down")

    def components(self) -> dict[str, dict[str, Any]]:
        rows = json.loads(self.ok("status", "--json"))
        if isinstance(rows, dict):
            rows = rows["components"]
        return {row.get("component") or row["name"]: row for row in rows}

    def get(self, host: str, path: str = "/", body: bytes | None = None, method: str = "GET") -> tuple[int, bytes]:
        """A request through the load balancer on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers={"Host": f"{host}.{self.info['domain']}"})
            answer = connection.getresponse()
            return answer.status, answer.read()


class Load:
    """Requests from a few clients on kept connections, until stopped; counts what came back."""

    def __init__(self, foundation: Foundation, host: str, clients: int = 3) -> None:
        self.results: Counter[int | str] = Counter()
        self._foundation = foundation
        self._host = host
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        eventually(lambda: sum(self.results.values()) > 20, "traffic")
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int = 60) -> None:
        """Wait until that many further requests were answered."""
        goal = sum(self.results.values()) + count
        eventually(lambda: sum(self.results.values()) >= goal, f"{count} further requests")

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._foundation.port, timeout=DEADLINE)
        headers = {"Host": f"{self._host}.{self._foundation.info['domain']}"}
        with contextlib.closing(connection):
            while not self._stopped.is_set():
                body = b"x" * 100 if number % 2 else None
                try:
                    connection.request("POST" if body else "GET", "/", body=body, headers=headers)
                    answer = connection.getresponse()
                    answer.read()
                    self.results[answer.status] += 1
                except (OSError, http.client.HTTPException) as error:
                    self.results[repr(error)] += 1
                    connection.close()


@pytest.fixture
def new_foundation(tmp_path: Path) -> Iterator[Callable[[], Foundation]]:
    """Makes foundations (not started); whatever runs of them at the end is stopped."""
    made: list[Foundation] = []

    def make() -> Foundation:
        made.append(Foundation(tmp_path / f"home{len(made)}"))
        return made[-1]

    yield make
    for foundation in made:
        foundation.down()


@pytest.fixture(scope="module")
def new_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Foundation]]:
    """Makes foundations that the tests of a module share (not started); they are stopped after the last one."""
    made: list[Foundation] = []

    def make() -> Foundation:
        made.append(Foundation(tmp_path_factory.mktemp("foundation") / "home"))
        return made[-1]

    yield make
    for foundation in made:
        foundation.down()
        shutil.rmtree(foundation.home, ignore_errors=True)


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foundation]:
    """One that runs, with two Gorouters, shared by the tests of a module; the app `echo` is there with one instance."""
    shared = Foundation(tmp_path_factory.mktemp("foundation") / "home")
    shared.up("--gorouters", "2")
    try:
        shared.ok("push", "echo", "--sample", "echo")
        yield shared
    finally:
        shared.down()
        shutil.rmtree(shared.home, ignore_errors=True)


@pytest.fixture
def until() -> Callable[[Callable[[], Any], str], Any]:
    """Waits for a condition."""
    return eventually


@pytest.fixture
def load(foundation: Foundation) -> Callable[[str], Load]:
    return lambda host: Load(foundation, host)
