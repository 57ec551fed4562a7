"""Service instances that are shared with other spaces, and bound there."""

from typing import Any

import pytest

from .conftest import Brokered

PATH = "/v3/service_instances/{}/relationships/shared_spaces"


@pytest.fixture
def shareable(brokered: Brokered) -> Brokered:
    """The plan `plain` of the broker's offering `db` may be shared, and the flag is on."""
    brokered.broker.mood.catalog["services"][1]["metadata"] = {"shareable": True}
    brokered.register()
    brokered.cc.ok("PATCH", "/v3/feature_flags/service_instance_sharing", {"enabled": True})
    return brokered


def to_many(*guids: str) -> dict[str, Any]:
    return {"data": [{"guid": guid} for guid in guids]}


def binding_body(app: str, instance: str, **fields: Any) -> dict[str, Any]:
    ends = {"app": {"data": {"guid": app}}, "service_instance": {"data": {"guid": instance}}}
    return {"type": "app", "relationships": ends, **fields}


def test_an_instance_is_shared_bound_elsewhere_and_unshared(shareable: Brokered) -> None:
    cc, broker = shareable.cc, shareable.broker
    prod = cc.new_space("prod")
    instance = shareable.instance("store", "plain")
    shared = cc.ok("POST", PATH.format(instance), to_many(prod))
    assert shared["data"] == [{"guid": prod}]
    query = "fields[space]=guid,name,relationships.organization&fields[space.organization]=guid,name"
    included = cc.ok("GET", f"{PATH.format(instance)}?{query}")["included"]
    assert [(each["guid"], each["name"]) for each in included["spaces"]] == [(prod, "prod")]
    assert [each["name"] for each in included["organizations"]] == ["local"]
    assert [each["guid"] for each in cc.ok("GET", f"/v3/service_instances?space_guids={prod}")["resources"]] == [instance]

    app, other = cc.app("shop", prod), cc.app("mine")
    shareable.done("POST", "/v3/service_credential_bindings", binding_body(app, instance))
    shareable.done("POST", "/v3/service_credential_bindings", binding_body(other, instance))
    summary = cc.ok("GET", f"{PATH.format(instance)}/usage_summary")
    assert summary["usage_summary"] == [{"space": {"guid": prod}, "bound_app_count": 1}]
    assert cc.detail("PATCH", f"/v3/service_instances/{instance}", {"name": "x"}) == (
        "Service instances that have been shared cannot be renamed"
    )

    [path] = [path for path, thing in broker.things.items() if thing.get("app_guid") == app]
    assert cc("DELETE", f"{PATH.format(instance)}/{prod}").status_code == 204
    shareable.work(lambda: path not in broker.things)
    left = cc.ok("GET", "/v3/service_credential_bindings")["resources"]
    assert [each["relationships"]["app"]["data"]["guid"] for each in left] == [other]
    assert cc.ok("GET", f"/v3/service_instances?space_guids={prod}")["resources"] == []
    events = [each["type"] for each in cc.ok("GET", "/v3/audit_events")["resources"]]
    assert {"audit.service_instance.share", "audit.service_instance.unshare"} <= set(events)
    assert cc("DELETE", f"{PATH.format(instance)}/{prod}").status_code == 204
    assert cc.detail("DELETE", f"{PATH.format(instance)}/nowhere") == (
        "Unable to unshare service instance from space nowhere. Ensure the space exists."
    )


def test_who_develops_in_the_other_space_binds_and_does_nothing_else(shareable: Brokered) -> None:
    cc = shareable.cc
    prod, instance, mine = cc.new_space("prod"), shareable.instance("store", "plain"), cc.app("mine")
    shareable.done("POST", "/v3/service_credential_bindings", binding_body(mine, instance))
    app = cc.app("shop", prod)
    cc.person("ann")
    cc.grant("ann", "space_developer", prod)
    with cc.being("ann"):
        assert cc("GET", f"/v3/service_instances/{instance}").status_code == 404
    cc.ok("POST", PATH.format(instance), to_many(prod))
    key = {"type": "key", "name": "k", "relationships": {"service_instance": {"data": {"guid": instance}}}}
    with cc.being("ann"):
        assert cc.ok("GET", f"/v3/service_instances/{instance}")["name"] == "store"
        shareable.done("POST", "/v3/service_credential_bindings", binding_body(app, instance))
        [seen] = cc.ok("GET", "/v3/service_credential_bindings")["resources"]
        assert seen["relationships"]["app"]["data"]["guid"] == app
        assert cc("POST", "/v3/service_credential_bindings", key).status_code == 403
        assert cc("PATCH", f"/v3/service_instances/{instance}", {"tags": ["x"]}).status_code == 403
        assert cc("DELETE", f"/v3/service_instances/{instance}").status_code == 403
        assert cc("DELETE", f"{PATH.format(instance)}/{prod}").status_code == 403
        assert cc("POST", PATH.format(instance), to_many(prod)).status_code == 403
    assert {each["name"] for each in cc.ok("GET", "/v3/service_credential_bindings")["resources"]} == {None}


def test_what_cannot_be_shared(shareable: Brokered) -> None:
    cc = shareable.cc
    prod = cc.new_space("prod")
    detail = lambda guid, *spaces: cc.detail("POST", PATH.format(guid), to_many(*spaces))  # noqa: E731
    store = shareable.instance("store", "plain")
    assert detail(cc.service(), prod) == "Route services cannot be shared."
    assert detail(cc.service("plain", None), prod) == "User-provided services cannot be shared."
    assert detail(shareable.instance("limits"), prod) == "Route services cannot be shared."
    assert detail(store, cc.space) == (
        f"Unable to share service instance 'store' with space '{cc.space}'. "
        "Service instances cannot be shared into the space where they were created."
    )
    assert detail(store, "nowhere", "x") == (
        "Unable to share service instance store with spaces ['nowhere', 'x']. "
        "Ensure the spaces exist and that you have access to them."
    )
    cc.ok("POST", PATH.format(store), to_many(prod))
    assert detail(store, prod) == "A service instance called store has already been shared with prod."
    taken = cc.new_space("taken")
    cc.service("store", None, space=taken)
    assert detail(store, taken) == "A service instance called store already exists in taken."
    foreign = cc.new_space("far", cc.new_organization("foreign"))
    plan = shareable.plan("plain")
    cc.ok("PATCH", f"/v3/service_plans/{plan}/visibility", {"type": "organization", "organizations": [{"guid": cc.organization}]})
    assert detail(store, foreign) == "Access to service db and plan plain is not enabled in foreign/far."
    assert cc.detail("POST", PATH.format(store), {"data": prod}).startswith("Data must be an array of objects")
    cc.ok("PATCH", "/v3/feature_flags/service_instance_sharing", {"enabled": False})
    assert cc.detail("POST", PATH.format(store), to_many(prod), status=403) == "Feature Disabled: service_instance_sharing"


def test_an_offering_says_whether_it_can_be_shared(brokered: Brokered) -> None:
    cc = brokered.cc
    cc.ok("PATCH", "/v3/feature_flags/service_instance_sharing", {"enabled": True})
    brokered.register()
    assert cc.detail("POST", PATH.format(brokered.instance("store", "plain")), to_many(cc.new_space("prod"))) == (
        "The db service does not support service instance sharing."
    )
