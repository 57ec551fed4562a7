"""What holds for every test: a clean environment, no process left behind, and skips that are told in one line."""

import gc
import os
import secrets
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from cfroute import certificates, sqlite

from . import program
from .benchmarks import procfs

PERSONAL = ("CFROUTE_", "CF_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
MARK = "RUN_BY_CFROUTE_TESTS"
# They serve `multiprocessing` inside the test process and end with it.
OURS = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")
ENDED_WITHIN = 15.0  # seconds; a nursery that is left to itself gives its children five
_LEFT = "left behind"
_OF_WORKERS = pytest.StashKey[list[str]]()

# How long an example takes is the machine's business.
settings.register_profile("any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings of whoever runs it, or writes into their state folder."""
    for name in list(os.environ):
        if name.startswith(PERSONAL) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the disk: what is committed would outlive a crash, as the tests want, but no power cut."""
    configure = sqlite.configure

    def careless(connection: sqlite3.Connection, *, durable: bool = False) -> None:
        configure(connection, durable=durable)
        connection.execute("PRAGMA synchronous = OFF")

    monkeypatch.setattr(sqlite, "configure", careless)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture(scope="session")
def signing_pem() -> bytes:
    """A key that tokens are signed with."""
    return certificates.make_signing_key()


@pytest.fixture
def cheap_state(monkeypatch: pytest.MonkeyPatch, no_power_cuts: None, signing_pem: bytes) -> None:
    """A new state folder costs little: the longest takes its key, which is the same one for all tests."""
    monkeypatch.setattr(certificates, "make_signing_key", lambda: signing_pem)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cfroute", metavar="FILE", help="what tests/conformance and tests/e2e start: a compiled one, for example")


def pytest_configure(config: pytest.Config) -> None:
    if named := config.getoption("--cfroute"):
        os.environ[program.VARIABLE] = str(Path(named).absolute())


def pytest_sessionstart(session: pytest.Session) -> None:
    # Who runs `nohup make test &` ignores both, and every program that a test starts would inherit that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ[MARK] = secrets.token_hex(8)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is collected stays to the end: looking through it for garbage again and again would take a seventh of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Fail the run, and clean up, when a process that a test started is still there. Workers leave the telling to others."""
    yield
    told = [f"{pid} {command}" for pid, command in _ended(_left_behind())]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_LEFT] = told
    elif told := told + session.config.stash.setdefault(_OF_WORKERS, []):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("".join(f"\nleft behind by a test: {each}" for each in told))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended (pytest-xdist)."""
    node.config.stash.setdefault(_OF_WORKERS, []).extend(getattr(node, "workeroutput", {}).get(_LEFT, []))


def _ended(left: dict[int, str]) -> Iterator[tuple[int, str]]:
    for pid, command in left.items():
        os.kill(pid, signal.SIGKILL)
        yield pid, command


def _left_behind() -> dict[int, str]:
    deadline = time.monotonic() + ENDED_WITHIN
    while (left := _running()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _running() -> dict[int, str]:
    """Processes with this run's mark, and children of this process, by id with their command line."""
    found = {*procfs.marked(f"{MARK}={os.environ[MARK]}"), *procfs.children(os.getpid())} - {os.getpid()}
    commands = {pid: procfs.command(pid) for pid in found}
    return {pid: line.decode() for pid, line in commands.items() if line and not any(own in line for own in OURS)}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped, and why."""
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        told = "; ".join(f"{count} ({reason})" for reason, count in reasons.items())
        terminalreporter.write_line(f"skipped: {told}")
