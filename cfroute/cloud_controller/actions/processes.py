"""Changing what runs of an app: sizes, instances, health checks."""

from typing import Any

from cfroute.cloud_controller.actions import deployments, lifecycle, quotas
from cfroute.cloud_controller.call import Call
from cfroute.cloud_controller.errors import refuse_if
from cfroute.cloud_controller.models import Process
from cfroute.cloud_controller.validation import apps as rules


def scale(call: Call, process: Process, wanted: dict[str, Any], *, at_once: bool = True) -> None:
    """Take over what is given of a good scale request.

    at_once: instances of another size are replaced now, not at the next start. Raises 10008 when a quota or the platform does not
    allow it, or a deployment is replacing the process.
    """
    deployments.refuse_while_deploying(call, process, "scale")
    fields = {
        "memory_in_mb": "memory_mb",
        "disk_in_mb": "disk_mb",
        "log_rate_limit_in_bytes_per_second": "log_rate_limit",
    }
    resized = False
    for given, column in fields.items():
        value = wanted.get(given)
        if value is not None and getattr(process, column) != value:
            setattr(process, column, value)
            resized = True
    if wanted.get("instances") is not None:
        process.instances = wanted["instances"]
    _refuse_beyond_limits(call, process)
    quotas.refuse_processes(call, process.app, [process])
    _take_effect(call, process, renew=resized and at_once)


def _refuse_beyond_limits(call: Call, process: Process) -> None:
    config = call.platform.config
    most = config.maximum_app_disk_in_mb, process.health_check_timeout, config.maximum_health_check_timeout
    refuse_if(rules.limits_problems(process.disk_mb, *most))


def _take_effect(call: Call, process: Process, *, renew: bool) -> None:
    if renew and process.app.state == "STARTED":
        lifecycle.renew(call, process)
    lifecycle.changed(call, process.app)


def check_health(call: Call, process: Process, check: dict[str, Any], *, at_once: bool = True) -> None:
    """Take over what is given of a good health check. Another type or endpoint needs new instances, now or at the next start.

    Raises 10008 for a timeout that the platform does not allow.
    """
    data = check.get("data") or {}
    before = process.health_check_type, process.health_check_endpoint
    if check.get("type"):
        process.health_check_type = check["type"]
        if check["type"] != "http":
            process.health_check_endpoint = None
    if data.get("endpoint") is not None:
        process.health_check_endpoint = data["endpoint"]
    if "timeout" in data:
        process.health_check_timeout = data["timeout"]
    if "invocation_timeout" in data:
        process.health_check_invocation_timeout = data["invocation_timeout"]
    _refuse_beyond_limits(call, process)
    changed = before != (process.health_check_type, process.health_check_endpoint)
    _take_effect(call, process, renew=changed and at_once)
