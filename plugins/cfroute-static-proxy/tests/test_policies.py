"""Which policy holds, and what the broker makes of parameters."""

from typing import Any

import pytest

from cfroute_broker.osbapi import Refused
from cfroute_static_proxy.offer import StaticProxy
from cfroute_static_proxy.policies import Policies, Policy


@pytest.mark.parametrize(
    ("host", "path", "route"),
    [
        ("app.cf.localhost", "/", "app.cf.localhost"),
        ("APP.cf.localhost:8080", "/x?y", "app.cf.localhost"),
        ("app.cf.localhost", "/p", "app.cf.localhost/p"),
        ("app.cf.localhost", "/p/q?r", "app.cf.localhost/p"),
        ("app.cf.localhost", "/p/long/x", "app.cf.localhost/p/long"),
        ("app.cf.localhost", "/pq", "app.cf.localhost"),
        ("other.cf.localhost", "/p", None),
        ("cf.localhost", "/p", None),
        ("only.cf.localhost", "/", None),
        ("only.cf.localhost", "/way", "only.cf.localhost/way"),
    ],
)
def test_the_longest_path_of_whole_segments_wins(host: str, path: str, route: str | None) -> None:
    policies = Policies()
    for name in ("app.cf.localhost", "app.cf.localhost/p", "app.cf.localhost/p/long", "only.cf.localhost/way"):
        policies.set(name, Policy(name))
    found = policies.find(host, path)
    assert (found.route if found else None) == route


def test_a_binding_changes_its_route_and_gets_no_url() -> None:
    policies = Policies()
    service = StaticProxy(policies)
    asked = {"bind_resource": {"route": "App.cf.localhost"}, "parameters": {"deny": ["/admin"]}}
    assert service.bind("b", asked, {"parameters": {"headers": {"X-A": "1"}}}) == {}
    policy = policies.find("app.cf.localhost", "/")
    assert policy == Policy("app.cf.localhost", ("/admin",), {"X-A": "1"})
    assert [policy.denies(path) for path in ("/admin", "/admin/x", "/admin?y", "/administrator", "/")] == [True] * 3 + [False] * 2
    service.unbind("b", asked)
    assert policies.all() == []


@pytest.mark.parametrize(
    "given",
    [{"x": 1}, {"deny": "/a"}, {"deny": ["a"]}, {"deny": [1]}, {"headers": []}, {"headers": {"A": 1}}, {"headers": {"A b": "1"}},
     {"headers": {"A": "1\r\nB: 2"}}],
)  # fmt: skip
def test_parameters_are_looked_at(given: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        StaticProxy(Policies()).check(given)


def test_tcp_routes_are_refused() -> None:
    with pytest.raises(Refused, match="TCP route"):
        StaticProxy(Policies()).bind("b", {"bind_resource": {"route": "tcp.cf.localhost:1024"}}, {})
