"""What registrations and unregistrations do to a route, and what is logged about them (sections 3.3 to 3.5)."""

import re

import pytest

from .routing import asked, named, register, registry_lines, send, tell, unregister


def addresses(router, route):
    return [endpoint["address"].rpartition(":")[2] for endpoint in router.routes().get(route, [])]


@pytest.mark.statement("3.3", "an endpoint is identified by host:port; the same app on its port and its TLS port is two")
def test_identity(shared_router):
    for fields in ({"port": 1}, {"port": 1, "app": "other"}, {"port": 1, "tls_port": 2}, {"port": 9, "tls_port": 2}):
        send(shared_router, "router.register", {"host": "10.0.0.1", "uris": ["id33.test"], **fields})
    shown = [(endpoint["address"], endpoint["tls"]) for endpoint in shared_router.routes()["id33.test"]]
    assert shown == [("10.0.0.1:1", False), ("10.0.0.1:2", True)]


@pytest.mark.statement("3.3", "the instance id is a second index for sticky sessions, and its last writer has it")
def test_instance_ids(shared_router, backend):
    apps = named(backend, "one", "two", "three")
    for app, instance in zip(apps, ("a", "b", "b"), strict=True):
        register(shared_router, app, "sticky33.test", private_instance_id=instance)
    sticky = [asked(shared_router, "sticky33.test", "/", "Cookie: JSESSIONID=x; __VCAP_ID__=b") for _ in range(4)]
    assert sticky == ["three"] * 4


@pytest.mark.statement("3.3", "a route keeps the context path as it was first written, up to `?` and without a trailing slash")
@pytest.mark.parametrize(
    ("uri", "again", "path"),
    [
        ("Case33.test/Ctx/Sub/?x", "case33.TEST/CTX/SUB", "/Ctx/Sub"),
        ("root33.test", "root33.test", "/"),
        ("slash33.test/", "slash33.test", "/"),
    ],
)
def test_context_paths(shared_router, backend, uri, again, path):
    app = backend(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: JSESSIONID=x\r\n\r\n")
    register(shared_router, app, uri, private_instance_id="i")
    register(shared_router, app, again, private_instance_id="i")
    host, _, _ = uri.partition("/")
    cookies = [value for name, value in shared_router.get(host, path).headers if name == "Set-Cookie"]
    assert cookies[-1] == f"__VCAP_ID__=i; Path={path}; HttpOnly"


@pytest.mark.statement("3.4", "a new address is appended; what differs replaces the endpoint in its place")
@pytest.mark.statement("3.4", "a new availability zone alone changes nothing")
def test_replacing(shared_router):
    for port in (1, 2, 3):
        tell(shared_router, "router.register", port, "put34.test", availability_zone="z1")
    tell(shared_router, "router.register", 2, "put34.test", availability_zone="z2")
    assert addresses(shared_router, "put34.test") == ["1", "2", "3"]
    assert shared_router.routes()["put34.test"][1]["availability_zone"] == "z1"
    tell(shared_router, "router.register", 2, "put34.test", availability_zone="z2", private_instance_id="new")
    assert addresses(shared_router, "put34.test") == ["1", "2", "3"]
    changed = shared_router.routes()["put34.test"][1]
    assert (changed["availability_zone"], changed["private_instance_id"]) == ("z2", "new")


@pytest.mark.statement("3.4", "the route's algorithm is that of the last registration that names a valid one")
def test_algorithms(start, backend):
    router = start()
    apps = named(backend, "one", "two")
    register(router, apps[0], "lb34.test", options={"loadbalancing": "least-connection"})
    register(router, apps[1], "lb34.test")
    register(router, apps[1], "lb34.test", options={"loadbalancing": "magic"})
    invalid = "invalid-endpoint-load-balancing-algorithm-provided-keeping-pool-lb-algo"
    assert router.log(invalid) == [{"endpointLBAlgorithm": "magic", "poolLBAlgorithm": "least-connection"}]
    shown = [endpoint.get("load_balancing_algorithm") for endpoint in router.routes()["lb34.test"]]
    assert shown == ["least-connection", "magic"]


@pytest.mark.statement("3.4", "route-registered and uri-added tell of a new route, endpoint-registered of an endpoint")
@pytest.mark.statement("3.5", "endpoint-unregistered, endpoint-not-unregistered with the message's fields; route-unregistered")
def test_log_lines(start, backend):
    router, app = start(), backend()
    full = {"app": "guid", "private_instance_id": "i", "server_cert_domain_san": "san", "isolation_segment": "is"}
    for fields in (full, full, {}):
        register(router, app, "Log34.test/A", **fields)
    unregister(router, app, "Log34.test/A", app="whoever")
    unregister(router, app, "nothing34.test")
    tell(router, "router.register", 1, "log34.test/a")
    unregister(router, app, "log34.test/a")
    ours = registry_lines(router, "log34")
    assert [(line["message"], line["log_level"]) for line in ours] == [
        ("route-registered", 1),
        ("uri-added", 0),
        ("endpoint-registered", 1),
        ("endpoint-registered", 0),
        ("endpoint-registered", 0),
        ("endpoint-unregistered", 1),
        ("route-unregistered", 1),
        ("route-registered", 1),
        ("uri-added", 0),
        ("endpoint-registered", 1),
        ("endpoint-not-unregistered", 1),
    ]
    assert ours[0]["data"] == ours[6]["data"] == {"uri": "log34.test/a"}
    assert ours[2]["data"] == {
        "uri": "Log34.test/A",
        "route_service_url": "",
        "backend": f"127.0.0.1:{app.port}",
        "application_id": "guid",
        "instance_id": "i",
        "server_cert_domain_san": "san",
        "protocol": "http1",
        "modification_tag": {"guid": "", "index": 0},
        "isolation_segment": "is",
        "isTLS": False,
    }
    gone = ours[5]["data"]
    assert (gone["uri"], gone["application_id"], gone["instance_id"]) == ("log34.test/a", "whoever", "")


@pytest.mark.statement("3.5", "unregistering needs the address only, and keeps the order of the rest")
def test_unregistering(shared_router):
    for port in (1, 2, 3, 4):
        tell(shared_router, "router.register", port, "order35.test", app="a", private_instance_id=f"i{port}")
    tell(shared_router, "router.unregister", 2, "ORDER35.test/", app="b")
    assert addresses(shared_router, "order35.test") == ["1", "3", "4"]


@pytest.mark.statement("3.5", "after the last endpoint the route is unknown")
def test_the_last_one(shared_router, backend):
    (app,) = named(backend, "app")
    register(shared_router, app, "last35.test")
    unregister(shared_router, app, "last35.test")
    answer = shared_router.get("last35.test")
    assert (answer.status, answer["X-Cf-Routererror"]) == (404, "unknown_route")
    assert re.match(r"404 Not Found: Requested route \('last35.test'\) does not exist", answer.body.decode())
