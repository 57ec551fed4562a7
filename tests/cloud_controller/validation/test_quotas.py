"""Quotas: which may be made, and the arithmetic of what would exceed them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.validation import quotas as rules
from cfroute.cloud_controller.validation.quotas import Scope, exceeded, over

LIMIT = st.none() | st.integers(0, 30)
COUNT = st.integers(0, 30)
SEVERAL = '{"data": [{"guid": "valid-guid"},{"guid": "valid-guid"}]}'


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"name": "q"}, []),
        ({"name": "q", "apps": {"total_memory_in_mb": None}, "services": {"paid_services_allowed": None}}, []),
        (
            {"name": "q", "routes": {"total_routes": 0, "total_reserved_ports": 2_147_483_647}, "domains": {"total_domains": 1}},
            [],
        ),
        ({"name": "q", "apps": {"log_rate_limit_in_bytes_per_second": 9_223_372_036_854_775_807}}, []),
        ({}, ["Name can't be blank"]),
        ({"name": "q" * 251}, ["Name is too long (maximum is 250 characters)"]),
        ({"name": "q", "colour": 1}, ["Unknown field(s): 'colour'"]),
        ({"name": "q", "apps": []}, ["Apps must be an object"]),
        ({"name": "q", "apps": None}, ["Apps must be an object"]),
        ({"name": "q", "routes": {"x": 1}}, ["Routes Unknown field(s): 'x'"]),
        ({"name": "q", "routes": {"total_routes": -1}}, ["Routes Total routes must be greater than or equal to 0"]),
        ({"name": "q", "routes": {"total_routes": "7"}}, ["Routes Total routes is not a number"]),
        ({"name": "q", "routes": {"total_routes": 1.5}}, ["Routes Total routes must be an integer"]),
        (
            {"name": "q", "apps": {"total_memory_in_mb": 2_147_483_648}},
            ["Apps Total memory in mb must be less than or equal to 2147483647"],
        ),
        ({"name": "q", "services": {"paid_services_allowed": 1}}, ["Services Paid services allowed must be a boolean"]),
        (
            {"name": "q", "relationships": {"organizations": {"data": {"guid": "o"}}}},
            [f'Relationships Organizations must be structured like this: "organizations: {SEVERAL}"'],
        ),
    ],
)
def test_bodies_of_organization_quotas(body: dict[str, object], messages: list[str]) -> None:
    assert rules.organization_quota_problems(body, new=True) == messages


def test_bodies_of_space_quotas() -> None:
    good = {"name": "q", "relationships": {"organization": {"data": {"guid": "o"}}, "spaces": {"data": [{"guid": "s"}]}}}
    assert rules.space_quota_problems(good, new=True) == []
    assert rules.space_quota_problems({"name": "q"}, new=True) == [
        "Relationships can't be blank",
        "Relationships 'relationships' is not an object",
    ]
    assert rules.space_quota_problems({**good, "domains": {}}, new=True) == ["Unknown field(s): 'domains'"]
    assert rules.space_quota_problems({}, new=False) == []
    assert rules.space_quota_problems(good, new=False) == ["Unknown field(s): 'relationships'"]


@pytest.mark.parametrize(
    ("ports", "routes", "above", "organization_says", "space_says"),
    [
        (None, 0, 0, False, False),
        (0, 0, 0, False, False),
        (5, None, None, False, False),
        (5, 5, 5, False, False),
        (6, 5, None, True, True),
        (6, 9, 5, False, True),
    ],
)
def test_ports_are_routes(
    ports: int | None, routes: int | None, above: int | None, organization_says: bool, space_says: bool
) -> None:
    assert (rules.organization_ports_problem(ports, routes) is not None) == organization_says
    assert (rules.space_ports_problem(ports, routes, above) is not None) == space_says


@given(LIMIT, COUNT, COUNT)
def test_what_fits_leaves_the_rest_of_the_limit(limit: int | None, used: int, more: int) -> None:
    assert over(limit, used, more) == (limit is not None and limit - used < more)
    assert over(limit, used, more) or not over(limit, used, max(more - 1, 0))


@given(LIMIT, st.lists(st.integers(0, 5), max_size=20))
def test_no_sequence_of_what_is_allowed_exceeds_a_limit(limit: int | None, wanted: list[int]) -> None:
    used = 0
    for more in wanted:
        used += 0 if over(limit, used, more) else more
    assert limit is None or used <= limit
    assert limit is not None or used == sum(wanted)


@given(st.dictionaries(st.sampled_from(["total_routes", "total_reserved_ports"]), LIMIT), LIMIT, COUNT, COUNT)
def test_the_stricter_of_space_and_organization_decides(
    limits: dict[str, int | None], above: int | None, used: int, elsewhere: int
) -> None:
    space = Scope("space", "s", limits, {"total_routes": used, "total_reserved_ports": used})
    organization = Scope("organization", "o", {"total_routes": above}, {"total_routes": used + elsewhere})
    more = {"total_routes": 1, "total_reserved_ports": 1}
    free = [
        limit - spent for limit, spent in ((limits.get("total_routes"), used), (above, used + elsewhere)) if limit is not None
    ]
    port_limit = limits.get("total_reserved_ports")
    assert bool(exceeded([space, organization], {"total_routes": 1})) == (min(free, default=1) < 1)
    ports_full = port_limit is not None and used >= port_limit
    assert ("Reserved route ports quota exceeded for space 's'." in exceeded([space, organization], more)) == ports_full
    assert exceeded([], more) == []


def test_the_words_and_their_order() -> None:
    full = {"total_routes": 0, "total_reserved_ports": 0}
    scopes = [Scope("space", "s", full, {}), Scope("organization", "o", full, {})]
    assert exceeded(scopes, {"total_routes": 1, "total_reserved_ports": 1}) == [
        "Routes quota exceeded for space 's'.",
        "Reserved route ports quota exceeded for space 's'.",
        "Routes quota exceeded for organization 'o'.",
        "Reserved route ports quota exceeded for organization 'o'.",
    ]
    domains = [Scope("organization", "o", {"total_domains": 3}, {"total_domains": 3})]
    assert exceeded(domains, {"total_domains": 1}) == ['The number of private domains exceeds the quota for organization "o"']
    memory = {"total_memory_in_mb": 1, "per_process_memory_in_mb": 1, "total_instances": 1}
    scopes = [Scope("space", "s", memory, {}), Scope("organization", "o", memory, {})]
    assert [text for limit in memory for text in exceeded(scopes, {limit: 2})] == [
        "memory space_quota_exceeded",
        "memory quota_exceeded",
        "memory space_instance_memory_limit_exceeded",
        "memory instance_memory_limit_exceeded",
        "app_instance_limit space_app_instance_limit_exceeded",
        "app_instance_limit app_instance_limit_exceeded",
    ]


@pytest.mark.parametrize(
    ("problem", "where"),
    [
        ("memory space_quota_exceeded", "space s. This space's"),
        ("memory quota_exceeded", "organization o. This organization's"),
        ("app_instance_limit space_app_instance_limit_exceeded", "space s. This space's"),
        ("app_instance_limit app_instance_limit_exceeded", "organization o. This organization's"),
    ],
)
def test_a_deployment_that_does_not_fit(problem: str, where: str) -> None:
    names = {"space": "s", "organization": "o"}
    told = rules.while_deploying([problem], names)
    assert told.startswith(f"{problem} for {where} quota may not be large enough to support rolling deployments or ")
    other = "memory instance_memory_limit_exceeded"
    assert rules.while_deploying([other], names) == other


def test_paid_services() -> None:
    refused = "The service instance cannot be created because paid service plans are not allowed"
    assert rules.paid_services_problem(space_allows=True, organization_allows=True) is None
    assert rules.paid_services_problem(space_allows=True, organization_allows=False) == f"{refused}."
    assert rules.paid_services_problem(space_allows=False, organization_allows=True) == f"{refused} for your space."
