"""Completion, asked for as the shells do it, and in a real bash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cfroute.cli import live_values
from cfroute.cli.foundation import component_names
from cfroute.cli.main import COMPLETION, main
from cfroute.cli.more import completion
from cfroute.foundation.client import FoundationClient
from cfroute.home import Home

from .conftest import Run

SHELLS = completion.SHELLS
FILES = Path(__file__).parents[2] / "completions"


def complete(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str) -> list[str]:
    """The completions of the last word of `line`."""
    capsys.readouterr()
    monkeypatch.setenv(COMPLETION, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    assert main([]) == 0
    monkeypatch.delenv(COMPLETION)
    out, err = capsys.readouterr()
    assert err == ""
    return [answer.partition(",")[2] for answer in out.splitlines() if answer]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_files_are_what_the_program_prints(shell: str, cfroute: Run) -> None:
    written = (FILES / f"cfroute.{shell}").read_text()
    assert written == cfroute("completion", shell).out, f"cfroute completion {shell} > completions/cfroute.{shell}"


def test_the_shell_is_taken_from_the_environment(cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert cfroute("completion").out == cfroute("completion", "fish").out
    monkeypatch.setenv("SHELL", "/bin/ksh")
    assert cfroute("completion").status == 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cfroute map", ["map-route"]),
        ("cfroute gor", ["gorouter"]),
        ("cfroute routes --org", ["--org-level"]),
        ("cfroute completion z", ["zsh"]),
        ("cfroute docs exit", ["exit-codes"]),
        ("cfroute help unbind-r", ["unbind-route-service"]),
        ("cfroute kill na", ["nats"]),
        ("cfroute logs gor", ["gorouter/0"]),
        ("cfroute set-org-role bob local Org", ["OrgAuditor", "OrgManager"]),
        ("cfroute unset-space-role bob local dev SpaceS", ["SpaceSupporter"]),
        ("cfroute labels service-", ["service-broker", "service-instance", "service-offering", "service-plan"]),
        ("cfroute app x", []),
        ("cfroute mistyped x", []),
        ("cfroute gorouter -c x", []),
    ],
)
def test_words(
    line: str,
    expected: list[str],
    cfroute: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert complete(monkeypatch, capsys, line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cfroute delete-org l", "local"),
        ("cfroute target -s d", "dev"),
        ("cfroute create-route cf", "cf.localhost"),
        ("cfroute delete-route cf.localhost --hostname s", "shop"),
        ("cfroute delete-user b", "bob"),
        ("cfroute service l", "limiter"),
        ("cfroute config set up.http", "up.http-port"),
    ],
)
def test_live_values_while_nothing_runs(
    line: str, expected: str, cfroute: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_values, "WITHIN", 20.0)  # what is found counts here, not how loaded the machine is
    cfroute("create-route", "cf.localhost", "-n", "shop")
    cfroute("create-user", "bob", "s3cret")
    cfroute("cups", "limiter", "-r", "https://limiter.cf.localhost")
    assert expected in complete(monkeypatch, capsys, line)


def test_the_components_that_are_known_before_anything_is_asked_for_are_right(home: Home, cfroute: Run) -> None:
    """They are written down a second time, for what has them first takes too long to import at the prompt."""
    assert cfroute("orgs").status == 0  # there is a foundation then
    assert sorted(component_names.FIRST) == sorted(FoundationClient(home).components())


def test_pressing_tab_makes_no_state_folder(
    cfroute: Run, home: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complete(monkeypatch, capsys, "cfroute app ")
    complete(monkeypatch, capsys, "cfroute kill ")
    assert not Path(os.environ["CFROUTE_HOME"]).exists()


def test_a_real_bash(cfroute: Run) -> None:
    """The script is sourced, and its function called as bash calls it for TAB."""
    script = f"""
        source {FILES}/cfroute.bash
        COMP_WORDS=(cfroute bind-r) COMP_CWORD=1
        _cfroute_completion cfroute
        printf '%s\\n' "${{COMPREPLY[@]}}"
        complete -p cfroute
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=20, env={**os.environ, "PATH": path}
    )
    assert done.stdout.splitlines() == ["bind-route-service", "complete -o nosort -F _cfroute_completion cfroute"]
    assert done.stderr == ""
