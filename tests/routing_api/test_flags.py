"""The command line."""

from cfroute.go.flags import parse
from cfroute.routing_api.flags import Flags


def test_forms() -> None:
    assert parse([], Flags) == Flags()
    given = ["-config", "a.yml", "--ip=1.2.3.4", "-devMode", "-logLevel", "debug", "-timeFormat=rfc3339", "-redactSecrets=0"]
    expected = Flags(config="a.yml", ip="1.2.3.4", dev_mode=True, log_level="debug", time_format="rfc3339")
    assert parse(given, Flags) == expected
    assert parse(["-devMode=false", "rest", "-x"], Flags) == Flags()
