"""The transcripts in `transcripts/brokers`: sessions of cf with a service broker, which only a running Cloud Controller asks.

They are written as the others are (see `test_transcripts`); http://broker.test stands for the broker of `flow_broker`.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cfroute.home import Home

from .conftest import Run
from .test_transcripts import SETTING, TRANSCRIPTS, play

pytestmark = pytest.mark.e2e

BROKERS = TRANSCRIPTS / "brokers"
AWAY = ("gorouter", "cell", "route-emitter", "route-registrar", "bbs", "nats", "load-balancer")
"""What brokers have nothing to do with."""
ALONE = (
    *("--http-port", "0", "--https-port", "0", "--api-port", "0", "--tcp-routers", "0"),
    *(word for component in AWAY for word in ("--without", component)),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A foundation that is the API alone."""
    folder = tmp_path / "foundation"
    monkeypatch.setenv("CFROUTE_HOME", str(folder))
    words = [sys.executable, "-m", "cfroute.cli.main"]
    up = [*words, "up", "--detach", *ALONE]
    subprocess.run(up, check=True, timeout=60, stdout=subprocess.DEVNULL)
    try:
        yield Home(folder)
    finally:
        subprocess.run([*words, "down"], check=True, timeout=60, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("transcript", sorted(BROKERS.glob("*.txt")), ids=lambda path: path.stem)
def test_what_is_typed_and_seen(transcript: Path, cfroute: Run, broker: str, app_folder: Path) -> None:
    for line in SETTING:
        assert cfroute(*line.split()).status == 0
    play(transcript.name, transcript.read_text().replace("http://broker.test", broker), cfroute)
