"""Which files of an app are uploaded."""

import errno
import os
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.apps import bits
from cfroute.diego.cell import archives
from cfroute.errors import CfrouteError, UsageError

from ..conftest import Run


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


def test_links_stay_links_where_they_can(tmp_path: Path) -> None:
    """So that a link to a folder above does not mean an endless package."""
    app, outside = tmp_path / "app", tmp_path / "outside"
    for name in ("app/lib/a.py", "outside/b.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    links = {
        app / "here": ".",
        app / "lib/up": "..",
        app / "a.py": app / "lib/a.py",
        app / "nowhere": "missing",
        app / "around": "around",
        app / "more": outside,
        outside / "back": app / "lib",
        outside / "again": outside,
    }
    for link, target in links.items():
        link.symlink_to(target)
    with zipfile.ZipFile(bits.pack(app, tmp_path / "package.zip")) as archive:
        kept = {entry.filename: archive.read(entry).decode() for entry in archive.infolist()}
        assert stat.S_ISLNK(archive.getinfo("here").external_attr >> 16)
    assert kept == {
        "a.py": "lib/a.py",
        "here": ".",
        "lib/a.py": "app/lib/a.py",
        "lib/up": "..",
        "more/b.py": "outside/b.py",
        "more/back": "../lib",
    }
    archives.unpack(tmp_path / "package.zip", tmp_path / "unpacked", 1000)
    assert (tmp_path / "unpacked/more/back/a.py").read_text() == "app/lib/a.py"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "secret").write_text("x")

    def refused(archive: zipfile.ZipFile, path: Path, name: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(zipfile.ZipFile, "write", refused)  # root may read everything
    with pytest.raises(CfrouteError, match="secret' cannot be packed: Permission denied"):
        bits.pack(app, tmp_path / "package.zip")


def test_a_zip_file_is_taken_as_it_is(tmp_path: Path) -> None:
    given = tmp_path / "app.jar"
    with zipfile.ZipFile(given, "w") as archive:
        archive.writestr("a", "b")
    assert bits.pack(given, tmp_path / "package.zip") == given


def test_what_cannot_be_an_app_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no zip")
    with pytest.raises(CfrouteError, match="No app files found"):
        bits.pack(tmp_path / "empty", tmp_path / "package.zip")
    with pytest.raises(CfrouteError, match="neither a folder nor a zip file"):
        bits.check(tmp_path / "text")
    with pytest.raises(UsageError, match="does not exist"):
        bits.check(tmp_path / "nowhere")


@pytest.mark.parametrize("flag", ["-p", "-f", "--vars-file"])
def test_nothing_is_made_of_an_app_that_is_not_there(flag: str, cfroute: Run) -> None:
    refused = cfroute("push", "typo", "--no-start", flag, "/no/such/path")
    assert refused.status == 1
    assert refused.err.startswith("Incorrect Usage: The specified path '/no/such/path' does not exist.\n")
    assert "typo" not in cfroute("apps").out + cfroute("routes").out
