"""Configuration files, read as upstream reads them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cfroute import durations
from cfroute.gorouter.config import Config
from cfroute.gorouter.config_error import ConfigError
from cfroute.gorouter.config_file import load, parse

FIXTURES = Path(__file__).parents[2] / "fixtures/gorouter"
FULL = FIXTURES / "full.yml"


def leaves(struct: type[msgspec.Struct], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all keys, those of sections included."""
    for field in msgspec.structs.fields(struct):
        yield (*path, field.encode_name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from leaves(field.type, (*path, field.encode_name))


LEAVES = list(leaves(Config))
SCALARS = st.sampled_from(
    [
        "~",
        "yes",
        "1",
        "-1",
        "0x",
        "1_0",
        ".inf",
        ".nan",
        "1e999",
        "30s",
        "9" * 30,
        "2001-01-01",
        "''",
        "!!int a",
        "!!binary x",
        "*a",
        "<<",
        "=",
    ]
) | st.text(st.characters(codec="utf-8"), max_size=20)


def error_of(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    return refused.value.message


def test_the_defaults() -> None:
    config = load(None)
    assert (config.port, config.ssl_port, config.status.port, config.status.routes.port) == (8081, 443, 8080, 8082)
    assert [(host.hostname, host.port) for host in config.nats.hosts] == [("localhost", 4222)]
    assert (config.logging.level, config.disable_keep_alives, config.enable_http2) == ("debug", True, True)
    assert config.sticky_session_cookie_names == ["JSESSIONID"]
    assert (config.endpoint_timeout, config.drain_timeout, config.websocket_dial_timeout) == (60.0, 60.0, 5.0)
    assert (config.start_delay, config.failed_cool_down) == (5.0, 30.0)
    assert (config.cfroute.address, config.local_host) == ("127.0.0.1", "127.0.0.1")


def test_a_file_with_every_key() -> None:
    config = load(FULL)
    assert (config.status.user, config.status.password, config.nats.password) == ("router-status", "status-password", "12345")
    assert config.nats.hosts[1].hostname == "nats-1.example.com"
    assert config.http_rewrite.responses.add_headers_if_not_present[0].value == "max-age=31536000"
    assert config.verify_client_certificate_metadata[0].issuer_in_chain.postal_code == ["10115"]
    assert config.prometheus.meters.http_latency_histogram_buckets == [0.1, 0.2, 0.4]
    assert (config.backends.max_conns, config.route_services.strict_signature_validation) == (500, True)
    assert (config.read_header_timeout, config.drain_timeout, config.start_delay) == (90.0, 900.0, 0.0)
    assert config.cfroute.resolver[0].to_port == 8443
    assert config.ip == "127.10.1.10"


def test_the_example_file_really_has_every_key() -> None:
    def missing(struct: Any, given: dict[str, Any], path: str) -> list[str]:
        found = []
        for name, hint in zip(struct.__struct_encode_fields__, msgspec.structs.fields(struct), strict=True):
            if name not in given:
                found.append(path + name)
            elif isinstance(hint.type, type) and issubclass(hint.type, msgspec.Struct):
                found += missing(hint.type, given[name], f"{path}{name}.")
            elif get_origin(hint.type) is list and isinstance(given[name], list) is False:
                found.append(path + name)
        return found

    document = msgspec.yaml.decode(FULL.read_bytes())
    assert missing(Config, document, "") == []


def test_what_bosh_writes() -> None:
    config = load(FIXTURES / "bosh.yml")
    assert (config.port, config.endpoint_timeout, config.drain_wait, config.backends.max_conns) == (80, 900.0, 20.0, 500)
    assert config.hop_by_hop_headers_to_filter[-1] == "X-Forwarded-Client-Cert"
    older = load(FIXTURES / "bosh-v0.317.0.yml")
    assert older.max_request_header_bytes == config.max_request_header_bytes == 1 << 20
    fields = ["failed_attempts", "failed_attempts_time", "dns_time", "dial_time", "tls_time", "backend_time"]
    assert (older.logging.extra_access_log_fields, config.logging.extra_access_log_fields) == (fields, [])


def test_a_file_that_spells_out_nothing() -> None:
    """Every key is there, and none says anything."""
    text = (FIXTURES / "spelled-out.yml").read_text()
    leaves = sum(line.rstrip().endswith(("null", "''", "[]")) for line in text.splitlines())
    assert leaves > 140
    config, default = parse(text), parse("")
    told = {name: getattr(config, name) for name in ("port", "endpoint_timeout", "balancing_algorithm", "disable_keep_alives")}
    assert told == {name: getattr(default, name) for name in told}
    assert (config.healthcheck_user_agent, config.prometheus.meters.gorouter_time_histogram_buckets) == ("", [])


class TestOlderSpellings:
    def test_they_count_where_the_newer_ones_are_silent(self) -> None:
        assert parse("max_header_bytes: 9").max_request_header_bytes == 9
        assert parse("max_header_bytes: 9\nmax_request_header_bytes: 7").max_request_header_bytes == 7
        both = "logging: {enable_attempts_details: true, extra_access_log_fields: [local_address]}"
        assert parse(both).logging.extra_access_log_fields == ["local_address"]


class TestNewerKeys:
    def test_timeouts_of_a_protocol_are_the_common_one_by_default(self) -> None:
        config = parse("endpoint_timeout: 7s\nhttp_2_endpoint_timeout: 9s")
        assert (config.http_1_endpoint_timeout, config.http_2_endpoint_timeout) == (7.0, 9.0)

    def test_domains(self) -> None:
        config = parse("domains: [{domain: a.test, ca_certs: PEM, forwarded_client_cert: forward, xfcc_format: raw}]")
        assert (config.domains[0].domain, config.domains[0].xfcc_format) == ("a.test", "raw")
        assert parse("route_services: {enable_websockets: true}").route_services.enable_websockets


class TestYaml:
    def test_unknown_keys_are_ignored_at_every_level(self) -> None:
        assert (
            parse(
                "nonsense: {a: [1]}\nstatus: {nonsense: 1, port: 9}\nbackends: {clientauthcertificate: {leaf: null}}"
            ).status.port
            == 9
        )

    @pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "~", "port: null\nstatus: ~\nlogging: {level: null}"])
    def test_nothing_and_null_keep_the_defaults(self, text: str) -> None:
        derived = dict.fromkeys(("drain_timeout", "http_1_endpoint_timeout", "http_2_endpoint_timeout"), 60.0)
        assert parse(text) == Config(websocket_dial_timeout=5.0, **derived)

    def test_a_null_list_is_empty(self) -> None:
        assert parse("sticky_session_cookie_names: null").sticky_session_cookie_names == []

    @pytest.mark.parametrize("text", ["yes", "on", "True", "Y", "'yes'"])
    def test_booleans_of_yaml_1_1(self, text: str) -> None:
        assert parse(f"enable_proxy: {text}").enable_proxy is True

    @pytest.mark.parametrize(
        ("text", "number"), [("8", 8), ("0x10", 16), ("010", 8), ("0o10", 8), ("1_000", 1000), ("0b11", 3), ("7.9", 7)]
    )
    def test_integers(self, text: str, number: int) -> None:
        assert parse(f"index: {text}").index == number

    def test_any_scalar_is_a_string_where_one_is_wanted(self) -> None:
        config = parse("route_services_secret: 12345\nzone: yes\ntrace_key: 0x16\nlogging: {syslog: 1.50}")
        assert (config.route_services_secret, config.zone, config.trace_key, config.logging.syslog) == (
            "12345",
            "yes",
            "0x16",
            "1.50",
        )

    def test_anchors_and_merges(self) -> None:
        text = "backends: &b {max_attempts: 3, max_conns: 9}\nroute_services:\n  <<: *b\n  max_attempts: 5"
        assert parse(text).route_services.max_attempts == 5
        assert parse("x: &x {port: 1}\nnats: {hosts: [{<<: [*x], hostname: h}]}").nats.hosts[0].port == 1

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("endpoint_timeout: 30", "line 1: cannot unmarshal !!int `30` into time.Duration"),
            ("port: 1\nendpoint_timeout: 0", "line 2: cannot unmarshal !!int `0` into time.Duration"),
            ("drain_wait: '30'", "line 1: cannot unmarshal !!str `30` into time.Duration"),
            ("drain_wait: 1.5", "line 1: cannot unmarshal !!float `1.5` into time.Duration"),
            ("port: '80'", "line 1: cannot unmarshal !!str `80` into uint16"),
            ("port: 65536", "line 1: cannot unmarshal !!int `65536` into uint16"),
            ("index: -1", "line 1: cannot unmarshal !!int `-1` into uint"),
            ("enable_ssl: 1", "line 1: cannot unmarshal !!int `1` into bool"),
            ("enable_ssl: a very long text", "line 1: cannot unmarshal !!str `a very ...` into bool"),
            ("status: [1]", "line 1: cannot unmarshal !!seq into config.StatusConfig"),
            ("zone: {a: b}", "line 1: cannot unmarshal !!map into string"),
            ("ca_certs: x", "line 1: cannot unmarshal !!str `x` into []string"),
            ("nats:\n  hosts:\n  - port: x", "line 3: cannot unmarshal !!str `x` into uint16"),
            ("just text", "line 1: cannot unmarshal !!str `just text` into config.Config"),
            ("port: 1\nzone: z\nport: 2", 'line 3: mapping key "port" already defined at line 1'),
            ("status:\n  port: 1\n  port: 2", 'line 3: mapping key "port" already defined at line 2'),
        ],
    )
    def test_refusals_in_go_yaml_s_words(self, text: str, message: str) -> None:
        assert error_of(text) == f"yaml: unmarshal errors:\n  {message}"

    def test_all_errors_are_told(self) -> None:
        assert error_of("port: x\nindex: y").count("\n") == 2

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: b: c", "yaml: mapping values are not allowed in this context"),
            ("x: 1\na: b: c", "yaml: line 2: mapping values are not allowed in this context"),
            ("\tport: 1", "yaml: found character that cannot start any token"),
        ],
    )
    def test_bad_syntax(self, text: str, message: str) -> None:
        assert error_of(text) == message

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as refused:
            load(tmp_path / "no.yml")
        assert refused.value.message == f"open {tmp_path}/no.yml: no such file or directory"


