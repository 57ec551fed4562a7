"""Which endpoint gets a request (sections 5.1 to 5.3)."""

import socket
import threading
from collections import Counter

import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import OK, read_request
from .routing import asked, named, register, tell

NAMES = ("one", "two", "three")


def in_turn(answers):
    """Whether these answers are one round after the other."""
    return all(answers[at] == answers[at - len(NAMES)] for at in range(len(NAMES), len(answers)))


@pytest.mark.statement("5.1", "each request takes the next endpoint, in order of registration")
def test_round_robin(shared_router, backend):
    for app in named(backend, *NAMES):
        register(shared_router, app, "rr51.test")
    answers = [asked(shared_router, "rr51.test") for _ in range(9)]
    assert in_turn(answers)
    start = NAMES.index(answers[0])
    assert answers[:3] == [*NAMES[start:], *NAMES[:start]]


@pytest.fixture(scope="module")
def single(module_routers):
    """A router that makes one attempt."""
    return module_routers.start(backends={"max_attempts": 1})


@pytest.fixture(scope="module")
def zoned(module_routers):
    """A router in the zone z1, which prefers endpoints in its zone."""
    return module_routers.start(zone="z1", balancing_algorithm_az_preference="locally-optimistic", backends={"max_attempts": 2})


def about(router, message, port):
    """The log lines with that message that are about an endpoint's port."""
    return [data for data in router.log(message) if data["route-endpoint"]["Addr"].endswith(f":{port}")]


@pytest.mark.statement("5.1", "retries go on from the following position, and do not move the next request's start")
def test_retries(start, backend):
    router = start(backends={"max_attempts": 3})
    tell(router, "router.register", free_port(), "retry51.test")
    for app in named(backend, "two", "three"):
        register(router, app, "retry51.test")
    answers = [asked(router, "retry51.test") for _ in range(6)]
    failed = len(router.log("backend-endpoint-failed"))
    assert failed == 1
    assert Counter(answers) == {"two": 4, "three": 2}


@pytest.mark.statement("5.4", "a kept connection that turns out to be dead is replaced silently, if the request may be repeated")
@pytest.mark.statement("5.4", "a request with a body on such a connection is a 502, EOF")
def test_dead_kept_connections(shared_router, backend):
    def once(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK)
        read_request(connection)  # has no answer

    shared_router.register("once54.test", app := backend(once))
    assert [shared_router.get("once54.test").status for _ in range(4)] == [200] * 4
    assert about(shared_router, "backend-endpoint-failed", app.port) == []
    answer = shared_router.get("once54.test", "/", "Content-Length: 2", method="POST", body=b"hi")
    assert (answer.status, answer["X-Cf-Routererror"]) == (502, "endpoint_failure (EOF)")


@pytest.mark.statement("5.1", "when all endpoints are marked all marks are taken back")
def test_marks_are_taken_back(single):
    dead = [free_port(), free_port()]
    for port in dead:
        tell(single, "router.register", port, "all51.test")
    for _ in range(3):
        assert asked(single, "all51.test") == "502"
    for message in ("backend-endpoint-failed", "endpoint-marked-as-ineligible"):
        assert sum(len(about(single, message, port)) for port in dead) == 3


@pytest.mark.statement("5.3", "a mark lasts a quarter of droplet_stale_threshold")
@pytest.mark.statement("12", "An endpoint that failed is chosen again after a quarter of droplet_stale_threshold")
def test_marks_end(start, backend):
    router = start(droplet_stale_threshold="6s", start_response_delay_interval="0s", backends={"max_attempts": 2})
    reserved = socket.socket()
    reserved.bind(("127.0.0.1", 0))  # nobody listens there yet
    tell(router, "router.register", reserved.getsockname()[1], "end53.test")
    (alive,) = named(backend, "alive")
    register(router, alive, "end53.test")
    for _ in range(4):
        assert asked(router, "end53.test") == "alive"
    assert len(router.log("backend-endpoint-failed")) == 1
    eventually(lambda: asked(router, "end53.test") == "alive" and len(router.log("backend-endpoint-failed")) > 1, "another try")
    first, second = (line["timestamp"] for line in router.lines("backend-endpoint-failed"))
    assert 1.5 <= second - first < 6
    reserved.close()


