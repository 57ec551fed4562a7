"""A few seconds of chaos; `python -m tests.benchmarks.chaos` has minutes of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..program import program
from .machine import NotInstalledError
from .machine import program as installed

ROOT = Path(__file__).parents[2]


def test_everything_at_once() -> None:
    try:
        installed("nats-server")
    except NotInstalledError as missing:
        pytest.skip(str(missing))
    command = [sys.executable, "-m", "tests.benchmarks.chaos", "--seconds=5", f"--cfroute={program()}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["problems"] == []
    assert report["counts"]["requests at backends"] > 100
    assert report["counts"]["instances replaced"] > 5
