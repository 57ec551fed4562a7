"""What the broker offers, and the URL of a binding."""

from typing import Any

import pytest

from cfroute_broker.osbapi import Refused
from cfroute_ratelimit.main import service_url
from cfroute_ratelimit.offer import Limit, RateLimits

SERVICE = RateLimits("https://limits.cf.localhost/", Limit(10, "peer"))


def test_the_catalog_is_for_routes() -> None:
    [service] = SERVICE.catalog["services"]
    assert service["requires"] == ["route_forwarding"]
    assert [plan["name"] for plan in service["plans"]] == ["default", "slow"]


@pytest.mark.parametrize(
    ("instance", "binding", "path"),
    [
        ({}, {}, "/limits/10/peer/b"),
        ({"limit": 3}, {}, "/limits/3/peer/b"),
        ({"limit": 3}, {"limit": 5, "by": "forwarded-for"}, "/limits/5/forwarded-for/b"),
    ],
)
def test_the_url_says_the_limit(instance: dict[str, Any], binding: dict[str, Any], path: str) -> None:
    answer = SERVICE.bind("b", {"parameters": binding}, {"parameters": instance})
    assert answer == {"route_service_url": f"https://limits.cf.localhost{path}"}
    limit = Limit.of_path(path + "?x=1")
    assert limit is not None
    assert limit.path("b") == path


@pytest.mark.parametrize(
    "path", ["/", "/limits/0/peer/b", "/limits/1001/peer/b", "/limits/5/x/b", "/limits/5/peer", "/limits/²/peer/b"]
)
def test_other_paths_say_none(path: str) -> None:
    assert Limit.of_path(path) is None


@pytest.mark.parametrize("given", [{"limit": 0}, {"limit": 1001}, {"limit": True}, {"limit": "5"}, {"by": "x"}, {"rate": 5}])
def test_parameters_are_looked_at(given: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        SERVICE.check(given)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"SERVICE_URL": "https://x"}, "https://x"),
        ({"VCAP_APPLICATION": '{"application_uris":["a.cf.localhost","b"]}'}, "https://a.cf.localhost"),
        ({"VCAP_APPLICATION": '{"application_uris":[]}'}, "https://localhost:80"),
        ({}, "https://localhost:80"),
    ],
)
def test_the_service_is_found_by_the_route_of_the_app(environment: dict[str, str], url: str) -> None:
    assert service_url(environment, 80) == url
