"""What of a binding cannot be taken."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.cloud_controller.brokers.calls import Call
from cfroute.cloud_controller.brokers.given import flaw
from cfroute.cloud_controller.brokers.outcomes import Answer, Failed, judge

ALL = ("syslog_drain", "route_forwarding", "volume_mount")
MOUNT = {"device": {"volume_id": "v"}, "device_type": "shared", "driver": "nfs", "mode": "rw", "container_dir": "/data"}
INVALID = "The service broker returned an invalid response: "
EXPECTED = f'{INVALID}expected "volume_mounts" key to contain an array of JSON objects in body'


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in MOUNT.items() if name != key}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"credentials": None, "syslog_drain_url": None, "route_service_url": None, "volume_mounts": None},
        {"credentials": {"user": "u"}, "syslog_drain_url": "syslog://logs"},
        {"volume_mounts": [MOUNT, MOUNT | {"device": {"volume_id": "v", "mount_config": None}}]},
    ],
)
def test_good_bindings(values: dict[str, Any]) -> None:
    assert flaw(values, ALL) is None


@pytest.mark.parametrize(
    ("values", "requires", "detail"),
    [
        ({"credentials": "secret"}, ALL, f"{INVALID}expected credentials to be a valid JSON object"),
        ({"syslog_drain_url": "syslog://logs"}, ("volume_mount",), "The service is attempting to stream logs from your app"),
        ({"route_service_url": "https://limits.example.com"}, (), ""),
        ({"volume_mounts": []}, ("syslog_drain",), f"{INVALID}The service is attempting to supply volume mounts from your app"),
        ({"volume_mounts": "all"}, ALL, EXPECTED),
        ({"volume_mounts": [1]}, ALL, EXPECTED),
        ({"volume_mounts": [without("device")]}, ALL, f"{INVALID}missing required field 'device'"),
        ({"volume_mounts": [without("mode")]}, ALL, f"{INVALID}missing required field 'mode'"),
        ({"volume_mounts": [MOUNT | {"driver": ""}]}, ALL, f"{INVALID}missing required field 'driver'"),
        ({"volume_mounts": [MOUNT | {"device": "sda"}]}, ALL, f"{INVALID}required field 'device' must be an object"),
        ({"volume_mounts": [MOUNT | {"device": {}}]}, ALL, f"{INVALID}required field 'device.volume_id' must be a non-empty"),
        (
            {"volume_mounts": [MOUNT | {"device": {"volume_id": "v", "mount_config": 1}}]},
            ALL,
            f"{INVALID}field 'device.mount_config' must be an object if it is defined",
        ),
    ],
)
def test_what_is_refused(values: dict[str, Any], requires: tuple[str, ...], detail: str) -> None:
    found = flaw(values, requires)
    assert found is not None
    assert found.detail.startswith(detail)
    assert bool(found.detail) == bool(detail)


def test_what_was_refused_is_removed_again() -> None:
    """But for credentials of which the broker says that it had them already."""
    body = b'{"credentials": "secret"}'
    for status, orphan in ((201, True), (200, False)):
        outcome = judge(Call.BIND, Answer(status, body))
        assert isinstance(outcome, Failed)
        assert (outcome.orphan, outcome.error) == (orphan, "ServiceBrokerResponseMalformed")
    drained = judge(Call.BIND, Answer(200, b'{"syslog_drain_url": "syslog://logs"}'))
    assert isinstance(drained, Failed)
    assert (drained.orphan, drained.error) == (True, "ServiceBrokerInvalidSyslogDrainUrl")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*MOUNT, "volume_id", "mount_config"]), inner),
    max_leaves=12,
)


@settings(max_examples=50)
@given(JSON, JSON, JSON, JSON)
def test_nothing_that_was_given_surprises(credentials: Any, url: Any, drain: Any, mounts: Any) -> None:
    values = {"credentials": credentials, "route_service_url": url, "syslog_drain_url": drain, "volume_mounts": mounts}
    for requires in ((), ALL):
        found = flaw(values, requires)
        assert found is not None or (credentials is None or isinstance(credentials, dict))
