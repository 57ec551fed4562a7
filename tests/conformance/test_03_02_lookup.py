"""How the route for a request is found (section 3.2)."""

import pytest

from .routing import asked, named, register, unregister


@pytest.mark.statement("3.2", "the longest prefix of whole path segments wins, in any case; the query does not count")
def test_prefixes(shared_router, backend):
    root, foo, deep = named(backend, "root", "foo", "deep")
    register(shared_router, root, "p32.test")
    register(shared_router, foo, "p32.test/Foo")
    register(shared_router, deep, "p32.test/foo/bar/baz")
    targets = {
        "/": "root",
        "/foo": "foo",
        "/FOO/x": "foo",
        "/foo/bar": "foo",
        "/foo/bar/baz/y": "deep",
        "/foobar": "root",
        "/?/foo": "root",
        "/foo?/bar/baz": "foo",
    }
    assert {target: asked(shared_router, "P32.test", target) for target in targets} == targets


@pytest.mark.statement("3.2", "an exact host without a route at or above the path falls through to the wildcard with that path")
def test_falling_through(shared_router, backend):
    wildcard, only, below = named(backend, "wildcard", "only", "below")
    register(shared_router, wildcard, "*.f32.test")
    register(shared_router, below, "*.f32.test/other/deep")
    register(shared_router, only, "a.f32.test/only")
    assert asked(shared_router, "a.f32.test", "/only/x") == "only"
    assert asked(shared_router, "a.f32.test", "/other") == "wildcard"
    assert asked(shared_router, "a.f32.test", "/other/deep/x") == "below"


@pytest.mark.statement("3.2", "a wildcard matches one label or more, not none; the most specific one wins")
def test_wildcards(shared_router, backend):
    wide, narrow = named(backend, "wide", "narrow")
    register(shared_router, wide, "*.w32.test")
    register(shared_router, narrow, "*.b.w32.test")
    hosts = {"a.w32.test": "wide", "a.c.w32.test": "wide", "x.b.w32.test": "narrow", "b.w32.test": "wide", "w32.test": "404"}
    assert {host: asked(shared_router, host) for host in hosts} == hosts


@pytest.mark.statement("3.2", "the wildcard step works on the path's dots, too: `*.html` is found by any path that ends so")
def test_dots_in_the_path(shared_router, backend):
    html, deep = named(backend, "html", "deep")
    register(shared_router, html, "*.html32")
    register(shared_router, deep, "*.html32/x")
    assert asked(shared_router, "nope32", "/page.html32") == "html"
    assert asked(shared_router, "nope32.net", "/a.b/page.html32/x") == "deep"


@pytest.mark.statement("3.2", "a bare `*` is matched by nothing")
def test_a_bare_star(start, backend):
    router = start()
    register(router, backend(), "*")
    assert "*" in router.routes()
    for host in ("a.star32.test", "star32"):
        assert asked(router, host, "/x.y") == "404"


@pytest.mark.statement("3.2", "a path route that is empty falls back to the path above it")
@pytest.mark.statement("3.2", "without a route that has endpoints, the empty one is found that the path itself leads to")
def test_empty_routes(start, backend):
    router = start(empty_pool_response_code_503=True, empty_pool_timeout="1m")
    root, path, wildcard = named(backend, "root", "path", "wildcard")
    register(router, root, "e32.test")
    register(router, path, "e32.test/p", "only.e32.test/p")
    register(router, wildcard, "*.e32.test")
    unregister(router, path, "e32.test/p", "only.e32.test/p")
    assert asked(router, "e32.test", "/p/x") == "root"
    assert asked(router, "only.e32.test", "/p") == "503"
    assert asked(router, "only.e32.test", "/p/x") == "503"
    assert asked(router, "only.e32.test", "/q") == "wildcard"
    unregister(router, root, "e32.test")
    assert asked(router, "e32.test", "/p/x") == "503"
