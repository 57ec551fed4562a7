"""The benchmark itself, run shortly against what needs no cfroute."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .machine import NotInstalledError, program
from .run import arguments

ROOT = Path(__file__).parents[2]


@pytest.fixture
def wrk() -> str:
    try:
        return program("wrk")
    except NotInstalledError as missing:
        pytest.skip(str(missing))


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.benchmarks.run", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.usefixtures("wrk")
def test_a_short_run(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = bench("--cases=small", "--contenders=direct,nginx", "--rounds=1", "--seconds=1", f"--json={figures}")
    assert done.returncode == 0, done.stdout + done.stderr
    contenders = json.loads(figures.read_text())["cases"]["small"]["contenders"]
    assert contenders["direct"]["median"] > 0
    assert all(not sample["errors"] for entry in contenders.values() for sample in entry["samples"])


def test_an_unknown_case_is_refused() -> None:
    done = bench("--cases=fast")
    assert done.returncode == 2
    assert "no such case: fast" in done.stderr


@pytest.mark.usefixtures("wrk")
def test_relays_of_tcp(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = bench("--cases=tcp-small", "--contenders=direct,cfroute", "--rounds=1", "--seconds=1", f"--json={figures}")
    assert done.returncode == 0, done.stdout + done.stderr
    contenders = json.loads(figures.read_text())["cases"]["tcp-small"]["contenders"]
    assert contenders["cfroute"]["median"] > 0
    assert all(not sample["errors"] for entry in contenders.values() for sample in entry["samples"])


def test_tcp_stands_for_all_its_cases() -> None:
    assert arguments(["--cases", "tcp,small"]).cases == ["tcp-small", "tcp-large", "tcp-connections", "tcp-memory", "small"]
