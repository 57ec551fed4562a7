"""`cfroute docs configuration` names every key of every configuration file, and no other."""

import re
from collections.abc import Iterator
from importlib import resources

import msgspec
import pytest

from cfroute.cloud_controller import config as cloud_controller
from cfroute.diego.bbs import config as bbs
from cfroute.diego.cell import config as cell
from cfroute.diego.route_emitter import config as route_emitter
from cfroute.gorouter import config as gorouter
from cfroute.gorouter import config_sections, config_support
from cfroute.load_balancer import config as load_balancer
from cfroute.locket import config as locket
from cfroute.route_registrar import schema as route_registrar
from cfroute.routing_api import config as routing_api
from cfroute.tcp_router import config as tcp_router
from cfroute.tcp_router.flags import Flags as TcpRouterFlags
from cfroute.uaa import config as uaa

TOPIC = resources.files("cfroute").joinpath("docs", "configuration.md").read_text(encoding="utf-8")
FILES = (
    ("`cfroute:` key", config_sections.Extensions),
    ("load_balancer.yml", load_balancer.Config),
    ("cloud_controller_ng.yml", cloud_controller.Config),
    ("uaa.yml", uaa.Config),
    ("bbs.yml", bbs.Config),
    ("rep-N.yml", cell.Config),
)


def table(title: str) -> dict[str, str]:
    """Keys and whole lines of the table with this title."""
    begin = TOPIC.index(f"| {title} |")
    lines = TOPIC[begin:].partition("\n\n")[0].splitlines()[2:]
    return {key: line for line in lines for key in re.findall(r"`([^`]+)`", line.split("|")[1])}


def keys(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def nested(struct: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The keys that hold lists or mappings of structs of the same package."""
    for field in msgspec.structs.fields(struct):
        for inner in getattr(field.type, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                yield field.encode_name, inner


@pytest.mark.parametrize(("title", "struct"), FILES, ids=[title for title, _ in FILES])
def test_every_key_is_documented(title: str, struct: type[msgspec.Struct]) -> None:
    assert table(title).keys() == keys(struct)
    for key, inner in nested(struct):
        missing = keys(inner) - set(re.findall(r"`([^`]+)`", table(title)[key]))
        assert not missing or "as for Gorouter" in table(title)[key]


def test_every_key_of_the_routing_api_is_documented() -> None:
    topic = resources.files("cfroute").joinpath("docs", "routing-api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", topic))
    own = [each for each in vars(routing_api).values() if getattr(each, "__module__", "") == routing_api.__name__]
    structs = [each for each in own if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    assert len(structs) > 5
    assert not {key for each in structs for key in keys(each)} - named


def test_every_key_of_locket_is_documented() -> None:
    topic = resources.files("cfroute").joinpath("docs", "locket.md").read_text(encoding="utf-8")
    assert not (keys(locket.Config) | keys(locket.Extensions)) - set(re.findall(r"`([a-z_]+)`", topic))


def test_every_key_of_the_route_registrar_is_documented() -> None:
    topic = resources.files("cfroute").joinpath("docs", "route-registrar.md").read_text(encoding="utf-8")
    own = [each for each in vars(route_registrar).values() if getattr(each, "__module__", "") == route_registrar.__name__]
    structs = [each for each in own if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    assert len(structs) == 9
    assert not {key for each in structs for key in keys(each)} - set(re.findall(r"`([a-z_]+)`", topic))


def test_every_key_and_flag_of_the_tcp_router_is_documented() -> None:
    topic = resources.files("cfroute").joinpath("docs", "tcp-router.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Za-z_-]+)`", topic))
    parts = (tcp_router.OAuth, tcp_router.RoutingApi, tcp_router.BackendTls, tcp_router.Extensions, tcp_router.Config)
    assert not {key for part in parts for key in keys(part)} - named
    assert not {f"-{field.encode_name}" for field in msgspec.structs.fields(TcpRouterFlags)} - named


def test_every_key_of_the_route_emitter_is_documented() -> None:
    section = TOPIC.partition("## route_emitter.json")[2]
    named = set(re.findall(r"`([^`]+)`", section.partition("\n## ")[0]))
    parts = (route_emitter.Config, route_emitter.RoutingApiConfig, route_emitter.OAuthConfig, route_emitter.Extensions)
    assert not {key for part in parts for key in keys(part)} - named


def test_the_keys_of_gorouter_without_effect() -> None:
    told = TOPIC.partition("do nothing yet:")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z0-9_]+)`", told))
    assert set(re.findall(r"`([a-z0-9_]+)`", told.partition("; under")[0])) <= keys(gorouter.Config)
    assert {key.rpartition(".")[2] for key in config_support._WITHOUT_EFFECT} <= named | {"enabled"}
