"""What routes are kept under, and what requests are looked up with (section 3.1)."""

import pytest

from .routing import asked, named, register


@pytest.mark.statement("3.1", "the URI is put in lower case, cut at the first `?`, and loses one trailing and one leading slash")
@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("Key1.TEST/Foo", "key1.test/foo"),
        ("key2.test/a?b=c?d", "key2.test/a"),
        ("key3.test/a//", "key3.test/a/"),
        ("/key4.test", "key4.test"),
        ("//key5.test", "/key5.test"),
        ("key6.test/", "key6.test"),
        ("key7.test/a/?x", "key7.test/a"),
    ],
)
def test_keys(shared_router, backend, uri, key):
    register(shared_router, backend(), uri)
    assert key in shared_router.routes()


@pytest.mark.statement("3.1", "inner empty segments are kept")
def test_empty_segments(shared_router, backend):
    (app,) = named(backend, "double")
    register(shared_router, app, "empty31.test/a//b")
    assert asked(shared_router, "empty31.test", "/a//b") == "double"
    assert asked(shared_router, "empty31.test", "/a/b") == "404"


@pytest.mark.statement("3.1", "nothing else is made canonical: trailing dots of the host, percent escapes and ports stay")
def test_nothing_else_is_made_canonical(shared_router, backend):
    (app,) = named(backend, "app")
    register(shared_router, app, "dot31.test.", "percent31.test/%41")
    assert {"dot31.test.", "percent31.test/%41"} <= set(shared_router.routes())
    assert asked(shared_router, "dot31.test") == "404"
    assert asked(shared_router, "dot31.test.") == "app"
    assert asked(shared_router, "percent31.test", "/A") == "404"
    assert asked(shared_router, "percent31.test", "/%41") == "app"


@pytest.mark.statement("3.1", "a route with a port can never match")
@pytest.mark.parametrize("path", ["", "/p"])
def test_ports(shared_router, backend, path):
    register(shared_router, backend(), f"port31.test:8080{path}")
    assert f"port31.test:8080{path}" in shared_router.routes()
    for host in ("port31.test:8080", "port31.test"):
        assert asked(shared_router, host, path or "/") == "404"


@pytest.mark.statement("3.1", "a request is looked up with Host up to the first colon")
def test_the_port_of_the_request_does_not_count(shared_router, backend):
    (app,) = named(backend, "app")
    register(shared_router, app, "host31.test")
    for host in ("host31.test", "host31.test:80", "HOST31.test:99999"):
        assert asked(shared_router, host) == "app"


@pytest.mark.statement("3.1", "an IPv6 literal is cut at its first colon and cannot match")
def test_ipv6_literals(shared_router, backend):
    register(shared_router, backend(), "[fd00::1]", "[fd00::1]/p")
    assert asked(shared_router, "[fd00::1]") == "404"
    assert asked(shared_router, "[fd00::1]:80", "/p") == "404"


@pytest.mark.statement("3.1", "the path is the escaped one: as sent if that is a valid encoding, otherwise encoded anew")
@pytest.mark.parametrize(
    ("route", "target", "found"),
    [
        ("/a%20b", "/a%20b", True),
        ("/a b", "/a%20b", False),
        ("/q%22", '/q"', True),
        ('/r"', '/r"', False),
        ("/st%2fu", "/st%2Fu", True),
        ("/(1)", "/(1)", True),
        ("/u%281%29", "/u(1)", False),
    ],
)
def test_escaped_paths(shared_router, backend, route, target, found):
    (app,) = named(backend, "app")
    host = f"{len(route)}{found}.escaped31.test"
    register(shared_router, app, f"{host}{route}")
    assert asked(shared_router, host, target) == ("app" if found else "404")
