"""Errors as the tree that upstream prints."""

import pytest

from cfroute.route_registrar.problems import Problems


@pytest.mark.statement("route registrar 2", "Everything that is wrong is told at once, as a list in lists, four blanks a level")
def test_a_tree() -> None:
    config = Problems("config")
    config.add("first")
    with config.of_part():
        route = Problems('route "n"')
        with route.of_part():
            check = Problems("healthcheck")
            check.when(True, "inmost")
            check.when(False, "not so")
            check.check()
        route.check()
    config.add("last")
    assert str(config) == (
        "there were 3 errors with 'config':\n"
        "    * first\n"
        "    there was 1 error with 'route \"n\"':\n"
        "        there was 1 error with 'healthcheck':\n"
        "            * inmost\n"
        "    * last"
    )


def test_without_problems_nothing_is_raised() -> None:
    problems = Problems("config")
    problems.check()
    problems.add("one")
    with pytest.raises(Problems, match=r"^there was 1 error with 'config':\n    \* one$"):
        problems.check()
