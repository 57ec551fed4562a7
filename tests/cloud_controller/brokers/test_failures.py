"""Brokers that take their time, fail, or are away; and what is cleaned up behind them."""

from typing import Any

import pytest
from sqlalchemy import select

from cfroute.cloud_controller.models import Orphan

from .conftest import Brokered


def orphans(brokered: Brokered) -> int:
    with brokered.cc.platform.database.reading() as session:
        return len(session.scalars(select(Orphan)).all())


def attempts(brokered: Brokered) -> int:
    """The vain tries for the only orphan; 0 without one."""
    with brokered.cc.platform.database.reading() as session:
        return session.scalar(select(Orphan.attempts)) or 0


def test_an_instance_that_takes_its_time(brokered: Brokered) -> None:
    brokered.register()
    mood = brokered.broker.mood
    mood.background = True
    assert brokered.job("POST", "/v3/service_instances", brokered.instance_body())["state"] == "POLLING"
    assert brokered.operation() == ("create", "in progress", "")
    mood.state = {"state": "in progress", "description": "half way"}
    brokered.later(60, lambda: brokered.operation()[2] == "half way")
    assert brokered.broker.asked[-1].query["operation"] == "making"
    mood.state = {"state": "succeeded"}
    brokered.later(60, lambda: brokered.operation()[1] == "succeeded")
    guid = brokered.guid()
    job = brokered.job("DELETE", f"/v3/service_instances/{guid}")
    assert job["state"] == "POLLING"
    assert job["links"]["service_instances"] == {"href": f"http://api.test/v3/service_instances/{guid}"}
    brokered.later(60, lambda: brokered.cc.ok("GET", "/v3/service_instances")["resources"] == [])
    job = brokered.cc.ok("GET", f"/v3/jobs/{job['guid']}")
    assert (job["state"], list(job["links"])) == ("COMPLETE", ["self"])


def test_a_cloud_controller_that_is_killed_goes_on(brokered: Brokered) -> None:
    brokered.register()
    brokered.broker.mood.background = True
    brokered.job("POST", "/v3/service_instances", brokered.instance_body())
    brokered.broker.mood.state = {"state": "succeeded"}
    brokered.cc.clock.advance(60)
    brokered.start()
    brokered.work(lambda: brokered.operation()[1] == "succeeded")


def test_what_fails_in_the_background(brokered: Brokered) -> None:
    brokered.register()
    brokered.broker.mood.background = True
    job = brokered.job("POST", "/v3/service_instances", brokered.instance_body())
    brokered.broker.mood.state = {"state": "failed", "description": "no room"}
    brokered.later(60, lambda: brokered.operation()[1] == "failed")
    assert brokered.operation() == ("create", "failed", "no room")
    shown = brokered.cc.ok("GET", f"/v3/jobs/{job['guid']}")
    assert shown["errors"][0]["detail"] == "provision could not be completed: no room"
    assert shown["errors"][0]["title"] == "CF-UnableToPerform"


def test_a_route_binding_that_takes_its_time_is_fetched(brokered: Brokered) -> None:
    brokered.register()
    cc = brokered.cc
    route, instance = cc.route(), brokered.instance()
    brokered.broker.mood.background = True
    assert brokered.job("POST", "/v3/service_route_bindings", cc.bind_body(route, instance))["state"] == "POLLING"
    assert brokered.bindings()[0]["route_service_url"] is None
    brokered.broker.mood.state = {"state": "succeeded"}
    brokered.later(60, lambda: brokered.bindings()[0]["route_service_url"] == "https://limiter.example.com/x")


def test_a_route_that_is_being_unbound_cannot_be_bound_again(brokered: Brokered) -> None:
    brokered.register()
    cc, path = brokered.cc, "/v3/service_route_bindings"
    route, instance, other = cc.route(), brokered.instance(), brokered.instance("others")
    job = brokered.job("POST", path, cc.bind_body(route, instance))
    (binding,) = brokered.bindings()
    assert job["links"]["service_route_binding"] == {"href": f"http://api.test{path}/{binding['guid']}"}
    brokered.broker.mood.background = True
    assert brokered.job("DELETE", f"{path}/{binding['guid']}")["state"] == "POLLING"
    assert cc.detail("POST", path, cc.bind_body(route, instance)) == "The binding is getting deleted or its deletion failed"
    taken = "A route may only be bound to a single service instance"
    assert cc.detail("POST", path, cc.bind_body(route, other)) == taken


