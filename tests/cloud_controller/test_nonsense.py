"""What no client sends and somebody tries: each is answered with one of the API's own errors, and nothing of it is kept."""

import itertools
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx

from cfroute.cloud_controller import app
from cfroute.cloud_controller.openapi import document as described
from cfroute.cloud_controller.openapi.parameters import query_of

from .test_bodies import example
from .world import World

DEEP = "[" * 100_000
AT_A_PLACE = 10 if "FUZZ_EXAMPLES" in os.environ else 2
STRANGE_BODIES = {
    "no JSON": b"{",
    "no UTF-8": b'{"name": "\xff"}',
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "deep": DEEP.encode(),
    "deep and whole": f'{{"metadata": {"[" * 900}{"]" * 900}}}'.encode(),
    "a number that is none": b'{"name": NaN}',
    "a very large number": b'{"instances": 1e999}',
    "no object": b'["name"]',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "two of them": b"{}{}",
    "NUL": b'{"name": "a\\u0000b", "metadata": {"annotations": {"a": "\\u0000"}}}',
}
STRANGE_VALUES: tuple[Any, ...] = (10**30, -(2**63) - 1, 1e300, 0.5, "", [], {}, [None], True, None, "x" * 10_000)
STRANGE_QUERIES = (
    "page=1000000000000000000000000000000",
    "page=-1",
    "page=%D9%A3",
    "per_page=0",
    "per_page=5001",
    "order_by=nonsense",
    "order_by=--name",
    "order_by=",
    "created_ats[gt]=yesterday",
    "created_ats[gt]=2020-01-01T00:00:00Z,2021-01-01T00:00:00Z",
    "created_ats[like]=2020-01-01T00:00:00Z",
    "created_ats[]=2020-01-01T00:00:00Z",
    "updated_ats=9999-99-99T99:99:99Z",
    "label_selector=",
    "label_selector=%3D%3D",
    "label_selector=a%22b",
    "include=nothing",
    "include=",
    "guids[]=x",
    "=",
    "&&&",
    "nonsense=%FF",
    "%00=1",
)
HARMLESS_QUERIES = ("guids=%00", "guids=%FF%FE", "guids=" + "x," * 5_000, "guids=a&guids=b", "guids=", "page=999999999")
STRANGE_PATHS = (
    "/v3/apps/%00",
    "/v3/apps/%FF",
    "/v3/apps/%2e%2e%2fspaces",
    "/v3/apps/'%20or%201=1",
    "/v3/apps/" + "x" * 10_000,
    "/v3/apps/x/processes/%00/stats",
    "/v3/apps//routes",
    "/v3//apps",
    "//v3/apps",
    "/v3/apps/{guid}/processes/web/instances/" + "9" * 5_000,
    "/v3/apps/{guid}/processes/web/instances/%D9%A3",
    "/v3/apps/{guid}/processes/web/instances/-1",
)


def is_refused(answer: httpx.Response) -> bool:
    """Whether it is an error as clients know them, and the client's own fault."""
    errors = answer.json().get("errors", []) if "json" in answer.headers.get("content-type", "") else []
    return 400 <= answer.status_code < 500 and all({"code", "title", "detail"} == each.keys() for each in errors) and bool(errors)


