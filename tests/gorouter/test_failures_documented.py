"""`cfroute docs errors` names every failure and every router error that the code can answer with."""

import ast
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import cfroute.gorouter
from cfroute.gorouter.failures import FAILURES, Retry

TOPIC = resources.files("cfroute").joinpath("docs", "errors.md").read_text(encoding="utf-8")
# Where the answers are made: (position of the status, position of the error, its keyword).
MAKERS = {"error_answer": (1, None, "error"), "empty_answer": (1, 2, "error")}
RETRIES = {Retry.ALWAYS: "always", Retry.IDEMPOTENT: "if repeatable", Retry.NEVER: "never"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def rows() -> list[list[str]]:
    """The cells of all tables of the topic."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in TOPIC.splitlines() if line.startswith("|")]


def trees() -> Iterator[ast.Module]:
    for path in Path(str(cfroute.gorouter.__file__)).parent.rglob("*.py"):
        yield ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", None), getattr(node.func, "attr", None)):
            yield node


def argument(call: ast.Call, position: int | None, keyword: str) -> ast.expr | None:
    if position is not None and position < len(call.args):
        return call.args[position]
    return next((each.value for each in call.keywords if each.arg == keyword), None)


def texts(tree: ast.Module, value: ast.expr | None) -> Iterator[str]:
    """What an argument can be: itself, or, for a parameter of the function around it, what that is called with."""
    if isinstance(value, ast.Constant):
        yield value.value
    elif isinstance(value, ast.Name):
        for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
            names = [parameter.arg for parameter in function.args.args]
            if value.id in names and value in ast.walk(function):
                for call in calls(tree, function.name):
                    yield from texts(tree, argument(call, names.index(value.id), value.id))


def used() -> set[tuple[int, str]]:
    """Status and router error of every answer that the code makes itself."""
    found = {(502, "unknown_failure")}  # of the panic guard, which is in the data plane
    for tree in trees():
        for maker, (status, position, keyword) in MAKERS.items():
            for call in calls(tree, maker):
                code = argument(call, status, "status")
                if isinstance(code, ast.Constant):
                    found |= {(code.value, text) for text in texts(tree, argument(call, position, keyword))}
    return found


def test_the_code_is_read_as_it_is_meant():
    found = used()
    assert {(404, "unknown_route"), (400, "invalid_cf_app_instance_header"), (431, "max-request-size-exceeded")} <= found
    assert len(found) >= 12


def test_every_router_error_is_documented_with_its_status():
    told = {(row[1], row[0]) for row in rows()}
    missing = {(status, error) for status, error in used() if (str(status), f"`{error}`") not in told}
    assert not missing


def test_every_router_error_that_is_documented_exists():
    errors = {error for _, error in used()}
    first = TOPIC.partition("\n## ")[0]
    told = set(re.findall(r"^\| `([^`]+)` \| \d+ \|", first, re.MULTILINE))
    assert told == errors


def test_every_class_of_failure_is_documented_as_it_is():
    told = {row[0]: row[1:] for row in rows() if len(row) == 4}
    explained = {row[0] for row in rows() if len(row) == 2}
    assert told.keys() == explained == {"class", "---"} | {f"`{failure.name}`" for failure in FAILURES}
    for failure in FAILURES:
        status, retry, endpoint = told[f"`{failure.name}`"]
        marks = [word for word, holds in (("marked", failure.failable), ("pruned", failure.prunable)) if holds]
        assert (status, retry, endpoint) == (str(failure.status), RETRIES[failure.retry], ", ".join(marks))


def test_bodies_that_are_shared_are_documented():
    shared = {failure.body for failure in FAILURES if sum(other.body == failure.body for other in FAILURES) > 2}
    assert all(f"`{body}`" in TOPIC for body in shared)


def test_failures_have_a_header_and_a_section():
    assert "`endpoint_failure (…)`" in TOPIC
    assert "\n## endpoint_failure\n" in TOPIC
