"""A client that others have written: cloudfoundry-client drives a whole foundation through the API's address alone."""

import json
from typing import Any

import pytest

from .conftest import Foundation

client = pytest.importorskip("cloudfoundry_client.client")


@pytest.fixture(scope="module")
def cf(foundation: Foundation) -> Any:
    """Logged in as the admin."""
    found = client.CloudFoundryClient(foundation.info["api"])
    found.init_with_user_credentials("admin", json.loads((foundation.home / "secrets.json").read_text())["admin_password"])
    return found.v3


def first(entities: Any, name: str) -> Any:
    found = entities.get_first(names=name)
    assert found is not None, name
    return found


def test_links_of_what_there_is_lead_on(cf: Any) -> None:
    organization, space = first(cf.organizations, "local"), first(cf.spaces, "dev")
    assert space.organization()["guid"] == organization["guid"]
    assert organization.default_domain()["name"] == "cf.localhost"
    assert organization.quota()["name"] == "default"
    assert [each["name"] for each in space.features()["features"]] == ["ssh"]
    kinds = "apps processes packages droplets domains roles users buildpacks stacks tasks isolation_segments organization_quotas"
    more = "security_groups service_instances service_credential_bindings service_brokers service_offerings service_plans"
    for kind in (*kinds.split(), *more.split(), "audit_events", "feature_flags"):
        list(getattr(cf, kind).list())


def test_an_app_and_its_processes(foundation: Foundation, cf: Any) -> None:
    foundation.ok("push", "called", "--sample", "echo")
    app = first(cf.apps, "called")
    assert app.stop()["state"] == "STOPPED"
    assert app.start()["state"] == "STARTED"
    (process,) = app.processes()
    assert process.app()["guid"] == app["guid"]
    assert [each["index"] for each in process.stats()] == [0]
    assert cf.apps.get_env(app["guid"])["application_env_json"]["VCAP_APPLICATION"]["application_name"] == "called"
    assert [each["url"] for each in cf.apps.list_routes(app["guid"])] == ["called.cf.localhost"]


def test_a_route_comes_and_goes(cf: Any) -> None:
    space, domain = first(cf.spaces, "dev"), first(cf.domains, "cf.localhost")
    route = cf.routes.create(space["guid"], domain["guid"], host="theirs", path="/p")
    assert route["url"] == "theirs.cf.localhost/p"
    assert (route.space()["guid"], route.domain()["guid"]) == (space["guid"], domain["guid"])
    assert route.destinations()["destinations"] == []
    cf.routes.remove(route["guid"])
    assert cf.routes.get_first(hosts="theirs") is None
