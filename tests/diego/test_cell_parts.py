"""The parts of a cell that decide: lines, ports, environment, reconciliation."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.diego.api import ActualLRP, DesiredLRP, Port
from cfroute.diego.cell import config
from cfroute.diego.cell.environment import NO_PROXY, Surroundings, instance_environment
from cfroute.diego.cell.lines import Lines
from cfroute.diego.cell.ports import Ports, is_free
from cfroute.diego.cell.reconcile import Announce, Remove, Stop, Take, on_change, on_list
from cfroute.errors import ConfigurationError, Conflict

from ..ports import free_port

CELL = "diego_cell/2"


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30))
def test_lines_lose_nothing_and_are_never_too_long(pieces: list[bytes], longest: int) -> None:
    lines = Lines(longest)
    got = [line for piece in pieces for line in lines.feed(piece)] + lines.end()

    assert all(got)
    assert all(len(line) <= longest for line in got)  # a character is at least a byte
    text = b"".join(pieces)
    if text.isascii() and b"\r" not in text:
        assert "".join(got) == text.decode().replace("\n", "")


def test_lines_end_at_line_breaks() -> None:
    lines = Lines()
    assert lines.feed(b"one\r\ntw") == ["one"]
    assert lines.feed(b"o\n\n\xff\n") == ["two", "\N{REPLACEMENT CHARACTER}"]
    assert lines.feed(b"rest") == []
    assert lines.end() == ["rest"]
    assert lines.end() == []


def test_ports_of_two_cells_never_meet() -> None:
    first = Ports((61000, 61063), "diego_cell/0", free=lambda _: True)
    second = Ports((61000, 61063), "diego_cell/1", free=lambda _: True)

    assert [first.take() for _ in range(4)] == [61000, 61016, 61032, 61048]
    assert [second.take() for _ in range(4)] == [61001, 61017, 61033, 61049]
    with pytest.raises(Conflict):
        first.take()
    first.give_back(61032)
    assert first.take() == 61032


def test_ports_that_are_taken_are_passed_over() -> None:
    ports = Ports((61000, 61063), "diego_cell/0", offset=1, free=lambda port: port != 61016)
    assert [ports.take(), ports.take()] == [61032, 61048]


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_free(listener.getsockname()[1])
    assert is_free(free_port())


AROUND = Surroundings("127.0.0.60", "http://127.0.0.60:4000", "/certs", "/bundle.pem", "/usr/bin")


PLACE = Port(8080, 61005)


def environment(*places: Port, **given: str) -> dict[str, str]:
    lrp = DesiredLRP("p", "app", 1, "", "", environment=given, memory_mb=64)
    return instance_environment(lrp, 3, "guid", places or (PLACE,), AROUND, "/c/guid", 1_700_000_000.9)


def test_an_instance_learns_who_and_where_it_is() -> None:
    found = environment()
    assert found["PORT"] == "61005"
    assert found["CF_INSTANCE_ADDR"] == "127.0.0.60:61005"
    assert json.loads(found["CF_INSTANCE_PORTS"]) == [{"external": 61005, "internal": 8080}]
    assert json.loads(environment(Port(8080, 61005, 61021, 61001))["CF_INSTANCE_PORTS"]) == [
        {"external": 61005, "internal": 8080, "external_tls_proxy": 61021, "internal_tls_proxy": 61001}
    ]
    assert (found["HOME"], found["TMPDIR"]) == ("/c/guid/app", "/c/guid/tmp")
    assert found["https_proxy"] == found["HTTP_PROXY"] == "http://127.0.0.60:4000"


def test_vcap_application_is_completed() -> None:
    application = json.loads(environment(VCAP_APPLICATION='{"application_name":"web"}')["VCAP_APPLICATION"])
    assert application["application_name"] == "web"
    assert (application["instance_index"], application["port"]) == (3, 61005)
    assert application["started_at"] == "2023-11-14 22:13:20 +0000"
    assert json.loads(environment(VCAP_APPLICATION="[broken")["VCAP_APPLICATION"])["instance_id"] == "guid"


def test_the_user_may_set_what_does_not_identify_the_instance() -> None:
    found = environment(HTTPS_PROXY="http://mine", PORT="1", CF_INSTANCE_INDEX="9")
    assert (found["HTTPS_PROXY"], found["PORT"], found["CF_INSTANCE_INDEX"]) == ("http://mine", "61005", "3")


def test_names_under_localhost_go_through_the_proxy() -> None:
    from urllib.request import proxy_bypass_environment

    rule = {"no": NO_PROXY}
    assert not proxy_bypass_environment("logger.cf.localhost", rule)
    assert proxy_bypass_environment("127.0.0.1", rule)


def lrp(state: str = "RUNNING", guid: str = "i", cell: str = CELL, **changes: bool) -> ActualLRP:
    return ActualLRP("p", 0, guid, cell, state=state, **changes)  # type: ignore[arg-type]


def test_what_is_placed_here_is_taken() -> None:
    placed = lrp("UNCLAIMED", "")
    assert list(on_change(CELL, None, placed, ())) == [Take(placed)]
    assert list(on_change(CELL, None, lrp("UNCLAIMED", "", "other"), ())) == []


def test_what_is_retired_is_stopped() -> None:
    assert list(on_change(CELL, lrp(), lrp(retired=True), {"i"})) == [Stop("i")]


def test_what_is_taken_away_is_asked_about() -> None:
    assert list(on_change(CELL, lrp(), None, {"i"})) == [Announce("i")]
    assert list(on_change(CELL, lrp(), lrp(guid="j", cell="other"), {"i"})) == [Announce("i")]
    assert list(on_change(CELL, lrp(), None, ())) == []


def test_a_list_shows_what_is_missing_on_either_side() -> None:
    here, elsewhere = lrp(guid="here"), lrp(guid="unknown")
    steps = list(on_list(CELL, [here, elsewhere], present={"here", "forgotten"}, running={"here", "forgotten"}))
    assert steps == [Remove(elsewhere), Announce("forgotten")]


REQUIRED = ("cell_id", "address", "bbs_url", "ca", "client_certificate", "client_key", "directory", "app_logs")
BARE = dict.fromkeys(REQUIRED, "x")
AUTHORITY = {"instance_identity_ca_path": "ca.crt", "instance_identity_private_key_path": "ca.key"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"port_range": [2, 1]}, "port_range"),
        ({"instance_identity_ca_path": "ca.crt"}, "one needs the other"),
        ({"instance_identity_validity_period": 0}, "instance_identity_validity_period"),
        ({"enable_container_proxy": True}, "needs the instance identity authority"),
        ({"container_proxy_require_and_verify_client_certificates": True}, "container_proxy_trusted_ca_certs is empty"),
    ],
)
def test_a_configuration_that_makes_no_sense(tmp_path: Path, given: dict[str, object], said: str) -> None:
    file = tmp_path / "rep.yml"
    file.write_text(json.dumps(BARE | given))
    with pytest.raises(ConfigurationError, match=said):
        config.load(file)
    file.write_text(json.dumps(BARE | AUTHORITY | {"enable_container_proxy": True}))
    assert config.load(file).enable_container_proxy
