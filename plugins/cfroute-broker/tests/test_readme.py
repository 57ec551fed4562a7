"""The broker in README.md is one."""

import os
import re
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
IDS = {"service_id": "b1946ac9-elsewhere", "plan_id": "b1946ac9-free"}


def test_the_broker_in_the_readme_answers(start: Any, tmp_path: Path) -> None:
    found = re.search(r"^```python\n# (offer)\.py\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    (tmp_path / f"{found[1]}.py").write_text(found[2])
    program = start(found[1], PORT="0", PYTHONPATH=os.pathsep.join([str(tmp_path), str(README.parent)]))
    status, catalog = program.broker("GET", "catalog")
    assert (status, catalog["services"][0]["name"]) == (200, "elsewhere")
    assert program.broker("PUT", "service_instances/i", IDS | {"organization_guid": "o", "space_guid": "s"}) == (201, {})
    binding = "service_instances/i/service_bindings/b"
    bound = program.broker("PUT", binding, IDS | {"bind_resource": {"route": "echo.cf.localhost"}})
    assert bound == (201, {"route_service_url": "https://logger.cf.localhost"})
    refused = program.broker("PUT", f"{binding}2", IDS | {"bind_resource": {"route": "x"}, "parameters": {"a": 1}})
    assert refused == (400, {"description": "there are no parameters"})
    assert program.broker("DELETE", f"{binding}?service_id=x&plan_id=y") == (200, {})
    assert program.end()[0].startswith("listening on 127.0.0.1:")
