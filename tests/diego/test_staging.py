"""Packages become droplets on a real cell."""

import io
import json
import tarfile
import urllib.error
import urllib.request
import zipfile
from typing import Any

import pytest
import yaml

from cfroute.diego.api import Task
from cfroute.diego.cell.staging import byte_size
from cfroute.log_cache import read

from .conftest import Bench, eventually


def package(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def wheel(name: str) -> bytes:
    return package(
        {
            f"{name}.py": "WORD = 'vendored'\n",
            f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{name}-1.0.dist-info/RECORD": "",
        }
    )


def submit(bench: Bench, name: str, bits: bytes, **changes: Any) -> None:
    controller = bench.cloud_controller
    controller.files[f"/package/{name}"] = bits
    urls = {"package_url": f"{controller.url}/package/{name}", "droplet_upload_url": f"{controller.url}/droplet/{name}"}
    task = Task(f"task-{name}", f"app-{name}", completion_url=f"{controller.url}/done", **(urls | changes))
    bench.call(lambda bbs: bbs.desire_task(task))


def outcome(bench: Bench, name: str) -> Task:
    def found() -> list[Task]:
        return [task for task in bench.cloud_controller.completed if task.task_guid == f"task-{name}"]

    [task] = eventually(found)
    return task


def log(bench: Bench, name: str) -> list[str]:
    return [line.payload for line in read(bench.app_logs, f"app-{name}") if line.source_type == "STG"]


def test_stages_side_by_side_and_runs_what_it_staged(bench: Bench) -> None:
    bench.add_cell()
    submit(bench, "static", package({"index.html": "<h1>hello</h1>", ".secret": "x"}))
    submit(bench, "proc", package({"Procfile": "web: ./run", "run": "#!/bin/sh"}))
    submit(bench, "nothing", package({"README": "x"}))
    submit(bench, "broken", b"PK this is no zip")
    submit(bench, "missing", b"", package_url=f"{bench.cloud_controller.url}/none")
    with_wheel = package({"app.py": "import thing", "requirements.txt": "thing==1.0\n"})
    buffer = io.BytesIO(with_wheel)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("vendor/thing-1.0-py3-none-any.whl", wheel("thing"))
    submit(bench, "python", buffer.getvalue())

    reasons = {name: outcome(bench, name).failure_reason for name in ("nothing", "broken", "missing")}
    assert reasons["nothing"].startswith("NoAppDetectedError - An app was not successfully detected")
    assert "the app package is unusable" in reasons["broken"]
    assert "404" in reasons["missing"]

    assert json.loads(outcome(bench, "proc").result) == {
        "process_types": {"web": "./run"},
        "buildpack": "binary_buildpack",
        "detected_output": "binary",
    }
    assert not outcome(bench, "static").failed
    said = log(bench, "static")
    assert said[0] == "Cell diego_cell/0 creating container for instance task-static"
    assert "-----> Staticfile Buildpack version 1.0.0" in said
    assert [line for line in said if line.startswith("Downloaded app package (")]
    assert said[-1] == "Cell diego_cell/0 successfully destroyed container for instance task-static"

    python = outcome(bench, "python")
    assert not python.failed, log(bench, "python")
    with tarfile.open(fileobj=io.BytesIO(bench.cloud_controller.files["/droplet/python"])) as droplet:
        assert "deps/python/thing.py" in droplet.getnames()
        info = droplet.extractfile("staging_info.yml")
        assert info
        assert yaml.safe_load(info.read())["start_command"] == "python3 app.py"
    assert not list((bench.folder / "cells/0/containers").iterdir())

    run_static(bench, json.loads(outcome(bench, "static").result)["process_types"]["web"])


def run_static(bench: Bench, command: str) -> None:
    url = f"{bench.cloud_controller.url}/droplet/static"
    bench.call(lambda bbs: bbs.desire(bench.lrp("static", {}, command=command, droplet_url=url)))
    [lrp] = eventually(lambda: bench.instances("static"))
    base = f"http://{lrp.address}:{lrp.ports[0].host_port}"
    with urllib.request.urlopen(f"{base}/") as answer:
        assert answer.read() == b"<h1>hello</h1>"
    for hidden in (".secret", "none", "../staging_info.yml"):
        with pytest.raises(urllib.error.HTTPError, match="404") as refusal:
            urllib.request.urlopen(f"{base}/{hidden}").close()
        refusal.value.close()


def test_sizes_are_written_as_cloud_foundry_does() -> None:
    assert [byte_size(size) for size in (0, 512, 1024, 1536, 8 * 1024**2, 3 * 1024**3)] == [
        "0B",
        "512B",
        "1K",
        "1.5K",
        "8M",
        "3G",
    ]
