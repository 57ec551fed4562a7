"""The configuration file."""

from typing import Any

import pytest
import yaml

from cfroute.routing_api import config as configuration
from cfroute.routing_api.config import Config, ConfigError

GOOD: dict[str, Any] = {
    "api": {"listen_port": 3000, "mtls_listen_port": 3001},
    "admin_port": 15897,
    "log_guid": "routing_api",
    "system_domain": "cf.test",
    "oauth": {"token_endpoint": "uaa.test", "port": 8443},
    "uuid": "me",
    "metrics_reporting_interval": "30s",
    "statsd_client_flush_interval": "300ms",
}


def parse(*, dev_mode: bool = False, **more: Any) -> Config:
    return configuration.parse(yaml.safe_dump({**GOOD, **more}).encode(), dev_mode=dev_mode)


@pytest.mark.statement("Routing API 2", "the keys of the file, with upstream's defaults")
def test_defaults() -> None:
    config = parse(unknown={"x": 1})
    assert (config.ttl, config.retry_interval) == (120, 5.0)
    assert (config.reporting_interval, config.flush_interval) == (30.0, 0.3)
    assert (config.api.http_enabled, config.sqldb.type) == (False, "sqlite")


def test_values_are_what_their_keys_want() -> None:
    text = b"""
max_ttl: 1m30s
sqldb: {password: 12345, port: "3306", username: ~, type: mysql}
skip_ssl_validation: yes
router_groups:
- {name: a, type: tcp, reservable_ports: 1024}
- {name: b, type: tcp, reservable_ports: [2000, 2001]}
- {name: c, type: tcp, reservable_ports: 3000-3010}
"""
    config = configuration.parse(yaml.safe_dump(GOOD).encode() + text, dev_mode=False)
    assert (config.ttl, config.sqldb.password, config.sqldb.port, config.sqldb.username) == (90, "12345", 3306, "")
    assert config.skip_ssl_validation
    assert [seed.group.reservable_ports for seed in config.router_groups] == ["1024", "2000,2001", "3000-3010"]


@pytest.mark.statement("Routing API 2", "what a file must have, checked in upstream's order and told in its words")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"system_domain": "", "log_guid": ""}, "No system_domain specified"),
        ({"log_guid": "", "uuid": ""}, "No log_guid specified"),
        ({"oauth": {}}, "No token endpoint specified"),
        ({"oauth": {"token_endpoint": "x", "port": -1}}, "Routing API requires TLS enabled to get OAuth token"),
        ({"uuid": "", "admin_port": 0}, "No UUID is specified"),
        ({"admin_port": 0, "api": {}}, "invalid admin port: port number is invalid: 0 (1-65535)"),
        ({"api": {"mtls_listen_port": 1}}, "invalid API listen port: port number is invalid: 0 (1-65535)"),
        (
            {"api": {"listen_port": 1, "mtls_listen_port": 65536}},
            "invalid API mTLS listen port: port number is invalid: 65536 (1-65535)",
        ),
        (
            {"reserved_system_component_ports": [1, 70000]},
            "Invalid reserved system component port '70000'. Ports must be between 0 and 65535.",
        ),
        ({"router_groups": [{"name": "x", "type": "tcp"}]}, "Missing reservable_ports in router group: x"),
        ({"metrics_reporting_interval": "x"}, 'time: invalid duration "x"'),
        ({"statsd_client_flush_interval": ""}, 'time: invalid duration ""'),
    ],
)
def test_what_is_wrong(wrong: dict[str, Any], error: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(**wrong)
    assert str(refused.value) == error


@pytest.mark.statement("Routing API 2", "with `-devMode` no UAA has to be named")
def test_development_needs_no_uaa() -> None:
    assert parse(dev_mode=True, oauth={"port": -1}).oauth.token_endpoint == ""


@pytest.mark.statement("Routing API 8", "reserved ports count with `fail_on_router_port_conflicts` only")
def test_reserved_ports_count_when_they_are_to() -> None:
    groups = [{"name": "x", "type": "tcp", "reservable_ports": "1024-2000"}]
    assert parse(router_groups=groups, reserved_system_component_ports=[1500]).reserved_ports == []
    with pytest.raises(ConfigError, match=r"reserved system component ports: \[1500\]"):
        parse(router_groups=groups, reserved_system_component_ports=[1500], fail_on_router_port_conflicts=True)


@pytest.mark.parametrize("text", [b"x: [", b"[]", b"api: 1", b"max_ttl: soon", b"admin_port: many", b"\xff"])
def test_what_cannot_be_read(text: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^yaml: "):
        configuration.parse(text, dev_mode=False)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"^open /nowhere/x.yml: no such file or directory$"):
        configuration.load("/nowhere/x.yml", dev_mode=False)