class TestNoYamlMakesItStumble:
    """Whatever a file says, the answer is a configuration or a message."""

    @staticmethod
    def read(text: str | bytes) -> None:
        with contextlib.suppress(ConfigError):
            parse(text)

    @given(st.binary(max_size=200))
    def test_bytes(self, text: bytes) -> None:
        self.read(text)

    @given(st.text(st.sampled_from("abz01_.-+: \n\t[]{}&*!<>|'\"#%@`,?~") | st.characters(), max_size=120))
    def test_texts(self, text: str) -> None:
        self.read(text.encode("utf-8", "surrogatepass"))

    @given(st.sampled_from(LEAVES), SCALARS)
    def test_any_scalar_for_any_key(self, path: tuple[str, ...], scalar: str) -> None:
        indented = "".join(
            "  " * depth + f"{key}:{'' if depth + 1 < len(path) else ' ' + scalar}\n" for depth, key in enumerate(path)
        )
        self.read(indented)

    @given(
        st.sampled_from(LEAVES),
        st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(SCALARS, inner), max_leaves=8),
    )
    def test_any_value_for_any_key(self, path: tuple[str, ...], value: Any) -> None:
        for key in reversed(path):
            value = {key: value}
        self.read(yaml.safe_dump(value))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("status: &a {<<: *a}", "yaml: anchor value contains itself"),
            ("a: " + "[" * 30_000 + "]" * 30_000, "yaml: exceeded max depth of 10000"),
            ("port: !!int x", "yaml: cannot decode !!str `x` as a !!int"),
            ("enable_ssl: !!bool maybe", "yaml: cannot decode !!str `maybe` as a !!bool"),
            ("zone: \x01", "yaml: control characters are not allowed"),
        ],
    )
    def test_refusals(self, text: str, message: str) -> None:
        assert error_of(text) == message

    def test_a_bomb_of_aliases(self) -> None:
        levels = [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 9)]
        assert error_of("\n".join(["a0: &a0 {b: 1}", *levels, "status: *a8"])) == "yaml: document contains excessive aliasing"

    @pytest.mark.parametrize("text", ["index: 1e400", "index: " + "9" * 5000, "drain_wait: " + "9" * 5000 + "s", "index: 0o9"])
    def test_numbers_beyond_measure(self, text: str) -> None:
        assert "cannot unmarshal !!str" in error_of(text)


