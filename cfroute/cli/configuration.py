"""What is configured, and where: in the environment, in a project's `cfroute.toml`, in the user's `config.toml`.

Keys are the long names of options: those of all commands at the top, those of `up` in the table `[up]`. In the environment they
are called CFROUTE_KEY and CFROUTE_UP_KEY. What stands on the command line goes before everything here; of two places that have a
key, the earlier in `Place` counts.
"""

import difflib
import enum
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from cfroute.cli.shared_options import shared_options
from cfroute.errors import ConfigurationError

PROJECT_FILE = "cfroute.toml"
TABLE = "up"
_ENVIRONMENT = {"state-dir": "CFROUTE_HOME"}
_NOT_KEPT = ("json", "plain", "no-color", "detach", "ready-file", "ready-fd")  # short for others, or of one run alone


class Key(NamedTuple):
    """A key: `http-port` of the table `up`, or a key of the top (table "")."""

    table: str
    name: str
    option: click.Option

    def __str__(self) -> str:
        return f"{self.table}.{self.name}" if self.table else self.name

    @property
    def variable(self) -> str:
        """What it is called in the environment."""
        return _ENVIRONMENT.get(str(self), "CFROUTE_" + str(self).upper().replace(".", "_").replace("-", "_"))

    def checked(self, value: Any, place: str) -> Any:
        """The value as its option takes it. Raises ConfigurationError."""
        many = self.option.multiple and isinstance(value, str)
        given = [each.strip() for each in value.split(",")] if many else value
        if isinstance(value, bool) is not self.option.is_flag and not isinstance(value, str):
            raise ConfigurationError(f"{place}: {self}: {value!r} is {'no' if self.option.is_flag else 'a'} true or false")
        try:
            return self.option.type_cast_value(click.Context(click.Command("cfroute")), given)
        except (click.BadParameter, TypeError) as error:
            told = error.message if isinstance(error, click.BadParameter) else str(error)
            raise ConfigurationError(f"{place}: {self}: {told}") from error


class Value(NamedTuple):
    """What a key is set to, and where: a file, or a variable of the environment."""

    value: Any
    origin: str


def keys() -> dict[str, Key]:
    """All keys by their whole names."""
    from cfroute.cli.foundation.up import up

    found = [("", option) for option in shared_options()]
    found += [(TABLE, each) for each in up.params if isinstance(each, click.Option) and each.expose_value]
    made = (Key(table, _name(option), option) for table, option in found)
    return {str(key): key for key in made if key.name not in _NOT_KEPT}


def _name(option: click.Option) -> str:
    return next(name for name in option.opts if name.startswith("--")).lstrip("-")


def files(start: Path, environment: Mapping[str, str]) -> list[Path]:
    """The files that count, those that there are: the nearest project file from `start` upwards, and the user's."""
    project = next((folder / PROJECT_FILE for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), None)
    return [path for path in (project, user_file(environment)) if path is not None and path.is_file()]


def user_file(environment: Mapping[str, str]) -> Path:
    """Where the user's file is, or would be."""
    base = environment.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "cfroute" / "config.toml"


def read(path: Path) -> dict[str, Any]:
    """The values in a file by the whole names of their keys, checked. Raises ConfigurationError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"{path}: {told}") from error
    return dict(_checked(data, str(path)))


def _checked(data: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    known = keys()
    for name, value in _flat(data):
        yield name, _known(name, known, place).checked(value, place)


def _flat(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _known(name: str, known: Mapping[str, Key], place: str) -> Key:
    if name in known:
        return known[name]
    alike = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {alike[0]}?" if alike else "'cfroute config show' lists the keys"
    raise ConfigurationError(f"{place}: there is no key {name}", hint)


def named(name: str) -> Key:
    """The key of that name. Raises ConfigurationError, with the nearest one."""
    return _known(name, keys(), "config")


def settled(start: Path, environment: Mapping[str, str]) -> dict[str, Value]:
    """Every key that is set anywhere, with the place that counts. Raises ConfigurationError."""
    found: dict[str, Value] = {}
    for path in reversed(files(start, environment)):
        found |= {name: Value(value, str(path)) for name, value in read(path).items()}
    if any(name.startswith("CFROUTE_") for name in environment):
        for key in keys().values():
            if text := environment.get(key.variable):
                found[str(key)] = Value(key.checked(text, key.variable), key.variable)
    return found


def split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of the shared options and of those of `up`, by the names of their parameters."""
    known = keys() if values else {}
    named = [(known[name], value) for name, value in values.items()]
    return (
        {str(key.option.name): value for key, value in named if not key.table},
        {str(key.option.name): value for key, value in named if key.table},
    )


def is_needed(start: Path, environment: Mapping[str, str]) -> bool:
    """Whether anything is set anywhere; to look takes no time, reading it does."""
    ours = (name for name in environment if name.startswith("CFROUTE_") and name not in _ENVIRONMENT.values())
    return any(ours) or bool(files(start, environment))


def here() -> dict[str, Value]:
    """What is set for this process. Raises ConfigurationError."""
    start = _folder()
    return settled(start, os.environ) if is_needed(start, os.environ) else {}


def _folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted; nothing can be in it
        return Path("/")


def template(chosen: Iterable[Key]) -> str:
    """A file with every key as a comment, and what it means."""
    lines = ["# What cfroute uses where the command line and the environment say nothing: `cfroute docs configuration`."]
    table = ""
    for key in chosen:
        if key.table != table:
            table = key.table
            lines += ["", f"[{table}]"]
        lines += ["", f"# {key.option.help}", f"# {key.name} = {_example(key.option)}"]
    return "\n".join(lines) + "\n"


def default(key: Key) -> Any:
    """What holds where nothing is said; None for nothing."""
    value = key.option.get_default(click.Context(click.Command("cfroute")))
    return None if isinstance(value, enum.Enum) else value  # click's word for: there is none


def _example(option: click.Option) -> str:
    if option.is_flag:
        return "true"
    return "[]" if option.multiple else "0" if isinstance(option.type, click.types.IntParamType) else '""'
