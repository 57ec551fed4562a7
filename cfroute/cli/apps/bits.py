"""The files of an app, packed for the upload."""

import contextlib
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cfroute.errors import CfrouteError, UsageError

IGNORED = (".cfignore", ".DS_Store", ".git", ".gitignore", ".hg", ".svn", "_darcs", "__pycache__", "*.pyc")
"""Never uploaded."""


class Rule(NamedTuple):
    """One line of an ignore file."""

    pattern: re.Pattern[str]
    only_folders: bool
    keep: bool

    def matches(self, path: str, is_folder: bool) -> bool:
        return (is_folder or not self.only_folders) and self.pattern.fullmatch(path) is not None


def parse_rules(lines: Sequence[str]) -> list[Rule]:
    """Rules in git's syntax: `#`, `!`, `/` at the beginning or end, `*`, `?`, `[…]`, `**`."""
    rules = []
    for line in lines:
        text = line.rstrip()
        if not text or text.startswith("#"):
            continue
        keep, text = text.startswith("!"), text.removeprefix("!").removeprefix("\\")
        only_folders, text = text.endswith("/"), text.rstrip("/")
        if not text.lstrip("/"):
            continue
        # A slash inside ties a pattern to the folder of the file; without one it holds at every depth.
        anywhere = "" if "/" in text else "(.*/)?"
        # A class like [b-a] means nothing, and so does its rule, for git as well.
        with contextlib.suppress(re.error):
            rules.append(Rule(re.compile(anywhere + _translate(text.lstrip("/")), re.DOTALL), only_folders, keep))
    return rules


_PIECES = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|\[[!^]?.[^\]]*\]|\\.|.", re.DOTALL)
_MEANINGS = {"**/": "(.*/)?", "/**": "/.+", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _translate(pattern: str) -> str:
    return "".join(_translate_piece(piece) for piece in _PIECES.findall(pattern))


def _translate_piece(piece: str) -> str:
    if len(piece) > 2 and piece.startswith("["):
        negated = piece[1] in "!^"
        members = "".join(one if one == "-" else re.escape(one) for one in piece[1 + negated : -1])
        return f"[{'^' * negated}{members}]"
    return _MEANINGS.get(piece) or re.escape(piece[-1] if piece.startswith("\\") else piece)


def is_ignored(path: str, is_folder: bool, rules: Sequence[Rule]) -> bool:
    """Whether the last rule that matches says so. `path` is relative, with `/`."""
    for rule in reversed(rules):
        if rule.matches(path, is_folder):
            return not rule.keep
    return False


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files to upload, with their names in the package; `.cfignore` says what stays here.

    Links are among them when they lead to somewhere in the folder. What other links lead to is taken as if it were here.
    """
    ignore = folder / ".cfignore"
    lines = os.fsdecode(ignore.read_bytes()).splitlines() if ignore.is_file() else []
    rules = parse_rules([*IGNORED, *lines])

    def walk(here: Path, prefix: str, above: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
        above = (*above, os.path.realpath(here))
        for path in sorted(here.iterdir()):
            name, is_folder = prefix + path.name, path.is_dir()
            if is_ignored(name, is_folder, rules):
                continue
            if path.is_file() or (path.exists() and inner_link(folder, path, name) is not None):
                yield path, name
            elif is_folder and os.path.realpath(path) not in above:
                yield from walk(path, f"{name}/", above)

    return walk(folder, "", ())


def inner_link(folder: Path, path: Path, name: str) -> str | None:
    """Where a link leads, seen from its place in the package; None for what is no link, or leads out of the folder."""
    if not path.is_symlink():
        return None
    target = Path(os.path.realpath(path))
    root = os.path.realpath(folder)
    return os.path.relpath(target.relative_to(root), Path(name).parent) if target.is_relative_to(root) else None


def check(source: Path) -> None:
    """Raises UsageError for a path that does not exist, CfrouteError for one that cannot be an app."""
    if not source.exists():
        raise UsageError(f"The specified path '{source}' does not exist.")
    if not source.is_dir() and not zipfile.is_zipfile(source):
        raise CfrouteError(f"'{source}' is neither a folder nor a zip file")


def pack(source: Path, target: Path) -> Path:
    """Zip a folder into `target`; a zip file is taken as it is. The file to upload.

    Raises CfrouteError for a folder without files, or with one that cannot be read.
    """
    if source.is_file():
        return source
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        try:
            for path, name in files(source):
                _add(archive, path, name, inner_link(source, path, name))
        except OSError as error:
            raise CfrouteError(
                f"'{error.filename}' cannot be packed: {error.strerror}", "a line in .cfignore leaves it out"
            ) from error
        empty = not archive.namelist()
    if empty:
        raise CfrouteError(f"No app files found in '{source}'")
    return target


def _add(archive: zipfile.ZipFile, path: Path, name: str, link: str | None) -> None:
    if link is None:
        archive.write(path, name)
        return
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3  # Unix, whose file types the upper half of the attributes holds
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, link)
