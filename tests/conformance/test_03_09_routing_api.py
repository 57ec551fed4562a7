"""The Routing API as a second source of routes (3.9)."""

import pytest

from ..gorouter.routing_servers import RoutingServers, route
from ..waiting import eventually
from .launches import ports, run_file


@pytest.fixture
def servers(tmp_path):
    servers = RoutingServers(tmp_path)
    yield servers
    servers.close()


@pytest.mark.statement("3.9", "With a token of the UAA all routes are fetched, and again every half of the prune interval")
@pytest.mark.statement("3.9", "The event stream is followed: Upsert registers, Delete unregisters, and it is subscribed to again")
@pytest.mark.statement("3.9", "What was in the last full answer and is not in the present one is removed")
@pytest.mark.statement("3.9", "The application id is log_guid, and the lines of the log are route-fetcher's")
def test_routes_and_events(start, servers, backend):
    one = backend()
    servers.routes = [route("fetched.test", one.port), route("leaving.test", one.port)]
    router = start(prune_stale_droplets_interval="400ms", **servers.settings())
    answer = router.get("fetched.test")
    assert answer.status == 200
    assert b"\r\nX-Cf-Applicationid: app-fetched.test\r\n" in one.seen[-1]

    eventually(lambda: servers.subscribers, "a subscription")
    servers.event("Upsert", route("event.test", one.port))
    eventually(lambda: "event.test" in router.routes(), "the route of the event")
    servers.event("Delete", route("event.test", one.port))
    eventually(lambda: "event.test" not in router.routes(), "the end of the route")

    servers.routes = [route("fetched.test", one.port, 1)]
    eventually(lambda: "leaving.test" not in router.routes(), "the end of the other route")
    assert "fetched.test" in router.routes()
    servers.end_streams()
    eventually(lambda: len(router.log("Successfully-subscribed-to-routing-api-event-stream")) == 2, "another subscription")
    assert router.log("failed-getting-next-event: ") == [{"error": "EOF"}]
    assert '"source":"gorouter.stdout.route-fetcher"' in router.output.read_text()
    assert servers.credentials == "gorouter:a%2Bb"
    assert "a+b" not in router.output.read_text()
    assert router.stop() == 0


@pytest.mark.statement("3.9", "A router that gets no token, or no routes, does not start")
def test_a_router_that_gets_no_token(servers, tmp_path):
    servers.token_answers = [(401, b'{"error":"unauthorized","error_description":"Bad credentials"}')]
    ending = run_file(tmp_path, {**ports(), **servers.settings()})
    assert (ending.status, ending.lines[-1]["message"]) == (1, "unable-to-fetch-token")
    assert ending.error == 'oauth2: "unauthorized" "Bad credentials"'
    settings = servers.settings()
    settings["routing_api"]["port"] = ports()["port"]
    ending = run_file(tmp_path, {**ports(), **settings})
    assert (ending.status, ending.lines[-1]["message"]) == (1, "routing-api-connection-failed")


@pytest.mark.statement("1.2", "oauth.ca_certs may name a file that is not there while the Routing API is not configured")
def test_authorities_that_nobody_needs(start):
    assert start(oauth={"ca_certs": "/nowhere/ca.pem", "port": 8443}).stop() == 0
