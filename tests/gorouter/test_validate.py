"""`gorouter --validate`."""

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from cfroute.go import yaml as go_yaml
from cfroute.gorouter import config_notes
from cfroute.gorouter.config import Config
from cfroute.gorouter.main import main
from cfroute.gorouter.validate import examine

FIXTURES = Path(__file__).parents[2] / "fixtures/gorouter"


def file(folder: Path, text: str) -> str:
    path = folder / "gorouter.yml"
    path.write_text(text)
    return str(path)


def notes(folder: Path, text: str) -> dict[str, tuple[str, str]]:
    return {note.key: (note.kind, note.reason) for note in examine(file(folder, text)).notes}


def test_a_file_that_is_all_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "index: 3\nnats: {user: nats, pass: secret}\n")
    assert main(["--validate", "-c", path]) == 0
    assert capsys.readouterr().out == f"{path}: a router would start with this file.\n"


def test_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-validate"]) == 0
    assert capsys.readouterr().out == "the defaults: a router would start with this file.\n"


def test_what_is_to_be_said_of_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(
        tmp_path, "nonsense: {a: 1}\npid_file: /run/x\nstatus: {port: 1, colour: red}\nssl_port: 1\nmax_header_bytes: 9\n"
    )
    assert main(["-c", path, "--validate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("a router would start with this file.")
    assert [re.split(r"  +", line.strip())[:2] for line in lines[2:]] == [
        ["nonsense", "ignored"],
        ["pid_file", "no effect"],
        ["status.colour", "ignored"],
        ["ssl_port", "no effect"],
        ["max_header_bytes", "differs"],
    ]


def test_where_it_listens(tmp_path: Path) -> None:
    kind, reason = notes(tmp_path, "port: 80\n")["port"]
    assert kind == "differs"
    assert reason.startswith("listens on 127.0.0.1 only, ")
    assert notes(tmp_path, "port: 80\ncfroute: {address: ''}\n") == {}


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "pid_file: x")
    assert main(["--validate", "--json", "-c", path]) == 0
    told = json.loads(capsys.readouterr().out)
    reason = "nor with the real Gorouter: it writes no such file"
    assert told == {
        "file": path,
        "starts": True,
        "message": "",
        "error": "",
        "notes": [{"key": "pid_file", "kind": "no effect", "reason": reason}],
    }


@pytest.mark.parametrize(
    ("text", "message", "error"),
    [
        ("port: x", "Error loading config:", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `x` into uint16"),
        ("disable_http: true", "Error loading config:", "neither http nor https listener is enabled: "),
        ("logging: {level: foo}", "panic:", 'unrecognized level: "foo"'),
        ("access_log: {file: /nowhere/access.log}", "error-creating-accesslog-file", "open /nowhere/access.log: no such file"),
        ("access_log: {file: /dev/null/x}", "error-creating-accesslog-file", "open /dev/null/x: not a directory"),
        ("logging: {metron_address: ''}", "dropsonde-initialize-error", ""),
        (
            "html_error_template_file: /nowhere.html",
            "new-html-error-template-from-file",
            "Could not read HTML error template file",
        ),
        ("route_services_hairpinning_allowlist: [a]", "allowlist-entry-invalid", "invalid route service hairpinning allowlist"),
    ],
)
def test_a_file_that_no_router_starts_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str, error: str
) -> None:
    path = file(tmp_path, text)
    assert main(["--validate", "-c", path]) == 1
    assert capsys.readouterr().out.startswith(f"{path}: a router would not start with this file.\n{message} {error}")
    assert main(["--validate", "--json", "-c", path]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["starts"], told["message"]) == (False, message)
    assert told["error"].startswith(error)


class TestReasons:
    def test_what_depends_on_another_key(self, tmp_path: Path) -> None:
        off = "isolation_segments: [a]\nempty_pool_timeout: 1s\nnats: {ca_certs: x}\noauth: {port: 1}"
        assert notes(tmp_path, off).keys() == {"isolation_segments", "empty_pool_timeout", "nats.ca_certs", "oauth"}
        on = "isolation_segments: [a]\nrouting_table_sharding_mode: segments\nempty_pool_timeout: 1s\n"
        on += "empty_pool_response_code_503: on"
        assert notes(tmp_path, on) == {}

    def test_what_this_router_does_not_do(self, tmp_path: Path) -> None:
        told = notes(tmp_path, "endpoint_timeout: 1s\nhttp_1_endpoint_timeout: 1s\nhttp_2_endpoint_timeout: 2s")
        assert told.keys() == {"http_2_endpoint_timeout"}

    def test_half_a_pair(self, tmp_path: Path) -> None:
        assert notes(tmp_path, "backends: {cert_chain: x}")["backends.cert_chain"][0] == "no effect"
        assert notes(tmp_path, "backends: {cert_chain: '', private_key: ''}") == {}

    def test_merged_keys_and_lists_are_seen(self, tmp_path: Path) -> None:
        text = "x: &x {colour: 1}\nnats: {<<: *x, hosts: [{hostname: h, age: 1}, {age: 2}]}"
        assert notes(tmp_path, text).keys() == {"x", "nats.colour", "nats.hosts.age"}

    def test_every_rule_is_about_a_key(self) -> None:
        everything = go_yaml.keys((FIXTURES / "full.yml").read_bytes(), Config)
        assert set(config_notes._RULES) <= {key.path for key in everything if key.known}


@pytest.mark.parametrize("name", ["full", "spelled-out", "bosh", "bosh-v0.317.0"])
def test_real_files_are_taken(name: str) -> None:
    assert examine(str(FIXTURES / f"{name}.yml")).message != "Error loading config:"


def test_it_is_documented() -> None:
    topic = resources.files("cfroute").joinpath("docs", "configuration.md").read_text(encoding="utf-8")
    assert "cfroute gorouter --validate -c gorouter.yml" in topic
    for kind in (config_notes.IGNORED, config_notes.NO_EFFECT, config_notes.DIFFERS):
        assert f"`{kind}`" in topic
