"""The command line, by the rules of Go's `flag` package: one dash or two, `-x v` or `-x=v`, booleans alone or with `=`."""

from collections.abc import Sequence
from typing import Final

import msgspec

USAGE: Final = """Usage of routing-api:
  -config string
    \tConfiguration for routing-api
  -devMode
    \tDisable authentication for easier development iteration
  -ip string
    \tThe public ip of the routing api
  -logLevel value
    \tLog level: debug, info, error or fatal
  -redactPatterns value
    \tA regex list of values patterns to redact from logs
  -redactSecrets
    \tUse a redacting log sink to scrub sensitive values from data being logged
  -timeFormat value
    \tFormat for timestamp in component logs. Valid values are unix-epoch and rfc3339.
"""
_CHOICES: Final = {"logLevel": ("debug", "info", "error", "fatal"), "timeFormat": ("unix-epoch", "rfc3339")}
_TEXTS: Final = ("config", "ip", *_CHOICES)
_SWITCHES: Final = ("devMode", "redactSecrets")
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")


class BadUsage(Exception):
    """The command line makes no sense; the message is Go's."""


class HelpAsked(Exception):
    """Usage was asked for."""


class Flags(msgspec.Struct, rename="camel", frozen=True):
    """What was said, or the defaults."""

    config: str = ""
    ip: str = ""
    dev_mode: bool = False
    log_level: str = "info"
    time_format: str = "unix-epoch"
    redact_secrets: bool = False
    redact_patterns: list[str] = []


def parse(argv: Sequence[str]) -> Flags:
    """The flags, up to the first argument that is none. Raises BadUsage or HelpAsked."""
    rest, patterns = list(argv), list[str]()
    given: dict[str, object] = {"redactPatterns": patterns}
    while rest and rest[0].startswith("-") and rest[0] != "-":
        argument = rest.pop(0)
        if argument == "--":
            break
        name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
        if not name or name.startswith("-"):
            raise BadUsage(f"bad flag syntax: {argument}")
        if name in ("h", "help"):
            raise HelpAsked
        if name in _SWITCHES:
            given[name] = _switch(name, value) if equals else True
        elif name in _TEXTS or name == "redactPatterns":
            if not equals and not rest:
                raise BadUsage(f"flag needs an argument: -{name}")
            text = value if equals else rest.pop(0)
            if name == "redactPatterns":
                patterns.append(text)
            else:
                given[name] = _text(name, text)
        else:
            raise BadUsage(f"flag provided but not defined: -{name}")
    return msgspec.convert(given, Flags)


def _switch(name: str, value: str) -> bool:
    if value not in (*_TRUE, *_FALSE):
        raise BadUsage(f'invalid boolean value "{value}" for -{name}: parse error')
    return value in _TRUE


def _text(name: str, value: str) -> str:
    if name in _CHOICES and value not in _CHOICES[name]:
        raise BadUsage(f'invalid value "{value}" for flag -{name}: expected one of {", ".join(_CHOICES[name])}')
    return value
