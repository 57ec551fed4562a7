"""The Cloud Controller's API, with 10 000 routes in its database: reads and writes a second, and what it costs to read all pages.

The routes are made through the API, and that is how writes are measured: each is durable before it is answered.
"""

import json
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from . import load, procfs
from .foundation import Foundation
from .load import Load
from .machine import BenchError

ROUTES = 10_000
WRITERS = 8
READERS = 16
PAGE = 50


@dataclass(frozen=True)
class Reads:
    """How one kind of read went; cpu_us: microseconds of CPU time that the Cloud Controller spent on one."""

    rate: float
    p99_ms: float
    cpu_us: float | None


@dataclass(frozen=True)
class ApiFigures:
    """One run. slope: how many times as long the last tenth of the pages took as the first. large_seconds: the longest page."""

    routes: int
    writes: float
    write_cpu_us: float | None
    reads: dict[str, Reads]
    pages_seconds: float
    slope: float
    large_seconds: float
    memory_mb: float | None


class Api:
    """The API of a running foundation, as its admin."""

    def __init__(self, cfroute: Sequence[str], environment: dict[str, str]) -> None:
        said = [_said([*cfroute, *words], environment) for words in (("info", "--json"), ("status", "--json"), ("oauth-token",))]
        self.url = str(json.loads(said[0])["api"])
        self.pid = next(int(each["pid"]) for each in json.loads(said[1]) if each["name"] == "cloud_controller")
        self.token = said[2].strip()

    def __call__(self, path: str, body: Any = None, method: str | None = None) -> Any:
        headers = {"Authorization": self.token, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def post_all(self, path: str, bodies: Sequence[Any]) -> None:
        """One after the other, over one connection. Raises BenchError when one is refused."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        for body in bodies:
            connection.request("POST", path, json.dumps(body), {"Authorization": self.token})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status >= 300:
                raise BenchError(f"POST {path} is answered by {answer.status}: {said.decode(errors='replace')}")
        connection.close()

    def cpu(self) -> float | None:
        return procfs.cpu_seconds([self.pid])


def measure(cfroute: Sequence[str], state: Path, ports: Iterator[int], seconds: int, routes: int = ROUTES) -> ApiFigures:
    """Start a foundation, fill it, and read from it. Raises BenchError."""
    foundation = Foundation(cfroute, state, ports)
    try:
        foundation.up()
        api = Api(cfroute, foundation.environment)
        writes, write_cpu_us = _fill(api, routes)
        reads = {kind: _read(api, path, seconds) for kind, path in _kinds(api, routes).items()}
        pages = _pages(api, routes)
        large = _timed(api, "/v3/routes?per_page=5000&include=domain,space")
        memory = procfs.memory([api.pid])
        foundation.down()
    finally:
        foundation.kill()
    tenth = max(1, len(pages) // 10)
    slope = statistics.median(pages[-tenth:]) / statistics.median(pages[:tenth])
    return ApiFigures(
        routes, writes, write_cpu_us, reads, sum(pages), slope, large, None if memory is None else memory / 1_000_000
    )


def _fill(api: Api, routes: int) -> tuple[float, float | None]:
    """Make the routes; how many a second, and what one costs."""
    organization = api("/v3/organizations")["resources"][0]["relationships"]["quota"]["data"]["guid"]
    api(f"/v3/organization_quotas/{organization}", {"routes": {"total_routes": None}}, "PATCH")
    space, domain = (api(f"/v3/{kind}?per_page=1")["resources"][0]["guid"] for kind in ("spaces", "domains"))
    relationships = {"space": {"data": {"guid": space}}, "domain": {"data": {"guid": domain}}}
    bodies = [{"host": f"host-{number}", "relationships": relationships} for number in range(routes)]
    began, before = time.monotonic(), api.cpu()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda writer: api.post_all("/v3/routes", bodies[writer::WRITERS]), range(WRITERS)))
    spent, after = time.monotonic() - began, api.cpu()
    return routes / spent, None if before is None or after is None else (after - before) / routes * 1e6


def _kinds(api: Api, routes: int) -> dict[str, str]:
    route = api(f"/v3/routes?hosts=host-{routes // 2}")["resources"][0]
    space = route["relationships"]["space"]["data"]["guid"]
    return {
        "root": "/",
        "space": f"/v3/spaces/{space}",
        "route": f"/v3/routes/{route['guid']}",
        "route by host": f"/v3/routes?hosts=host-{routes // 3}",
        "50 routes": f"/v3/routes?per_page={PAGE}",
    }


def _read(api: Api, path: str, seconds: int) -> Reads:
    before = api.cpu()
    sample = load.run(Load(path, READERS, headers=(f"Authorization: {api.token}",)), api.url, seconds, None)
    after = api.cpu()
    if sample.errors or not sample.requests:
        raise BenchError(f"GET {path}: {sample.errors} of {sample.requests} requests failed")
    cpu_us = None if before is None or after is None else (after - before) / sample.requests * 1e6
    return Reads(sample.rate, sample.p99_ms, cpu_us)


def _pages(api: Api, routes: int) -> list[float]:
    """The seconds that each page took."""
    return [_timed(api, f"/v3/routes?per_page={PAGE}&page={page}") for page in range(1, -(-routes // PAGE) + 1)]


def _timed(api: Api, path: str) -> float:
    began = time.monotonic()
    if not api(path)["resources"]:
        raise BenchError(f"GET {path}: nothing was listed")
    return time.monotonic() - began


def _said(command: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
