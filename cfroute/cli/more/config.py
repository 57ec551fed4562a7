"""`config`: what is configured, where, and changing it."""

import os
from pathlib import Path
from typing import Any

import msgspec

from cfroute.cli import configuration, render, toml_lines
from cfroute.cli.command import command
from cfroute.cli.configuration import PROJECT_FILE, TABLE, Key
from cfroute.cli.kinds import FILE
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session
from cfroute.errors import ConfigurationError, Conflict

_PLACES = (
    "A key counts where it is found first: on the command line, in the environment, in cfroute.toml of this folder or one\n"
    "above, in the user's config.toml, in what the last 'cfroute up' was told, or as its default."
)
_of_user = option("--user", "of_user", is_flag=True, help="The user's file, rather than cfroute.toml of this folder")


class Setting(msgspec.Struct):
    """A key, what it is set to (None: nothing), and where."""

    key: str
    value: Any
    origin: str
    variable: str


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


@command(
    "config show",
    usage="cfroute config show [--origin]",
    examples=("cfroute config show", "cfroute config show --origin", "cfroute config show --json"),
    see_also=("config set", "config validate", "info", "up"),
    notes=_PLACES,
    cf_shaped=False,
)
@option("--origin", is_flag=True, help="Show where each value comes from, and the variable that would set it")
def show(session: Session, origin: bool) -> None:
    def text(settings: list[Setting]) -> str:
        headers = ("key", "value", "origin", "variable") if origin else ("key", "value")
        rows = ((each.key, _shown(each.value), each.origin, each.variable)[: len(headers)] for each in settings)
        return render.table(headers, rows)

    session.emit(_settings(session), text)


def _settings(session: Session) -> list[Setting]:
    found = configuration.here()
    remembered = _remembered(session)
    settings = []
    for name, key in configuration.keys().items():
        if name in found:
            value, origin = found[name]
        elif name in remembered:
            value, origin = remembered[name], str(session.home.foundation)
        else:
            value, origin = configuration.default(key), "default"
        settings.append(Setting(name, value, origin, key.variable))
    return settings


def _remembered(session: Session) -> dict[str, Any]:
    """What the last `up` was told; of another than the foundation's defaults only."""
    if not session.home.foundation.exists():
        return {}
    options = session.foundation.info().get("options", {})
    return {f"{TABLE}.{name.replace('_', '-')}": value for name, value in options.items()}


@command(
    "config validate",
    usage="cfroute config validate [FILE]",
    examples=("cfroute config validate", "cfroute config validate cfroute.toml", "cfroute config validate - < cfroute.toml"),
    see_also=("config show", "up"),
    notes="Without a file, everything that counts in this folder is checked.\n"
    "For a Gorouter's own file there is 'cfroute gorouter --validate -c FILE'.",
    cf_shaped=False,
)
@argument("file", FILE, required=False)
def validate(session: Session, file: str | None) -> list[str]:
    from cfroute.foundation.options import Given, Options, merge

    checked = [Path(file)] if file else configuration.files(Path.cwd(), os.environ)
    for path in checked:
        _, up = configuration.split(configuration.read(path))
        merge(Options(), Given(**{name: up[name] for name in Given.__struct_fields__ if name in up}))
        session.say(f"{path}: OK")
    if not file:
        configuration.here()
    if not checked:
        session.say("There is no file to check.")
    return list(map(str, checked))


@command(
    "config set",
    usage="cfroute config set KEY VALUE [--user]",
    examples=("cfroute config set up.http-port 80", "cfroute config set color never --user"),
    see_also=("config show", "config unset", "up"),
    notes=_PLACES,
    cf_shaped=False,
)
@argument("key", values=configuration.keys)
@argument("value")
@_of_user
def set_key(session: Session, key: str, value: str, of_user: bool) -> Setting:
    found = configuration.named(key)
    checked = found.checked(value, "config set")
    path = _change(found, list(checked) if isinstance(checked, tuple) else checked, of_user=of_user)
    session.say(f"{path}: {key} is {_shown(checked)}")
    session.say()
    session.tip("'cfroute config show --origin' shows what counts")
    return Setting(key, checked, str(path), found.variable)


@command(
    "config unset",
    usage="cfroute config unset KEY [--user]",
    examples=("cfroute config unset up.http-port", "cfroute config unset color --user"),
    see_also=("config set", "config show"),
    notes=_PLACES,
    cf_shaped=False,
)
@argument("key", values=configuration.keys)
@_of_user
def unset_key(session: Session, key: str, of_user: bool) -> Setting:
    found = configuration.named(key)
    path = _change(found, None, of_user=of_user)
    session.say(f"{path}: {key} is not set")
    return Setting(key, None, str(path), found.variable)


@command(
    "config init",
    usage="cfroute config init [--user] [--force]",
    examples=("cfroute config init", "cfroute config init --user"),
    see_also=("config set", "config show"),
    notes="The file has every key as a comment.",
    cf_shaped=False,
)
@_of_user
@option("--force", "-f", is_flag=True, help="Replace the file, if there is one")
def init(session: Session, of_user: bool, force: bool) -> dict[str, str]:
    path = _path(of_user=of_user)
    if path.exists() and not force:
        raise Conflict(f"{path} is there already", "--force replaces it")
    _write(path, configuration.template(configuration.keys().values()))
    session.say(f"{path} is written.")
    return {"file": str(path)}


def _change(key: Key, value: Any, *, of_user: bool) -> Path:
    """Set the key in its file, or remove it for None. Raises ConfigurationError."""
    path = _path(of_user=of_user)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if before:
        configuration.read(path)
    try:
        _write(path, toml_lines.changed(before, key.table, key.name, value))
    except toml_lines.NotEditable as error:
        raise ConfigurationError(f"{path}: {error} is written in a way that is not known here", "change it by hand") from error
    return path


def _path(*, of_user: bool) -> Path:
    return configuration.user_file(os.environ) if of_user else Path.cwd() / PROJECT_FILE


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
