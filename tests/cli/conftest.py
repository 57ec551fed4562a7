"""Commands are run as a user runs them, but in this process, on a state folder of their own."""

import io
import json
import signal
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
    """A command takes SIGTERM for itself; the test gets it back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A state folder that nothing has used yet."""
    folder = tmp_path / "foundation"
    monkeypatch.setenv("CFROUTE_HOME", str(folder))
    monkeypatch.delenv("CF_HOME", raising=False)
    return Home(folder)


@pytest.fixture
def cfroute(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line; `typed` is what stands on its stdin."""

    def run(*arguments: str, typed: str = "") -> Outcome:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = main(arguments)
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return run
