"""The API of a running process, as its clients see it."""

import json
import ssl
import time
from typing import Any

import httpx
import pytest

from ..waiting import eventually
from .daemons import Process


def tcp(group: str, port: int, **more: Any) -> dict[str, Any]:
    return {"router_group_guid": group, "port": port, "backend_ip": "10.0.0.1", "backend_port": 60000, "ttl": 60, **more}


def http(route: str, **more: Any) -> dict[str, Any]:
    return {"route": route, "port": 80, "ip": "10.0.0.1", "ttl": 60, "log_guid": "app", **more}


def tcp_routes(api: httpx.Client, port: int) -> list[dict[str, Any]]:
    return [each for each in api.get("/tcp_routes").raise_for_status().json() if each["port"] == port]


def routes(api: httpx.Client, route: str) -> list[dict[str, Any]]:
    return [each for each in api.get("/routes").raise_for_status().json() if each["route"] == route]


def create(api: httpx.Client, *wanted: dict[str, Any]) -> None:
    answer = api.post("/tcp_routes/create", json=wanted)
    assert (answer.status_code, answer.content) == (201, b"")


@pytest.mark.statement(
    "Routing API 5.3", "a TCP route is created, listed, renewed and deleted, with the fields in upstream's order"
)
@pytest.mark.statement(
    "Routing API 6", "an upsert keeps the tag's guid and counts its index up; a deleted and new route has another guid"
)
def test_a_tcp_route_from_its_first_to_its_last_day(shared: Process, api: httpx.Client, group: str) -> None:
    with shared.events() as events:
        create(api, tcp(group, 2000, instance_id="i"))
        create(api, tcp(group, 2000, instance_id="j", isolation_segment="s", ttl=50))
        (shown,) = tcp_routes(api, 2000)
        assert list(shown) == [
            "router_group_guid", "backend_port", "backend_tls_port", "backend_ip", "instance_id", "port", "modification_tag",
            "ttl", "isolation_segment",
        ]  # fmt: skip
        assert (shown["instance_id"], shown["isolation_segment"], shown["ttl"]) == ("i", "s", 50)
        assert shown["modification_tag"]["index"] == 1
        deleted = api.post("/tcp_routes/delete", json=[tcp(group, 2000, ttl=1)])
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert not tcp_routes(api, 2000)
        create(api, tcp(group, 2000))
        told = [events.next() for _ in range(4)]
    assert [(number, name) for number, name, _ in told] == [(0, "Upsert"), (1, "Upsert"), (2, "Delete"), (3, "Upsert")]
    assert told[1][2] == told[2][2] == shown
    assert told[3][2]["modification_tag"]["guid"] != shown["modification_tag"]["guid"]


@pytest.mark.statement(
    "Routing API 5.2",
    "an HTTP route, with its fields in upstream's order; a deletion needs its key only",
)
def test_an_http_route(shared: Process, api: httpx.Client) -> None:
    with shared.events("/events") as events:
        assert api.post("/routes", json=[http("a.test/x", route_service_url="https://s.test")]).status_code == 201
        (shown,) = routes(api, "a.test/x")
        assert list(shown) == ["route", "port", "ip", "ttl", "log_guid", "route_service_url", "modification_tag"]
        gone = http("a.test/x", ttl=0, route_service_url="https://s.test")
        assert api.request("DELETE", "/routes", json=[http("unknown.test"), gone]).status_code == 204
        assert not routes(api, "a.test/x")
        assert [events.next()[1:] for _ in range(2)] == [("Upsert", shown), ("Delete", shown)]


@pytest.mark.statement(
    "Routing API 6", 'TCP routes are told apart by group, address, ports, TLS port and server name, where null is not ""'
)
def test_what_tells_tcp_routes_from_each_other(api: httpx.Client, group: str) -> None:
    same = [tcp(group, 2001), tcp(group, 2001, backend_tls_port=0), tcp(group, 2001, backend_sni_hostname=None)]
    others = [
        tcp(group, 2001, backend_tls_port=-1),
        tcp(group, 2001, backend_tls_port=61000),
        tcp(group, 2001, backend_sni_hostname=""),
        tcp(group, 2001, backend_sni_hostname="a.test"),
        tcp(group, 2001, backend_port=60001),
        tcp(group, 2001, backend_ip="10.0.0.2"),
        tcp(group, 2001, enable_backend_mtls=True),
    ]
    create(api, *same, *others)
    shown = tcp_routes(api, 2001)
    assert len(shown) == 1 + len(others)
    assert sorted(each["modification_tag"]["index"] for each in shown) == [0] * len(others) + [2]
    assert [each["backend_sni_hostname"] for each in shown if "backend_sni_hostname" in each] == ["", "a.test"]
    assert api.post("/tcp_routes/delete", json=[*same, *others]).status_code == 204
    assert not tcp_routes(api, 2001)


