"""Refusing what would exceed quotas."""

from collections.abc import Iterable

from cfroute.cloud_controller import quota_use
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import unprocessable
from cfroute.cloud_controller.models import App, Organization, Process, ServicePlan, Space
from cfroute.cloud_controller.validation import quotas as rules


def refuse_excess(call: Call, space: Space, **more: int) -> None:
    """Raise 10008 when so much more in the space would exceed a quota."""
    if problems := quota_use.exceeded(call.session, space, more):
        raise unprocessable(problems[0])


def refuse_domain(call: Call, organization: Organization) -> None:
    """Raise 10008 when the organization may not have one more private domain."""
    limits = {"total_domains": quota_use.quota_of(call.session, organization).total_domains}
    used = {"total_domains": quota_use.domains(call.session, organization.guid)}
    if problems := rules.exceeded([rules.Scope("organization", organization.name, limits, used)], {"total_domains": 1}):
        raise unprocessable(problems[0])


def refuse_paid(call: Call, space: Space, plan: ServicePlan) -> None:
    """Raise 10008 when the plan costs something and the space's or the organization's quota does not allow that."""
    problem = rules.paid_services_problem(
        space_allows=space.quota is None or space.quota.paid_services_allowed,
        organization_allows=quota_use.quota_of(call.session, space.organization).paid_services_allowed,
    )
    if not plan.free and problem:
        raise unprocessable(problem)


def refuse_processes(call: Call, app: App, changed: Iterable[Process]) -> None:
    """Raise 10008 when the app as this transaction has it exceeds a quota, in all or by one of the changed processes."""
    call.session.flush()  # what the app adds is counted with the rest
    if problems := quota_use.running_excess(call.session, app, 0, 0, max((each.memory_mb for each in changed), default=0)):
        raise unprocessable(", ".join(problems))


def refuse_deployment(call: Call, app: App, process: Process) -> None:
    """Raise 10008 when the new process of a deployment does not fit beside the old one."""
    call.session.flush()
    if problem := quota_use.deployment_excess(call.session, app, 0, 0, process.memory_mb):
        raise unprocessable(problem)


def refuse_resized(call: Call, app: App, process: Process, instances: int, memory_mb: int) -> None:
    """Raise 10008 when a deployment wants more of the process in its end than fits, even without the old one beside it."""
    memory = instances * memory_mb - process.instances * process.memory_mb
    if problem := quota_use.deployment_excess(call.session, app, memory, instances - process.instances, memory_mb):
        raise unprocessable(problem)
