"""The configuration file, its PEM files, and the flags."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfroute import certificates
from cfroute.go.flags import parse
from cfroute.tcp_router import flags as command_line
from cfroute.tcp_router.config import BackendTls, Config, ConfigError, load
from cfroute.tcp_router.flags import FlagError, Flags

AUTHORITY = certificates.make_authority("test", time.time())
OTHER = certificates.make_authority("other", time.time())
CERTIFICATE, KEY = AUTHORITY.certificate.decode(), AUTHORITY.key.decode()


def read(folder: Path, *, pid_file_needed: bool = False, **settings: Any) -> Config:
    file = folder / "tcp_router.yml"
    file.write_text(yaml.safe_dump(settings))
    return load(str(file), pid_file_needed=pid_file_needed)


def refused(folder: Path, **settings: Any) -> str:
    with pytest.raises(ConfigError) as error:
        read(folder, **settings)
    return str(error.value)


@pytest.mark.statement("TCP router 2", "the keys of the file, with upstream's defaults")
def test_the_sample() -> None:
    config = load(str(Path(__file__).parents[2] / "fixtures" / "tcp_router" / "tcp_router.yml"), pid_file_needed=True)
    assert config.oauth.token_endpoint == "uaa.service.cf.internal"
    assert config.routing_api.url == "https://routing-api.service.cf.internal:3001"
    assert config.isolation_segments == ["is1", "is2"]
    assert config.reserved_system_component_ports[:2] == [2822, 2825]
    assert config.drain_wait == 20
    assert config.haproxy_pid_file == "/var/vcap/data/haproxy/haproxy.pid"
    assert config.cfroute.address == "127.0.0.1"


@pytest.mark.statement("TCP router 2", "an empty file is valid; unknown keys are ignored; drain_wait is 0 unless it is said")
def test_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, unknown={"a": [1]})
    assert config == Config()
    assert config.drain_wait == 0


@pytest.mark.statement("TCP router 2", "a negative drain_wait means 20 seconds")
@pytest.mark.parametrize(("given", "seconds"), [("-1s", 20), ("0s", 0), ("1m30s", 90)])
def test_drain_wait(tmp_path: Path, given: str, seconds: float) -> None:
    assert read(tmp_path, drain_wait=given).drain_wait == seconds


@pytest.mark.statement("TCP router 2", "haproxy_pid_file is required (where somebody else starts HAProxy)")
def test_pid_file(tmp_path: Path) -> None:
    assert refused(tmp_path, pid_file_needed=True) == "haproxy_pid_file is required"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"open {re.escape(str(tmp_path))}/nowhere: no such file or directory"):
        load(f"{tmp_path}/nowhere", pid_file_needed=False)
    assert "cannot unmarshal !!str `x` into" in refused(tmp_path, reserved_system_component_ports=["x"])
    assert "cannot unmarshal !!int `70000` into uint16" in refused(tmp_path, reserved_system_component_ports=[70000])


@pytest.mark.statement("TCP router 2", "backend_tls needs certificates of authorities, and nothing else in their file")
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "open {}: no such file or directory"),
        ("rubbish", 'Invalid PEM block found in file "{}"'),
        (KEY, 'Unexpected PEM block type "PRIVATE KEY" in file "{}" (wanted CERTIFICATE)'),
        (
            CERTIFICATE.replace("CERTIFICATE-----\n", "CERTIFICATE-----\nName: value\n\n", 1),
            'Unexpected headers in PEM block in file "{}": map[Name:value]',
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            'failed to parse certificate in "{}": x509: malformed certificate',
        ),
        (CERTIFICATE + "rubbish", 'Invalid PEM block found in file "{}"'),
    ],
)
def test_authorities_that_cannot_be_used(tmp_path: Path, content: str | None, problem: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    assert refused(tmp_path, backend_tls={"enabled": True, "ca_cert_path": str(file)}) == problem.format(file)


@pytest.mark.statement("TCP router 2", "backend_tls without the path of the authorities is an error; an empty file is none")
def test_no_authorities(tmp_path: Path) -> None:
    problem = "Backend TLS was enabled but no CA certificates were specified"
    assert refused(tmp_path, backend_tls={"enabled": True}) == problem
    empty = tmp_path / "empty.pem"
    empty.touch()
    assert read(tmp_path, backend_tls={"enabled": True, "ca_cert_path": str(empty)}).backend_tls.enabled


@pytest.mark.statement("TCP router 2", "the client's file has a certificate, then its key, and nothing else")
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", 'Invalid PEM CERTIFICATE found in file "{}"'),
        (KEY + CERTIFICATE, 'Invalid PEM CERTIFICATE found in file "{}"'),
        (CERTIFICATE, 'Invalid PEM PRIVATE KEY found in file "{}"'),
        (CERTIFICATE + CERTIFICATE, 'Invalid PEM PRIVATE KEY found in file "{}"'),
        (CERTIFICATE + KEY + CERTIFICATE, "Unexpected data at the end of {}"),
        (
            CERTIFICATE + OTHER.key.decode(),
            'Unable to validate backend TLS client cert + key in file "{}": tls: private key does not match public key',
        ),
    ],
)
def test_a_client_that_cannot_be_used(tmp_path: Path, content: str, problem: str) -> None:
    authorities, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    authorities.write_text(CERTIFICATE)
    client.write_text(content)
    tls = {"enabled": True, "ca_cert_path": str(authorities), "client_cert_and_key_path": str(client)}
    assert refused(tmp_path, backend_tls=tls) == problem.format(client)


def test_files_that_can_be_used(tmp_path: Path) -> None:
    authorities, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    authorities.write_text(CERTIFICATE + OTHER.certificate.decode())
    client.write_text(CERTIFICATE + KEY)
    tls = {"enabled": True, "ca_cert_path": str(authorities), "client_cert_and_key_path": str(client)}
    assert read(tmp_path, backend_tls=tls).backend_tls.client_cert_and_key_path == str(client)


@pytest.mark.statement("TCP router 2", "without backend_tls.enabled, its files are not looked at")
def test_tls_that_is_not_enabled(tmp_path: Path) -> None:
    assert read(tmp_path, backend_tls={"enabled": False, "ca_cert_path": "/nowhere"}).backend_tls == BackendTls()


@pytest.mark.statement("TCP router 1", "upstream's flags and their defaults")
def test_flags() -> None:
    flags = parse([], Flags)
    assert flags.sync_interval == 60
    assert flags.subscription_retry_interval == 5
    assert flags.stale_route_check_interval == 30
    assert flags.default_route_expiry == 120
    assert (flags.token_fetch_max_retries, flags.token_fetch_retry_interval) == (3, 5)
    assert flags.token_fetch_expiration_buffer_time == 30
    assert (flags.stats_collection_interval, flags.dropsonde_port) == (60, 3457)
    assert parse(["--syncInterval=1s", "-routingGroupCheckExit"], Flags).routing_group_check_exit


@pytest.mark.statement("TCP router 3", "an expiry above 65535 s, and a check interval above the expiry, are refused")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["-defaultRouteExpiry", "65536s"], "invalid-route-expiry"),
        (["-defaultRouteExpiry", "1m", "-staleRouteCheckInterval", "61s"], "invalid-stale-route-check-interval"),
        (["-syncInterval", "0s"], "invalid-interval"),
    ],
)
def test_flags_that_do_not_go_together(given: list[str], message: str) -> None:
    with pytest.raises(FlagError) as refusal:
        command_line.check(parse(given, Flags))
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("given", "own"),
    [
        ([], True),
        (["-haproxyReloader", ""], True),
        (["-haproxyReloader", "/bin/reload"], False),
        (["-tcpLoadBalancerConfig", "/haproxy.conf"], False),
    ],
)
def test_whose_haproxy_it_is(given: list[str], own: bool) -> None:
    assert parse(["-engine", "haproxy", *given], Flags).own_haproxy is own
