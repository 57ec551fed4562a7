"""Deployments in the database: read as the values that `progress` decides on, and changed as it has decided."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller import quota_use
from cfroute.cloud_controller.deployments.instances import instances, problem
from cfroute.cloud_controller.deployments.progress import Origin, Standing, Step, Web
from cfroute.cloud_controller.deployments.states import ACTIVE, DEGENERATE, FORWARD, STATUS, SUPERSEDED, WORKING, State, Status
from cfroute.cloud_controller.diego import runs
from cfroute.cloud_controller.diego.desired import lrp_guid
from cfroute.cloud_controller.models import App, Deployment, Process, Revision
from cfroute.diego.api import ActualLRP

Seen = Mapping[str, Sequence[ActualLRP]]
"""What runs, by the name of the LRP."""


def active(session: Session, app: App) -> Deployment | None:
    """The app's deployment that is not over."""
    found = select(Deployment).where(Deployment.app_guid == app.guid, Deployment.state.in_(ACTIVE))
    return session.scalars(found.order_by(Deployment.created_at.desc())).first()


def deploying(session: Session, app: App) -> bool:
    """Whether the app's web process is being replaced, so that nobody else may change it."""
    found = active(session, app)
    return found is not None and found.state in FORWARD


def working(session: Session) -> list[tuple[str, list[str]]]:
    """The deployments that go on by themselves, with the LRPs of which it has to be known what runs."""
    found = session.scalars(select(Deployment).where(Deployment.state.in_(WORKING)).order_by(Deployment.created_at))
    return [(each.guid, [_lrp(process) for process in web_processes(each.app)]) for each in found]


def web_processes(app: App) -> list[Process]:
    """The app's web processes, in the order in which they were made."""
    return [process for process in app.processes if process.type == "web"]


def newest(app: App, kind: str) -> Process | None:
    """The app's process of that type; during a deployment the new one."""
    return next((process for process in reversed(app.processes) if process.type == kind), None)


def _lrp(process: Process) -> str:
    return lrp_guid(process.guid, process.version)


def standing(deployment: Deployment) -> Standing:
    """The row as a value."""
    wanted = deployment.web_instances
    return Standing(
        state=_state(deployment),
        original=deployment.original_instances,
        target=deployment.original_instances if wanted is None else wanted,
        max_in_flight=deployment.max_in_flight,
        weights=None if deployment.canary_steps is None else tuple(deployment.canary_steps),
        step=deployment.canary_step or 1,
        running=deployment.app.state == "STARTED",
    )


def _state(deployment: Deployment) -> State:
    return next(state for state in STATUS if state == deployment.state)


def processes(session: Session, deployment: Deployment, seen: Seen) -> list[Web]:
    """The app's web processes as values, with what runs of them."""
    earlier = select(Deployment).where(Deployment.app_guid == deployment.app_guid, Deployment.status_reason == SUPERSEDED.reason)
    origins: dict[str | None, Origin] = {
        each.process_guid: "superseded" if each.state == "DEPLOYED" else "canceled" for each in session.scalars(earlier)
    }
    origins[deployment.process_guid] = "deploying"
    return [
        Web(process.guid, instances(process.instances, seen.get(_lrp(process), ())), origins.get(process.guid, "original"))
        for process in web_processes(deployment.app)
    ]


def excess(session: Session, deployment: Deployment, step: Step) -> str | None:
    """Why quotas have no room for the new instances of this step."""
    app = deployment.app
    if app.state != "STARTED":
        return None
    memory = instances = grown_mb = 0
    for process in web_processes(app):
        more = (step.wanted.get(process.guid, process.instances) or 0) - process.instances
        instances, memory = instances + more, memory + more * process.memory_mb
        if more > 0 and process.guid == deployment.process_guid:
            grown_mb = process.memory_mb
    return quota_use.deployment_excess(session, app, memory, instances, grown_mb) if grown_mb else None


def trouble(deployment: Deployment, seen: Seen) -> str | None:
    """What keeps the new instances from running."""
    new = next((each for each in web_processes(deployment.app) if each.guid == deployment.process_guid), None)
    return problem(seen.get(_lrp(new), ())) if new else None


def settle(deployment: Deployment, state: State, now: float, status: Status | None = None) -> None:
    """Bring it to the state; status: what people see, if that is not the state's usual one."""
    told = status or STATUS[state]
    if (deployment.status_value, deployment.status_reason) != told:
        deployment.status_value, deployment.status_reason = told
        deployment.status_at = now
    deployment.state = state


def take(session: Session, deployment: Deployment, step: Step, now: float, error: str | None) -> bool:
    """Write the step down, and what keeps it from going on; whether anything else is wanted now than before."""
    for process in web_processes(deployment.app):
        count = step.wanted.get(process.guid, process.instances)
        if count is None:
            session.delete(process)
        else:
            process.instances = count
    deployment.error = error
    if step.grown:
        deployment.healthy_at = now
    if step.state != deployment.state:
        settle(deployment, step.state, now, DEGENERATE if step.lost else None)
    session.flush()
    session.expire(deployment.app, ["processes"])
    return bool(step.wanted)


def restart_others(session: Session, deployment: Deployment, new_guid: Callable[[], str], api: str) -> None:
    """What is no web process of the app begins anew with what was deployed."""
    app = deployment.app
    revision = session.get(Revision, deployment.revision_guid) if deployment.revision_guid else None
    for process in app.processes:
        if process.type == "web":
            continue
        if revision is not None:
            process.command = revision.commands.get(process.type)
            process.revision_guid = revision.guid
        if app.state == "STARTED":
            runs.begin(session, process, new_guid(), api)
