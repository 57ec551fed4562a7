"""Quotas on the command line: what the options mean, and how limits look. The rest is in the transcripts."""

from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.orgs import quotas, space_details
from cfroute.cli.orgs.space_details import SecurityRule, Space
from cfroute.errors import UsageError

from ..conftest import Run

NOTHING: dict[str, Any] = {
    **dict.fromkeys(("app_instances", "instance_memory", "log_volume", "total_memory", "routes")),
    **dict.fromkeys(("reserved_route_ports", "service_instances")),
    "allowed": False,
    "disallowed": False,
}


@pytest.mark.parametrize(
    ("flag", "value", "why"),
    [
        ("-r", "-2", "routes': invalid integer limit (expected int >= -1)"),
        ("-r", "1M", "routes': invalid integer limit (expected int >= -1)"),
        ("-a", "", "app-instances': invalid integer limit (expected int >= -1)"),
        ("-m", "1.5G", "total-memory': Byte quantity must be an integer with a unit of measurement like M, MB, G, or GB"),
        ("-i", "7", "instance-memory': Byte quantity must be an integer with a unit of measurement like M, MB, G, or GB"),
        ("-l", "x", "log-volume': Byte quantity must be an integer with a unit of measurement like B, K, KB, M, MB, G, or GB"),
    ],
)
def test_limits_that_are_none(cfroute: Run, flag: str, value: str, why: str) -> None:
    wrong = cfroute("create-org-quota", "q", f"{flag}{value}" if value else f"{flag}=")
    assert wrong.status == 1
    assert wrong.err.startswith(f"Incorrect Usage: invalid argument for flag `--{why}")


@given(st.integers(0, 10**6), st.sampled_from("BKMGT"), st.sampled_from(["", "B", "b"]))
def test_sizes_are_read_in_both_units(number: int, unit: str, suffix: str) -> None:
    octets = number * 1024 ** "BKMGT".index(unit)
    for text in (f"{number}{unit}", f"{number}{unit.lower()}", *([f"{number}{unit}{suffix}"] if unit != "B" else [])):
        assert quotas._octets(text) == octets
        assert quotas._memory(text) == octets // 1024**2


@given(st.text(max_size=8) | st.integers(-3, 99).map(str))
def test_any_text_is_a_limit_or_refused(text: str) -> None:
    for read in (quotas._limit, quotas._memory, quotas._octets):
        try:
            limit = read(text)
        except click.BadParameter:
            assert text != "-1"
        else:
            assert limit >= 0 or text == "-1"


def test_a_new_quota_allows_nothing_that_is_not_asked_for() -> None:
    assert quotas.new_limits(NOTHING) == {
        "apps": {"total_memory_in_mb": 0},
        "routes": {"total_routes": 0, "total_reserved_ports": 0},
        "services": {"total_service_instances": 0, "paid_services_allowed": False},
    }
    assert quotas.new_limits({**NOTHING, "routes": -1, "log_volume": 4096})["routes"]["total_routes"] is None


def test_a_change_leaves_what_is_not_given() -> None:
    assert quotas.changed_limits(NOTHING) == {}
    assert quotas.changed_limits({**NOTHING, "app_instances": -1, "disallowed": True}) == {
        "apps": {"total_instances": None},
        "services": {"paid_services_allowed": False},
    }
    with pytest.raises(UsageError, match="cannot be used together"):
        quotas.changed_limits({**NOTHING, "allowed": True, "disallowed": True})


def test_rules_of_security_groups() -> None:
    groups = [{"name": "dns", "rules": [{"destination": "0.0.0.0/0", "protocol": "udp", "ports": "53", "description": None}]}]
    rules = [*space_details._rules(groups, "running"), *space_details._rules(groups, "staging")]
    assert rules[0] == SecurityRule("dns", "0.0.0.0/0", "53", "udp", "running", "")
    shown = space_details._text(Space("g", "s", "o", [], [], "", "", ["dns"], ["dns"], rules))
    assert click.unstyle(shown).splitlines()[-3:] == [
        "security group   destination   ports   protocol   lifecycle   description",
        "dns              0.0.0.0/0     53      udp        running     ",
        "dns              0.0.0.0/0     53      udp        staging     ",
    ]
