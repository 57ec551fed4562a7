"""The source of cfroute and of its tests as syntax trees, and the questions the rules ask of them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cfroute"
TESTS = ROOT / "tests"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its text and its tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def at(self, node: ast.AST) -> str:
        """Where a node is, as an editor takes it."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package; the sample apps are programs of their own and not part of it."""
    return tuple(m for m in _parse(PACKAGE) if not m.name.startswith("cfroute.samples."))


@cache
def tests() -> tuple[Module, ...]:
    """Every module of the tests."""
    return tuple(_parse(TESTS))


def _parse(folder: Path) -> Iterator[Module]:
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield Module(".".join(parts).removesuffix(".__init__"), path, text, ast.parse(text, str(path)))


def imports(module: Module, *, typing_too: bool = True) -> Iterator[tuple[str, ast.AST]]:
    """Dotted names of what a module imports, at its top and inside functions.

    `from a.b import c` gives `a.b.c`, for c may be a module. Unless `typing_too`, what stands under `if TYPE_CHECKING`
    is left out: it is not there when the program runs.
    """
    unseen = set() if typing_too else {id(node) for block in _typing_blocks(module) for node in ast.walk(block)}
    for node in ast.walk(module.tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            yield from ((f"{origin}.{alias.name}", node) for alias in node.names)


def _typing_blocks(module: Module) -> Iterator[ast.If]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield node


def _origin(module: Module, node: ast.ImportFrom) -> str:
    """The absolute name of what `from X import …` names as X."""
    if not node.level:
        return node.module or ""
    drop = node.level - (module.path.name == "__init__.py")
    base = module.name.split(".")
    kept = base[: len(base) - drop] if drop else base
    return ".".join([*kept, *([node.module] if node.module else [])])


def calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """The dotted names of what is called and was imported, written out (`now()` → `datetime.datetime.now`)."""
    known = _imported_names(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            first, dot, rest = dotted(node.func).partition(".")
            if first in known:
                yield known[first] + dot + rest, node


def _imported_names(module: Module) -> dict[str, str]:
    """What the names that a module imports stand for, written out."""
    known: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
            known |= {top: top for alias in node.names if (top := alias.name.partition(".")[0]) and not alias.asname}
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            known |= {alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names}
    return known


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression that is nothing but names, else the empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def functions(module: Module) -> Iterator[Function]:
    """All functions and methods, nested ones too."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def within(name: str, *prefixes: str) -> bool:
    """Whether a dotted name is one of the prefixes or inside one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)
