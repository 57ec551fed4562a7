"""A subset of Go's templates, large enough for error pages: text and actions -> a tree.

    {{.Field}}  {{.Header.Get "X"}}  {{"text"}}  {{/* comment */}}  {{- trimmed -}}
    {{if …}} … {{else if …}} … {{else}} … {{end}}    {{with …}} … {{else}} … {{end}}
    {{$name := …}}  {{$name = …}}    eq ne lt le gt ge and or not    ( … )

What goes beyond that (pipes, range, template, other functions, a variable that hides another) is refused. Facts: Go's
text/template.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from cfroute.go.template import (
    Assign,
    Branch,
    Expression,
    Node,
    Output,
    Scope,
    TemplateError,
    Text,
    Value,
    field,
    function,
    method,
)

_OPEN: Final = re.compile(r"\{\{(-(?=[ \t\r\n]))?")
_COMMENT: Final = re.compile(r"[ \t\r\n]*/\*.*?\*/(?:([ \t\r\n]+-)|)\}\}", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""(?P<close>[ \t\r\n]+-\}\}|[ \t\r\n]*\}\})|[ \t\r\n]+
    |(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<raw>`[^`]*`)|(?P<number>[+-]?[0-9]+)(?![\w.])
    |(?P<path>\$\w*(?:\.[^\W\d]\w*)*|(?:\.[^\W\d]\w*)+|\.)(?![\w.])|(?P<word>[^\W\d]\w*)|(?P<sign>:=|[=()])""",
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))")
_SHORT: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SPACE: Final = " \t\r\n"
_MANY: Final = 99
_LONGEST_NUMBER: Final = 19  # characters: those of Go's int
_FUNCTIONS: Final = {  # and how many arguments they take: at least, at most
    "eq": (2, _MANY), "ne": (2, 2), "lt": (2, 2), "le": (2, 2), "gt": (2, 2), "ge": (2, 2),
    "and": (1, _MANY), "or": (1, _MANY), "not": (1, 1),
}  # fmt: skip
_BLOCKS: Final = frozenset(("if", "with"))
_DECLARES: Final = re.compile(r"[ \t\r\n]*:=")
_ASSIGNS: Final = re.compile(r"[ \t\r\n]*=")


def parse(text: str) -> list[Node]:
    """The nodes of a template. Raises TemplateError, with the line that is to blame."""
    parser = _Parser(text)
    nodes, end = parser.nodes({"$"})
    if end:
        parser.fail(f"unexpected {{{{{end}}}}}")
    return nodes


