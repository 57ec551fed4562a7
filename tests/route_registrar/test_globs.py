"""Files by pattern."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go.patterns import PatternError
from cfroute.route_registrar import globs


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a/x.yml", "a/y.yml", "b/x.yml", "b/.hidden.yml", "c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*/x.yml", ["a/x.yml", "b/x.yml"]),
        ("b/*.yml", ["b/.hidden.yml", "b/x.yml"]),
        ("[^b]/?.yml", ["a/x.yml", "a/y.yml"]),
        ("a/../[a-b]", ["a/../a", "a/../b"]),
        ("c/*", []),
        ("nothing", []),
        ("c", ["c"]),
        ("", []),
    ],
)
def test_relative_patterns(tree: Path, pattern: str, found: list[str]) -> None:
    assert globs.find(pattern) == found
    if pattern:
        assert globs.find(f"{tree}/{pattern}") == [f"{tree}/{name}" for name in found]


def test_a_bad_pattern_is_an_error_even_where_nothing_could_match(tree: Path) -> None:
    with pytest.raises(PatternError):
        globs.find("nowhere/[")


@given(st.text(alphabet="abc/*?[]^-\\.", max_size=12))
def test_any_pattern_is_read_or_refused(pattern: str) -> None:
    try:
        found = globs.find(pattern.lstrip("/"))
    except PatternError:
        return
    assert all(os.path.lexists(name) for name in found)
