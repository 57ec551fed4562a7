"""What has to be removed at brokers: what they may have made without anybody knowing, and what went here with its owner."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from cfroute.cloud_controller.brokers import requests
from cfroute.cloud_controller.brokers.calls import Call as Asked
from cfroute.cloud_controller.brokers.outcomes import Failed, Outcome
from cfroute.cloud_controller.brokers.progress import retry_at
from cfroute.cloud_controller.brokers.requests import Request
from cfroute.cloud_controller.brokers.subjects import Access, Binding, Question, access, plan_of, subject, unbinding
from cfroute.cloud_controller.models import Orphan, ServiceInstance

_INSTANCES_LATER = 1.0  # seconds: after their bindings


def leave(session: Session, where: Access, request: Request, user_guid: str, due_at: float) -> None:
    """Have it removed at due_at."""
    session.add(
        Orphan(
            url=where.url,
            username=where.username,
            password=where.password,
            path=request.path,
            user_guid=user_guid,
            due_at=due_at,
        )
    )


def leave_bindings(session: Session, bindings: Iterable[Binding], user_guid: str, now: float) -> None:
    """Have the brokers told of these bindings, which are being deleted with the app or route that had them."""
    for binding in bindings:
        if binding.service_instance.managed:
            where = access(plan_of(binding.service_instance).offering.broker)
            leave(session, where, unbinding(binding), user_guid, now)


def leave_instances(session: Session, instances: Iterable[ServiceInstance], user_guid: str, now: float) -> None:
    """Have the brokers told of these instances, which are being deleted with their space; of their bindings before."""
    for instance in instances:
        if instance.managed:
            where = access(plan_of(instance).offering.broker)
            leave(session, where, requests.deprovision(subject(instance)), user_guid, now + _INSTANCES_LATER)


def question(session: Session, guid: str) -> Question | None:
    """What to ask to be rid of the orphan; None when that is done."""
    orphan = session.get(Orphan, guid)
    if orphan is None:
        return None
    call = Asked.UNBIND if "/service_bindings/" in orphan.path else Asked.DEPROVISION
    return Question(Access(orphan.url, orphan.username, orphan.password), Request(call, "DELETE", orphan.path), orphan.user_guid)


def settle(session: Session, guid: str, outcome: Outcome, now: float) -> bool:
    """Take the answer into account; whether it was given up."""
    orphan = session.get(Orphan, guid)
    if orphan is None:
        return False
    orphan.attempts += 1
    due = retry_at(orphan.attempts, now) if isinstance(outcome, Failed) else None
    if due is not None:
        orphan.due_at = due
        return False
    session.delete(orphan)
    return isinstance(outcome, Failed)


def due(session: Session, now: float) -> list[str]:
    return list(session.scalars(select(Orphan.guid).where(Orphan.due_at <= now)))
