"""What a broker's answers mean, and after which of them something has to be cleaned up."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.brokers.calls import Call
from cfroute.cloud_controller.brokers.outcomes import Answer, Failed, InProgress, Succeeded, judge, timed_out, unreachable

INVALID = "The service broker returned an invalid response. Status Code:"
REJECTED = "The service broker rejected the request. Status Code:"
URL = b'{"route_service_url": "https://limiter.example.com"}'


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (Call.PROVISION, 200), (Call.PROVISION, 201), (Call.UPDATE, 200), (Call.DEPROVISION, 200), (Call.DEPROVISION, 410),
        (Call.BIND, 200), (Call.BIND, 201), (Call.UNBIND, 200), (Call.UNBIND, 410), (Call.FETCH, 200), (Call.CATALOG, 200),
    ],
)  # fmt: skip
def test_success(call: Call, status: int) -> None:
    assert judge(call, Answer(status, b'{"a": 1}')) == Succeeded({} if status == 410 else {"a": 1})


def test_what_goes_on_is_asked_for_later() -> None:
    answer = Answer(202, b'{"operation": "op", "dashboard_url": "d"}', {"retry-after": "7"})
    assert judge(Call.PROVISION, answer) == InProgress({"operation": "op", "dashboard_url": "d"}, "op")
    assert judge(Call.CATALOG, Answer(202, b"{}")) == Failed(f"{INVALID} 202 Accepted, Body: {{}}")


@pytest.mark.parametrize(
    ("call", "status", "body", "orphan", "detail"),
    [
        (Call.BIND, 500, b"", True, f"{INVALID} 500 Internal Server Error, Body: "),
        (Call.BIND, 500, b'{"description": "no luck"}', True, "Service broker error: no luck"),
        (Call.BIND, 204, b"{}", True, f"{INVALID} 204 No Content, Body: {{}}"),
        (Call.BIND, 201, b"[]", True,
         "The service broker returned an invalid response: expected valid JSON object in body, broker returned '[]'"),
        (Call.BIND, 200, b"oops", False,
         "The service broker returned an invalid response: expected valid JSON object in body, broker returned 'oops'"),
        (Call.BIND, 400, b"", False, f"{REJECTED} 400 Bad Request, Body: "),
        (Call.BIND, 408, b"", False, "The request to the service broker timed out"),
        (Call.BIND, 409, b"{}", False, "Resource conflict"),
        (Call.UNBIND, 409, b"{}", False, f"{INVALID} 409 Conflict, Body: {{}}"),
        (Call.BIND, 409, b'{"description": "taken"}', False, "Service broker error: taken"),
        (Call.BIND, 422, b"{}", True, f"{INVALID} 422 Unprocessable Entity, Body: {{}}"),
        (Call.UPDATE, 422, b"{}", False, f"{REJECTED} 422 Unprocessable Entity, Body: {{}}"),
        (Call.PROVISION, 410, b"{}", True, f"{INVALID} 410 Gone, Body: {{}}"),
        (Call.DEPROVISION, 201, b'{"description": "so"}', False, f'{INVALID} 201 Created, Body: {{"description": "so"}}'),
        (Call.DEPROVISION, 204, b"", False, f"{INVALID} 204 No Content, Body: "),
        (Call.UNBIND, 200, b"", False,
         "The service broker returned an invalid response: expected valid JSON object in body, broker returned ''"),
        (Call.DEPROVISION, 500, b"{}", False, f"{INVALID} 500 Internal Server Error, Body: {{}}"),
        (Call.BIND, 401, b"", False,
         "Authentication with the service broker failed. Double-check that the username and password are correct."),
    ],
)  # fmt: skip
def test_failures(call: Call, status: int, body: bytes, orphan: bool, detail: str) -> None:
    outcome = judge(call, Answer(status, body))
    assert isinstance(outcome, Failed)
    assert (outcome.orphan, outcome.detail) == (orphan, detail)


ASYNC = "This service plan requires client support for asynchronous service operations."
LOGS = "To read the full message, check the broker's logs"
CONFLICT = "The service broker did not provide a reason for this conflict, please ensure the catalog is up to date and you are "


@pytest.mark.parametrize(
    ("call", "name", "status", "error", "detail"),
    [
        (Call.PROVISION, "AsyncRequired", 400, "AsyncRequired", ASYNC),
        (Call.UNBIND, "ConcurrencyError", 422, "ConcurrencyError", "The service broker could not perform this operation in"),
        (Call.BIND, "RequiresApp", 400, "AppRequired", "This service supports generation of credentials through binding an app"),
        (Call.UPDATE, "MaintenanceInfoConflict", 422, "MaintenanceInfoConflict", CONFLICT),
        (Call.PROVISION, "RequiresApp", 502, "ServiceBrokerBadResponse", INVALID),
        (Call.UPDATE, "ConcurrencyError", 502, "ServiceBrokerRequestRejected", REJECTED),
        (Call.FETCH, "AsyncRequired", 502, "ServiceBrokerBadResponse", INVALID),
    ],
)  # fmt: skip
def test_refusals_with_names(call: Call, name: str, status: int, error: str, detail: str) -> None:
    """Each belongs to some calls; to others it is an answer like any other."""
    outcome = judge(call, Answer(422, msgspec.json.encode({"error": name})))
    assert isinstance(outcome, Failed)
    assert (outcome.status, outcome.error) == (status, error)
    assert outcome.detail.startswith(detail)


def test_whose_own_words_are_told() -> None:
    def told(name: str) -> str:
        outcome = judge(Call.PROVISION, Answer(422, msgspec.json.encode({"error": name, "description": "no"})))
        assert isinstance(outcome, Failed)
        return outcome.detail

    assert told("MaintenanceInfoConflict") == "Service broker error: no"
    assert told("AsyncRequired") == ASYNC
    assert told("Else") == "Service broker error: no"


@given(st.text(min_size=1, max_size=60), st.sampled_from([400, 409, 500]), st.booleans())
def test_long_messages_are_cut(text: str, status: int, told: bool) -> None:
    long = text * (20_000 // len(text.encode()))
    body = msgspec.json.encode({"description": long}) if told else long.encode()
    outcome = judge(Call.CATALOG, Answer(status, body))
    assert isinstance(outcome, Failed)
    assert len(outcome.detail.encode()) < 2**14
    if text.strip():
        assert outcome.detail.endswith("...This message has been truncated due to size. " + LOGS)


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        (Call.PROVISION, 201, b"<html>" + b"x" * 10**6),
        (Call.LAST_OPERATION, 400, msgspec.json.encode({"description": "x" * 10**6})),
        (Call.LAST_OPERATION, 200, msgspec.json.encode({"state": "in progress", "description": "x" * 10**6})),
        (Call.LAST_OPERATION, 200, msgspec.json.encode({"state": "failed", "description": "x" * 10**6})),
        (Call.LAST_OPERATION, 200, msgspec.json.encode({"state": "succeeded", "description": "x" * 10**6})),
    ],
)
def test_nothing_that_is_kept_of_what_a_broker_says_is_endless(call: Call, status: int, body: bytes) -> None:
    """It stands in each list of instances and bindings from then on."""
    outcome = judge(call, Answer(status, body))
    if isinstance(outcome, Succeeded):
        told = outcome.values["description"]
    else:
        told = outcome.detail if isinstance(outcome, Failed) else outcome.description
    assert len(told.encode()) < 2**14
    assert told.endswith(LOGS)


def test_who_does_not_answer_may_have_made_something() -> None:
    assert unreachable(Call.BIND) == Failed("The service broker could not be reached", error="ServiceBrokerApiUnreachable")
    late = Failed("The request to the service broker timed out", orphan=True, status=504, error="HttpClientTimeout")
    assert timed_out(Call.BIND) == late
    assert not timed_out(Call.UNBIND).orphan


@pytest.mark.parametrize(
    ("body", "forwarding", "good"),
    [
        (URL, True, True),
        (URL, False, False),
        (b"{}", True, True),
        (b'{"route_service_url": "http://limiter.example.com"}', True, False),
        (b'{"route_service_url": "https://.example.com"}', True, False),
        (b'{"route_service_url": "https://"}', True, False),
        (b'{"route_service_url": "https://[::1"}', True, False),
        (b'{"route_service_url": 1}', True, False),
        (b'{"route_service_url": null}', False, True),
    ],
)
def test_route_services_are_https_and_somewhere(body: bytes, forwarding: bool, good: bool) -> None:
    outcome = judge(Call.BIND, Answer(201, body), requires=("route_forwarding",) if forwarding else ())
    if good:
        assert outcome == Succeeded(msgspec.json.decode(body))
    else:
        said = f"{INVALID} 201 Created, Body: {body.decode()}"
        assert outcome == Failed(said, orphan=True)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"state": "succeeded"}', Succeeded({"state": "succeeded"})),
        (200, b'{"state": "failed", "description": "full"}', Failed("full")),
        (410, b"{}", Succeeded({"state": "gone"})),
    ],
)
def test_polling(status: int, body: bytes, outcome: object) -> None:
    assert judge(Call.LAST_OPERATION, Answer(status, body)) == outcome


def test_polling_goes_on_after_what_may_pass() -> None:
    running = judge(Call.LAST_OPERATION, Answer(200, b'{"state": "in progress", "description": "half"}', {"retry-after": "3"}))
    assert isinstance(running, InProgress)
    assert (running.again_in, running.description) == (3.0, "half")
    odd = (Answer(500), Answer(401), Answer(422), Answer(200, b"oops"), Answer(200, b'{"state": "odd"}'), Answer(404, b"{}"))
    for answer in odd:
        outcome = judge(Call.LAST_OPERATION, answer)
        assert isinstance(outcome, Failed)
        assert outcome.repeatable
    assert judge(Call.LAST_OPERATION, Answer(400, b"{}")) == Failed("Bad request")
    assert judge(Call.LAST_OPERATION, Answer(400, b'{"description": "which one?"}')) == Failed("which one?")


@given(st.sampled_from(Call), st.integers(100, 599), st.binary(max_size=30) | st.sampled_from([b"{}", URL, b"null", b"1"]))
def test_every_answer_means_something(call: Call, status: int, body: bytes) -> None:
    outcome = judge(call, Answer(status, body), requires=("route_forwarding",))
    assert isinstance(outcome, Succeeded | InProgress | Failed)
    if isinstance(outcome, Failed):
        assert outcome.status in (400, 409, 422, 502, 504)
        assert not outcome.orphan or call in (Call.PROVISION, Call.BIND)
