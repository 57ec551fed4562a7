"""The Cloud Controller and a Routing API that other people's hands are on, over a real connection."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from cfroute import daemon
from cfroute.cloud_controller.routing import DisabledRoutingApi, NoRoutingApi
from cfroute.cloud_controller.routing_api import AWAY, UAA_AWAY, RoutingApi
from cfroute.uaa.client import UaaError

EXPECTED = "f7392031-a488-4890-8835-c4a038a3bded"
SEEN = {"guid": "g-1", "name": "default-tcp", "type": "tcp", "reservable_ports": "2000-2002,2010"}
HTTP = {"guid": "g-2", "name": "web", "type": "http", "reservable_ports": ""}
BAD_PORT = "Port '{}' is not available. Try a different port or use a different domain."


class Server:
    """Answers what a test wants, and keeps what it was asked."""

    def __init__(self) -> None:
        self.groups: Any = [SEEN, HTTP]
        self.status = 200
        self.token = "t-1"
        self.asked: list[tuple[str, str, bytes]] = []

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.method, request.url.path + "?" + request.url.query, await request.body()))
        if request.url.path.endswith("/events"):
            return StreamingResponse(iter([b"id: 0\n", b"event: Upsert\n\n"]), media_type="text/event-stream")
        if request.method == "PUT":
            return Response(b'{"guid":"g-1"}', headers={"X-Cf-Warnings": "a+b"}, media_type="application/json")
        if request.headers["authorization"] != f"bearer {self.token}":
            return Response(b'{"name":"UnauthorizedError","message":"Token is expired"}', 401, media_type="text/plain")
        return Response(json.dumps(self.groups), self.status, media_type="application/json")


class Tokens:
    """Gives out the first token until it is asked for another."""

    def __init__(self) -> None:
        self.number = 1
        self.away = False

    async def fetch(self, *, anew: bool = False) -> str:
        if self.away:
            raise UaaError("no UAA")
        self.number += anew
        return f"t-{self.number}"

    async def aclose(self) -> None:
        pass


@dataclasses.dataclass
class World:
    """A Cloud Controller with a Routing API."""

    cc: Any
    server: Server
    tokens: Tokens
    routing: RoutingApi

    def create(self, **fields: Any) -> Any:
        return self.cc("POST", "/v3/routes", self.cc.route_body(self.cc.domain("tcp.cf.localhost"), **fields))

    def refused(self, **fields: Any) -> tuple[int, int, str]:
        answer = self.create(**fields)
        (error,) = answer.json()["errors"]
        return answer.status_code, error["code"], error["detail"]


@pytest.fixture
def world(cc: Any) -> Iterator[World]:
    server, tokens = Server(), Tokens()
    methods = ["GET", "POST", "PUT", "DELETE"]
    app = Starlette(routes=[Route("/routing/{rest:path}", server.answer, methods=methods)])
    stack = contextlib.AsyncExitStack()
    port = cc.runner.run(stack.enter_async_context(daemon.serving(app, "127.0.0.1", 0)))
    platform = cc.platform
    url = f"http://127.0.0.1:{port}"
    routing = RoutingApi(url, None, tokens, platform.database, cc.diego.push, cc.clock, platform.log)
    cc.platform = dataclasses.replace(platform, routing=routing)
    yield World(cc, server, tokens, routing)
    cc.runner.run(routing.aclose())
    cc.runner.run(stack.aclose())


def test_the_ports_of_this_moment_hold(world: World) -> None:
    assert world.refused(port=1024) == (422, 10008, BAD_PORT.format(1024))
    ports = {world.create().json()["port"] for _ in range(4)}
    assert ports == {2000, 2001, 2002, 2010}
    assert world.refused() == (422, 10008, "There are no more ports available for this domain.")
    world.server.groups = [{**SEEN, "reservable_ports": "2000-2011"}]
    assert world.create().json()["port"] in {2003, 2004, 2005, 2006, 2007, 2008, 2009, 2011}


def test_the_domain_follows_its_group_and_diego_hears_of_it(world: World) -> None:
    cc = world.cc
    domain = cc.domain("tcp.cf.localhost")
    assert cc.ok("GET", f"/v3/domains/{domain}")["router_group"] == {"guid": EXPECTED}
    app = cc.started()
    route = cc.ok("POST", "/v3/routes", cc.route_body(domain, port=2001))["guid"]  # the group is learned here
    cc.map(route, app)
    (desired,) = cc.desired(app)
    assert desired["routes"]["tcp-router"] == [{"router_group_guid": "g-1", "external_port": 2001, "container_port": 8080}]
    cc.diego.pushed.clear()
    world.server.groups = [{**SEEN, "guid": "g-3"}]
    cc.runner.run(world.routing.refresh())
    assert cc.diego.pushed == [{app}]
    assert cc.ok("GET", f"/v3/domains/{domain}")["router_group"] == {"guid": "g-3"}
    assert cc.desired(app)[0]["routes"]["tcp-router"][0]["router_group_guid"] == "g-3"
    cc.runner.run(world.routing.refresh())
    assert cc.diego.pushed == [{app}]


def test_a_group_that_is_gone(world: World) -> None:
    world.create(port=2000)
    world.server.groups = [HTTP]
    problem = "Route could not be created because the specified domain does not have a valid router group."
    assert world.refused(port=2001) == (422, 10008, problem)
    body = {"name": "t.test", "router_group": {"guid": "g-1"}}
    assert world.cc.detail("POST", "/v3/domains", body) == "Router group with guid 'g-1' not found."


def test_a_domain_of_an_http_group_has_http_routes(world: World) -> None:
    cc = world.cc
    made = cc.ok("POST", "/v3/domains", {"name": "web.test", "router_group": {"guid": "g-2"}})
    assert (made["supported_protocols"], made["router_group"]) == (["http"], {"guid": "g-2"})
    route = cc.ok("POST", "/v3/routes", cc.route_body(made["guid"], host="a"))
    assert (route["protocol"], route["url"]) == ("http", "a.web.test")
    detail = cc.detail("POST", "/v3/routes", cc.route_body(made["guid"], host="b", port=2000))
    assert detail == "Routes with protocol 'http' do not support ports."


def test_ports_of_a_group_are_shared_by_its_domains(world: World) -> None:
    cc = world.cc
    other = cc.ok("POST", "/v3/domains", {"name": "tcp.test", "router_group": {"guid": "g-1"}})["guid"]
    world.create(port=2000)
    assert cc.detail("POST", "/v3/routes", cc.route_body(other, port=2000)) == BAD_PORT.format(2000)
    assert cc.ok("POST", "/v3/routes", cc.route_body(other, port=2001))["url"] == "tcp.test:2001"


def test_a_token_that_is_not_good_any_more_is_fetched_anew(world: World) -> None:
    world.server.token = "t-2"
    assert world.create().status_code == 201
    world.server.token = "t-9"
    assert world.refused() == (503, 10015, AWAY)


@pytest.mark.parametrize("groups", [{}, [{"guid": 1}], [{**SEEN, "reservable_ports": "many"}]])
def test_an_answer_that_makes_no_sense(world: World, groups: Any) -> None:
    world.server.groups = groups
    assert world.refused() == (503, 10015, AWAY)


def test_whoever_is_away_is_named(world: World) -> None:
    world.server.status = 503
    assert world.refused() == (503, 10015, AWAY)
    world.tokens.away = True
    assert world.refused() == (503, 10015, UAA_AWAY)
    body = {"name": "t.test", "router_group": {"guid": "g-1"}}
    assert world.cc.detail("POST", "/v3/domains", body, status=503) == UAA_AWAY


def test_what_needs_no_ports_goes_on_while_it_is_away(world: World) -> None:
    cc = world.cc
    world.create(port=2000)
    app = cc.app()
    world.server.status = 503
    assert cc.ok("POST", "/v3/routes", cc.route_body(host="web"))["url"] == "web.cf.localhost"
    assert cc.ok("POST", "/v3/domains", {"name": "other.test"})["name"] == "other.test"
    path = f"/v3/spaces/{cc.space}/actions/apply_manifest"

    def apply(route: str) -> Any:
        text = json.dumps({"applications": [{"name": "music", "routes": [{"route": route}]}]})
        return cc("POST", path, content=text, headers={"Content-Type": "application/x-yaml"})

    assert apply("tcp.cf.localhost:2000").status_code == 202
    assert [route["url"] for route in cc.ok("GET", f"/v3/apps/{app}/routes")["resources"]] == ["tcp.cf.localhost:2000"]
    assert apply("tcp.cf.localhost:2001").status_code == 503


def test_a_foundation_without_one(cc: Any) -> None:
    cc.platform = dataclasses.replace(cc.platform, routing=DisabledRoutingApi())
    body = cc.route_body(cc.domain("tcp.cf.localhost"))
    assert cc.detail("POST", "/v3/routes", body, status=503) == "The Routing API is disabled."
    assert cc.detail("GET", "/routing/v1/router_groups", status=503) == "The Routing API is disabled."


def test_requests_below_routing_are_handed_on_as_they_are(world: World) -> None:
    cc = world.cc
    answer = cc("PUT", "/routing/v1/router_groups/g-1?x=1%2C2", {"reservable_ports": "2000-2020"}, headers={"Authorization": ""})
    assert (answer.status_code, answer.json(), answer.headers["x-cf-warnings"]) == (200, {"guid": "g-1"}, "a+b")
    assert answer.headers["content-type"] == "application/json"
    assert "date" not in answer.headers  # our own server says what time it is
    assert world.server.asked == [
        ("PUT", "/routing/v1/router_groups/g-1?x=1%2C2", b'{"reservable_ports":"2000-2020"}'),
        ("GET", "/routing/v1/router_groups?", b""),  # what has changed is known at once
    ]
    refused = cc("GET", "/routing/v1/router_groups")
    assert (refused.status_code, refused.json()["message"]) == (401, "Token is expired")
    events = cc("GET", "/routing/v1/tcp_routes/events")
    assert (events.headers["content-type"], events.text) == ("text/event-stream; charset=utf-8", "id: 0\nevent: Upsert\n\n")


def test_the_groups_that_were_seen_last_are_shown_when_there_is_nobody_to_ask(world: World) -> None:
    cc = world.cc
    live = cc.platform
    cc.runner.run(world.routing.refresh())
    cc.__dict__.pop("_external", None)
    cc.platform = dataclasses.replace(live, routing=NoRoutingApi())
    assert cc.ok("GET", "/routing/v1/router_groups") == [SEEN, HTTP]
    assert world.create().status_code == 201
    assert cc.detail("PUT", "/routing/v1/router_groups/g-1", {}, status=503) == AWAY


def test_the_groups_are_looked_at_again_and_again(world: World) -> None:
    cc = world.cc
    world.server.status = 503

    async def look() -> None:
        work = daemon.spawn(world.routing.run(), name="look")
        for count, step in ((1, 0.0), (2, 0.5), (3, 0.5)):
            cc.clock.advance(step)
            async with asyncio.timeout(30):
                while len(world.server.asked) < count or not cc.clock.waiting:
                    await asyncio.sleep(0)
            world.server.status = 503 if count == 1 else 200
        work.cancel()

    cc.runner.run(look())
    assert cc.log.text.count("router-groups-unknown") == 1
    assert cc.ok("GET", f"/v3/domains/{cc.domain('tcp.cf.localhost')}")["router_group"] == {"guid": "g-1"}
