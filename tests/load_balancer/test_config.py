"""The configuration file: what is wrong is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cfroute.errors import ConfigurationError
from cfroute.load_balancer.config import load

GOOD: dict[str, Any] = {
    "address": "127.0.0.1",
    "http_port": 8080,
    "https_port": 8443,
    "status_port": 8090,
    "certificate": "certificate.pem",
    "key": "key.pem",
    "gorouters": [{"address": "127.0.0.2", "port": 80, "status_port": 8081}],
}


def written(folder: Path, text: str) -> str:
    path = folder / "load_balancer.yml"
    path.write_text(text)
    return str(path)


def test_a_good_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, yaml.safe_dump(GOOD)))
    assert (config.interval, config.idle_timeout, config.gorouters[0].status_port) == (1.0, "900s", 8081)
    assert load(written(tmp_path, yaml.safe_dump({**GOOD, "health_check_interval": "250ms"}))).interval == 0.25


WRONG = {
    "unknown key": ({"colour": "red"}, "Object contains unknown field `colour`"),
    "wrong type": ({"http_port": "80"}, "Expected `int`, got `str` - at `$.http_port`"),
    "port too large": ({"https_port": 65536}, "Expected `int` <= 65535 - at `$.https_port`"),
    "negative port": ({"status_port": -1}, "Expected `int` >= 0 - at `$.status_port`"),
    "port of a Gorouter": (
        {"gorouters": [{"address": "x", "port": 70000, "status_port": 1}]}, "Expected `int` <= 65535 - at `$.gorouters[0].port`",
    ),
    "key of a Gorouter": (
        {"gorouters": [{"address": "x", "port": 1, "status_port": 1, "x": 1}]},
        "Object contains unknown field `x` - at `$.gorouters[0]`",
    ),
    "no Gorouter": ({"gorouters": []}, "`gorouters` is empty: there is nothing to balance"),
    "interval without unit": ({"health_check_interval": "5"}, '`health_check_interval`: time: missing unit in duration "5"'),
    "timeout that is none": ({"idle_timeout": "soon"}, '`idle_timeout`: time: invalid duration "soon"'),
    "interval that is a number": ({"health_check_interval": 5}, "Expected `str`, got `int` - at `$.health_check_interval`"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, case: str) -> None:
    change, message = WRONG[case]
    path = written(tmp_path, yaml.safe_dump({**GOOD, **change}))
    with pytest.raises(ConfigurationError) as wrong:
        load(path)
    assert str(wrong.value) == f"{path}: {message}"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    for key in GOOD:
        with pytest.raises(ConfigurationError, match=f"Object missing required field `{key}`"):
            load(written(tmp_path, yaml.safe_dump({name: value for name, value in GOOD.items() if name != key})))


@pytest.mark.parametrize("text", ["", "[]", "a: [", "a: \x00", "\xff"])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "load_balancer.yml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=f"^{path}: "):
        load(str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory"):
        load(str(tmp_path / "none.yml"))
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load(str(tmp_path))


TCP: dict[str, Any] = {"ports": "1024-1026,2000", "routers": [{"address": "127.0.0.3", "health": "http://127.0.0.3/health"}]}
WRONG_TCP = {
    "unknown key": ({"colour": "red"}, "Object contains unknown field `colour` - at `$.tcp`"),
    "no ports": ({"ports": ""}, "`tcp.ports`: '': invalid literal for int() with base 10: ''"),
    "backwards": ({"ports": "9-8"}, "`tcp.ports`: '9-8': ports are from 1 to 65535"),
    "too large": ({"ports": "65535-65536"}, "`tcp.ports`: '65535-65536': ports are from 1 to 65535"),
    "health over TLS": (
        {"routers": [{"address": "x", "health": "https://x/health"}]},
        "`tcp.routers`: `health` has to be a URL with http://, not 'https://x/health'",
    ),
    "timeout": ({"idle_timeout": "soon"}, '`tcp.idle_timeout`: time: invalid duration "soon"'),
}


def test_the_tcp_side(tmp_path: Path) -> None:
    assert load(written(tmp_path, yaml.safe_dump(GOOD))).tcp is None
    tcp = load(written(tmp_path, yaml.safe_dump({**GOOD, "tcp": TCP}))).tcp
    assert tcp is not None
    assert (tcp.numbers, tcp.address, tcp.idle_timeout) == ([1024, 1025, 1026, 2000], "127.0.0.1", "350s")


@pytest.mark.parametrize("case", WRONG_TCP)
def test_what_is_wrong_with_the_tcp_side_is_named(tmp_path: Path, case: str) -> None:
    changes, message = WRONG_TCP[case]
    path = written(tmp_path, yaml.safe_dump({**GOOD, "tcp": {**TCP, **changes}}))
    with pytest.raises(ConfigurationError) as error:
        load(path)
    assert error.value.message == f"{path}: {message}"
