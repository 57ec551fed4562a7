"""A real BBS and real cells that run real processes."""

import json
import urllib.request
from typing import Any

from cfroute.log_cache import read

from .conftest import SERVER, Bench, eventually


def ask(lrp: Any, path: str = "/") -> Any:
    with urllib.request.urlopen(f"http://{lrp.address}:{lrp.ports[0].host_port}{path}", timeout=5) as answer:
        return json.load(answer)


def test_runs_an_instance_with_its_environment(bench: Bench) -> None:
    bench.add_cell()
    lrp = bench.lrp("web", {"server.py": SERVER}, environment={"COLOR": "blue", "VCAP_APPLICATION": '{"name":"x"}'})
    bench.call(lambda bbs: bbs.desire(lrp))
    [actual] = eventually(lambda: bench.instances("web"))

    environment = ask(actual)

    assert environment["COLOR"] == "blue"
    print(json.dumps(environment, indent=1))
    print(read(bench.app_logs, "app-of-web"))