@pytest.mark.parametrize(
    ("status", "body", "text", "cleaned"),
    [
        (500, b'{"description": "boom"}', "Service broker error: boom", True),
        (400, b'{"description": "no"}', "Service broker error: no", False),
        (201, b"nonsense", "expected valid JSON object in body, broker returned 'nonsense'", True),
        (409, b"{}", "Resource conflict", False),
    ],
)
def test_brokers_that_fail(brokered: Brokered, status: int, body: bytes, text: str, cleaned: bool) -> None:
    """What may have been made is removed again: the broker sees it."""
    brokered.register()
    brokered.broker.mood.answers["PUT"] = (status, body)
    told = brokered.failed("POST", "/v3/service_instances", brokered.instance_body())
    assert told.startswith("provision could not be completed: ")
    assert text in told
    guid = brokered.guid()
    assert brokered.operation()[:2] == ("create", "failed")
    assert orphans(brokered) == int(cleaned)
    if cleaned:
        brokered.work(lambda: orphans(brokered) == 0)
        assert brokered.broker.story[-1] == f"DELETE /v2/service_instances/{guid}"


@pytest.mark.parametrize("url", ["http://limiter.example.com", "https://", 7])
def test_a_route_service_that_is_not_secure_is_unbound_again(brokered: Brokered, url: Any) -> None:
    brokered.register()
    cc = brokered.cc
    route, instance = cc.route(), brokered.instance()
    brokered.broker.mood.url = url
    told = brokered.failed("POST", "/v3/service_route_bindings", cc.bind_body(route, instance))
    assert told.startswith(
        "bind could not be completed: The service broker returned an invalid response. Status Code: 201 Created, Body: "
    )
    binding = brokered.bindings()[0]
    assert binding["last_operation"]["state"] == "failed"
    brokered.work(lambda: orphans(brokered) == 0)
    assert f"DELETE /v2/service_instances/{instance}/service_bindings/{binding['guid']}" in brokered.broker.story
    brokered.broker.mood.url = "https://fine.example.com"
    brokered.done("POST", "/v3/service_route_bindings", cc.bind_body(route, instance))


def test_a_broker_that_does_not_answer(brokered: Brokered) -> None:
    brokered.register()
    brokered.start(timeout=0.2)
    brokered.broker.mood.silent = True
    told = brokered.failed("POST", "/v3/service_instances", brokered.instance_body())
    assert told == "provision could not be completed: The request to the service broker timed out"
    assert orphans(brokered) == 1


def test_orphans_are_given_up_after_eleven_tries(brokered: Brokered) -> None:
    brokered.register()
    answers = brokered.broker.mood.answers
    answers["PUT"] = answers["DELETE"] = (500, b"{}")
    brokered.failed("POST", "/v3/service_instances", brokered.instance_body())

    def tries() -> int:
        return sum(each.startswith("DELETE") for each in brokered.broker.story)

    brokered.work(lambda: tries() == 1 and attempts(brokered) == 1)
    for number in range(1, 10):
        brokered.cc.clock.advance(60 * 2**number)
        brokered.work(lambda wanted=number + 1: tries() == attempts(brokered) == wanted)  # type: ignore[misc]
    brokered.later(60 * 2**10, lambda: "orphan-given-up" in brokered.cc.log.text)
    assert (tries(), orphans(brokered)) == (11, 0)


def test_bindings_go_before_their_instance(brokered: Brokered) -> None:
    brokered.register()
    cc = brokered.cc
    instance = brokered.instance()
    brokered.done("POST", "/v3/service_route_bindings", cc.bind_body(cc.route(), instance))
    key = {"type": "key", "name": "k", "relationships": {"service_instance": {"data": {"guid": instance}}}}
    brokered.done("POST", "/v3/service_credential_bindings", key)
    (shown,) = cc.ok("GET", "/v3/service_credential_bindings?type=key")["resources"]
    details = cc.ok("GET", f"/v3/service_credential_bindings/{shown['guid']}/details")
    assert details["credentials"] == {"user": "u", "password": "p"}
    brokered.done("DELETE", f"/v3/service_instances/{instance}")
    assert [each.split("/")[-2] for each in brokered.broker.story if each.startswith("DELETE")] == [
        "service_bindings",
        "service_bindings",
        "service_instances",
    ]
    assert brokered.broker.things == {}


def test_what_goes_with_its_space_is_removed_at_the_broker(brokered: Brokered) -> None:
    brokered.register()
    cc = brokered.cc
    instance = brokered.instance()
    brokered.done("POST", "/v3/service_route_bindings", cc.bind_body(cc.route(), instance))
    brokered.done("DELETE", f"/v3/spaces/{cc.space}")
    brokered.work(lambda: orphans(brokered) == 1)
    brokered.later(1, lambda: orphans(brokered) == 0)
    assert brokered.broker.things == {}


