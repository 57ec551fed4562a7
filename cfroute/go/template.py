"""Templates as trees, and how they are rendered: the values and functions of Go's text/template that error pages use.

`go_template_parser` makes the trees, `go_html` the escaping.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Value = str | int | bool
Data = Mapping[str, Any]
"""The fields of the value that the template is rendered with. A field can be a value, or again a mapping; a member of that
which is a function is called with the arguments that stand behind it."""


class TemplateError(Exception):
    """The template cannot be used: it is wrong, or beyond what is supported."""


class RenderError(Exception):
    """The template could not be rendered with this value."""


class Scope:
    """What an action sees: the dot, and variables. `$` is the value that rendering began with."""

    def __init__(self, dot: Any, variables: dict[str, Any]) -> None:
        self.dot = dot
        self.variables = variables


Expression = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """An action whose value is written; line is where it stands, escape what makes it fit there."""

    value: Expression
    line: int
    escape: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Assign:
    """An action that sets a variable."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Branch:
    """`if` or `with`. variable also gets the condition's value, if it has a name; rebinds is true for `with`."""

    condition: Expression
    variable: str
    rebinds: bool
    then: "Sequence[Node]"
    otherwise: "Sequence[Node]"
    line: int


Node = Text | Output | Assign | Branch


def render(nodes: Sequence[Node], data: Data) -> str:
    """The text of a template for a value. Raises RenderError."""
    out: list[str] = []
    _render(nodes, Scope(data, {"$": data}), out)
    return "".join(out)


def _render(nodes: Sequence[Node], scope: Scope, out: list[str]) -> None:
    for node in nodes:
        if isinstance(node, Text):
            out.append(node.text)
        elif isinstance(node, Output):
            out.append(node.escape(shown(node.value(scope))))
        elif isinstance(node, Assign):
            scope.variables[node.name] = node.value(scope)
        else:
            value = node.condition(scope)
            if node.variable:
                scope.variables[node.variable] = value
            dot = value if node.rebinds and value else scope.dot
            _render(node.then if value else node.otherwise, Scope(dot, scope.variables), out)


def shown(value: Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise RenderError("only texts, numbers and booleans can be written")


# Values


def field(value: Any, name: str) -> Any:
    """A field of a value. Raises RenderError where there is none."""
    if not isinstance(value, Mapping) or name not in value:
        raise RenderError(f"can't evaluate field {name}")
    return value[name]


def method(path: Expression, arguments: list[Expression]) -> Expression:
    """A call of `Get`."""

    def call(scope: Scope) -> Any:
        method = path(scope)
        if not callable(method):
            raise RenderError("Get has arguments but is no method")
        values = [argument(scope) for argument in arguments]
        if len(values) != 1 or not isinstance(values[0], str):
            raise RenderError("Get wants one text")
        return method(values[0])

    return call


def function(name: str, arguments: list[Expression]) -> Expression:
    """A call of one of the functions, with as many arguments as it takes."""
    if name == "not":
        return lambda scope: not arguments[0](scope)
    if name in ("and", "or"):
        return lambda scope: _first_that_decides(name == "or", arguments, scope)
    if name == "eq":
        return lambda scope: any(_compared("eq", arguments[0](scope), other(scope)) for other in arguments[1:])
    return lambda scope: _compared(name, arguments[0](scope), arguments[1](scope))


def _first_that_decides(wanted: bool, arguments: list[Expression], scope: Scope) -> Any:
    value: Any = None
    for argument in arguments:
        value = argument(scope)
        if bool(value) is wanted:
            break
    return value


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def _compared(name: str, one: Any, other: Any) -> bool:
    if type(one) is not type(other) or not isinstance(one, str | int):
        raise RenderError(f"error calling {name}: incompatible types for comparison")
    if isinstance(one, bool) and name not in ("eq", "ne"):
        raise RenderError(f"error calling {name}: invalid type for comparison")
    return _COMPARISONS[name](one, other)
