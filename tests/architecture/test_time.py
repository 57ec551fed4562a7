"""Time and chance are arguments, tasks have an owner, and tests do not wait for the clock."""

import ast
from collections.abc import Container

from . import source
from .source import within

CLOCKS = ("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter")
DATES = ("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today")
CHANCE = ("uuid.uuid1", "uuid.uuid4", "random")  # keys and salts are no decisions: `secrets` may make them
SLEEPS = ("time.sleep", "asyncio.sleep")
# Where the parts of a program are put together; `parts.py` serves a `main.py` and a `local.py`.
ROOTS = ("clock.py", "main.py", "local.py", "parts.py")
TASKS = ("asyncio.create_task", "asyncio.ensure_future")


def called(names: tuple[str, ...], *, except_in: Container[str] = ()) -> list[str]:
    return [
        f"{module.at(call)}: calls {name}"
        for module in source.modules()
        if module.path.name not in except_in and not within(module.name, "cfroute.cli")
        for name, call in source.calls(module)
        if within(name, *names)
    ]


def test_nobody_reads_the_time_but_the_clock() -> None:
    found = called(CLOCKS + DATES, except_in=ROOTS)
    assert not found, "\n".join(found)


def test_nobody_draws_lots_but_the_composition_roots() -> None:
    found = called(CHANCE, except_in=ROOTS)
    assert not found, "\n".join(found)


def test_tasks_are_started_by_the_daemon_module_alone() -> None:
    found = called(TASKS, except_in={"daemon.py"})
    found += [
        f"{module.at(node)}: calls {node.func.attr}"
        for module in source.modules()
        if module.path.name != "daemon.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_loop_task(node.func)
    ]
    assert not found, "\n".join(sorted(set(found)))


def _is_loop_task(called: ast.Attribute) -> bool:
    """`loop.create_task`, however the loop is called; a TaskGroup's own method is fine, it keeps its tasks."""
    return called.attr == "create_task" and "loop" in ast.unparse(called.value)


def test_tests_do_not_sleep() -> None:
    """Polling a condition until a deadline is fine, and so is giving other tasks a turn; anything else is a guess."""
    sleeps = [
        module.at(call)
        for module in source.tests()
        for name, call in source.calls(module)
        if within(name, *SLEEPS) and not _gives_a_turn(call) and not _polls(module, call)
    ]
    count = sum(function.name.startswith("test_") for module in source.tests() for function in source.functions(module))
    assert len(sleeps) * 100 <= count, f"{len(sleeps)} sleeps in {count} tests:\n" + "\n".join(sleeps)


def _gives_a_turn(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def _polls(module: source.Module, call: ast.Call) -> bool:
    loops = (node for node in ast.walk(module.tree) if isinstance(node, ast.While))
    return any(node is call for loop in loops for node in ast.walk(loop))
