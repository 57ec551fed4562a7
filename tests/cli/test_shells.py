"""What the shells hand over for a completion when TAB is pressed, and what they can do with the answers."""

import os
import socket
import subprocess
import sys

import pytest

from cfroute.cli import live_values, settings
from cfroute.cli.main import COMPLETION, main
from cfroute.cli.settings import Endpoint, Login, Settings
from cfroute.cli.shells import joined
from cfroute.home import Home

from .conftest import Run


def pressed(monkeypatch: pytest.MonkeyPatch, shell: str, words: str, at: str) -> None:
    """TAB was pressed: what the shell's script tells then."""
    monkeypatch.setattr(live_values, "WITHIN", 20.0)  # what is found counts here, not how loaded the machine is
    for name, value in ((COMPLETION, f"{shell}_complete"), ("COMP_WORDS", words), ("COMP_CWORD", at)):
        monkeypatch.setenv(name, value)


def values(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The answers that bash and fish read."""
    out, err = capsys.readouterr()
    assert err == ""
    return [line.removeprefix("plain,") for line in out.splitlines()]


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (["push", "--strategy", "=", "r"], ["push", "--strategy=r"]),
        (["push", "--strategy", "="], ["push", "--strategy="]),
        (["cups", "-r", "https", ":", "//a", "x"], ["cups", "-r", "https://a", "x"]),
        (["a", "", "b"], ["a", "", "b"]),
        ([], []),
    ],
    ids=["value", "no value", "url", "empty word", "nothing"],
)
def test_bash_takes_words_apart(words: list[str], whole: list[str]) -> None:
    assert joined(words) == whole


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cfroute", "push", "x", "--strategy", "=", "r"], ["rolling"]),
        (["cfroute", "push", "x", "--strategy", "="], ["canary", "rolling"]),
        (["cfroute", "push", "x", "--strategy", "=", "rolling", "--no-sta"], ["--no-start"]),
        (["cfroute", "completion", "--output", "=", "json", "z"], ["zsh"]),
        (["cfroute", "target", "-s", "my"], [r"my\\ space"]),
        (["cfroute", "target", "-s", '"my'], ["my space"]),
        (["cfroute", "target", "-s", "a", ":"], [r"b\\$c"]),
        (["cfroute", "target", "--space", "=", "a", ":", "b"], [r"b\\$c"]),
    ],
    ids=["value", "any value", "behind a value", "argument behind a value", "blank", "in quotes", "colon", "colon in value"],
)
def test_bash_gets_what_stands_behind_the_last_break(
    words: list[str], expected: list[str], cfroute: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The backslashes are two: the script's `read` takes one away, the line that it is put into the other."""
    cfroute("create-space", "my space")
    cfroute("create-space", "a:b$c")
    pressed(monkeypatch, "bash", "\n".join(words), str(len(words) - 1))
    assert main([]) == 0
    assert values(capsys) == expected


@pytest.mark.parametrize("word", ["--strategy=r", "--strategy="])
def test_fish_and_zsh_get_the_option_too(
    word: str, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pressed(monkeypatch, "fish", f"cfroute push x {word}", word)
    assert main([]) == 0
    assert "--strategy=rolling" in values(capsys)
    pressed(monkeypatch, "zsh", f"cfroute push x {word}", "3")
    assert main([]) == 0
    assert "--strategy=rolling" in capsys.readouterr().out.splitlines()


def test_an_api_that_never_answers_is_not_waited_for_and_nothing_is_said(home: Home) -> None:
    """The prompt is there again long before a request would have failed (60 s)."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        kept = Settings("o", "s", login=Login(client_id="a", client_secret="b"), endpoint=Endpoint(url, url, url))
        settings.save(home, kept)
        asked = {COMPLETION: "bash_complete", "COMP_WORDS": "cfroute\napp\n", "COMP_CWORD": "2"}
        command = [sys.executable, "-c", "from cfroute.cli.main import main; main()"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={**os.environ, **asked})
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