@given(st.floats(0, 1e6), st.integers(0, 65535), st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_what_is_written_is_read_back(seconds: float, port: int, text: str) -> None:
    document = {"port": port, "zone": text, "drain_wait": durations.format(seconds)}
    config = parse(msgspec.yaml.encode(document))
    assert (config.port, config.zone, config.drain_wait) == (port, text, pytest.approx(seconds, abs=1e-9))


class TestDerived:
    def test_the_stale_threshold_is_at_least_the_start_delay(self) -> None:
        assert parse("droplet_stale_threshold: 10s\nstart_response_delay_interval: 20s").droplet_stale_threshold == 20.0

    def test_timeouts_that_follow_others(self) -> None:
        config = parse("endpoint_timeout: 7s\nendpoint_dial_timeout: 2s")
        assert (config.drain_timeout, config.websocket_dial_timeout) == (7.0, 2.0)

    def test_our_own_start_delay_leaves_the_announced_interval_alone(self) -> None:
        config = parse("start_response_delay_interval: 20s\ncfroute: {start_delay: 100ms}")
        assert (config.start_delay, config.start_response_delay_interval) == (0.1, 20.0)

    def test_cookie_names_once_each(self) -> None:
        assert parse("sticky_session_cookie_names: [B, A, B]").sticky_session_cookie_names == ["B", "A"]


@pytest.mark.parametrize(
    ("text", "workers"),
    [
        ("", 1),
        ("go_max_procs: 4", 1),
        ("cfroute: {workers: 0}", 1),
        ("cfroute: {workers: 3}", 3),
        ("cfroute: {workers: -1}", 8),
        ("go_max_procs: 0\ncfroute: {workers: -1}", 8),
        ("go_max_procs: 4\ncfroute: {workers: -1}", 4),
    ],
)
def test_how_many_processes_serve(text: str, workers: int) -> None:
    assert parse(text).worker_count(8) == workers


@pytest.mark.parametrize("workers", [-2, 257])
def test_a_number_of_workers_that_makes_no_sense(workers: int) -> None:
    with pytest.raises(ConfigError, match=f"Invalid value for cfroute.workers: {workers}. Allowed values are -1 to 256"):
        parse(f"cfroute: {{workers: {workers}}}")
