"""Catalogs of brokers: what is kept of them, and what is said about those that are wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.brokers.catalog import InvalidCatalog, read

PLAN = {"id": "p1", "name": "small", "description": "a small one"}
SERVICE = {"id": "s1", "name": "limiter", "description": "limits", "bindable": True, "plans": [PLAN]}


def service(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (SERVICE | changes).items() if value is not ...}


def test_what_a_broker_offers() -> None:
    (offering,) = read({"services": [service(requires=["route_forwarding"], tags=["a"], bindings_retrievable=True)]})
    assert (offering.name, offering.requires, offering.tags) == ("limiter", ("route_forwarding",), ("a",))
    assert offering.bindings_retrievable
    assert not offering.instances_retrievable
    (plan,) = offering.plans
    assert (plan.name, plan.free, plan.bindable) == ("small", True, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (service(id=...), "  Service id is required"),
        (service(name=1), "  Service name must be a string, but has value 1"),
        (service(bindable=...), '  Service "bindable" field is required'),
        (service(bindable="yes"), '  Service "bindable" field must be a boolean, but has value "yes"'),
        (service(requires=["x"]), '  Service "requires" field contains unsupported value "x"'),
        (service(tags="a"), '  Service tags must be an array of strings, but has value "a"'),
        (service(metadata=[]), "  Service metadata must be a hash, but has value []"),
        (service(plans=[]), "  At least one plan is required"),
        (service(plans="none"), '  Service plans list must be an array, but has value "none"'),
        (service(plans=[PLAN, PLAN | {"id": "p2"}]), "  Plan names must be unique within a service"),
        (service(plans=[PLAN | {"description": ""}]), "    Plan description is required"),
        (service(plans=[PLAN | {"free": 1}]), '    Plan "free" field must be a boolean, but has value 1'),
        (
            service(plans=[PLAN | {"maximum_polling_duration": "1"}]),
            '    Maximum polling duration must be an integer, but has value "1"',
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidCatalog) as raised:
        read({"services": [wrong]})
    lines = str(raised.value).split("\n")
    assert lines[0] == "Service broker catalog is invalid: "
    assert said in lines[2:]


def test_names_and_ids_are_told_apart() -> None:
    with pytest.raises(InvalidCatalog) as raised:
        read({"services": [service(), service()]})
    assert "\nService ids must be unique\nService names must be unique within a broker\n" in str(raised.value)
    assert 'Unable to register plan with id "p1"' in str(raised.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SERVICE, "requires", "tags", "free"]), inner),
)


@given(JSON)
def test_any_json_is_read_or_refused(services: Any) -> None:
    try:
        offerings = read({"services": services})
    except InvalidCatalog:
        return
    assert all(offering.plans and offering.id and offering.name for offering in offerings)