@pytest.mark.statement(
    "Routing API 15", "`sni_rewrite_hostname`, `terminate_frontend_tls`, `alpns`, `enable_backend_mtls`: shown where they are set"
)
def test_newer_fields_are_shown_where_they_say_something(api: httpx.Client, group: str) -> None:
    more = {"terminate_frontend_tls": True, "alpns": "h2,http/1.1", "sni_rewrite_hostname": "b.test", "enable_backend_mtls": True}
    create(api, tcp(group, 2002, **more))
    (shown,) = tcp_routes(api, 2002)
    assert {key: shown[key] for key in more} == more
    refused = api.post("/tcp_routes/create", json=[tcp(group, 2002, backend_ip="10.0.0.2")])
    assert refused.json()["message"] == "Cannot process request: terminate_frontend_tls: false not allowed"


@pytest.mark.statement("Routing API 5.3", "`isolation_segment` selects routes, several of them any, an empty one those without")
def test_isolation_segments(api: httpx.Client, group: str) -> None:
    segments = ["", "one", "two"]
    create(api, *(tcp(group, 2003, backend_port=1 + n, isolation_segment=name) for n, name in enumerate(segments)))

    def found(query: str) -> list[str]:
        answer = api.get(f"/tcp_routes?{query}").json()
        return sorted(each["isolation_segment"] for each in answer if each["port"] == 2003)

    assert found("") == segments
    assert found("isolation_segment=one&isolation_segment=two") == ["one", "two"]
    assert found("isolation_segment=") == [""]
    assert api.get("/tcp_routes", params={"isolation_segment": "none"}).content == b"[]\n"


@pytest.mark.statement("Routing API 5.2", "a list is validated as a whole before anything of it is saved")
def test_nothing_is_saved_of_a_request_that_is_wrong(api: httpx.Client, group: str) -> None:
    answer = api.post("/tcp_routes/create", json=[tcp(group, 2004), tcp("nope", 2004)])
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert answer.text == '{"name":"ProcessRequestError","message":"Cannot process request: router_group_guid: nope not found"}'
    assert not tcp_routes(api, 2004)
    answer = api.post("/routes", json=[http("b.test"), http("b.test", route_service_url="http://<&>")])
    assert answer.text == '{"name":"RouteServiceUrlInvalidError","message":"Route service url must use HTTPS."}'
    answer = api.post("/tcp_routes/create", json=[tcp(group, 2004, backend_ip="")])
    assert f"RouteMapping=[{group}:2004\\u003c-\\u003e:60000]" in answer.text
    assert not routes(api, "b.test")


@pytest.mark.statement("Routing API 5.1", "`[]` and `null` are empty lists; what follows the first value is not read")
@pytest.mark.parametrize("path", ["/routes", "/tcp_routes/create", "/tcp_routes/delete"])
def test_bodies_without_routes(api: httpx.Client, path: str) -> None:
    for body, status in (("[]", api.post(path, content="null").status_code), ("", 400), ("{}", 400), ("[{", 400)):
        assert api.post(path, content=body).status_code == status
    assert api.post(path, content="").json() == {"name": "ProcessRequestError", "message": "Cannot process request: EOF"}


@pytest.mark.statement("Routing API 5", "another method is 405 `Method Not Allowed` with `Allow`, as plain text")
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/routes", "DELETE, GET, POST"),
        ("HEAD", "/routes", "DELETE, GET, POST"),
        ("OPTIONS", "/events", "GET"),
        ("GET", "/tcp_routes/create", "POST"),
        ("GET", "/router_groups/x", "DELETE, PUT"),
    ],
)
def test_other_methods(api: httpx.Client, method: str, path: str, allow: str) -> None:
    answer = api.request(method, path)
    assert (answer.status_code, answer.headers["allow"], answer.headers["x-content-type-options"]) == (405, allow, "nosniff")
    assert answer.text == ("" if method == "HEAD" else "Method Not Allowed\n")