def writing(world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method and path of all that take a body of JSON, and something that is like such a body."""
    for endpoint in app.ENDPOINTS:
        operation = described.OPERATIONS.get(f"{endpoint.method} {endpoint.path}")
        if operation is not None and operation.takes is not None and operation.takes.type == "application/json":
            path = world.path(endpoint.path, world.organization)
            assert path is not None
            yield endpoint.method, path, example(operation.takes.schema)


def test_strange_bodies(world: World) -> None:
    for method, path, _ in writing(world):
        for what, body in STRANGE_BODIES.items():
            answer = world.cc(method, path, content=body, headers={"Content-Type": "application/json"})
            assert is_refused(answer), (what, method, path, answer.text[:300])


def test_strange_values(world: World) -> None:
    """In the place of every field, and of every field of these; some are taken, and none is too much."""
    values = itertools.cycle(STRANGE_VALUES)
    for method, path, body in writing(world):
        for name, value in body.items():
            inner = [(value, each) for each in value] if isinstance(value, dict) else []
            for where, key in [*inner, (body, name)]:
                good = where[key]
                for where[key] in itertools.islice(values, AT_A_PLACE):
                    answer = world.cc(method, path, content=json.dumps(body).encode())
                    assert answer.status_code < 300 or is_refused(answer), (method, path, key, where[key], answer.text[:300])
                where[key] = good


def test_strange_queries(world: World) -> None:
    for endpoint in app.ENDPOINTS:
        line = f"{endpoint.method} {endpoint.path}"
        if not described.is_described(endpoint) or "page" not in query_of(described.OPERATIONS[line]):
            continue
        path = world.path(endpoint.path, world.organization)
        for query in STRANGE_QUERIES:
            answer = world.cc("GET", f"{path}?{query}")
            assert is_refused(answer) or query == "&&&", (line, query, answer.text[:300])
        for query in HARMLESS_QUERIES:
            answer = world.cc("GET", f"{path}?{query}")
            assert answer.status_code == 200 or is_refused(answer), (line, query, answer.text[:300])


def test_strange_paths(world: World) -> None:
    for path in STRANGE_PATHS:
        url = "http://api.test" + path.replace("{guid}", world.things[world.organization]["apps"])
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
            answer = world.cc(method, url)
            assert is_refused(answer), (method, path, answer.text[:300])


def test_strange_manifests(world: World) -> None:
    """Circles, a few aliases that stand for millions of values, tags of other languages, and what is no YAML."""
    laughs = "".join(f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in itertools.pairwise("abcdefghi"))
    manifests = (
        "applications: [&a [*a]]",
        "a: &a {b: *a}\napplications: [*a]",
        f"a: &a [x]\n{laughs}applications: [{{name: *i}}]",
        'applications: [{name: a, env: {A: "\\0"}}]',
        "applications: [!!python/object/apply:os.getcwd []]",
        f"applications: [{{name: a, more: {'[' * 300}{']' * 300}}}]",
        "applications: [{name: a, ? [b] : c}]",
        DEEP,
        "\x00",
    )
    for what in ("actions/apply_manifest", "manifest_diff"):
        for manifest in manifests:
            headers = {"Content-Type": "application/x-yaml"}
            answer = world.cc("POST", f"/v3/spaces/{world.cc.space}/{what}", content=manifest.encode(), headers=headers)
            assert is_refused(answer), (what, manifest[:80], answer.text[:300])


def test_strange_uploads(world: World) -> None:
    package = world.cc.ok("POST", "/v3/packages", {"type": "bits", "relationships": of_app(world)})["guid"]
    part = b'--b\r\nContent-Disposition: form-data; name="bits"; filename="b"\r\n\r\n'
    uploads = (
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b"----"),
        ("multipart/form-data; boundary=b", b"no boundary"),
        ("multipart/form-data; boundary=b", part + b"never ends"),
        ("multipart/form-data; boundary=b", part + b"no zip\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n\xff\xff: \x00\r\n\r\n\r\n--b--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 5_000, b"--b\r\n"),
        ("application/json", b"{}"),
        ("", b"PK"),
        ("nonsense", b"\xff"),
    )
    for kind, body in uploads:
        answer = world.cc("POST", f"/v3/packages/{package}/upload", content=body, headers={"Content-Type": kind})
        assert is_refused(answer), (kind, body, answer.text[:300])


def of_app(world: World) -> dict[str, Any]:
    return {"app": {"data": {"guid": world.things[world.organization]["apps"]}}}


def test_strange_questions_for_others(world: World) -> None:
    """Below the prefixes that others answer, and of the log cache."""
    app_guid = world.things[world.organization]["apps"]
    for path in (
        "/uaa",
        "/uaa/",
        "/uaa/%00",
        "/uaa/%2e%2e/v3/apps",
        "/routing",
        "/routing/v1/%FF",
        "/routing/" + "x" * 10_000,
    ):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            answer = world.cc(method, f"http://api.test{path}", content=b"\xff\x00" if method != "GET" else b"")
            assert is_refused(answer) or answer.status_code == 503, (method, path, answer.text[:300])
    for query in (
        "limit=x",
        "limit=-1",
        "limit=1001",
        "start_time=1e9",
        "end_time=%D9%A3",
        "descending=perhaps",
        f"start_time={10**30}",
    ):
        assert is_refused(world.cc("GET", f"/api/v1/read/{app_guid}?{query}")), query
