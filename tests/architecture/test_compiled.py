"""What the compiler would make of the request path is what Python makes of it."""

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from .source import PACKAGE, ROOT


def compiled() -> list[str]:
    """The modules that setup.py compiles."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    names = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REQUEST_PATH"
    )
    handlers = sorted((PACKAGE / "gorouter" / "handlers").glob("*.py"))
    return [*names, *(str(path.relative_to(PACKAGE).with_suffix("")) for path in handlers if path.stem != "__init__")]


def reused(tree: ast.Module) -> Iterator[str]:
    """Functions that bind exceptions of different types to one name: once compiled, the name has the type of the first."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            types: defaultdict[str, set[str]] = defaultdict(set)
            for handler in ast.walk(function):
                if isinstance(handler, ast.ExceptHandler) and handler.name and handler.type is not None:
                    types[handler.name].add(ast.unparse(handler.type))
            yield from (f"{function.name}: {name}" for name, several in types.items() if len(several) > 1)


@pytest.mark.parametrize("module", compiled())
def test_each_exception_has_a_name_of_its_own(module: str) -> None:
    assert list(reused(ast.parse((PACKAGE / f"{module}.py").read_text()))) == []