class _Parser:
    """One pass over the text. `names` are the variables that can be seen, each with a name of its own at run time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._trim = False
        self._kind = self._lexeme = ""
        self._start = 0

    @property
    def _line(self) -> int:
        return self._text.count("\n", 0, self._start) + 1

    def fail(self, problem: str) -> None:
        """Refuse the template."""
        raise TemplateError(f"template: error-message:{self._line}: {problem}")

    # Text and actions

    def nodes(self, names: set[str]) -> tuple[list[Node], str]:
        """The nodes up to the `else` or `end` that belongs to whoever asked, and which of them it was."""
        names = set(names)
        nodes: list[Node] = []
        while self._find_action(nodes):
            self._next()
            word = self._lexeme if self._kind == "word" else ""
            if word in ("else", "end"):
                self._next()
                return nodes, word
            if word in _BLOCKS:
                self._next()
                nodes.append(self._block(word, names))
            elif self._kind == "path" and self._lexeme.startswith("$"):
                nodes.append(self._maybe_assignment(names))
            else:
                nodes.append(Output(self._expression(names), self._line))
                self._close()
        return nodes, ""

    def _find_action(self, nodes: list[Node]) -> bool:
        """Take the text before the next action, and be behind its opening braces; False at the end."""
        while True:
            found = _OPEN.search(self._text, self._at)
            text = self._text[self._at : found.start() if found else len(self._text)]
            if self._trim:
                text = text.lstrip(_SPACE)
            if found and found[1]:
                text = text.rstrip(_SPACE)
            if text:
                nodes.append(Text(text))
            if found is None:
                return False
            self._start, self._at = found.start(), found.end()
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                return True
            self._trim, self._at = bool(comment[1]), comment.end()

    def _next(self) -> None:
        """Go on to the next token of the action."""
        while True:
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                rest = self._text[self._at : self._at + 1]
                self.fail(f"unexpected {rest!r} in action" if rest else "unclosed action")
            assert found is not None
            self._at = found.end()
            if found.lastgroup is not None:
                break
        self._kind, self._lexeme = found.lastgroup, found[0]
        if self._kind == "close":
            self._trim = "-" in self._lexeme

    def _close(self) -> None:
        if self._kind != "close":
            self.fail(f"unexpected {self._lexeme!r} in action: pipes and arguments of this kind are not supported")

    # Blocks and variables

    def _block(self, word: str, names: set[str]) -> Branch:
        """`if` or `with`, whose word has been read, up to its `end`."""
        names, variable, line = set(names), "", self._line
        if self._kind == "path" and self._declared():
            variable = self._lexeme
            self._next()
            self._next()
        condition = self._expression(names)
        self._close()
        if variable:
            names.add(variable)
        then, end = self.nodes(names)
        otherwise: Sequence[Node] = ()
        if end == "else" and self._kind == "word" and self._lexeme in _BLOCKS:
            inner = self._lexeme
            self._next()
            otherwise = (self._block(inner, names),)
            return Branch(condition, variable, word == "with", then, otherwise, line)
        if end == "else":
            self._close()
            otherwise, end = self.nodes(names)
        if end != "end":
            self.fail(f"{{{{{word}}}}} without {{{{end}}}}")
        self._close()
        return Branch(condition, variable, word == "with", then, otherwise, line)

    def _declared(self) -> bool:
        """Whether the variable at hand is being declared."""
        return _DECLARES.match(self._text, self._at) is not None

    def _maybe_assignment(self, names: set[str]) -> Node:
        name, line = self._lexeme, self._line
        declared = self._declared()
        if not declared and not _ASSIGNS.match(self._text, self._at):
            node: Node = Output(self._expression(names), line)
            self._close()
            return node
        if not declared and name not in names:
            self.fail(f'undefined variable "{name}"')
        if "." in name or name == "$" or (declared and name in names):
            self.fail(f"{name} cannot be set here")
        self._next()
        self._next()
        value = self._expression(names)
        self._close()
        names.add(name)
        return Assign(name, value)

    # Expressions

    def _expression(self, names: set[str]) -> Expression:
        """One command: a function or a method with its arguments, or a single value."""
        if self._kind == "word" and self._lexeme in _FUNCTIONS:
            name = self._lexeme
            self._next()
            return self._call(name, self._arguments(names))
        if self._kind == "path" and self._lexeme.endswith(".Get"):
            path = self._path(names)
            return method(path, self._arguments(names))
        return self._operand(names)

    def _arguments(self, names: set[str]) -> list[Expression]:
        arguments = []
        while self._kind in ("string", "raw", "number", "path", "word") or self._lexeme == "(":
            arguments.append(self._operand(names))
        return arguments

    def _call(self, name: str, arguments: list[Expression]) -> Expression:
        least, most = _FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            self.fail(f"wrong number of args for {name}: got {len(arguments)}")
        return function(name, arguments)

    def _operand(self, names: set[str]) -> Expression:
        kind, lexeme = self._kind, self._lexeme
        if lexeme == "(":
            self._next()
            inner = self._expression(names)
            if self._lexeme != ")":
                self.fail("unclosed left paren")
            self._next()
            return inner
        if kind == "path":
            return self._path(names)
        value: Value = ""
        if kind == "string":
            value = _unquoted(lexeme)
        elif kind == "raw":
            value = lexeme[1:-1].replace("\r", "")
        elif kind == "number":
            if len(lexeme) > _LONGEST_NUMBER:
                self.fail("integer overflow")
            value = int(lexeme)
        elif lexeme in ("true", "false"):
            value = lexeme == "true"
        elif kind == "word":
            self.fail(f'function "{lexeme}" not defined, or not supported')
        else:
            self.fail(f"missing value before {lexeme.strip()!r}")
        self._next()
        return lambda _: value

    def _path(self, names: set[str]) -> Expression:
        """`.`, `.A.B`, `$`, `$name.A`."""
        root, *fields = self._lexeme.split(".")
        if root and root not in names:
            self.fail(f'undefined variable "{root}"')
        self._next()
        fields = [name for name in fields if name]

        def value(scope: Scope) -> Any:
            found = scope.variables[root] if root else scope.dot
            for name in fields:
                found = field(found, name)
            return found

        return value


def _unquoted(literal: str) -> str:
    def one(match: re.Match[str]) -> str:
        short, *numbers, octal, other = match.groups()
        if short:
            return _SHORT.get(short, short)
        if other:
            raise TemplateError(f"template: error-message: unknown escape \\{other} in {literal}")
        return chr(int(octal, 8)) if octal else chr(int(next(filter(None, numbers)), 16))

    return _ESCAPE.sub(one, literal[1:-1])
