"""Requests that name several things: the database is asked for all of them at once."""

from collections.abc import Callable
from typing import Any

import pytest

from ..test_listing import statements


def to_many(guids: list[str]) -> dict[str, Any]:
    return {"data": [{"guid": guid} for guid in guids]}


def sharing_a_route(cc: Any) -> str:
    cc.ok("PATCH", "/v3/feature_flags/route_sharing", {"enabled": True})
    return f"/v3/routes/{cc.route()}/relationships/shared_spaces"


def applying_a_space_quota(cc: Any) -> str:
    relationships = {"organization": {"data": {"guid": cc.organization}}}
    quota = cc.ok("POST", "/v3/space_quotas", {"name": "q", "relationships": relationships})["guid"]
    return f"/v3/space_quotas/{quota}/relationships/spaces"


def applying_an_organization_quota(cc: Any) -> str:
    quota = cc.ok("POST", "/v3/organization_quotas", {"name": "q"})["guid"]
    return f"/v3/organization_quotas/{quota}/relationships/organizations"


def sharing_a_domain(cc: Any) -> str:
    relationships = {"organization": {"data": {"guid": cc.organization}}}
    domain = cc.ok("POST", "/v3/domains", {"name": "own.test", "relationships": relationships})["guid"]
    return f"/v3/domains/{domain}/relationships/shared_organizations"


@pytest.mark.parametrize("prepare", [sharing_a_route, applying_a_space_quota, applying_an_organization_quota, sharing_a_domain])
def test_many_are_asked_for_as_often_as_few(cc: Any, prepare: Callable[[Any], str]) -> None:
    path = prepare(cc)
    new = cc.new_organization if path.endswith("organizations") else cc.new_space
    made = [new(f"place-{number}") for number in range(8)]
    counts = []
    for guids in (made[:2], made[2:]):
        with statements() as noted:
            answer = cc.ok("POST", path, to_many(guids))
        assert set(guids) <= {each["guid"] for each in answer["data"]}
        counts.append(sum(statement.startswith("SELECT") for statement in noted))
    assert counts[0] == counts[1]


def test_nobody_knows_as_many_as_are_named(cc: Any) -> None:
    """More than SQLite takes parameters."""
    unknown = [f"{number}" for number in range(40_000)]
    assert cc.detail("POST", applying_an_organization_quota(cc), to_many(unknown)).endswith('"39999"] do not exist')


def test_what_is_named_twice_is_shared_once(cc: Any) -> None:
    other = cc.new_organization("other")
    relationships = {"organization": {"data": {"guid": cc.organization}}, "shared_organizations": to_many([other, other])}
    domain = cc.ok("POST", "/v3/domains", {"name": "own.test", "relationships": relationships})
    assert domain["relationships"]["shared_organizations"] == to_many([other])
