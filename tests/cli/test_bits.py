"""Which files of an app are uploaded."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli import bits
from cfroute.errors import CfrouteError, UsageError


@pytest.mark.parametrize(
    ("rules", "path", "folder", "ignored"),
    [
        ("*.log", "a.log", False, True),
        ("*.log", "deep/down/a.log", False, True),
        ("*.log", "a.logs", False, False),
        ("/a.log", "a.log", False, True),
        ("/a.log", "deep/a.log", False, False),
        ("build/", "build", True, True),
        ("build/", "build", False, False),
        ("build/", "deep/build", True, True),
        ("docs/*.md", "docs/a.md", False, True),
        ("docs/*.md", "docs/deep/a.md", False, False),
        ("docs/**/a.md", "docs/a.md", False, True),
        ("docs/**/a.md", "docs/x/y/a.md", False, True),
        ("docs/**", "docs/x/y", False, True),
        ("docs/**", "docs", True, False),
        ("**/temp", "x/y/temp", False, True),
        ("a?c", "abc", False, True),
        ("a?c", "a/c", False, False),
        ("[ab].py", "a.py", False, True),
        ("[!ab].py", "a.py", False, False),
        ("# a", "# a", False, False),
        ("\\#a", "#a", False, True),
        ("*.log\n!keep.log", "keep.log", False, False),
        ("!keep.log\n*.log", "keep.log", False, True),
        ("", "a", False, False),
        ("/", "a", True, False),
    ],
)
def test_rules_in_the_syntax_of_git(rules: str, path: str, folder: bool, ignored: bool) -> None:
    assert bits.is_ignored(path, folder, bits.parse_rules(rules.split("\n"))) is ignored


@given(st.text(st.characters(exclude_characters="\n\x00"), max_size=12), st.text("ab/.*[]!", min_size=1, max_size=8))
def test_no_line_of_an_ignore_file_is_an_error(line: str, path: str) -> None:
    bits.is_ignored(path, False, bits.parse_rules([line]))


def test_a_folder_is_packed_without_what_is_ignored(tmp_path: Path) -> None:
    app = tmp_path / "app"
    for name in ("server.py", ".git/config", "logs/a.txt", "static/a.css", "__pycache__/x.pyc"):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text(name)
    (app / ".cfignore").write_text("logs/\n")
    (app / "run.sh").write_text("#!/bin/sh\n")
    (app / "run.sh").chmod(0o755)
    packed = bits.pack(app, tmp_path / "package.zip")
    with zipfile.ZipFile(packed) as archive:
        assert sorted(archive.namelist()) == ["run.sh", "server.py", "static/a.css"]
        assert archive.getinfo("run.sh").external_attr >> 16 & 0o777 == 0o755
        assert archive.read("static/a.css") == b"static/a.css"


def test_a_zip_file_is_taken_as_it_is(tmp_path: Path) -> None:
    given = tmp_path / "app.jar"
    with zipfile.ZipFile(given, "w") as archive:
        archive.writestr("a", "b")
    assert bits.pack(given, tmp_path / "package.zip") == given


def test_what_cannot_be_packed_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no zip")
    with pytest.raises(CfrouteError, match="No app files found"):
        bits.pack(tmp_path / "empty", tmp_path / "package.zip")
    with pytest.raises(CfrouteError, match="neither a folder nor a zip file"):
        bits.pack(tmp_path / "text", tmp_path / "package.zip")
    with pytest.raises(UsageError, match="does not exist"):
        bits.pack(tmp_path / "nowhere", tmp_path / "package.zip")
