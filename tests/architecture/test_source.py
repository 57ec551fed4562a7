"""The rules are only as good as the questions they ask: these are tested on small texts."""

import ast
from pathlib import Path

from . import source
from .source import Module


def module(text: str, name: str = "cfroute.gorouter.pool") -> Module:
    return Module(name, Path(f"{source.ROOT}/{name.replace('.', '/')}.py"), text, ast.parse(text))


def names(text: str, **options: bool) -> list[str]:
    return [name for name, _ in source.imports(module(text), **options)]


def test_imports_are_absolute() -> None:
    assert names("import os.path\nfrom a.b import c, d") == ["os.path", "a.b.c", "a.b.d"]
    assert names("from . import endpoint\nfrom .handlers import x\nfrom ..uaa import keys") == [
        "cfroute.gorouter.endpoint",
        "cfroute.gorouter.handlers.x",
        "cfroute.uaa.keys",
    ]


def test_imports_inside_functions_and_for_types_are_seen() -> None:
    assert names("def f():\n    import ssl") == ["ssl"]
    assert names("if TYPE_CHECKING:\n    import ssl") == ["ssl"]
    assert names("if TYPE_CHECKING:\n    import ssl", typing_too=False) == []


def test_calls_of_what_was_imported_are_written_out() -> None:
    text = "import os.path, time as t\nfrom datetime import datetime\nt.time()\ndatetime.now()\nos.getpid()\nuuid()\nx.y()"
    assert [name for name, _ in source.calls(module(text))] == ["time.time", "datetime.datetime.now", "os.getpid"]


def test_the_package_is_found() -> None:
    assert "cfroute.clock" in {m.name for m in source.modules()}
    assert "tests.architecture.test_source" in {m.name for m in source.tests()}
