"""`cfroute gorouter --validate -c FILE`: whether a router would start with the file, and what of it means something else here.

What needs the network is not tried: neither ports nor NATS nor the Routing API.
"""

import io
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from cfroute.clock import SystemClock
from cfroute.go import yaml as go_yaml
from cfroute.gorouter import start_checks
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.config_file import load
from cfroute.gorouter.config_notes import Note, notes
from cfroute.gorouter.logs.dropsonde import Emitter, MetronAddressError
from cfroute.logs import Logger


class Report(NamedTuple):
    """The verdict. `message` and `error` are what the router would say when it does not start."""

    file: str
    message: str
    error: str
    notes: list[Note]

    @property
    def starts(self) -> bool:
        return not self.message


def run(path: str | None, *, json: bool) -> int:
    """Print the report; exit status 0 if a router would start, else 1."""
    report = examine(path)
    sys.stdout.write(_as_json(report) if json else _as_text(report))
    return 0 if report.starts else 1


def examine(path: str | None) -> Report:
    """Judge the file; without one, the defaults."""
    shown = path or "the defaults"
    try:
        config = load(path)
    except ConfigError as error:
        return Report(shown, "Error loading config:", str(error), [])
    keys = go_yaml.keys(Path(path).read_bytes(), Config) if path else []
    return Report(shown, *_obstacle(config), notes(config, keys))


def _obstacle(config: Config) -> tuple[str, str]:
    """What the router would say before it ends, after the configuration was read; empty texts if nothing."""
    if problem := start_checks.level_problem(config):
        return "panic:", problem
    if problem := _directory_problem(config.access_log.file):
        return "error-creating-accesslog-file", problem
    nobody = Logger("", stream=io.StringIO())
    try:
        Emitter(config.logging.metron_address, SystemClock(), nobody).close()
        start_checks.error_writer(config, nobody)
    except MetronAddressError as error:
        return "dropsonde-initialize-error", str(error)
    except start_checks.TemplateProblem as error:
        return "new-html-error-template-from-file", str(error)
    if problem := start_checks.allowlist_problem(config):
        return "allowlist-entry-invalid", problem
    return "", ""


def _directory_problem(path: str) -> str | None:
    """Why a file cannot be made there, as far as its folder tells."""
    folder = Path(path).parent
    if not path or folder.is_dir():
        return None
    return f"open {path}: {'not a directory' if folder.exists() else 'no such file or directory'}"


def _as_json(report: Report) -> str:
    told = {
        "file": report.file,
        "starts": report.starts,
        "message": report.message,
        "error": report.error,
        "notes": [note._asdict() for note in report.notes],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def _as_text(report: Report) -> str:
    if not report.starts:
        head = f"{report.file}: a router would not start with this file.\n{report.message} {report.error}\n"
    else:
        head = f"{report.file}: a router would start with this file.\n"
    widths = [max((len(note[column]) for note in report.notes), default=0) for column in (0, 1)]
    lines = [f"  {note.key:<{widths[0]}}  {note.kind:<{widths[1]}}  {note.reason}\n" for note in report.notes]
    return head + ("\n" if lines else "") + "".join(lines)
