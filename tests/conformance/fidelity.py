"""Writes `cfroute docs fidelity`: which statements about the original components are held by which tests, and what differs.

    python -m tests.conformance.fidelity

The statements are read from the tests' markers, without running them; the differences stand in differences.toml.
"""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from .sections import COMPONENTS, SECTIONS, chapter, component, number

TESTS = Path(__file__).parents[1]
# Where tests hold statements; those in the first folder drive a real process.
FOLDERS = ("conformance", "gorouter", "nats", "go", "routing_api", "route_registrar", "tcp_router", "locket", "uaa", "diego")
# How a marker is written: some modules have a short name for it.
MARKERS = ("pytest.mark.statement", "statement")
DIFFERENCES = Path(__file__).with_name("differences.toml")
PAGE = TESTS.parent / "cfroute" / "docs" / "fidelity.md"
WIDTH = 118

PREFACE = """\
# Fidelity to Cloud Foundry

What cfroute's daemons do otherwise than the originals, and what they do as the originals do it. Each statement is held by
a test, most of which drive real processes: a router between a NATS server and raw connections, a Routing API between a database
and its clients. The name of the test follows; its file is in the folder `tests` of the source. `cfroute gorouter --validate -c
FILE` says what of a Gorouter's configuration file has no effect.

This page is made from the tests: `python -m tests.conformance.fidelity`.
"""


Key = tuple[str, str]
"""Section and text of a statement."""


class Statement(NamedTuple):
    """One sentence about an original, and the test that holds it."""

    section: str
    text: str
    test: str


class Difference(NamedTuple):
    """What our daemon does otherwise, and why."""

    section: str
    what: str
    why: str


def statements(source: str, file: str) -> Iterator[Statement]:
    """The statements of a test module, in its order.

    Raises ValueError, with the place, for a marker whose arguments are not two plain strings.
    """
    for node in ast.parse(source, file).body:
        yield from _of_node(node, file)


def _of_node(node: ast.stmt, name: str) -> Iterator[Statement]:
    """What the markers at a test say, at a class of tests, or in `pytestmark`; markers of single cases are the test's."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        name = f"{name}::{node.name}"
        for decorator in node.decorator_list:
            yield from _marked(decorator, name)
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                yield from _of_node(member, name)
    elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
        yield from _marked(node.value, name)


def _marked(expression: ast.expr, test: str) -> Iterator[Statement]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in MARKERS:
            arguments = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if node.keywords or len(node.args) != 2 or [type(each) for each in arguments] != [str, str]:
                raise ValueError(f"{test}, line {node.lineno}: a statement has a section and a text, both plain strings")
            yield Statement(*(str(each) for each in arguments), test)


def collected() -> list[Statement]:
    """The statements of all tests."""
    files = [file for folder in FOLDERS for file in sorted((TESTS / folder).glob("**/test_*.py"))]
    return [each for file in files for each in statements(file.read_text(), str(file.relative_to(TESTS)))]


def differences(text: str) -> list[Difference]:
    """The hand-kept list. Raises KeyError or ValueError for what is not in its form."""
    return [Difference(**each) for each in tomllib.loads(text)["difference"]]


def page(held: Iterable[Statement], differing: Iterable[Difference]) -> str:
    """The whole page. Raises KeyError for a section that there is not."""
    tests: dict[Key, list[str]] = {}
    for statement in held:
        tests.setdefault((statement.section, statement.text), []).append(statement.test)
    order = {section: place for place, section in enumerate(SECTIONS)}
    texts = sorted(tests, key=lambda key: (order[key[0]], point(key[1])))
    others = sorted(differing, key=lambda difference: order[difference.section])
    parts = [PREFACE, _overview(texts, others)]
    for name in COMPONENTS:
        its_texts = [key for key in texts if component(key[0]) == name]
        its_others = [other for other in others if component(other.section) == name]
        if its_texts or its_others:
            parts += [f"## {name[0].upper()}{name[1:]}\n", *_part(its_texts, its_others, tests)]
    return "\n".join(parts).rstrip() + "\n"


def point(text: str) -> int:
    """Points of the checklist begin with their number."""
    found = re.match(r"\d+(?=: )", text)
    return int(found[0]) if found else 0


def _overview(texts: list[Key], others: list[Difference]) -> str:
    held = [component(section) for section, _ in texts]
    differing = [component(other.section) for other in others]
    rows = ["| component | statements | differences |", "|---|---|---|"]
    rows += [f"| {name} | {held.count(name)} | {differing.count(name) or ''} |" for name in COMPONENTS if name in held]
    return "\n".join([*rows, ""])


def _part(texts: list[Key], others: list[Difference], tests: Mapping[Key, list[str]]) -> Iterator[str]:
    """What is said of one component."""
    yield _summary([chapter(section) for section, _ in texts], [chapter(other.section) for other in others])
    if others:
        yield "### What differs, and why\n"
        yield from _differing(others)
    yield "### What is covered\n"
    yield from _covered(texts, tests)


def _summary(held: list[str], others: list[str]) -> str:
    rows = ["| section | statements | differences |", "|---|---|---|"]
    for section in SECTIONS:
        if section in held or section in others:
            rows.append(f"| {_title(section)} | {held.count(section)} | {others.count(section) or ''} |")
    return "\n".join([*rows, ""])


def _covered(texts: list[Key], tests: Mapping[Key, list[str]]) -> Iterator[str]:
    for begun, below in groupby(texts, lambda key: chapter(key[0])):
        yield f"#### {_title(begun)}\n"
        for section, keys in groupby(below, lambda key: key[0]):
            if section != begun:
                yield f"##### {_title(section)}\n"
            yield from ("\n".join([_item(key[1]), *(f"  `{test}`" for test in tests[key])]) for key in keys)
            yield ""


def _differing(others: list[Difference]) -> Iterator[str]:
    for begun, below in groupby(others, lambda difference: chapter(difference.section)):
        yield f"#### {_title(begun)}\n"
        yield from (_item(f"{what} Why: {why}") for _, what, why in below)
        yield ""


def _title(section: str) -> str:
    return f"{number(section)} {SECTIONS[section]}"


def _item(text: str) -> str:
    """An item of a list, folded outside of its literals; a sentence that begins with a common word begins with a capital."""
    if re.match(r"[a-z]+[ ,;:'-]", text):
        text = text[0].upper() + text[1:]
    kept = re.sub(r"`[^`]*`", lambda literal: literal[0].replace(" ", "\0"), text)
    indents = {"initial_indent": "- ", "subsequent_indent": "  "}
    folded = textwrap.wrap(kept, WIDTH, **indents, break_long_words=False, break_on_hyphens=False)
    return "\n".join(folded).replace("\0", " ")


if __name__ == "__main__":
    PAGE.write_text(page(collected(), differences(DIFFERENCES.read_text())))
