"""How the pool for a request is found."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cfroute.gorouter.routing_table import route_key
from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.routing_table.routes import Routes


def routes_of(*uris: str, empty: tuple[str, ...] = ()) -> Routes:
    routes = Routes()
    for uri in (*uris, *empty):
        pool = Pool(route_key.key(uri), uri)
        if uri not in empty:
            pool.put(Endpoint(host="h", port=1), 0.0)
        routes.add(pool)
    return routes


def found(routes: Routes, host: str, path: str = "/") -> str | None:
    pool = routes.lookup(host, path)
    return pool.uri if pool else None


def test_hosts_are_matched_in_any_case_and_without_the_port() -> None:
    routes = routes_of("A.test")
    assert found(routes, "a.test") == found(routes, "A.TEST:99", "/x/y") == "a.test"
    assert found(routes, "b.test") is None


def test_a_route_with_a_port_is_never_matched() -> None:
    routes = routes_of("a.test:80", "b.test:80/x")
    assert found(routes, "a.test:80") is found(routes, "b.test:80", "/x") is None


def test_the_longest_prefix_of_whole_segments() -> None:
    routes = routes_of("a.test", "a.test/Foo", "a.test/foo/bar/baz")
    assert found(routes, "a.test", "/fOO/bar") == "a.test/foo"
    assert found(routes, "a.test", "/foo/bar/baz/x") == "a.test/foo/bar/baz"
    assert found(routes, "a.test", "/foobar") == "a.test"


def test_encodings_and_empty_segments_are_kept() -> None:
    routes = routes_of("h.test/a%20b", "g.test/a//b")
    assert found(routes, "h.test", "/a%20b") == "h.test/a%20b"
    assert found(routes, "g.test", "/a/b") is None
    assert found(routes, "g.test", "/a//b/") == "g.test/a//b"


def test_the_most_specific_wildcard() -> None:
    routes = routes_of("*.w.test", "*.b.w.test", "*.test")
    assert found(routes, "a.w.test", "/p") == "*.w.test"
    assert found(routes, "x.b.w.test") == "*.b.w.test"
    assert found(routes, "a.c.w.test") == "*.w.test"
    assert found(routes, "w.test") == "*.test"


def test_an_exact_host_without_a_route_for_the_path_falls_through_to_the_wildcard() -> None:
    routes = routes_of("*.w.test", "a.w.test/only")
    assert found(routes, "a.w.test", "/only/x") == "a.w.test/only"
    assert found(routes, "a.w.test", "/other") == "*.w.test"


def test_the_path_of_a_wildcard_route() -> None:
    routes = routes_of("*.w.test/api")
    assert found(routes, "a.w.test", "/api/v1") == "*.w.test/api"
    assert found(routes, "a.w.test", "/") is None


def test_dots_of_the_path_take_part_in_wildcards() -> None:
    assert found(routes_of("*.html"), "nope.net", "/x.html") == "*.html"


def test_a_bare_star_matches_nothing() -> None:
    assert found(routes_of("*"), "a.test") is None


def test_empty_pools() -> None:
    routes = routes_of("a.test", "*.w.test", empty=("a.test/x", "b.test", "c.w.test"))
    assert found(routes, "a.test", "/x/y") == "a.test"
    assert found(routes, "b.test", "/deep/er") == "b.test"
    # The exact route is met first, so its emptiness is what the client hears of, wildcard or not.
    assert found(routes, "c.w.test") == "c.w.test"


def test_an_empty_pool_above_the_deepest_node_is_not_found() -> None:
    routes = routes_of("a.test/x/y", empty=("a.test/x",))
    assert found(routes, "a.test", "/x") == "a.test/x"
    assert found(routes, "a.test", "/x/z") == "a.test/x"
    routes = routes_of("a.test/x/y/z", empty=("a.test/x",))
    assert found(routes, "a.test", "/x/y") is None


def test_removing_forgets_what_only_led_there() -> None:
    routes = routes_of("a.test", "a.test/x/y/z", "b.test/p")
    for uri in ("a.test/x/y/z", "b.test/p"):
        pool = routes.get(uri)
        assert pool is not None
        routes.remove(pool)
    assert found(routes, "a.test", "/x/y/z") == "a.test"
    assert found(routes, "b.test", "/p") is None
    assert [pool.uri for pool in routes] == ["a.test"]
    assert len(routes) == 1


def test_thousands_of_segments() -> None:
    uri = "a.test" + "/x" * 5000
    routes = routes_of(uri)
    assert found(routes, "a.test", "/x" * 5000) == uri
    pool = routes.get(uri)
    assert pool is not None
    routes.remove(pool)
    assert len(routes) == 0


def naive_lookup(pools: dict[str, Pool], host: str, path: str) -> str | None:
    """The rules in the words of the specification, with a set of keys instead of a tree."""
    key: str | None = route_key.request_key(host, path)
    while key is not None:
        prefixes = ["/".join(key.split("/")[:n]) for n in range(len(key.split("/")), 0, -1)]
        for prefix in prefixes:
            if prefix in pools and pools[prefix].endpoints:
                return prefix
        for prefix in prefixes:
            if any(known == prefix or known.startswith(prefix + "/") for known in pools):
                if prefix in pools:
                    return prefix
                break
        key = route_key.next_wildcard(key)
    return None


_HOSTS = st.sampled_from(["a.b", "b", "*.b", "*", "a.b:80", "c.a.b", "*.a.b", ""])
_PATHS = st.sampled_from(["", "/", "/x", "/x/y", "/X/y/z", "//", "/x//y", "/x.b", "/x/", "/x?q"])
_URIS = st.builds(str.__add__, _HOSTS, _PATHS)


@settings(max_examples=300)
@given(st.lists(st.tuples(_URIS, st.booleans()), max_size=8), st.data())
def test_against_a_naive_model(registered: list[tuple[str, bool]], data: st.DataObject) -> None:
    routes, pools = Routes(), dict[str, Pool]()
    for uri, filled in registered:
        key = route_key.key(uri)
        if key in pools:
            continue
        pools[key] = Pool(key, uri)
        if filled:
            pools[key].put(Endpoint(host="h", port=1), 0.0)
        routes.add(pools[key])
    for key in data.draw(st.lists(st.sampled_from(sorted(pools)), unique=True)) if pools else []:
        routes.remove(pools.pop(key))
    for host in ("a.b", "A.b:80", "b", "c.a.b", "x.a.b", "z", "*.b"):
        for path in ("/", "/x", "/x/y", "/x/y/z/w", "//", "/x.b", "/x//y/", "/q/r.s.b"):
            assert found(routes, host, path) == naive_lookup(pools, host, path), (host, path)
