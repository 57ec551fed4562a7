"""Which line of the API a request means: as Starlette's router would say, which tries one regular expression after the other."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import compile_path

from cfroute.cloud_controller import internal
from cfroute.cloud_controller.app import ENDPOINTS
from cfroute.cloud_controller.paths import Paths

LINES = [(each.method, each.path) for each in (*ENDPOINTS, *internal.ENDPOINTS)]
PATHS = Paths((method, path, f"{method} {path}") for method, path in LINES)
# A newline is a character as any other: neither the end of a path, nor what no parameter can have.
PATTERNS = [(method, path, re.compile(compile_path(path)[0].pattern, re.DOTALL)) for method, path in LINES]


def tried_one_after_the_other(method: str, path: str) -> set[str]:
    return {f"{known} {line}" for known, line, pattern in PATTERNS if known == method and pattern.fullmatch(path)}


@pytest.mark.parametrize(("method", "path"), LINES, ids=lambda value: value)
def test_every_line_is_found_with_its_parameters(method: str, path: str) -> None:
    names = re.findall(r"\{(\w+)(?::path)?\}", path)
    values = {name: f"a-{number}" for number, name in enumerate(names)}
    asked = re.sub(r"\{(\w+)(?::path)?\}", lambda match: values[match[1]], path)
    assert PATHS.find(method, asked) == (f"{method} {path}", values)


WORDS = sorted(
    {segment for _, path in LINES for segment in path.split("/") if not segment.startswith("{")} | {"x", "\n", "{guid}"}
)


@given(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]), st.lists(st.sampled_from(WORDS), max_size=7))
def test_whatever_is_asked_means_what_a_list_of_patterns_says(method: str, segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    found, matching = PATHS.find(method, path), tried_one_after_the_other(method, path)
    assert {found[0]} <= matching if found else not matching


def test_a_word_goes_before_a_parameter_wherever_it_stands() -> None:
    paths = Paths([("GET", "/a/{guid}", 1), ("GET", "/a/default", 2), ("GET", "/a/{guid}/b", 3), ("GET", "/a/{rest:path}", 4)])
    assert paths.find("GET", "/a/default") == (2, {})
    assert paths.find("GET", "/a/default/b") == (3, {"guid": "default"})
    assert paths.find("GET", "/a/default/c") == (4, {"rest": "default/c"})
    assert paths.find("HEAD", "/a/x") == (1, {"guid": "x"})


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/a/"), ("GET", "a"), ("POST", "/a/x"), ("GET", "/a/x/y")])
def test_what_is_none_of_the_lines(method: str, path: str) -> None:
    assert Paths([("GET", "/a/{guid}", 1)]).find(method, path) is None
