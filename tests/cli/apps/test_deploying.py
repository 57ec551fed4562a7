"""Strategies of deployments: which flags go together, and what they ask the API for."""

from typing import Any

import pytest

from cfroute.cli.apps import deploying
from cfroute.cli.apps.deploying import Strategy
from cfroute.cli.misuse import Misuse
from cfroute.errors import CfrouteError

from ..conftest import Run

NONE = {"strategy": None, "max_in_flight": None, "instance_steps": None, "no_wait": False}
APP = {"guid": "a-1", "name": "web"}


@pytest.mark.parametrize(
    ("flags", "strategy"),
    [
        ({}, Strategy()),
        ({"no_wait": True}, Strategy(no_wait=True)),
        ({"strategy": "rolling", "max_in_flight": 3}, Strategy("rolling", 3)),
        ({"strategy": "canary", "instance_steps": "20,60"}, Strategy("canary", None, (20, 60))),
    ],
    ids=["none", "no-wait", "rolling", "canary"],
)
def test_flags_make_a_strategy(flags: dict[str, Any], strategy: Strategy) -> None:
    assert deploying.chosen(NONE | flags) == strategy


def test_a_command_may_have_a_strategy_of_its_own() -> None:
    assert deploying.chosen(NONE | {"max_in_flight": 2}, default="rolling") == Strategy("rolling", 2)


@pytest.mark.parametrize(
    ("flags", "error", "message"),
    [
        ({"max_in_flight": 2}, Misuse, "Incorrect Usage: '--max-in-flight' and '--strategy' must be used together."),
        (
            {"strategy": "rolling", "max_in_flight": 0},
            Misuse,
            "Incorrect Usage: --max-in-flight must be greater than or equal to 1",
        ),
        (
            {"strategy": "rolling", "instance_steps": "20"},
            Misuse,
            "Incorrect Usage: '--instance-steps' and '--strategy=canary' must be used together.",
        ),
        (
            {"strategy": "canary", "instance_steps": "20,x"},
            CfrouteError,
            "Incorrect usage: Value for --instance-steps must be list of weights",
        ),
    ],
    ids=["most-alone", "none-in-flight", "steps-rolling", "no-weights"],
)
def test_flags_that_do_not_go_together(flags: dict[str, Any], error: type[CfrouteError], message: str) -> None:
    with pytest.raises(error) as refused:
        deploying.chosen(NONE | flags)
    assert refused.value.message == message


def test_what_the_api_is_asked_for() -> None:
    of_app = {"app": {"data": {"guid": "a-1"}}}
    assert deploying.body(APP, Strategy("rolling")) == {"strategy": "rolling", "relationships": of_app}
    assert deploying.body(APP, Strategy("rolling", 2), droplet="d-1") == {
        "strategy": "rolling",
        "options": {"max_in_flight": 2},
        "droplet": {"guid": "d-1"},
        "relationships": of_app,
    }
    assert deploying.body(APP, Strategy("canary", None, (10, 50)), revision="r-1") == {
        "strategy": "canary",
        "options": {"canary": {"steps": [{"instance_weight": 10}, {"instance_weight": 50}]}},
        "revision": {"guid": "r-1"},
        "relationships": of_app,
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("push web --no-start --strategy rolling", "cannot be used together: --no-start, --strategy=rolling"),
        ("push web --no-start --no-wait", "cannot be used together: --no-start, --no-wait"),
        ("push web --droplet d.tgz -p .", "cannot be used together: --droplet, --docker-image, -o, --docker-username, -p"),
        ("push web --droplet d.tgz -b python_buildpack", "cannot be used together: --droplet, --buildpack, -b"),
        ("push web --droplet d.tgz --sample echo", "cannot be used together: --droplet, --sample"),
        ("push web --droplet nowhere.tgz", "The specified path 'nowhere.tgz' does not exist."),
        ("push web -u http", "'--endpoint' and '--health-check-type=http, -u=http' must be used together."),
        ("push web --no-manifest --var a=b", "cannot be used together: --no-manifest, --vars"),
        ("push web --strategy sudden", "invalid argument for flag `--strategy': "),
        ("restage web --max-in-flight 2", "'--max-in-flight' and '--strategy' must be used together."),
        ("copy-source web other -o acme", "'--organization, -o' and '--space, -s' must be used together."),
        ("copy-source web other --no-restart --strategy rolling", "cannot be used together: --no-restart, --strategy"),
        ("rollback web", "the required flag `--version' was not specified"),
        ("revision web --version first", "invalid argument for flag `--version': "),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(line: str, said: str, cfroute: Run) -> None:
    wrong = cfroute(*line.split())
    assert (wrong.status, wrong.err.startswith("Incorrect Usage: ")) == (1, True)
    assert said in wrong.err.splitlines()[0]
