"""Command lines by the rules of Go's `flag` package: one dash or two, `-x v` or `-x=v`, booleans alone or with `=`.

The flags of a program are the fields of a struct. Their types say how they are read, `Meta(description=…)` is their help:

    class Flags(LagerFlags, rename="camel", frozen=True):
        sync_interval: Annotated[Duration, Meta(description="How often to …")] = Duration(60)   # -syncInterval 30s

    def main(argv: Sequence[str]) -> int:
        return run("program", Flags, work, argv)
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NewType, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta

from cfroute import durations

Duration = NewType("Duration", float)
"""Seconds, given as a Go duration."""

_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")
_MOST: Final = (1 << 63) - 1

_S = TypeVar("_S", bound=msgspec.Struct)


class BadUsage(Exception):
    """The command line makes no sense; the message is Go's."""


class HelpAsked(Exception):
    """Usage was asked for."""


class LagerFlags(msgspec.Struct, rename="camel", frozen=True):
    """The flags of the log that Diego's and the routing tier's daemons share."""

    log_level: Annotated[Literal["debug", "info", "error", "fatal"], Meta(description="Log level")] = "info"
    time_format: Annotated[Literal["unix-epoch", "rfc3339"], Meta(description="Format of the log's timestamps")] = "unix-epoch"
    redact_secrets: Annotated[bool, Meta(description="Blacken secrets in the log")] = False
    redact_patterns: Annotated[list[str], Meta(description="Regular expression of a secret; may be given several times")] = []


class _Flag(msgspec.Struct, frozen=True):
    """One flag: how it is called, how its value is read, and what help shows of it."""

    name: str
    type: Any
    default: Any
    description: str

    @property
    def is_switch(self) -> bool:
        return self.type is bool

    def read(self, text: str) -> Any:
        """The value. Raises BadUsage."""
        try:
            return self._value(text)
        except ValueError as error:
            if self.is_switch:
                raise BadUsage(f'invalid boolean value "{text}" for -{self.name}: {error}') from error
            raise BadUsage(f'invalid value "{text}" for flag -{self.name}: {error}') from error

    def _value(self, text: str) -> Any:
        if get_origin(self.type) is Literal:
            return _chosen(text, get_args(self.type))
        reader = _READERS.get(self.type)
        return reader(text) if reader is not None else text

    def usage(self) -> str:
        """Its two lines of help."""
        kind = "" if self.is_switch else f" {_KINDS.get(self.type, 'value')}"
        if self.default in ("", 0, False, None) or self.default == []:
            return f"  -{self.name}{kind}\n    \t{self.description}\n"
        shown = durations.format(self.default) if self.type is Duration else self.default
        shown = f'"{shown}"' if self.type is str else shown
        return f"  -{self.name}{kind}\n    \t{self.description} (default {shown})\n"


def _switch(text: str) -> bool:
    if text not in (*_TRUE, *_FALSE):
        raise ValueError("parse error")
    return text in _TRUE


def _integer(text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError as error:
        raise ValueError("parse error") from error
    if abs(number) > _MOST:
        raise ValueError("value out of range")
    return number


def _duration(text: str) -> float:
    try:
        return durations.parse(text)
    except durations.DurationError as error:
        raise ValueError("parse error") from error


def _chosen(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"expected one of {', '.join(choices)}")
    return text


_READERS: Final[Mapping[Any, Any]] = {bool: _switch, int: _integer, int | None: _integer, Duration: _duration}
_KINDS: Final[Mapping[Any, str]] = {str: "string", int: "int", int | None: "int", Duration: "duration"}


def _flags(wanted: type[_S]) -> Iterator[_Flag]:
    for field in msgspec.structs.fields(wanted):
        declared, *notes = get_args(field.type) if get_origin(field.type) is Annotated else (field.type,)
        default = field.default if field.default is not msgspec.NODEFAULT else []  # the only factory is that of a list
        yield _Flag(field.encode_name, declared, default, next((note.description or "" for note in notes), ""))


def run(program: str, wanted: type[_S], work: Callable[[_S], int], argv: Sequence[str]) -> int:
    """The exit status of a program: its `work`'s, which may raise BadUsage; 0 for help, and 2 for bad usage, told on stderr."""
    try:
        return work(parse(argv, wanted))
    except HelpAsked:
        sys.stderr.write(usage(program, wanted))
        return 0
    except BadUsage as error:
        sys.stderr.write(f"{error}\n{usage(program, wanted)}")
        return 2


def usage(program: str, wanted: type[_S]) -> str:
    """What `-help` shows, by name."""
    return f"Usage of {program}:\n" + "".join(flag.usage() for flag in sorted(_flags(wanted), key=lambda flag: flag.name))


def parse(argv: Sequence[str], wanted: type[_S]) -> _S:
    """The flags, up to the first argument that is none. Raises BadUsage or HelpAsked."""
    known = {flag.name: flag for flag in _flags(wanted)}
    given: dict[str, Any] = {}
    rest = list(argv)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        argument = rest.pop(0)
        if argument == "--":
            break
        name, equals, text = argument.removeprefix("-").removeprefix("-").partition("=")
        if not name or name.startswith("-"):
            raise BadUsage(f"bad flag syntax: {argument}")
        flag = known.get(name)
        if flag is None:
            if name in ("h", "help"):
                raise HelpAsked
            raise BadUsage(f"flag provided but not defined: -{name}")
        if not equals and flag.is_switch:
            given[name] = True
            continue
        if not equals and not rest:
            raise BadUsage(f"flag needs an argument: -{name}")
        value = flag.read(text if equals else rest.pop(0))
        given[name] = [*given.get(name, ()), value] if get_origin(flag.type) is list else value
    return msgspec.convert(given, wanted)
