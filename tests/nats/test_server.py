"""The nats-server binary, and what it makes of our configuration file."""

import subprocess
from pathlib import Path

import pytest

from cfroute.nats import server


@pytest.mark.parametrize("password", ["plain", 'with "quotes" and \\', "$NOT_A_VARIABLE", "# { } ;"])
def test_the_real_server_accepts_what_is_rendered(tmp_path: Path, password: str) -> None:
    config = tmp_path / "nats.conf"
    config.write_text(server.render("nats/0", "127.0.0.1", 4222, "nats", password))
    checked = subprocess.run([server.find_binary(), "-c", config, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
