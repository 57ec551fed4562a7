"""What a broker's answer means: done, still going on, or failed; and whether it may have left something behind. Pure.

The rules are the Open Service Broker API's ("Orphan Mitigation", "Response Codes"), the sentences the Cloud Controller's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cfroute.cloud_controller.brokers import given
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
_MALFORMED = "ServiceBrokerResponseMalformed"

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
    """It goes on; `operation` is to be given with each question after it, `again_in` the seconds until the next one, if told.

    (A time that comes with the first answer, the 202, does not count: upstream asks at once how far it is.)
    """

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


def unreachable(call: Call, why: str = "") -> Failed:
    """Nobody listens, or nobody who can be trusted, and `why` says so: nothing can have been made."""
    told = f"{UNREACHABLE}: {why}" if why else UNREACHABLE
    return Failed(told, repeatable=call is Call.LAST_OPERATION, error="ServiceBrokerApiUnreachable")


def interrupted(call: Call) -> Failed:
    """The broker has hung up in the middle: nobody knows what has been made."""
    polled = call is Call.LAST_OPERATION
    return Failed(UNREACHABLE, orphan=call in _MAKES, repeatable=polled, error="ServiceBrokerApiUnreachable")


def too_long(call: Call, most: int) -> Failed:
    """The answer has more than so many bytes, and was not read to its end."""
    told = f"The service broker returned an invalid response: it has more than {most} bytes"
    return Failed(told, orphan=call in _MAKES, repeatable=call is Call.LAST_OPERATION)


def timed_out(call: Call) -> Failed:
    """There is no answer in time: nobody knows what has been made."""
    polled = call is Call.LAST_OPERATION
    return Failed(TIMED_OUT, orphan=call in _MAKES, status=504, repeatable=polled, error="HttpClientTimeout")


def judge(call: Call, answer: Answer, *, requires: Collection[str] = ()) -> Outcome:
    """What the answer means. requires: what the offering says that it does, without which a binding may not have some things."""
    status = answer.status
    if call is Call.LAST_OPERATION:
        return _polled(answer)
    if status == 401:
        return Failed(_UNAUTHORIZED, error="ServiceBrokerApiAuthenticationFailed")
    if call in _ENDS and status == 410:
        return Succeeded({})
    values = _object(answer.body)
    if status in _DONE[call] or (status == 202 and call is not Call.CATALOG and call is not Call.FETCH):
        return _accepted(call, answer, values, requires)
    return _refused(call, answer, values if isinstance(values, dict) else {})


def _accepted(call: Call, answer: Answer, values: Any, requires: Collection[str]) -> Outcome:
    doubtful = call in _MAKES and answer.status != 200
    if not isinstance(values, dict):
        return Failed(_not_an_object(answer.body), doubtful, error=_MALFORMED)
    if answer.status == 202:
        return InProgress(values, _text(values.get("operation")))
    flaw = given.flaw(values, requires) if call is Call.BIND else None
    if flaw is not None:
        return Failed(flaw.detail or _invalid(answer, values), doubtful or flaw.error != _MALFORMED, error=flaw.error)
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
    """The answer to a question how far an operation has come. Only a 400 and a state say that it has failed; whatever else comes,
    the next question may be answered better. 410 is for the caller: it ends what was to be ended.
    """
    if answer.status == 410:
        return Succeeded({"state": "gone"})
    values = _object(answer.body)
    told = _bounded(_text(values.get("description"))) if isinstance(values, dict) else ""
    if answer.status == 400:
        return Failed(told or "Bad request")
    if answer.status == 401:
        return Failed(_UNAUTHORIZED, repeatable=True)
    state = values.get("state") if answer.status == 200 and isinstance(values, dict) else None
    if state == "succeeded":
        return Succeeded({**values, "description": told} if told else values)
    if state == "in progress":
        return InProgress(values, again_in=_retry_after(answer), description=told)
    return Failed(told) if state == "failed" else Failed(_invalid(answer, values), repeatable=True)


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
    told = f"The service broker returned an invalid response: expected valid JSON object in body, broker returned '{text}'"
    return _bounded(told)


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
