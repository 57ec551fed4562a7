"""Before an instance goes, its bindings do, each by an operation of its own."""

from sqlalchemy.orm import Session

from cfroute.cloud_controller.brokers import results
from cfroute.cloud_controller.brokers.operations import plan_operation
from cfroute.cloud_controller.brokers.progress import Verdict
from cfroute.cloud_controller.brokers.steps import bindings_of
from cfroute.cloud_controller.models import Operation, ServiceInstance


def begin(session: Session, guid: str, now: float) -> list[str]:
    """The operations that remove the bindings, if `guid` is that of an instance's deletion; what is missing is planned."""
    deleting = session.get(Operation, guid)
    if deleting is None or (deleting.kind, deleting.type, deleting.state) != ("instance", "delete", "initial"):
        return []
    instance = session.get(ServiceInstance, deleting.subject_guid)
    found = []
    for kind, binding in bindings_of(session, instance) if instance is not None else ():
        known = binding.operation
        if known is None or known.type != "delete" or not known.pending:
            known = plan_operation(session, kind, binding.guid, "delete", deleting.user_guid, now)
        found.append(known.guid)
    return found


def is_over(session: Session, guid: str, again_at: float) -> bool:
    """Whether no binding is left. Otherwise the instance's deletion has failed like theirs, or goes on at again_at."""
    deleting = session.get(Operation, guid)
    instance = session.get(ServiceInstance, deleting.subject_guid) if deleting is not None else None
    left = [binding.operation for _, binding in bindings_of(session, instance)] if instance is not None else []
    if deleting is None or not left:
        return True
    failed = next((each for each in left if each is not None and each.state == "failed"), None)
    if failed is not None:
        results.settle(session, guid, Verdict("failed", failed.description), again_at)
    else:
        deleting.due_at = again_at
        results.poll(session, deleting)
    return False
