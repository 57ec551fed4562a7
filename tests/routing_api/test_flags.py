"""The command line."""

import pytest

from cfroute.routing_api import flags
from cfroute.routing_api.flags import BadUsage, Flags, HelpAsked


def test_forms() -> None:
    assert flags.parse([]) == Flags()
    given = ["-config", "a.yml", "--ip=1.2.3.4", "-devMode", "-logLevel", "debug", "-timeFormat=rfc3339", "-redactSecrets=0"]
    expected = Flags(config="a.yml", ip="1.2.3.4", dev_mode=True, log_level="debug", time_format="rfc3339")
    assert flags.parse(given) == expected
    assert flags.parse(["-redactPatterns", "a", "-redactPatterns=b", "--", "-x"]).redact_patterns == ["a", "b"]
    assert flags.parse(["-devMode=false", "rest", "-x"]) == Flags()


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("-x", "flag provided but not defined: -x"),
        ("-config", "flag needs an argument: -config"),
        ("-devMode=maybe", 'invalid boolean value "maybe" for -devMode: parse error'),
        ("---x", "bad flag syntax: ---x"),
        ("-=x", "bad flag syntax: -=x"),
        ("-logLevel=loud", 'invalid value "loud" for flag -logLevel: expected one of debug, info, error, fatal'),
    ],
)
def test_bad_usage(argument: str, error: str) -> None:
    with pytest.raises(BadUsage) as refused:
        flags.parse([argument])
    assert str(refused.value) == error


def test_help() -> None:
    with pytest.raises(HelpAsked):
        flags.parse(["-help"])
