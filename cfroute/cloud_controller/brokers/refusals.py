"""The refusals that the Open Service Broker API has names for, and what the Cloud Controller makes of each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cfroute.cloud_controller.brokers.calls import Call


@dataclass(frozen=True)
class Refusal:
    """What is told of it, and with which status and name. described: the broker's own description comes first, if it has one."""

    error: str
    status: int
    detail: str
    described: bool = False


_ASYNC = Refusal("AsyncRequired", 400, "This service plan requires client support for asynchronous service operations.")
CONCURRENCY_ERROR = "ConcurrencyError"
_CONCURRENCY = Refusal(
    CONCURRENCY_ERROR, 422, "The service broker could not perform this operation in parallel with other running operations"
)
_APP = Refusal("AppRequired", 400, "This service supports generation of credentials through binding an application only.")
_MAINTENANCE = Refusal(
    "MaintenanceInfoConflict",
    422,
    "The service broker did not provide a reason for this conflict, please ensure the catalog is up to date and you are "
    "providing a version supported by this service plan",
    described=True,
)
_ENDING = {"AsyncRequired": _ASYNC, CONCURRENCY_ERROR: _CONCURRENCY}
_REFUSALS: Mapping[Call, Mapping[str, Refusal]] = {
    Call.PROVISION: {**_ENDING, "MaintenanceInfoConflict": _MAINTENANCE},
    Call.UPDATE: {"AsyncRequired": _ASYNC, "MaintenanceInfoConflict": _MAINTENANCE},
    Call.DEPROVISION: _ENDING,
    Call.BIND: {**_ENDING, "RequiresApp": _APP},
    Call.UNBIND: _ENDING,
}


def refusal(call: Call, values: Mapping[str, Any]) -> Refusal | None:
    """The refusal that an answer of 422 to such a call names; None if it names none that belongs there."""
    name = values.get("error")
    return _REFUSALS.get(call, {}).get(name) if isinstance(name, str) else None