@pytest.mark.statement("Routing API 5", "an unknown path, and one with a slash behind it, is 404 `404 page not found`")
@pytest.mark.parametrize("path", ["/routes/", "/x", "/../../health", "/router_groups/a/b"])
def test_other_paths(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


@pytest.mark.statement("Routing API 5", "every answer carries `X-Vcap-Request-Id`: the request's own, or a new one")
def test_request_ids(api: httpx.Client) -> None:
    assert api.get("/routes", headers={"X-Vcap-Request-Id": "mine"}).headers["x-vcap-request-id"] == "mine"
    first, second = (api.get("/x").headers["x-vcap-request-id"] for _ in range(2))
    assert len(first) == 36
    assert first != second


@pytest.mark.statement("Routing API 13", "`request.serving` and `request.done` have the headers, but never Authorization")
def test_requests_are_logged_without_their_tokens(shared: Process, api: httpx.Client) -> None:
    api.get("/routes?here", headers={"Authorization": "bearer hidden", "X-Seen": "1"})
    line = next(each for each in shared.said("api-http-server.request.serving") if each["request"].endswith("?here"))
    assert (line["method"], line["request-headers"]["X-Seen"]) == ("GET", ["1"])
    assert shared.said("api-http-server.request.done")
    assert "hidden" not in shared.output.read_text()


# Router groups


@pytest.mark.statement(
    "Routing API 8", "a router group is created, read, changed with `X-Cf-Warnings`, and deleted; unknown ones are 404"
)
def test_a_router_group(api: httpx.Client) -> None:
    made = api.post("/router_groups", json={"guid": "mine", "name": "g1", "type": "tcp", "reservable_ports": "3000-3010"})
    assert (made.status_code, made.headers["content-type"], made.content[-1:]) == (201, "application/json", b"}")
    group = made.json()
    assert list(group) == ["guid", "name", "type", "reservable_ports"]
    assert group["guid"] != "mine"
    again = api.post("/router_groups", json={"name": "g1", "type": "tcp", "reservable_ports": "bad"})
    assert (again.status_code, again.json()) == (200, group)
    assert api.get("/router_groups?name=g1").json() == [group]
    assert group in api.get("/router_groups?name=").json()

    changed = api.put(f"/router_groups/{group['guid']}", json={"name": "other", "reservable_ports": "4000"})
    assert (changed.status_code, changed.json()) == (200, {**group, "reservable_ports": "4000"})
    assert changed.headers["x-cf-warnings"].startswith("Warning%3A+if+routes+are+registered+for+ports+that")
    refused = api.put(f"/router_groups/{group['guid']}", json={"reservable_ports": "1"})
    assert refused.json()["message"] == "Cannot process request: Port must be between 1024 and 65535"

    assert api.delete(f"/router_groups/{group['guid']}").status_code == 204
    gone = api.delete(f"/router_groups/{group['guid']}")
    assert (gone.status_code, gone.content) == (404, b"")
    assert api.get("/router_groups?name=g1").text == '{"name":"ResourceNotFoundError","message":"Router Group \'g1\' not found"}'
    missing = api.put("/router_groups/x", json={"reservable_ports": "4000"})
    assert (missing.status_code, missing.json()["message"]) == (404, "Router Group 'x' does not exist")


@pytest.mark.statement("Routing API 8", "the name of a group that has another type is 503 `DBCommunicationError`")
def test_a_name_has_one_type(api: httpx.Client) -> None:
    answer = api.post("/router_groups", json={"name": "default-tcp", "type": "other"})
    assert (answer.status_code, answer.json()["name"]) == (503, "DBCommunicationError")


@pytest.mark.statement("Routing API 9", "locked reads and writes of router groups are 503, by name 404; routes go on")
def test_backup_and_restore(shared: Process, api: httpx.Client, group: str) -> None:
    told = {"name": "DBCommunicationError", "message": "Database unavailable due to backup or restore"}
    admin = f"http://127.0.0.1:{shared.config['admin_port']}"

    def switch(what: str, method: str = "PUT") -> httpx.Response:
        return httpx.request(method, f"{admin}/{what}", trust_env=False)

    assert (switch("lock_router_group_writes").status_code, switch("lock_router_group_writes").content) == (200, b"")
    assert (api.post("/router_groups", json={"name": "x"}).status_code, api.delete("/router_groups/x").json()) == (503, told)
    assert api.get("/router_groups").status_code == 200
    create(api, tcp(group, 2005))
    switch("unlock_router_group_writes")
    switch("lock_router_group_reads")
    try:
        assert api.get("/router_groups").json() == api.put("/router_groups/x", json={}).json() == told
        assert api.post("/tcp_routes/create", json=[tcp(group, 2005)]).json() == told
        assert api.get("/router_groups?name=default-tcp").status_code == 404
        assert tcp_routes(api, 2005)
    finally:
        switch("unlock_router_group_reads")
    assert api.get("/router_groups").status_code == 200
    refused = switch("lock_router_group_reads", "GET")
    assert (refused.status_code, refused.headers["allow"], switch("x").status_code) == (405, "PUT", 404)


# Event streams


@pytest.mark.statement("Routing API 7", "the head of an event stream comes at once, with upstream's headers")
def test_the_head_of_a_stream(shared: Process) -> None:
    with shared.events() as events:
        headers = dict(events.response.getheaders())
    assert events.response.status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache, no-store, must-revalidate"
    assert (headers["connection"], headers["transfer-encoding"]) == ("keep-alive", "chunked")
    eventually(lambda: shared.said("api-http-server.request.tcp-event-stream-handler.connection-closed"), "the line of the end")


@pytest.mark.statement("Routing API 7", "each stream numbers the events of its kind from 0, whatever `Last-Event-ID` says")
def test_streams_tell_their_own_kind(shared: Process, api: httpx.Client, group: str) -> None:
    again = {"Last-Event-ID": "7"}
    with shared.events("/events", **again) as http_events, shared.events(**again) as tcp_events:
        create(api, tcp(group, 2006))
        api.post("/routes", json=[http("c.test")])
        assert http_events.next()[2]["route"] == "c.test"
        create(api, tcp(group, 2007))
        told = [tcp_events.next() for _ in range(2)]
        assert [(number, route["port"]) for number, _, route in told] == [(0, 2006), (1, 2007)]


@pytest.mark.statement("Routing API 3", "the other listener wants a client certificate that its authority has signed")
def test_mutual_tls(shared: Process, identities: Any) -> None:
    folder = shared.output.parent
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    url = f"https://127.0.0.1:{shared.mtls_port}/routing/v1/router_groups"
    with pytest.raises(httpx.TransportError):
        httpx.get(url, verify=context, trust_env=False)
    stranger = ssl.create_default_context(cafile=folder / "ca.pem")
    stranger.load_cert_chain(identities / "id.pem", identities / "id.key")
    with pytest.raises(httpx.TransportError):
        httpx.get(url, verify=stranger, trust_env=False)
    context.load_cert_chain(folder / "id.pem", folder / "id.key")
    assert httpx.get(url, verify=context, trust_env=False).json()[0]["name"] == "default-tcp"


# How fast it is


def test_ten_thousand_routes(shared: Process, api: httpx.Client, group: str) -> None:
    wanted = [
        tcp(group, 5000 + n % 1000, backend_ip="10.1.0.1", backend_port=1 + n // 1000, instance_id=f"i{n}") for n in range(10_000)
    ]
    with shared.events() as events:
        began = time.monotonic()
        for batch in range(0, len(wanted), 1000):
            create(api, *wanted[batch : batch + 1000])
        upserted = time.monotonic() - began
        assert [events.next()[0] for _ in wanted] == list(range(len(wanted)))
        began = time.monotonic()
        listed = [each for each in json.loads(api.get("/tcp_routes").content) if each["backend_ip"] == "10.1.0.1"]
        fetched = time.monotonic() - began
        began = time.monotonic()
        create(api, wanted[0])
        assert events.next()[2]["modification_tag"]["index"] == 1
        told = time.monotonic() - began
        began = time.monotonic()
        create(api, *wanted)
        renewed = time.monotonic() - began
    assert api.post("/tcp_routes/delete", json=wanted).status_code == 204
    assert len(listed) == len(wanted)
    print(f"upserted {upserted:.2f} s, renewed {renewed:.2f} s, fetched {fetched:.2f} s, told in {told * 1000:.1f} ms")
    assert (upserted < 10, renewed < 10, fetched < 1, told < 0.1) == (True,) * 4
