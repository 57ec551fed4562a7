"""Deployments: the instances of an app give way to new ones without a gap, some at a time."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click

from cfroute.cli.access.api import Resource
from cfroute.cli.apps.starting import Waiting, crashed, instances, wait_for_instances
from cfroute.cli.apps.summary import AppSummary, summarize
from cfroute.cli.misuse import Misuse, together
from cfroute.cli.options import Function, option
from cfroute.cli.session import Session
from cfroute.errors import CfrouteError

ROLLING, CANARY = "rolling", "canary"


class DeploymentFailed(CfrouteError):
    """The deployment was ended by somebody, before it was through."""


class Strategy(NamedTuple):
    """How to deploy; without a name, all instances stop before the new ones start."""

    name: str | None = None
    max_in_flight: int | None = None
    steps: tuple[int, ...] = ()
    no_wait: bool = False


_STRATEGIES = "Deployment strategy can be canary, rolling or null."


def strategy_options(doing: str, text: str = _STRATEGIES) -> Callable[[Function], Function]:
    """--instance-steps, --max-in-flight, --no-wait and --strategy; `doing`: what happens to the instances."""

    def add(function: Function) -> Function:
        function = option("--strategy", type=click.Choice([CANARY, ROLLING]), help=text)(function)
        function = option("--no-wait", is_flag=True, help="Exit when the first instance of the web process is healthy")(function)
        function = option("--max-in-flight", type=int, help="Defines the maximum number of instances that will be actively "
                          f"being {doing}. Only applies when --strategy flag is specified.")(function)  # fmt: skip
        return option("--instance-steps", complete="text", help="An array of percentage steps to deploy when using deployment "
                      "strategy canary. (e.g. 20,40,60)")(function)  # fmt: skip

    return add


def chosen(given: Mapping[str, Any], default: str | None = None) -> Strategy:
    """The strategy that the flags ask for. Raises Misuse for flags that need another, and for wrong weights."""
    name, most, steps = given["strategy"] or default, given["max_in_flight"], given["instance_steps"]
    if most is not None and name is None:
        raise together("--max-in-flight", "--strategy")
    if most is not None and most < 1:
        raise Misuse("Incorrect Usage: --max-in-flight must be greater than or equal to 1")
    if steps and name != CANARY:
        raise together("--instance-steps", "--strategy=canary")
    return Strategy(name, most, _weights(steps) if steps else (), given["no_wait"])


def _weights(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(weight) for weight in text.split(","))
    except ValueError as error:
        # the one message of cf's that begins in another way
        raise Misuse("Incorrect usage: Value for --instance-steps must be list of weights") from error


def deploy(session: Session, app: Resource, strategy: Strategy, **what: str) -> AppSummary | None:
    """Create a deployment, and wait for it; `what` as for `begin`. With --no-wait, the rest goes on without anybody watching."""
    session.say(f"Creating deployment for app {app['name']}...")
    session.say()
    deployment = begin(session, app, strategy, **what)
    session.say("Waiting for app to deploy...")
    session.say()
    wait(session, app, deployment, session.say, no_wait=strategy.no_wait)
    session.say()
    if strategy.no_wait and strategy.name != CANARY:
        session.say("First instance restaged correctly, restaging remaining in the background")
        return None
    return summarize(session.api, app, session.clock)


def begin(session: Session, app: Resource, strategy: Strategy, **what: str) -> Resource:
    """Create a deployment; `what` is the droplet or the revision to deploy (neither: the app's droplet)."""
    return dict(session.api.post("/v3/deployments", body(app, strategy, **what)))


def body(app: Resource, strategy: Strategy, **what: str) -> Resource:
    """What the API is asked for."""
    options: Resource = {}
    if strategy.max_in_flight is not None:
        options["max_in_flight"] = strategy.max_in_flight
    if strategy.steps:
        options["canary"] = {"steps": [{"instance_weight": weight} for weight in strategy.steps]}
    return {
        "strategy": strategy.name,
        **({"options": options} if options else {}),
        **{kind: {"guid": guid} for kind, guid in what.items()},
        "relationships": {"app": {"data": {"guid": app["guid"]}}},
    }


def wait(session: Session, app: Resource, deployment: Resource, tell: Callable[[str], None], *, no_wait: bool = False) -> None:
    """Return when it is through or pauses; `no_wait`: when one new instance runs. Raises DeploymentFailed, StartFailed."""
    waiting = Waiting(session, app, tell)
    while not _is_over(deployment):
        if no_wait and _one_runs(session, app, deployment, tell):
            return
        waiting.pause()
        deployment = session.api.get(f"/v3/deployments/{deployment['guid']}")
    if deployment["status"]["value"] == "FINALIZED":
        wait_for_instances(session, app, tell, no_wait=no_wait)


def _is_over(deployment: Resource) -> bool:
    value, reason = deployment["status"]["value"], deployment["status"]["reason"]
    if reason in ("CANCELED", "SUPERSEDED"):
        raise DeploymentFailed(f"Deployment has been {reason.lower()}")
    return bool(value == "FINALIZED" or reason == "PAUSED")


def _one_runs(session: Session, app: Resource, deployment: Resource, tell: Callable[[str], None]) -> bool:
    """Whether a new instance does. Raises StartFailed when all of them have crashed."""
    stats = [instances(session, process["guid"]) for process in deployment.get("new_processes") or []]
    states = {each["state"] for process in stats for each in process}
    if states == {"CRASHED"}:
        raise crashed(app, stats, tell)
    return "RUNNING" in states
