"""The health listeners (section 10.1) and the listener of routes (10.2)."""

import signal
import ssl
import threading

import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import Router
from .metering import Authority, fetch_secured

ALIVE = "/is-process-alive-do-not-use-for-loadbalancing"
HEADERS = {"Cache-Control": "private, max-age=0", "Expires": "0"}


def ask(router, path, port=None, method="GET", headers=""):
    return router.fetch(f"{method} {path} HTTP/1.0\r\n{headers}\r\n".encode(), port or router.status_port)


@pytest.mark.statement("10.1", "/health and the path for liveness answer 200 `ok` to any method, and are not to be cached")
@pytest.mark.parametrize("path", ["/health", ALIVE])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_healthy(shared_router, path, method):
    answer = ask(shared_router, path, method=method)
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert {name: answer[name] for name in HEADERS} == HEADERS


@pytest.mark.statement("10.1", "other paths are 404")
@pytest.mark.parametrize("path", ["/", "/healthz", "/varz", "/routes", "/health/"])
def test_other_paths(shared_router, path):
    answer = ask(shared_router, path)
    assert (answer.status, answer.body) == (404, b"404 page not found\n")


@pytest.mark.statement("10.1", "the health listeners are there before the start delay, and 503 with an empty body during it")
@pytest.mark.statement("10.1", "with a certificate there is a TLS listener, too")
@pytest.mark.statement("10.1", "503 at once when draining begins, while the process says that it is alive")
def test_starting_and_draining(shared_nats, tmp_path, backend):
    seen = []

    class Watched(Router):
        def health(self):
            status = super().health()
            if status == 503:
                seen.append((ask(self, "/health"), ask(self, ALIVE)))
            return status

    authority = Authority(tmp_path)
    certificate, key = (file.read_text() for file in authority.files("localhost"))
    tls_port = free_port()
    status = {"tls": {"port": tls_port, "certificate": certificate, "key": key}}
    router = Watched(tmp_path, shared_nats, {"status": status, "cfroute": {"start_delay": "1s"}, "drain_wait": "2s"})
    unhealthy, alive = seen[0]
    assert (unhealthy.status, unhealthy.body, alive.status, alive.body) == (503, b"", 200, b"ok\n")
    assert {name: unhealthy[name] for name in HEADERS} == HEADERS
    context = ssl.create_default_context(cadata=authority.pem)
    with router.connect(tls_port) as connection:
        assert fetch_secured(connection, context, b"GET /health HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nok\n")
    router.register("draining.test", backend())
    ending = threading.Thread(target=router.stop, args=(signal.SIGUSR1,))
    ending.start()
    eventually(lambda: router.health() == 503, "an unhealthy router")
    assert ask(router, ALIVE).status == 200
    assert router.get("draining.test").status == 200
    ending.join()
    assert router.process.returncode == 0


@pytest.mark.statement("10.2", "/routes: sorted by route, members of endpoints in upstream's order, empty ones left out")
def test_routes_exactly(start, backend):
    router, app = start(empty_pool_response_code_503=True, empty_pool_timeout="1m"), backend()
    router.register("b.test", app)
    router.register(
        "a.test/path",
        app,
        tags={"component": "Web"},
        isolation_segment="is1",
        private_instance_id="iid",
        availability_zone="z1",
        stale_threshold_in_seconds=20,
        route_service_url="https://rs.test",
        options={"loadbalancing": "least-connection"},
    )
    router.register("gone.test", app)
    router.unregister("gone.test", app)
    eventually(lambda: router.routes()["gone.test"] == [], "an empty pool")
    answer = ask(router, "/routes", router.routes_port, headers="Authorization: Basic dTpw\r\n")
    first = (
        f'{{"address":"127.0.0.1:{app.port}","availability_zone":"z1","protocol":"http1","tls":false,"ttl":20,'
        '"route_service_url":"https://rs.test","tags":{"component":"Web"},"isolation_segment":"is1",'
        '"private_instance_id":"iid","load_balancing_algorithm":"least-connection"}'
    )
    second = f'{{"address":"127.0.0.1:{app.port}","availability_zone":"","protocol":"http1","tls":false,"ttl":120,"tags":null}}'
    assert answer.body.decode() == f'{{"a.test/path":[{first}],"b.test":[{second}],"gone.test":[]}}\n'
    assert (answer.status, answer["Content-Type"], answer["Connection"]) == (200, "application/json", "close")


@pytest.mark.statement("10.2", "without the right user and password: 401, and the browser may ask")
@pytest.mark.parametrize("headers", ["", "Authorization: Basic eDp5\r\n", "Authorization: Bearer x\r\n"])
def test_routes_want_a_password(shared_router, headers):
    answer = ask(shared_router, "/routes", shared_router.routes_port, headers=headers)
    assert (answer.status, answer.body, answer["Www-Authenticate"]) == (401, b"401 Unauthorized\n", "Basic")


@pytest.mark.statement("10.2", "the listener of routes has nothing else")
def test_nothing_but_routes(shared_router):
    answer = ask(shared_router, "/health", shared_router.routes_port, headers="Authorization: Basic dTpw\r\n")
    assert answer.status == 404
