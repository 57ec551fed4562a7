"""What a broker's answer means: done, still going on, or failed; and whether it may have left something behind. Pure.

The rules are the Open Service Broker API's ("Orphan Mitigation", "Response Codes"), the sentences the Cloud Controller's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cfroute.cloud_controller.brokers.calls import Call
from cfroute.cloud_controller.brokers.refusals import refusal
from cfroute.proxy.status import REASONS
from cfroute.unreadable import UNREADABLE

UNREACHABLE = "The service broker could not be reached"
TIMED_OUT = "The request to the service broker timed out"
_UNAUTHORIZED = "Authentication with the service broker failed. Double-check that the username and password are correct."
_LONGEST, _SHORTENED = 2**14, 2**13  # bytes
_TRUNCATED = "…...This message has been truncated due to size. To read the full message, check the broker's logs"
_BAD = "ServiceBrokerBadResponse"


_MAKES = (Call.PROVISION, Call.BIND)
_ENDS = (Call.DEPROVISION, Call.UNBIND)
_DONE = {
    Call.CATALOG: (200,),
    Call.PROVISION: (200, 201),
    Call.UPDATE: (200,),
    Call.DEPROVISION: (200,),
    Call.BIND: (200, 201),
    Call.UNBIND: (200,),
    Call.LAST_OPERATION: (200,),
    Call.FETCH: (200,),
}


@dataclass(frozen=True)
class Answer:
    """A broker's answer, with header names in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Succeeded:
    """It is done; `values` is the body."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class InProgress:
    """It goes on; `operation` is to be given with each question after it, `again_in` the seconds until the next one, if told."""

    values: Mapping[str, Any]
    operation: str = ""
    again_in: float | None = None
    description: str = ""


@dataclass(frozen=True)
class Failed:
    """It failed. `orphan` says that the broker may have made what nobody knows of, which has to be removed again.

    `status` and `error` are what the API answers, and calls it, where it has to tell of it as it is; `repeatable` says that
    the next question may be answered better.
    """

    detail: str
    orphan: bool = False
    status: int = 502
    repeatable: bool = False
    error: str = _BAD


Outcome = Succeeded | InProgress | Failed


def unreachable(call: Call) -> Failed:
    """Nobody listens: nothing can have been made."""
    return Failed(UNREACHABLE, repeatable=call is Call.LAST_OPERATION, error="ServiceBrokerApiUnreachable")


def timed_out(call: Call) -> Failed:
    """There is no answer in time: nobody knows what has been made."""
    polled = call is Call.LAST_OPERATION
    return Failed(TIMED_OUT, orphan=call in _MAKES, status=504, repeatable=polled, error="HttpClientTimeout")


def judge(call: Call, answer: Answer, *, route_forwarding: bool = False) -> Outcome:
    """What the answer means. route_forwarding: whether this is a binding of a route, whose URL has to be https."""
    status = answer.status
    if status == 401:
        return Failed(_UNAUTHORIZED, error="ServiceBrokerApiAuthenticationFailed")
    if call in _ENDS and status == 410:
        return Succeeded({})
    if call is Call.LAST_OPERATION:
        return _polled(answer)
    values = _object(answer.body)
    if status in _DONE[call] or (status == 202 and call is not Call.CATALOG and call is not Call.FETCH):
        return _accepted(call, answer, values, route_forwarding=route_forwarding)
    return _refused(call, answer, values if isinstance(values, dict) else {})


def _accepted(call: Call, answer: Answer, values: Any, *, route_forwarding: bool) -> Outcome:
    if not isinstance(values, dict):
        orphan = call in _MAKES and answer.status != 200
        return Failed(_not_an_object(answer.body), orphan, error="ServiceBrokerResponseMalformed")
    if answer.status == 202:
        return InProgress(values, _text(values.get("operation")), _retry_after(answer))
    url = values.get("route_service_url")
    if call is Call.BIND and url is not None and not (route_forwarding and secure(url)):
        return Failed(_invalid(answer, values), orphan=True)
    return Succeeded(values)


def _refused(call: Call, answer: Answer, values: Mapping[str, Any]) -> Failed:
    """An answer that is no success. Those of 4xx promise that nothing was made, but for 410 and a 422 nobody has heard of."""
    status = answer.status
    known = refusal(call, values) if status == 422 else None
    if known is not None:
        told = _told(values) if known.described else ""
        return Failed(told or known.detail, status=known.status, error=known.error)
    if status == 408:
        return Failed(TIMED_OUT, status=504, error="ServiceBrokerApiTimeout")
    if status == 409 and call in _MAKES:
        return Failed(_told(values) or "Resource conflict", status=409, error="ServiceBrokerConflict")
    if 400 <= status < 500 and (status not in (409, 410, 422) or (call is Call.UPDATE and status == 422)):
        rejected = f"The service broker rejected the request. Status Code: {_line(status)}, Body: {_shown(answer)}"
        return Failed(_told(values) or _bounded(rejected), error="ServiceBrokerRequestRejected")
    return Failed(_invalid(answer, {} if status == 201 else values), orphan=call in _MAKES)


def _polled(answer: Answer) -> Outcome:
    """The answer to a question how far an operation has come. 410 is for the caller: it ends what was to be ended."""
    if answer.status == 410:
        return Succeeded({"state": "gone"})
    values = _object(answer.body)
    if answer.status != 200 or not isinstance(values, dict):
        return Failed(_invalid(answer, values), repeatable=answer.status != 400)
    state, description = values.get("state"), _text(values.get("description"))
    if state == "succeeded":
        return Succeeded(values)
    if state == "in progress":
        return InProgress(values, again_in=_retry_after(answer), description=description)
    if state == "failed":
        return Failed(description)
    return Failed(_invalid(answer, values), repeatable=True)


def secure(url: Any) -> bool:
    """Whether route services may be there: https, with a host whose first label is not empty."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool((parts.hostname or "").split(".")[0])
    except ValueError:
        return False


def _told(values: Mapping[str, Any]) -> str:
    """What the broker says itself; empty if it says nothing."""
    description = _text(values.get("description"))
    return _bounded(f"Service broker error: {description}") if description.strip() else ""


def _bounded(message: str) -> str:
    text = message.encode()
    if len(text) <= _LONGEST:
        return message
    return text[: _SHORTENED - len("…".encode())].decode(errors="ignore") + _TRUNCATED


def _invalid(answer: Answer, values: Any) -> str:
    told = _told(values) if isinstance(values, dict) else ""
    shown = f"The service broker returned an invalid response. Status Code: {_line(answer.status)}, Body: {_shown(answer)}"
    return told or _bounded(shown)


def _not_an_object(body: bytes) -> str:
    text = body.decode(errors="replace")
    return f"The service broker returned an invalid response: expected valid JSON object in body, broker returned '{text}'"


def _line(status: int) -> str:
    return f"{status} {REASONS.get(status, '')}".rstrip()


def _shown(answer: Answer) -> str:
    return answer.body.decode(errors="replace")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(body: bytes) -> Any:
    """The body as JSON; None when it is none."""
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        return None


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
