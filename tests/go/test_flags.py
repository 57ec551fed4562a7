"""Go's command lines."""

from typing import Annotated, Any

import pytest
from msgspec import Meta

from cfroute.go.flags import BadUsage, Duration, HelpAsked, LagerFlags, parse, run, usage


class Flags(LagerFlags, rename="camel", frozen=True):
    """One of each kind."""

    sync_interval: Annotated[Duration, Meta(description="How often")] = Duration(60)
    config: Annotated[str, Meta(description="The file")] = "/etc/x.yml"
    retries: int = 3
    group_exit: bool = False
    limit: int | None = None


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("", "sync_interval", 60.0),
        ("-syncInterval 1m30s", "sync_interval", 90.0),
        ("--syncInterval=500ms", "sync_interval", 0.5),
        ("-config= -retries 7", "config", ""),
        ("-retries 0x10", "retries", 16),
        ("-groupExit -retries 7", "group_exit", True),
        ("-groupExit=f", "group_exit", False),
        ("-redactPatterns a --redactPatterns=b", "redact_patterns", ["a", "b"]),
        ("-logLevel debug", "log_level", "debug"),
        ("-limit 0", "limit", 0),
        ("", "limit", None),
        ("-retries 1 rest -retries 2", "retries", 1),
        ("-retries 1 -- -retries 2", "retries", 1),
        ("-retries 1 - -retries 2", "retries", 1),
    ],
)
def test_a_line(line: str, field: str, value: Any) -> None:
    assert getattr(parse(line.split(), Flags), field) == value


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("-retries x", 'invalid value "x" for flag -retries: parse error'),
        ("-retries 9223372036854775808", 'invalid value "9223372036854775808" for flag -retries: value out of range'),
        ("-syncInterval 3", 'invalid value "3" for flag -syncInterval: parse error'),
        ("-groupExit=x", 'invalid boolean value "x" for -groupExit: parse error'),
        ("-timeFormat x", 'invalid value "x" for flag -timeFormat: expected one of unix-epoch, rfc3339'),
        ("-limit x", 'invalid value "x" for flag -limit: parse error'),
        ("-retries", "flag needs an argument: -retries"),
        ("-unknown", "flag provided but not defined: -unknown"),
        ("---retries", "bad flag syntax: ---retries"),
        ("-=1", "bad flag syntax: -=1"),
    ],
)
def test_a_bad_line(line: str, problem: str) -> None:
    with pytest.raises(BadUsage) as raised:
        parse(line.split(), Flags)
    assert str(raised.value) == problem


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help(word: str) -> None:
    with pytest.raises(HelpAsked):
        parse([word], Flags)


def test_usage_has_every_flag_by_name_with_its_default() -> None:
    lines = usage("router", Flags).splitlines()
    assert lines[:5] == [
        "Usage of router:",
        "  -config string",
        '    \tThe file (default "/etc/x.yml")',
        "  -groupExit",
        "    \t",
    ]
    assert "    \tHow often (default 1m0s)" in lines
    assert "  -limit int" in lines


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("-retries 7", 7, ""),
        ("-help", 0, usage("router", Flags)),
        ("-unknown", 2, "flag provided but not defined: -unknown\n" + usage("router", Flags)),
        ("-retries 99", 2, "too many\n" + usage("router", Flags)),
    ],
)
def test_a_run(line: str, status: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    def work(flags: Flags) -> int:
        if flags.retries > 9:
            raise BadUsage("too many")
        return flags.retries

    assert run("router", Flags, work, line.split()) == status
    assert capsys.readouterr().err == told
