"""Gorouter processes that are not meant to serve: what they print, and how they end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..ports import free_port
from ..program import program
from .conftest import DEADLINE

PROGRAM = program()


@dataclass
class Ending:
    """A process that has ended. `seconds` is how long it took."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> str:
        """The `error` of the last line."""
        text: str = self.lines[-1]["data"]["error"]
        return text

    def told(self, message: str) -> dict[str, Any]:
        """The line with that message."""
        return next(line for line in self.lines if line["message"] == message)


def run(*arguments: str) -> Ending:
    """The end of `cfroute gorouter` with these arguments."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.monotonic()
    done = subprocess.run(
        [PROGRAM, "gorouter", *arguments], capture_output=True, text=True, timeout=DEADLINE, env=environment, check=False
    )
    return Ending(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


def run_file(folder: Path, config: str | dict[str, Any], name: str = "gorouter.yml") -> Ending:
    """The same with a file: its text, or what it says."""
    path = folder / name
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return run("-c", str(path))


_EACH = """
import sys
from cfroute.gorouter.main import main
for path in sys.argv[1:]:
    print(main(["-c", path]), file=sys.stderr, flush=True)
"""


def run_each(folder: Path, configs: Sequence[str | dict[str, Any]]) -> list[Ending]:
    """The ends of several routers that say one line and end: one after the other in one process, which saves its starts."""
    paths = [folder / f"{number}.yml" for number in range(len(configs))]
    for path, config in zip(paths, configs, strict=True):
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    done = subprocess.run([sys.executable, "-c", _EACH, *paths], capture_output=True, text=True, timeout=DEADLINE, check=True)
    statuses, lines = done.stderr.splitlines(), done.stdout.splitlines()
    return [Ending(int(status), line, "", 0.0) for status, line in zip(statuses, lines, strict=True)]


def ports() -> dict[str, Any]:
    """Ports that nobody has."""
    return {
        "port": free_port(),
        "status": {"port": free_port(), "routes": {"port": free_port()}},
        "route_services_internal_server_port": free_port(),
        "cfroute": {"start_delay": "0s"},
    }
