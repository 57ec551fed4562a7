"""The router groups, as `create-shared-domain --router-group` asks for them."""

from typing import Any

import pytest

GROUP = {
    "guid": "f7392031-a488-4890-8835-c4a038a3bded",
    "name": "default-tcp",
    "type": "tcp",
    "reservable_ports": "1024-1123",
}
READ = "routing.router_groups.read"


@pytest.mark.parametrize("query", ["", "?name=", "?name=default-tcp"])
def test_the_link_leads_to_the_groups(cc: Any, query: str) -> None:
    cc.scopes = [READ]
    url = cc("GET", "/").json()["links"]["routing"]["href"] + "/v1/router_groups"
    answer = cc("GET", f"{url}{query}")
    assert (answer.status_code, answer.json()) == (200, [GROUP])
    assert answer.headers["content-type"] == "application/json"


def test_a_group_that_there_is_not(cc: Any) -> None:
    answer = cc("GET", "/routing/v1/router_groups?name=nope")
    assert answer.status_code == 404
    assert answer.json() == {"name": "ResourceNotFoundError", "message": "Router Group 'nope' not found"}
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "Invalid token format"),
        ("bearer", "Invalid token format"),
        ("basic eA==", "Invalid token type: basic"),
        ("bearer x.y.z", "crypto/rsa: verification error"),
    ],
)
def test_refusals_are_worded_as_clients_expect(cc: Any, header: str, message: str) -> None:
    answer = cc("GET", "/routing/v1/router_groups", headers={"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, {"name": "UnauthorizedError", "message": message})


def test_a_token_that_has_expired_or_is_for_something_else(cc: Any) -> None:
    expired = {"Authorization": cc.sign([READ], exp=cc.clock.now())}
    assert cc("GET", "/routing/v1/router_groups", headers=expired).json()["message"] == "Token is expired"
    cc.scopes = ["cloud_controller.read", "cloud_controller.write"]
    answer = cc("GET", "/routing/v1/router_groups")
    assert answer.status_code == 401
    assert answer.json()["message"] == "You are not authorized to perform the requested action"


def test_a_domain_of_the_group(cc: Any) -> None:
    made = cc.ok("POST", "/v3/domains", {"name": "tcp.example.com", "router_group": {"guid": GROUP["guid"]}})
    assert made["supported_protocols"] == ["tcp"]
