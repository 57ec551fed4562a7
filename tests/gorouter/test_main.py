"""The command line of the process, and what it says before there is a router."""

import json
from pathlib import Path

import pytest

from cfroute.go.flags import parse, usage
from cfroute.gorouter.main import Flags, main


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-x"], "flag provided but not defined: -x\n"),
        (["--port=1"], "flag provided but not defined: -port\n"),
        (["-c"], "flag needs an argument: -c\n"),
        (["---c"], "bad flag syntax: ---c\n"),
        (["-=x"], "bad flag syntax: -=x\n"),
        (["-workers"], "flag needs an argument: -workers\n"),
        (["-workers", "two"], 'invalid value "two" for flag -workers: parse error\n'),
        (["-workers=-2"], 'invalid value "-2" for flag -workers: parse error\n'),
        (["--workers=257"], 'invalid value "257" for flag -workers: parse error\n'),
        (["-validate=x"], 'invalid boolean value "x" for -validate: parse error\n'),
    ],
)
def test_bad_usage(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == text + usage("gorouter", Flags)


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    assert capsys.readouterr().err.startswith("Usage of gorouter:\n  -c string\n")


@pytest.mark.parametrize("spelling", [["-c", "F"], ["--c", "F"], ["-c=F"], ["--c=F"], ["-validate=false", "-c", "F", "more"]])
def test_a_bad_file(spelling: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gorouter.yml"
    path.write_text("balancing_algorithm: best")
    assert main([argument.replace("F", str(path)) if argument.endswith("F") else argument for argument in spelling]) == 1
    line = json.loads(capsys.readouterr().out)
    assert list(line) == ["log_level", "timestamp", "message", "data"]
    assert (line["log_level"], line["message"]) == (3, "Error loading config:")
    error = "Invalid load balancing algorithm best. Allowed values are [round-robin least-connection]"
    assert line["data"] == {"error": error}


def test_an_unknown_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gorouter.yml"
    path.write_text("logging: {level: foo}")
    assert main(["-c", str(path)]) == 2
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", 'panic: unrecognized level: "foo"\n')


@pytest.mark.parametrize(("arguments", "workers"), [([], None), (["-workers", "4"], 4), (["--workers=-1", "-c", "f"], -1)])
def test_the_number_of_workers(arguments: list[str], workers: int | None) -> None:
    assert parse(arguments, Flags).workers == workers
