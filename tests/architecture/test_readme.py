"""The commands in the documents exist, with the options shown."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from cfroute.cli.catalog import DAEMONS
from cfroute.cli.finding import load

from .source import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md")
BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(cfroute [a-z][^`]*)`")


def shown() -> Iterator[str]:
    """Every `cfroute …` of the documents."""
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        yield from (line for block in BLOCK.findall(text) for line in block.splitlines() if line.startswith("cfroute "))
        yield from INLINE.findall(text)


@pytest.mark.parametrize("line", sorted(set(shown())))
def test_what_is_shown_can_be_typed(line: str) -> None:
    _, name, *arguments = shlex.split(line, comments=True)
    if name in DAEMONS:
        return
    command = load(name) or load(f"{name} {arguments.pop(0) if arguments else ''}")
    assert command is not None, f"there is no command called {name}"
    if arguments:
        command.make_context(name, arguments, obj=None)


def test_the_documents_show_something() -> None:
    assert len(set(shown())) > 10
    assert isinstance(load("up"), click.Command)
