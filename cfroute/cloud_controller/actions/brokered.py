"""Having something done at a broker."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select

from cfroute.cloud_controller.brokers import orphans
from cfroute.cloud_controller.brokers.operations import plan_operation
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.errors import FOUNDATION_DOWN, OPERATION_IN_PROGRESS, ApiError
from cfroute.cloud_controller.models import CredentialBinding, RouteBinding, ServiceInstance


def begin(
    call: Call,
    kind: str,
    subject_guid: str,
    type: str,  # noqa: A002 - the API's word
    *,
    parameters: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Reply:
    """202: it is asked for when the transaction is over. The answer waits for it a little, so most jobs are complete then."""
    operation = plan_operation(
        call.session,
        kind,
        subject_guid,
        type,
        call.user.guid,
        call.platform.clock.now(),
        parameters=parameters,
        changes=changes,
    )
    call.after.operations.append(operation.guid)
    return Reply(202, headers={"Location": call.urls.v3(f"/jobs/{operation.job_guid}")})


def refuse_without_brokers(call: Call) -> None:
    """Raise 10015 when the foundation is down."""
    if not call.platform.brokers.present:
        raise ApiError(FOUNDATION_DOWN)


def refuse_busy(instance: ServiceInstance, *, but_creation: bool = False) -> None:
    """Raise 60016 while something is being done to the instance (with but_creation, while it is created it is not busy)."""
    operation = instance.operation
    if operation is None or not operation.pending or (but_creation and operation.type == "create"):
        return
    raise ApiError(OPERATION_IN_PROGRESS, f"An operation for service instance {instance.name} is in progress.")


def leave_route_bindings(call: Call, where: ColumnElement[bool]) -> None:
    """Have brokers told of the route bindings that are going to be deleted."""
    found = call.session.scalars(select(RouteBinding).where(where))
    orphans.leave_bindings(call.session, found, call.user.guid, call.platform.clock.now())


def leave_credential_bindings(call: Call, where: ColumnElement[bool]) -> None:
    """Have brokers told of the credential bindings that are going to be deleted."""
    found = call.session.scalars(select(CredentialBinding).where(where))
    orphans.leave_bindings(call.session, found, call.user.guid, call.platform.clock.now())


def leave_space(call: Call, where: ColumnElement[bool]) -> None:
    """Have brokers told of the instances for which `where` holds, and of their bindings."""
    own = select(ServiceInstance.guid).where(where)
    leave_route_bindings(call, RouteBinding.service_instance_guid.in_(own))
    leave_credential_bindings(call, CredentialBinding.service_instance_guid.in_(own))
    found = call.session.scalars(select(ServiceInstance).where(where))
    orphans.leave_instances(call.session, found, call.user.guid, call.platform.clock.now())
