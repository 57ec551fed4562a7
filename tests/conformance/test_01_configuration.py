"""The configuration: how the file is read, what is refused, and what a router says that does not start (1)."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cfroute import certificates

from ..ports import free_port
from .conftest import Nats
from .launches import ports, run, run_each, run_file

YAML = "yaml: unmarshal errors:\n  "
SSL = {"enable_ssl": True, "client_cert_validation": "none", "cipher_suites": "AES128-SHA"}
NO_PEM = "tls: failed to find any PEM data in certificate input"

# What the file says -> the error.
UNREADABLE = {
    "port: 1\nzone: z\nport: 2": YAML + 'line 3: mapping key "port" already defined at line 1',
    "endpoint_timeout: 30": YAML + "line 1: cannot unmarshal !!int `30` into time.Duration",
    "port: 1\nendpoint_timeout: 0": YAML + "line 2: cannot unmarshal !!int `0` into time.Duration",
    "drain_wait: '30'": YAML + "line 1: cannot unmarshal !!str `30` into time.Duration",
    "port: '80'": YAML + "line 1: cannot unmarshal !!str `80` into uint16",
    "enable_ssl: 1": YAML + "line 1: cannot unmarshal !!int `1` into bool",
}


@pytest.fixture(scope="module")
def pair():
    authority = certificates.make_authority("ours", time.time())
    identity = certificates.issue(authority, "router.test", ["router.test"], time.time())
    return {"cert_chain": identity.certificate.decode(), "private_key": identity.key.decode()}


def refused(pair):
    """What upstream refuses, in its order, and with which words."""
    tls = {**SSL, "tls_pem": [pair]}
    trusting = {**tls, "client_cert_validation": "require", "only_trust_client_ca_certs": True}
    rule = {"enable_verify_client_certificate_metadata": True, "client_ca_certs": pair["cert_chain"]}
    allowed = "Allowed values are"
    return [
        ({"backends": {"cert_chain": "x", "private_key": "y"}}, f"Error loading key pair: {NO_PEM}"),
        ({"route_services": {"cert_chain": "x", "private_key": "y"}}, f"Error loading key pair: {NO_PEM}"),
        ({"routing_api": {"uri": "https://x", "port": 1}}, f"Error loading key pair: {NO_PEM}"),
        (
            {"routing_api": {"uri": "https://x", "port": 1, "ca_certs": "x", **pair}},
            "Error while adding CACerts to gorouter's routing-api cert pool: \nx\n",
        ),
        ({"nats": {"tls_enabled": True}}, f"Error loading NATS key pair: {NO_PEM}"),
        (
            {"nats": {"tls_enabled": True, "ca_certs": "x", **pair}},
            "Error while adding CACerts to gorouter's routing-api cert pool: \nx\n",
        ),
        (
            {"status": {"enable_nontls_health_checks": False}},
            "Neither TLS nor non-TLS health endpoints are enabled. Refusing to start gorouter.",
        ),
        ({"status": {"tls": {"port": 1}}}, "router.status.tls.key must be provided"),
        ({"status": {"tls": {"key": "k"}}}, "router.status.tls.certificate must be provided"),
        ({"status": {"tls": {"key": "k", "certificate": "c", "port": 0}}}, "router.status.tls.port must not be 0"),
        (
            {"status": {"tls": {"key": "k", "certificate": "c"}}},
            f"Error loading router.status.tls certificate/key pair: {NO_PEM}",
        ),
        ({"enable_ssl": True}, "router.client_cert_validation must be one of 'none', 'request' or 'require'."),
        (
            {**tls, "min_tls_version": "1.2"},
            'router.min_tls_version should be one of "", "TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0"',
        ),
        ({**tls, "max_tls_version": "TLSv1.1"}, 'router.max_tls_version should be one of "TLSv1.2" or "TLSv1.3"'),
        (SSL, "router.tls_pem must be provided if router.enable_ssl is set to true"),
        ({**SSL, "tls_pem": [{"cert_chain": "x"}]}, "Error parsing PEM blocks of router.tls_pem, missing cert or key."),
        ({**SSL, "tls_pem": [{"cert_chain": "x", "private_key": "y"}]}, f"Error loading key pair: {NO_PEM}"),
        ({**tls, "cipher_suites": ""}, "must specify list of cipher suite when ssl is enabled"),
        ({**tls, "cipher_suites": "X"}, "Invalid cipher string configuration: X, please choose from ["),
        (
            {"disable_http": True},
            "neither http nor https listener is enabled: router.enable_ssl: false, router.disable_http: true",
        ),
        (
            {"balancing_algorithm": "x"},
            f"Invalid load balancing algorithm x. {allowed} [round-robin least-connection]",
        ),
        (
            {"balancing_algorithm_az_preference": "x"},
            f"Invalid load balancing AZ preference x. {allowed} [none locally-optimistic]",
        ),
        ({"load_balancer_healthy_threshold": "-1s"}, "Invalid load balancer healthy threshold: -1s"),
        (
            {"forwarded_client_cert": "x"},
            f"Invalid forwarded client cert mode: x. {allowed} [always_forward forward sanitize_set]",
        ),
        ({"routing_table_sharding_mode": "x"}, f"Invalid sharding mode: x. {allowed} [all segments shared-and-segments]"),
        (
            {"routing_table_sharding_mode": "segments"},
            "Expected isolation segments; routing table sharding mode set to segments and none provided.",
        ),
        ({"logging": {"redact_query_params": "x"}}, f"Invalid query param redaction mode: x. {allowed} [none all hash]"),
        ({"ca_certs": [pair["cert_chain"], "x"]}, "Error while adding 1 cert in CACerts to gorouter's cert pool"),
        (
            trusting,
            (
                "router.client_ca_certs cannot be empty if router.only_trust_client_ca_certs is 'true' and "
                "router.client_cert_validation is set to 'request' or 'require'."
            ),
        ),
        ({"client_ca_certs": "x"}, "Error while adding ClientCACerts to gorouter's client cert pool: \nx\n"),
        (
            {**rule, "verify_client_certificate_metadata": [{"issuer_in_chain": {"common_name": "other"}}]},
            "no CA certificate found for rule with ca subject CN=other",
        ),
    ]


@pytest.mark.statement("E", "32: a bad value is one line of JSON and status 1")
@pytest.mark.statement("1.1", "A key that stands twice in one mapping is an error")
@pytest.mark.statement("1.1", "Durations are Go's texts: whole numbers, 0 among them, and quoted plain numbers are refused")
@pytest.mark.statement("1.1", "Whole numbers are not quoted, and no number is a boolean")
@pytest.mark.statement("1.1", "What can't be read, parsed or accepted is one line on stdout, without a source, and exit status 1")
@pytest.mark.statement("1.4", "Each value that upstream refuses is refused in its words, with exit status 1")
def test_what_is_refused(pair, tmp_path):
    cases = [*UNREADABLE.items(), *refused(pair)]
    endings = [*run_each(tmp_path, [config for config, _ in cases]), run("-c", str(tmp_path / "no.yml"))]
    cases.append(("", f"open {tmp_path}/no.yml: no such file or directory"))
    for (config, message), ending in zip(cases, endings, strict=True):
        (line,) = ending.lines
        assert ending.status == 1, config
        assert list(line) == ["log_level", "timestamp", "message", "data"]
        assert (line["log_level"], line["message"]) == (3, "Error loading config:")
        assert line["data"]["error"].startswith(message), config


@pytest.mark.statement("1.4", "The first failure, in upstream's order, is the one that is told")
def test_the_first_failure_is_told(pair, tmp_path):
    later = {"routing_table_sharding_mode": "x", "logging": {"redact_query_params": "x"}, "ca_certs": ["x"]}
    ending = run_file(tmp_path, {**later, "disable_http": True, "nats": {"tls_enabled": True}})
    assert ending.error == f"Error loading NATS key pair: {NO_PEM}"
    assert run_file(tmp_path, later).error.startswith("Invalid sharding mode: x.")


@pytest.mark.statement("1.1", "Unknown keys are ignored at every level")
@pytest.mark.statement("1.1", "An explicit null keeps the default")
@pytest.mark.statement("1.1", "The booleans of YAML 1.1 are booleans")
@pytest.mark.statement("1.1", "A string takes any scalar")
@pytest.mark.statement("1.2", "pid_file is read, and no such file is written")
def test_what_is_taken(start, backend, tmp_path):
    router = start(
        nonsense={"deep": [1, {"x": None}]},
        zone=None,
        endpoint_timeout=None,
        drain_timeout="1m30s",
        read_header_timeout="1.5h",
        backends=None,
        prometheus={"meters": None, "colour": "red"},
        sanitize_forwarded_proto=True,
        route_services_secret=12345,
        pid_file=str(tmp_path / "pid"),
    )
    router.register("taken.test", backend())
    assert router.get("taken.test").status == 200
    assert not (tmp_path / "pid").exists()
    assert run_file(tmp_path, "disable_http: on").error.startswith("neither http nor https")


@pytest.mark.statement("1.1", "An empty file, like none at all, means the defaults")
def test_nothing(tmp_path):
    for ending in (run_file(tmp_path, ""), run()):
        assert ending.status == 1, "there should be no NATS on the default port"
        assert ending.lines[0]["message"] == "starting"


@pytest.mark.statement("1.1", "An unknown flag prints Go's usage and ends with status 2")
def test_an_unknown_flag():
    ending = run("-port", "80")
    assert (ending.status, ending.out) == (2, "")
    assert ending.err.startswith("flag provided but not defined: -port\nUsage of gorouter:\n  -c string\n")


@pytest.mark.statement("1.4", "A mistake in the file is told within a second of the start, and the process has ended")
def test_mistakes_are_told_at_once(tmp_path):
    run_file(tmp_path, "port: x")  # so that its modules are compiled
    assert any(run_file(tmp_path, "port: x").seconds < 1.0 for _ in range(10))  # others may have the processor meanwhile


class TestLaterFailures:
    @pytest.mark.statement("1.4", "An entry of the hairpinning allowlist that is no wildcard or FQDN is a panic, exit status 2")
    def test_allowlist(self, tmp_path):
        ending = run_file(tmp_path, {"route_services_hairpinning_allowlist": ["good.test", "*bad"]})
        assert (ending.status, ending.lines[-1]["message"]) == (2, "allowlist-entry-invalid")
        assert ending.error == (
            "invalid route service hairpinning allowlist entry: *bad. "
            "Must be wildcard (*.domain.com) or FQDN (hostname.domain.com)"
        )
        assert "panic" in ending.err

    @pytest.mark.statement("1.4", "NATS unreachable: three tries within 0.4 s, then nats-connection-error, exit status 1")
    def test_nats_unreachable(self, tmp_path):
        nats = {"hosts": [{"hostname": "127.0.0.1", "port": free_port()}], "user": "u", "pass": "secret-password"}
        ending = run_file(tmp_path, {**ports(), "nats": nats})
        assert ending.status == 1
        assert ending.error == "nats: no servers available for connection"
        assert "secret-password" not in ending.out + ending.err
        first, last = ending.told("setting-up-nats-connection"), ending.told("nats-connection-error")
        assert 0.28 < last["timestamp"] - first["timestamp"] < 2.0
        assert last["source"] == "gorouter.stdout.nats"

    @pytest.mark.statement("1.4", "Bad credentials for NATS are nats: Authorization Violation, exit status 1")
    def test_nats_credentials(self, shared_nats, tmp_path):
        nats = {"hosts": [{"hostname": "127.0.0.1", "port": shared_nats.port}], "user": "nats", "pass": "wrong"}
        ending = run_file(tmp_path, {**ports(), "nats": nats})
        assert (ending.status, ending.error) == (1, "nats: Authorization Violation")
        assert ending.told("nats-connection-error")

    @pytest.mark.statement("1.4", "The status or routes port in use is initialize-router-error, exit status 1")
    @pytest.mark.statement("1.4", "The internal port in use is new-route-services-server, exit status 1")
    @pytest.mark.statement("1.4", "The main port in use is tcp-listener-error, for TLS tls-listener-error, exit status 1")
    def test_ports_in_use(self, shared_nats, pair, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            login = {"hosts": [{"hostname": "127.0.0.1", "port": shared_nats.port}], "user": "nats", "pass": "pw"}
            free = {**ports(), "nats": login}
            tls = {**SSL, "tls_pem": [pair], "disable_http": True, "ssl_port": port}
            routes = {"port": free_port(), "routes": {"port": port}}
            cases = {
                "health": ({"status": {**free["status"], "port": port}}, "initialize-router-error", f"127.0.0.1:{port}"),
                "routes": ({"status": routes}, "initialize-router-error", f"127.0.0.1:{port}"),
                "internal": ({"route_services_internal_server_port": port}, "new-route-services-server", f"127.0.0.1:{port}"),
                "main": ({"port": port}, "tcp-listener-error", f"127.0.0.1:{port}"),
                "TLS": (tls, "tls-listener-error", f"127.0.0.1:{port}"),
            }
            with ThreadPoolExecutor() as pool:
                files = {name: {**free, **ports(), **settings} for name, (settings, _, _) in cases.items()}
                ran = pool.map(lambda name: run_file(tmp_path, files[name], f"{name}.yml"), cases)
                endings = dict(zip(cases, ran, strict=True))
        for name, (_, message, address) in cases.items():
            ending = endings[name]
            prefix = "starting local listener: " if name == "internal" else ""
            assert (ending.status, ending.lines[-1]["message"]) == (1, message), name
            assert ending.error == f"{prefix}listen tcp {address}: bind: address already in use"


@pytest.mark.statement("1.3", "droplet_stale_threshold is at least start_response_delay_interval")
def test_the_threshold_is_at_least_the_interval(start):
    nats = Nats()
    try:
        nats.subscribe("router.start")
        start(nats, start_response_delay_interval="9s", droplet_stale_threshold="3s")
        assert b'"minimumRegisterIntervalInSeconds":9,"pruneThresholdInSeconds":9' in nats.next()[1]
    finally:
        nats.stop()
