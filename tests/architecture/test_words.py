"""Everything says what it is for, and nothing is left for later."""

import ast
import re

from . import source

LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|raise Not" r"Implemented")


def test_every_module_has_a_docstring() -> None:
    found = [m.at(m.tree) for m in source.modules() if m.text.strip() and not ast.get_docstring(m.tree)]
    assert not found, "\n".join(found)


def test_every_public_class_has_a_docstring() -> None:
    found = [
        f"{module.at(node)}: {node.name}"
        for module in source.modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not found, "\n".join(found)


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{module.path.relative_to(source.ROOT)}:{number}: {line.strip()}"
        for module in (*source.modules(), *source.tests())
        for number, line in enumerate(module.text.splitlines(), 1)
        if LATER.search(line)
    ]
    assert not found, "\n".join(found)
