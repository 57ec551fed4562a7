"""Patterns for names, as Go matches them."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go.patterns import PatternError, translate

# From the tests of Go's `filepath.Match`, as far as they are about names.
MATCHES = [
    ("abc", "abc", True),
    ("*", "abc", True),
    ("*c", "abc", True),
    ("a*", "a", True),
    ("a*", "abc", True),
    ("a*b*c*d*e*", "axbxcxdxe", True),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a*b?c*x", "abxbbxdbxebxczzy", False),
    ("ab[c]", "abc", True),
    ("ab[b-d]", "abc", True),
    ("ab[e-g]", "abc", False),
    ("ab[^c]", "abc", False),
    ("ab[^e-g]", "abc", True),
    ("a\\*b", "a*b", True),
    ("a\\*b", "ab", False),
    ("a?b", "a☺b", True),
    ("a[^a]b", "a☺b", True),
    ("a???b", "a☺b", False),
    ("[a-ж]*", "ж", True),
    ("*[a-ж]", "A", False),
    ("[\\]a]", "]", True),
    ("[\\-]", "-", True),
    ("[x\\-]", "-", True),
    ("[x\\-]", "z", False),
    ("[z-a]", "b", False),
    ("[^z-a]", "b", True),
    ("*x", "xxx", True),
    ("[!a]", "b", False),
    ("[!a]", "!", True),
]
BAD = ["[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "\\", "[a-", "a\\"]


@pytest.mark.parametrize(("pattern", "name", "matches"), MATCHES)
def test_matches(pattern: str, name: str, matches: bool) -> None:
    assert bool(translate(pattern).fullmatch(name)) is matches


@pytest.mark.parametrize("pattern", BAD)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"^syntax error in pattern$"):
        translate(pattern)


@given(st.text(alphabet="ab*?.", max_size=8), st.text(alphabet="ab.", max_size=8))
def test_the_simple_ones_are_those_of_the_shell(pattern: str, name: str) -> None:
    assert bool(translate(pattern).fullmatch(name)) is fnmatch.fnmatchcase(name, pattern)
