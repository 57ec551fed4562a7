"""The deprecated page."""

import json
from collections.abc import Callable
from random import Random

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.metrics.varz import Varz
from cfroute.gorouter.metrics.varz_page import VarzPage
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.registry import Registry
from cfroute.testing import ManualClock

CONFIG = "index: 3\nstatus: {host: 127.0.0.1, port: 8080, user: u, pass: p}"


def page(registry: Registry, clock: ManualClock) -> VarzPage:
    return VarzPage(parse(CONFIG), registry, Varz(Random(1), clock.monotonic).counts, lambda: (1.0, 2000), clock, Random(1))


def test_what_a_component_tells_of_itself(registry: Registry, clock: ManualClock, endpoint: Callable[..., Endpoint]) -> None:
    made = page(registry, clock)
    clock.advance(3 * 86400 + 2 * 3600 + 62)
    for uri in ("a.test", "b.test"):
        registry.register(uri, endpoint(1))
    registry.register("b.test", endpoint(2))
    clock.advance(0.5)
    shown = json.loads(made.page())
    assert (shown["type"], shown["index"], shown["host"], shown["credentials"]) == ("Router", 3, "127.0.0.1:8080", ["u", "p"])
    assert (shown["start"], shown["uptime"]) == ("2023-11-14 22:13:20 +0000", "3d:2h:1m:2s")
    assert shown["uuid"].startswith("3-")
    assert (shown["urls"], shown["droplets"], shown["ms_since_last_registry_update"]) == (2, 2, 500)
    assert shown["log_counts"] == {}
    assert shown["mem"] > 1000
    assert shown["num_cores"] > 0


def test_it_is_written_as_go_writes_it(registry: Registry, clock: ManualClock) -> None:
    text = page(registry, clock).page()
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert b'"latency":{"50":0,"75":0,"90":0,"95":0,"99":0,"samples":1,"value":5e-7}' in text
    assert b'"rate":[0,0,0]' in text
