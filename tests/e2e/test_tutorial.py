"""What a person does besides the tutorial, which the product plays itself (`tests/cli/foundation/test_demo.py`)."""

import json
import os
import re
import signal
import stat

import pytest

pytestmark = pytest.mark.e2e


def test_one_address_for_all_as_on_macos(new_foundation, tmp_path, until):
    foundation = new_foundation()
    foundation.up("--single-address")
    addresses = {row["address"].rpartition(":")[0] for row in foundation.components().values()}
    assert addresses == {"127.0.0.1"}
    foundation.ok("push", "echo", "--sample", "echo")
    assert foundation.get("echo")[0] == 200
    _access_lines_are_in_the_apps_log(foundation, until)
    _push_what_no_buildpack_knows(foundation, tmp_path / "files")


def _access_lines_are_in_the_apps_log(foundation, until):
    foundation.get("echo", "/in-the-log?a=1")
    written = until(lambda: lines_with(foundation.ok("logs", "echo", "--recent"), "/in-the-log"), "the router's line")
    line = re.fullmatch(r"   \S+ \[RTR/0\] OUT (echo\.\S+ - \[\S+\] \"GET /in-the-log\?a=1 HTTP/1\.1\" 200 .*)", written[-1])
    assert line, written
    log = foundation.home / "logs" / "gorouter-0-access.log"
    until(lambda: line[1] in log.read_text().splitlines(), "the same line in the router's own log")


def lines_with(text, part):
    return [line for line in text.splitlines() if "[RTR" in line and part in line]


def _push_what_no_buildpack_knows(foundation, folder):
    folder.mkdir()
    (folder / "hello").write_text("at your command")
    refused = foundation.run("push", "files", "-p", str(folder))
    assert "NoAppDetectedError" in refused.stdout + refused.stderr
    foundation.ok("push", "files", "-p", str(folder), "-c", "python3 -m http.server $PORT")
    assert foundation.get("files", "/hello") == (200, b"at your command")


def test_what_was_pushed_survives_everything(new_foundation, until):
    foundation = new_foundation()
    foundation.up()
    foundation.ok("push", "echo", "--sample", "echo")
    foundation.ok("cups", "somewhere", "-r", "https://elsewhere.example.com")
    supervisor = json.loads(foundation.ok("info", "--json"))["pid"]
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: foundation.run("status").returncode == 3, "the end of the foundation")
    assert "somewhere" in foundation.ok("services")  # without any process
    foundation.up()
    until(lambda: foundation.get("echo")[0] == 200, "the app")
    (foundation.home / "db" / "bbs.sqlite").unlink()
    foundation.ok("restart", "bbs")
    until(lambda: foundation.get("echo")[0] == 200, "the app, after the BBS lost its database")


def test_secrets_are_for_their_owner_only(new_foundation):
    foundation = new_foundation()
    foundation.up()
    for path in foundation.home.rglob("*"):
        if path.is_file() and path.suffix in (".key", ".json", ".yml", ".conf"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    password = json.loads((foundation.home / "secrets.json").read_text())["admin_password"]
    for log in (foundation.home / "logs").rglob("*.log"):
        assert password not in log.read_text(), log


def test_a_port_that_is_taken_and_a_second_up(new_foundation):
    first, second = new_foundation(), new_foundation()
    first.up()
    refused = second.run("up", "--detach", "--http-port", str(first.port))
    assert refused.returncode == 6
    assert str(first.port) in refused.stderr
    assert "--http-port" in refused.stderr
    again = first.run("up", "--detach")
    assert again.returncode == 6
    first.ok("down")
    assert first.run("status").returncode == 3
