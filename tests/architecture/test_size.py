"""Modules and functions stay small enough to be read at once; the budgets are those of h11, httpcore and uvicorn."""

from statistics import median, quantiles

from . import source

MODULE_LINES = 400
FUNCTION_LINES = 80
MEDIAN_FUNCTION_LINES = 10
MOST_FUNCTIONS_LINES = 40  # nine of ten


def test_modules_are_short() -> None:
    found = [f"{m.at(m.tree)}: {m.lines} lines" for m in source.modules() if m.lines > MODULE_LINES]
    assert not found, "\n".join(found)


def test_functions_are_short() -> None:
    found = [
        f"{module.at(function)}: {function.name} has {source.length(function)} lines"
        for module in source.modules()
        for function in source.functions(module)
        if source.length(function) > FUNCTION_LINES
    ]
    assert not found, "\n".join(found)


def test_most_functions_are_very_short() -> None:
    lengths = [source.length(function) for m in source.modules() for function in source.functions(m)]
    assert median(lengths) <= MEDIAN_FUNCTION_LINES
    assert quantiles(lengths, n=10)[-1] <= MOST_FUNCTIONS_LINES
