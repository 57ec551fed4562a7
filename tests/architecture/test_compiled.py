"""What keeps the compiled request path meaning what its source means."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def compiled() -> list[Path]:
    """The modules that setup.py names, and the handlers."""
    assigned = {
        target.id: node.value
        for node in ast.parse((ROOT / "setup.py").read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    names = ast.literal_eval(assigned["REQUEST_PATH"])
    handlers = ROOT / "cfroute" / ast.literal_eval(assigned["HANDLERS"])
    return [*(ROOT / "cfroute" / f"{name}.py" for name in names), *sorted(handlers.glob("*.py"))]


@pytest.mark.parametrize("file", compiled(), ids=lambda file: str(file.relative_to(ROOT)))
def test_an_exceptions_name_has_one_type(file: Path) -> None:
    """mypyc gives a variable the type of its first use: a second exception of that name in a function would be a TypeError."""
    for function in ast.walk(ast.parse(file.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            types: dict[str, set[str]] = {}
            for handler in ast.walk(function):
                if isinstance(handler, ast.ExceptHandler) and handler.name and handler.type:
                    types.setdefault(handler.name, set()).add(ast.unparse(handler.type))
            twice = [name for name, kinds in types.items() if len(kinds) > 1]
            assert not twice, f"{function.name} catches different exceptions as {twice}"


@pytest.mark.parametrize("file", compiled(), ids=lambda file: str(file.relative_to(ROOT)))
def test_bounds_of_slices_have_no_effects(file: Path) -> None:
    """mypyc evaluates a bound twice where it does not know the type of what is sliced: what is called there is called twice."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Slice):
            called = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
            names = {func.attr if isinstance(func, ast.Attribute) else ast.unparse(func) for func in called}
            assert names <= {"len", "start", "end"}, f"line {node.lineno}"
