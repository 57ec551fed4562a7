"""Commands are run as a user runs them, but in this process, on a state folder of their own."""

import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cfroute.cli.main import main
from cfroute.home import Home


class Outcome(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The JSON error on stderr."""
        return json.loads(self.err.splitlines()[-1])["error"]


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """A command takes signals for itself; the test gets them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap_state: None) -> Home:
    """A state folder that nothing has used yet."""
    folder = tmp_path / "foundation"
    monkeypatch.setenv("CFROUTE_HOME", str(folder))
    monkeypatch.delenv("CF_HOME", raising=False)
    return Home(folder)


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line; `typed` is what stands on its stdin."""

    def run(*arguments: str, typed: str = "") -> Outcome:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = main(arguments)
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return run


@pytest.fixture
def cfroute(home: Home, command_line: Run) -> Run:
    """Runs a command line on a state folder in which nothing runs."""
    return command_line


def line(folder: Path, *words: str) -> list[str]:
    """A command line on the foundation of a folder, for a process of its own."""
    return [sys.executable, "-m", "cfroute.cli.main", *words, "--state-dir", str(folder)]


def up(folder: Path, *options: str) -> None:
    """Start a foundation on ports that nobody else has."""
    ports = ("--http-port", "0", "--https-port", "0", "--api-port", "0")
    started = line(folder, "up", "--detach", *ports, *options)
    subprocess.run(started, check=True, timeout=60, stdout=subprocess.DEVNULL)


def down(folder: Path) -> None:
    subprocess.run(line(folder, "down"), check=True, timeout=60, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A foundation that all tests of the module share: UP has its options, PUSHED the words of a first push."""
    folder = tmp_path_factory.mktemp("foundation")
    up(folder, *request.module.UP)
    try:
        subprocess.run(line(folder, "push", *request.module.PUSHED), check=True, timeout=60, capture_output=True)
        yield folder
    finally:
        down(folder)


@pytest.fixture
def running(folder: Path, command_line: Run) -> Run:
    """Runs a command line on that foundation."""

    def run(*words: str, typed: str = "") -> Outcome:
        return command_line(*words, "--state-dir", str(folder), typed=typed)

    return run


def read_until(process: "subprocess.Popen[str]", wanted: Callable[[str], Any]) -> str:
    """The first line of output that is wanted; the process is killed by the test's time limit if none comes."""
    assert process.stdout is not None
    for text in process.stdout:
        if wanted(text):
            return text
    pytest.fail(f"the output ended: {process.communicate()[1]}")


@pytest.fixture
def app_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with something to push, in which the commands are run."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "index.html").write_text("hello")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def broker() -> Iterator[str]:
    """The URL of a service broker that is a process of its own (`flow_broker`)."""
    command = [sys.executable, "-m", "tests.cli.flow_broker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
