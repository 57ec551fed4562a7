"""Plugins: installed packages that add commands, and apps for `push --sample` (`cfroute docs plugins`).

A plugin is an entry point of the group `cfroute`, and names a module. Its hooks are functions without arguments; it has those
that it needs:

    commands() -> Iterable[Command]
    samples() -> Iterable[Sample]

Modules of plugins are imported when a plugin is asked for: by a command or a sample that cfroute does not have, or by a list
of what there is. Whatever goes wrong in one is kept with it, and is no reason for cfroute to fail.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cfroute.errors import CfrouteError
from cfroute.shipped_samples import shipped

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "cfroute"


class Command(NamedTuple):
    """A command. `target` is `module:attribute`: a click command, or a function of the arguments that returns the exit status.

    A click command finds what cfroute's own commands work with in `click.pass_obj`; see `cfroute.cli.session.Session`.
    """

    name: str
    target: str
    summary: str


class Sample(NamedTuple):
    """An app for `push --sample`. `files` has folders and files by where in the app they go; "" is the app's folder itself."""

    name: str
    summary: str
    files: Mapping[str, Path]


class BrokenPlugin(CfrouteError):
    """A plugin does not work, for a reason that only whoever wrote it can do something about."""


@dataclass(frozen=True)
class Plugin:
    """An entry point, and what it adds. `error` says why it adds nothing."""

    name: str
    package: str
    version: str
    commands: tuple[Command, ...] = ()
    samples: tuple[Sample, ...] = ()
    error: Exception | None = None

    def warning(self) -> str:
        """What to tell about one that is broken."""
        return f"The plugin '{self.name}' of {self.package} {self.version} does not work: {told(self.error)}"


@cache
def installed() -> tuple[Plugin, ...]:
    """Every plugin, by name."""
    if not _any_in(sys.path):
        return ()
    from importlib.metadata import entry_points

    taken: dict[str, str] = {}
    return tuple(_load(point, taken) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name))


def command(name: str) -> Command | None:
    """The command called `name` that a plugin adds."""
    return next((each for plugin in installed() for each in plugin.commands if each.name == name), None)


def samples() -> dict[str, Sample]:
    """The apps that plugins add."""
    return {each.name: each for plugin in installed() for each in plugin.samples}


def broken() -> list[Plugin]:
    """The plugins that do not work."""
    return [plugin for plugin in installed() if plugin.error is not None]


def told(error: Exception | None) -> str:
    """An error in one line."""
    return error.message if isinstance(error, CfrouteError) else f"{type(error).__name__}: {error}"


def _any_in(folders: Iterable[str]) -> bool:
    """Whether anything installed has a plugin: a look at the files, for importlib.metadata takes forty times as long."""
    for folder in folders:
        with contextlib.suppress(OSError):  # not there, or no folder: Python itself passes over it
            for name in os.listdir(folder or "."):
                if name.endswith((".dist-info", ".egg-info")) and _names_a_plugin(os.path.join(folder, name)):
                    return True
    return False


def _names_a_plugin(package: str) -> bool:
    try:
        with open(os.path.join(package, "entry_points.txt"), encoding="utf-8", errors="replace") as file:
            return f"[{GROUP}]" in file.read()
    except OSError:
        return False  # most packages have no such file


def _load(point: "EntryPoint", taken: dict[str, str]) -> Plugin:
    """One plugin; `taken` has what is taken already, and by which plugin."""
    package, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    try:
        module = point.load()
        commands, samples = _of(module, "commands", Command), _of(module, "samples", Sample)
        names = [f"command '{each.name}'" for each in commands] + [f"sample '{each.name}'" for each in samples]
        _check(names, samples, taken)
    except (Exception, SystemExit) as error:  # code of somebody else; nothing that it does may stop us
        kept = error if isinstance(error, Exception) else BrokenPlugin(f"it ends the program ({error!r})")
        return Plugin(point.name, package, version, error=kept.with_traceback(error.__traceback__))
    taken.update(dict.fromkeys(names, point.name))
    return Plugin(point.name, package, version, commands, samples)


def _of(module: Any, hook: str, kind: Callable[..., Any]) -> tuple[Any, ...]:
    function = getattr(module, hook, None)
    if function is None:
        return ()
    found = tuple(function())
    for each in found:
        if not isinstance(each, kind):  # type: ignore[arg-type]
            raise BrokenPlugin(f"{hook}() gives {each!r}, which is no {kind.__name__}")
    return found


def _check(names: list[str], samples: tuple[Sample, ...], taken: dict[str, str]) -> None:
    from cfroute.cli.catalog import ALIASES, DAEMONS, ENTRIES

    own = {f"command '{name}'" for name in (*ENTRIES, *ALIASES, *DAEMONS)} | {f"sample '{name}'" for name in shipped()}
    for number, name in enumerate(names):
        if name in own:
            raise BrokenPlugin(f"the {name} is cfroute's own")
        if name in taken or name in names[:number]:
            raise BrokenPlugin(f"the {name} is there already, from '{taken.get(name, 'the same plugin')}'")
    for sample in samples:
        for file in sample.files.values():
            if not file.exists():
                raise BrokenPlugin(f"the file {file} of the sample '{sample.name}' does not exist")