def test_without_a_foundation_brokers_are_not_asked(cc: Any) -> None:
    credentials = {"type": "basic", "credentials": {"username": "u", "password": "p"}}
    body = {"name": "b", "url": "http://127.0.0.1:1", "authentication": credentials}
    told = cc.detail("POST", "/v3/service_brokers", body, status=503)
    assert told.startswith("The foundation is not running, and service brokers are asked only while it is.")


def test_a_binding_that_nobody_can_fetch_may_not_take_its_time(brokered: Brokered) -> None:
    """The broker is asked to forget it again."""
    brokered.register()
    instance = brokered.instance(plan="plain")
    brokered.broker.mood.background = True
    key = {"type": "key", "name": "k", "relationships": {"service_instance": {"data": {"guid": instance}}}}
    job = brokered.job("POST", "/v3/service_credential_bindings", key)
    sentence = "The broker responded asynchronously but does not support fetching binding data"
    assert (job["operation"], job["state"]) == ("service_keys.create", "FAILED")
    assert job["errors"] == [
        {"code": 90001, "title": "CF-ServiceBindingInvalid", "detail": f"The service binding is invalid: {sentence}"}
    ]
    (binding,) = brokered.cc.ok("GET", "/v3/service_credential_bindings")["resources"]
    last = binding["last_operation"]
    assert (last["type"], last["state"], last["description"]) == ("create", "failed", sentence)
    brokered.work(lambda: orphans(brokered) == 0)
    assert brokered.broker.story[-1].startswith("DELETE")


def test_what_is_never_done_is_given_up_in_the_end(brokered: Brokered) -> None:
    """The catalog's own limit counts, where it is shorter."""
    plans = brokered.broker.mood.catalog["services"][0]["plans"]
    plans[0]["maximum_polling_duration"] = 90
    brokered.register()
    brokered.broker.mood.background = True
    guid = brokered.job("POST", "/v3/service_instances", brokered.instance_body())["guid"]
    brokered.work(lambda: brokered.broker.story[-1].endswith("/last_operation"))
    brokered.later(60, lambda: brokered.operation()[1] == "failed")
    assert brokered.operation() == ("create", "failed", "Service Broker failed to provision within the required time.")
    told = {"code": 290006, "title": "CF-JobTimeout", "detail": "The job execution has timed out."}
    assert brokered.cc.ok("GET", f"/v3/jobs/{guid}")["errors"] == [told]


def test_what_a_broker_will_not_remove(brokered: Brokered) -> None:
    """While it is busy with the instance, or with a binding of an app: each is told in a sentence of its own."""
    brokered.register()
    cc, answers = brokered.cc, brokered.broker.mood.answers
    guid = brokered.instance(plan="plain")
    relationships = {"service_instance": {"data": {"guid": guid}}, "app": {"data": {"guid": cc.app()}}}
    brokered.done("POST", "/v3/service_credential_bindings", {"type": "app", "relationships": relationships})
    binding = cc.ok("GET", "/v3/service_credential_bindings")["resources"][0]["guid"]
    answers["DELETE"] = (422, b'{"error": "ConcurrencyError"}')
    sentence = "An operation for the service binding between app music and service instance limits is in progress."
    told = brokered.failed("DELETE", f"/v3/service_credential_bindings/{binding}")
    assert told == f"unbind could not be completed: {sentence}"
    del answers["DELETE"]
    brokered.done("DELETE", f"/v3/service_credential_bindings/{binding}")
    answers["DELETE"] = (422, b'{"error": "ConcurrencyError"}')
    job = brokered.job("DELETE", f"/v3/service_instances/{guid}")
    sentence = "An operation for service instance limits is in progress."
    assert job["errors"] == [{"code": 60016, "title": "CF-AsyncServiceInstanceOperationInProgress", "detail": sentence}]
    assert brokered.operation() == ("delete", "failed", sentence)
    answers["DELETE"] = (410, b"{}")
    brokered.done("DELETE", f"/v3/service_instances/{guid}")


def test_why_an_instance_is_not_removed(brokered: Brokered) -> None:
    brokered.register()
    guid = brokered.instance()
    brokered.broker.mood.answers["DELETE"] = (400, b'{"description": "no"}')
    told = brokered.failed("DELETE", f"/v3/service_instances/{guid}")
    assert told == "delete could not be completed: Service instance limits: Service broker error: no"
