"""What other programs need of a foundation: where it is, and when it is ready."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import CFROUTE, Foundation

pytestmark = pytest.mark.e2e

ALONE = ("--http-port", "0", "--https-port", "0", "--api-port", "0", "--tcp-routers", "0")


def test_a_program_finds_the_foundation(foundation: Foundation) -> None:
    shown = foundation.run("exec", "--", "sh", "-c", 'echo "$CFROUTE_API $CFROUTE_DOMAIN"; exit 7')
    assert (shown.returncode, shown.stdout) == (7, f"{foundation.info['api']} {foundation.info['domain']}\n")
    assert foundation.run("exec", "sh", "-c", "kill -9 $$").returncode == 137
    assert foundation.run("exec", "no-such-program").returncode == 4
    exported = foundation.ok("info", "--env")
    script = exported + 'test -r "$CFROUTE_CA" && echo "$NATS_URL"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("nats://nats:")
    assert json.loads(foundation.ok("info", "--env", "--json"))["CFROUTE_HTTP"] == foundation.info["http"]


def test_without_a_foundation_there_is_one_for_the_program(new_foundation: Callable[[], Foundation]) -> None:
    nothing = new_foundation()
    listed = nothing.run("exec", "sh", "-c", f'echo "$CFROUTE_HOME"; {CFROUTE} apps --json')
    assert listed.returncode == 0, listed.stderr
    folder, *data = listed.stdout.splitlines()
    assert json.loads("".join(data)) == []
    assert folder != str(nothing.home)
    assert not Path(folder).exists()
    assert nothing.run("status").returncode == 3


def test_a_file_and_a_descriptor_tell_that_it_is_ready(
    new_foundation: Callable[[], Foundation], tmp_path: Path, until: Callable[[Callable[[], Any], str], Any]
) -> None:
    foundation, file = new_foundation(), tmp_path / "ready.json"
    read, write = os.pipe()
    with (
        open(read) as told,
        subprocess.Popen(
            [CFROUTE, "up", *ALONE, "--state-dir", foundation.home, "--ready-file", file, "--ready-fd", str(write)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[write],
        ) as process,
    ):
        os.close(write)
        info = json.loads(told.read())
        assert info["running"]
        assert json.loads(file.read_text()) == info
        process.send_signal(signal.SIGINT)
        until(lambda: process.poll() is not None, "the end of the foundation")
    assert not file.exists()
