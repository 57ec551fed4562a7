"""Where settings come from, which of two counts, and how a file is changed without losing what a person has written into it."""

import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cfroute.cli import configuration, toml_lines
from cfroute.errors import ConfigurationError

from .conftest import Run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in; the user's file is beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    return folder


def origins(cfroute: Run) -> dict[str, tuple[object, str]]:
    return {each["key"]: (each["value"], each["origin"]) for each in cfroute("config", "show", "--json").data}


def test_the_nearer_place_counts(cfroute: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert origins(cfroute)["up.gorouters"] == (None, "default")
    assert cfroute("config", "set", "up.gorouters", "2", "--user").status == 0
    user = configuration.user_file({"XDG_CONFIG_HOME": str(project.parent / "user")})
    assert origins(cfroute)["up.gorouters"] == (2, str(user))
    assert cfroute("config", "set", "up.gorouters", "3").status == 0
    assert origins(cfroute)["up.gorouters"] == (3, str(project / "cfroute.toml"))
    monkeypatch.setenv("CFROUTE_UP_GOROUTERS", "4")
    assert origins(cfroute)["up.gorouters"] == (4, "CFROUTE_UP_GOROUTERS")
    below = project / "below"
    below.mkdir()
    monkeypatch.delenv("CFROUTE_UP_GOROUTERS")
    monkeypatch.chdir(below)
    assert origins(cfroute)["up.gorouters"] == (3, str(project / "cfroute.toml"))
    shown = cfroute("config", "show", "--origin").out
    assert "\nup.gorouters          3 " in shown
    assert "CFROUTE_UP_GOROUTERS" in shown


def test_what_is_configured_is_used_and_the_command_line_goes_before(cfroute: Run, project: Path) -> None:
    (project / "cfroute.toml").write_text('output = "json"\n\n[up]\ngorouters = 99\n')
    assert cfroute("version").data["cfroute"]
    assert cfroute("version", "--output", "text").out.startswith("cfroute version ")
    refused = cfroute("up", "--detach", "--output", "text")
    assert (refused.status, refused.err) == (2, "Incorrect Usage: --gorouters: 99 is not between 1 and 20\n\n")
    other = cfroute("up", "--gorouters", "0", "--output", "text")
    assert other.err.startswith("Incorrect Usage: --gorouters: 0 is not between")


def test_the_last_up_is_remembered_behind_the_files(cfroute: Run, project: Path) -> None:
    cfroute("apps")
    value, origin = origins(cfroute)["up.cells"]
    assert (value, Path(origin).name) == (1, "foundation.json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[up]\nhttp-prt = 1\n", "there is no key up.http-prt"),
        ("[up]\nhttp-port = 'x'\n", "up.http-port: 'x' is not a valid integer"),
        ("[up]\nsingle-address = 1\n", "up.single-address: 1 is no true or false"),
        ("[up]\nhttp-port = true\n", "up.http-port: True is a true or false"),
        ("color = 'red'\n", "color: 'red' is not one of"),
        ("= 1\n", "Invalid"),
    ],
)
def test_mistakes_are_told_with_the_file(text: str, told: str, cfroute: Run, project: Path) -> None:
    path = project / "cfroute.toml"
    path.write_text(text)
    for words in (("version",), ("config", "validate")):
        refused = cfroute(*words)
        assert refused.status == 1
        assert refused.err.startswith(f"{path}: ")
        assert told in refused.err
    assert cfroute("--help").status == 0
    (project / "good.toml").write_text("[up]\ncells = 2\n")
    assert cfroute("config", "validate", "good.toml", "--json").data == ["good.toml"]


def test_a_file_is_also_checked_as_a_whole(cfroute: Run, project: Path) -> None:
    (project / "cfroute.toml").write_text("[up]\nhttp-port = 80\nhttps-port = 80\n")
    refused = cfroute("config", "validate")
    assert refused.status == 2
    assert "must differ from each other" in refused.err