@pytest.mark.statement("5.2", "the endpoint with the fewest requests that wait for headers gets the next one")
def test_least_connection(shared_router, backend):
    router, options = shared_router, {"loadbalancing": "least-connection"}
    arrived, released = threading.Semaphore(0), threading.Event()

    def hold(connection: socket.socket) -> None:
        connection.recv(65536)
        arrived.release()
        released.wait(30)

    held = backend(hold)
    (free,) = named(backend, "free")
    register(router, held, "lc52.test", options=options)
    with router.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: lc52.test\r\n\r\n")
        assert arrived.acquire(timeout=30)
        register(router, free, "lc52.test", options=options)
        assert [asked(router, "lc52.test") for _ in range(6)] == ["free"] * 6
        released.set()


@pytest.mark.statement("5.2", "failed marks are ignored by least connection")
def test_least_connection_and_marks(single, backend):
    router, options = single, {"loadbalancing": "least-connection"}
    tell(router, "router.register", free_port(), "mark52.test", options=options)
    for _ in range(3):
        assert asked(router, "mark52.test") == "502"
    (alive,) = named(backend, "alive")
    register(router, alive, "mark52.test", options=options)
    eventually(lambda: {asked(router, "mark52.test") for _ in range(10)} == {"alive", "502"}, "both of them")


@pytest.mark.statement("5.3", "locally-optimistic: the first attempt prefers the router's zone, further ones do not")
@pytest.mark.parametrize("algorithm", ["round-robin", "least-connection"])
def test_zones(zoned, backend, algorithm):
    router, host, options = zoned, f"{algorithm}.zone53.test", {"loadbalancing": algorithm}
    near, far = named(backend, "near", "far")
    register(router, near, host, availability_zone="z1", options=options)
    register(router, far, host, availability_zone="z2", options=options)
    assert {asked(router, host) for _ in range(6)} == {"near"}
    register(router, far, f"elsewhere.{host}", availability_zone="z2", options=options)
    assert asked(router, f"elsewhere.{host}") == "far"
    near.close()
    assert asked(router, host) in ({"far"} if algorithm == "round-robin" else {"far", "502"})


@pytest.mark.statement("5.3", "two empty zones are the same one")
def test_empty_zones(start, backend):
    router = start(balancing_algorithm_az_preference="locally-optimistic")
    none, other = named(backend, "none", "other")
    register(router, none, "empty53.test")
    register(router, other, "empty53.test", availability_zone="z2")
    assert {asked(router, "empty53.test") for _ in range(4)} == {"none"}


@pytest.mark.statement("5.3", "shares of local endpoints are uneven, because the start also steps over the others")
def test_uneven_shares(zoned, backend):
    router = zoned
    first, second, far = named(backend, "first", "second", "far")
    register(router, first, "uneven53.test", availability_zone="z1")
    register(router, second, "uneven53.test", availability_zone="z1")
    for port in (far.port, free_port(), free_port()):
        tell(router, "router.register", port, "uneven53.test", availability_zone="z2")
    shares = Counter(asked(router, "uneven53.test") for _ in range(20))
    assert shares == {"first": 16, "second": 4}


@pytest.mark.statement("5.3", "without a local endpoint every request clears all marks")
def test_without_a_local_endpoint(zoned, backend):
    router, dead = zoned, free_port()
    tell(router, "router.register", dead, "clear53.test", availability_zone="z2")
    (alive,) = named(backend, "alive")
    register(router, alive, "clear53.test", availability_zone="z2")
    assert [asked(router, "clear53.test") for _ in range(4)] == ["alive"] * 4
    assert len(about(router, "backend-endpoint-failed", dead)) == 2


@pytest.mark.statement("5.3", "a TLS endpoint that fails is removed at once, and comes back with its next registration")
def test_failing_tls_endpoints(shared_router):
    router, port = shared_router, free_port()
    tell(router, "router.register", 0, "tls53.test", tls_port=port)
    answer = router.get("tls53.test")
    assert answer["X-Cf-Routererror"].startswith("endpoint_failure")
    assert len(about(router, "prune-failed-endpoint", port)) == 1
    assert asked(router, "tls53.test") == "404"
    tell(router, "router.register", 0, "tls53.test", tls_port=port)
    assert asked(router, "tls53.test") == "502"
