"""Routes of files that come and go."""

import asyncio
import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.lager import Lager, Sink
from cfroute.route_registrar.config import HealthCheck, HttpRoute
from cfroute.route_registrar.dynamic import Changes, changes, parse
from cfroute.route_registrar.errors import RegistrationError
from cfroute.route_registrar.watcher import Watcher
from cfroute.testing import ManualClock

from .examples import config, http_route

YAML = """
routes:
- name: {name}
  port: 0x50
  uris: [{name}.test]
  registration_interval: 10s
  tags: {{component: 1}}
"""


@pytest.fixture
def out() -> StringIO:
    return StringIO()


@pytest.fixture
def log(out: StringIO) -> Lager:
    return Lager("Route Registrar", Sink(stream=out, clock=ManualClock()))


@pytest.mark.statement("route registrar 6", "A file of dynamic routes is YAML, with the keys of static ones")
def test_a_file(log: Lager) -> None:
    text = YAML.format(name="new") + "  health_check: {name: h, script_path: /x, timeout: 1s}\n  options: ~\nother: 1\n"
    routes = parse("f", text.encode(), "10.0.0.9", 0, log)
    assert routes == [
        http_route(
            name="new",
            host="10.0.0.9",
            port=80,
            uris=["new.test"],
            registration_interval="10s",
            tags={"component": "1"},
            health_check={"name": "h", "script_path": "/x", "timeout": "1s"},
        )
    ]
    assert isinstance(routes[0], HttpRoute)
    assert routes[0].health_check == HealthCheck("h", "/x", 1.0)


@pytest.mark.statement(
    "route registrar 6", "What is no YAML is told and skipped; a bad route does not keep the others of its file out"
)
def test_what_is_wrong(out: StringIO, log: Lager) -> None:
    assert parse("bad", b"routes: {", "h", 0, log) is None
    text = YAML.format(name="good") + "- {name: bad, uris: [x]}\n"
    found = parse("half", text.encode(), "h", 0, log)
    assert [route.name for route in found or ()] == ["good"]
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["message"].partition(".")[2] for line in lines] == ["failed-to-parse-file", "failed-to-parse-route"]
    assert (lines[0]["data"]["file"], lines[0]["log_level"]) == ("bad", 2)
    assert "there were 2 errors with 'route \"bad\"'" in lines[1]["data"]["error"]


ROUTES = [http_route(name=name) for name in "abc"]
FILES = st.dictionaries(st.sampled_from("xyz"), st.lists(st.sampled_from(ROUTES), max_size=3))


@given(FILES, FILES)
def test_changes_lead_from_one_state_to_the_other(before: dict[str, list[HttpRoute]], now: dict[str, list[HttpRoute]]) -> None:
    had = {route.name for routes in before.values() for route in routes}
    has = {route.name for routes in now.values() for route in routes}
    found = changes(before, now)
    assert sorted(route.name for route in found.added) == sorted(has - had)
    assert sorted(route.name for route in found.removed) == sorted(had - has)
    assert not changes(now, now).files


@pytest.mark.statement("route registrar 6", "Routes are compared by all fields: one that changes leaves, and comes anew")
def test_a_changed_route_is_another_one() -> None:
    old, new = http_route(), http_route(tags={"a": "b"})
    assert changes({"f": [old]}, {"f": [new]}) == Changes([new], [old], ["f"])


@pytest.mark.statement("route registrar 6", "Files are looked for every 10 s, first after 10 s")
def test_looks(tmp_path: Path, out: StringIO, log: Lager) -> None:
    clock = ManualClock()
    watcher = Watcher(config(host="h", dynamic_config_globs=[f"{tmp_path}/*/r.yml"]), clock, log)
    seen: list[tuple[list[str], list[str]]] = []

    async def take(found: Changes) -> None:
        seen.append(([route.name for route in found.added], [route.name for route in found.removed]))

    async def look(after: float = 10) -> None:
        clock.advance(after)
        for _ in range(5):
            await asyncio.sleep(0)

    async def scene() -> None:
        watching = asyncio.ensure_future(watcher.run(take))
        await look(0)
        file = tmp_path / "job" / "r.yml"
        file.parent.mkdir()
        file.write_text(YAML.format(name="one"))
        await look(9.9)
        assert seen == []
        await look(0.1)
        file.write_text("routes: [")  # half written
        await look()
        file.write_text(YAML.format(name="two"))
        await look()
        file.unlink()
        await look()
        watching.cancel()

    asyncio.run(scene())
    assert seen == [(["one"], []), ([], []), (["two"], ["one"]), ([], ["two"])]
    assert out.getvalue().count('"Route Registrar.routes-config-watcher.removing-routes-from-config-file"') == 2
    assert out.getvalue().count('"Route Registrar.routes-config-watcher.failed-to-parse-file"') == 1


def test_a_file_that_cannot_be_read_keeps_its_routes(tmp_path: Path, out: StringIO, log: Lager) -> None:
    watcher = Watcher(config(host="h", dynamic_config_globs=[f"{tmp_path}/r*"]), ManualClock(), log)
    file = tmp_path / "r.yml"
    file.write_text(YAML.format(name="one"))
    assert len(watcher.look().added) == 1
    file.unlink()
    file.mkdir()
    assert watcher.look() == Changes([], [], [])
    assert "failed-to-parse-file" in out.getvalue()


@pytest.mark.statement("route registrar 6", "A glob that is none ends the program")
def test_a_glob_that_is_none(log: Lager) -> None:
    watcher = Watcher(config(dynamic_config_globs=["/tmp/[a"]), ManualClock(), log)
    with pytest.raises(RegistrationError, match=r"^syntax error in pattern$"):
        watcher.look()