def test_a_new_file_has_every_key_as_a_comment(cfroute: Run, project: Path) -> None:
    assert cfroute("config", "init").status == 0
    text = (project / "cfroute.toml").read_text()
    assert tomllib.loads(text) == {"up": {}}
    for key in configuration.keys().values():
        assert f"\n# {key.name} = " in text
    assert cfroute("config", "init").status == 6
    assert cfroute("config", "init", "--force").status == 0
    assert cfroute("config", "set", "up.http-port", "8081").status == 0
    assert tomllib.loads((project / "cfroute.toml").read_text()) == {"up": {"http-port": 8081}}
    assert cfroute("config", "unset", "up.http-port").status == 0
    assert tomllib.loads((project / "cfroute.toml").read_text()) == {"up": {}}


def test_a_key_of_several_values(cfroute: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cfroute("config", "set", "up.without", "nats, uaa").status == 0
    assert origins(cfroute)["up.without"][0] == ["nats", "uaa"]
    monkeypatch.setenv("CFROUTE_UP_WITHOUT", "bbs")
    assert origins(cfroute)["up.without"] == (["bbs"], "CFROUTE_UP_WITHOUT")


@pytest.mark.parametrize("words", [("config", "set", "up.htp-port", "1"), ("config", "unset", "nothing")])
def test_keys_that_there_are_not(words: tuple[str, ...], cfroute: Run, project: Path) -> None:
    refused = cfroute(*words)
    assert refused.status == 1
    assert refused.err.startswith(f"config: there is no key {words[2]}")
    assert not (project / "cfroute.toml").exists()


def test_the_verbs_are_told(cfroute: Run) -> None:
    shown = cfroute("config")
    assert shown.status == 0
    assert "USAGE:\n   cfroute config (show | set | unset | init | validate)" in shown.out
    assert shown.out == cfroute("help", "config").out == cfroute("config", "--help").out
    wrong = cfroute("config", "shw")
    assert wrong.err.startswith("'config shw' is not a registered command.")
    assert "   config show\n" in wrong.err


NAMES = st.sampled_from(["a", "b-c", "d"])
VALUES = st.integers() | st.booleans() | st.text(max_size=8) | st.lists(st.text(max_size=4), max_size=3)
TABLES = st.dictionaries(NAMES, VALUES)
COMMENT = "# mine\n"


@given(TABLES, TABLES, st.sampled_from(["", "up"]), NAMES, st.none() | VALUES)
def test_one_key_changes_and_nothing_else(
    top: dict[str, object], up: dict[str, object], table: str, key: str, value: object
) -> None:
    data = {**top, **({"up": up} if up else {})}
    text = COMMENT + tomli_w.dumps(data)
    changed = toml_lines.changed(text, table, key, value)
    place = data.setdefault("up", {}) if table else data
    assert isinstance(place, dict)
    if value is None:
        place.pop(key, None)
    else:
        place[key] = value
    got = tomllib.loads(changed)
    assert {**got, "up": got.get("up", {})} == {**data, "up": data.get("up", {})}
    assert changed.startswith(COMMENT)


PIECES = (
    "a = 0\n", '"a" = "x"\n', "a.b = 1\n", "[up]\n", "[up.c]\n", "# a = 1\n", 'b = """\na = 1\n"""\n', "[[x]]\n",
    "a = [\n1,\n]\n",
    "c = {a = 1}\n", " a=2\n", "\n", "b = 1", "['a']\n",
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(st.sampled_from(PIECES), max_size=4, unique=True).map("".join))
def test_a_file_that_is_written_strangely_is_changed_rightly_or_not_at_all(text: str) -> None:
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    try:
        changed = toml_lines.changed(text, "", "a", 1)
    except toml_lines.NotEditable:
        return
    assert tomllib.loads(changed) == {**before, "a": 1}


def test_a_file_that_has_to_be_changed_by_hand(cfroute: Run, project: Path) -> None:
    (project / "cfroute.toml").write_text("up = {cells = 1}\n")
    assert "change it by hand" in cfroute("config", "set", "up.cells", "2").err
    assert (project / "cfroute.toml").read_text() == "up = {cells = 1}\n"


def test_an_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        configuration.read(tmp_path / "none.toml")
