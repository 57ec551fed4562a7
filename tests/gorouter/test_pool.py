"""The endpoints of a route, and which of them a request goes to."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.routing_table.endpoint import Endpoint, ModificationTag
from cfroute.gorouter.routing_table.pool import ADDED, HASH, LEAST_CONNECTION, REFRESHED, ROUND_ROBIN, UNMODIFIED, UPDATED, Pool
from cfroute.gorouter.routing_table.route_options import RouteOptions

Make = Callable[..., Endpoint]


def pool_of(*endpoints: Endpoint, load_balancing: str = "round-robin") -> Pool:
    pool = Pool("a.test", "a.test", load_balancing=load_balancing)
    for endpoint in endpoints:
        pool.put(endpoint, 0.0)
    return pool


class TestPut:
    def test_new_refreshed_replaced_outdated(self, endpoint: Make) -> None:
        pool = pool_of()
        assert pool.put(endpoint(1, modification_tag=ModificationTag("g", 1)), 1.0) == ADDED
        assert pool.put(endpoint(1, modification_tag=ModificationTag("g", 1)), 2.0) == REFRESHED
        assert pool.put(endpoint(1, modification_tag=ModificationTag("g", 2), app="new"), 3.0) == UPDATED
        assert pool.put(endpoint(1, modification_tag=ModificationTag("g", 1), app="old"), 4.0) == UNMODIFIED
        (known,) = pool.endpoints
        assert (known.app, known.refreshed, pool.updated) == ("new", 3.0, 3.0)

    def test_an_equal_registration_keeps_the_endpoint_and_its_counts(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1, availability_zone="z1"))
        first.connections = 3
        pool.put(endpoint(1, availability_zone="z2"), 5.0)
        assert pool.endpoints == (first,)
        assert (first.connections, first.refreshed, first.availability_zone) == (3, 5.0, "z1")

    def test_a_replaced_endpoint_counts_anew_and_keeps_its_idle_connections_if_the_name_is_the_same(self, endpoint: Make) -> None:
        pool = pool_of(old := endpoint(1, san="s"), endpoint(2))
        old.connections, old.backend.transport = 3, "idle"
        pool.put(endpoint(1, san="s", app="b"), 1.0)
        new = pool.endpoints[0]
        assert (new.app, new.connections, new.backend.transport) == ("b", 0, "idle")
        pool.put(endpoint(1, san="other"), 2.0)
        assert pool.endpoints[0].backend.transport is None
        assert [e.port for e in pool.endpoints] == [1, 2]

    def test_idle_connections_without_tls_are_of_no_use_with_it(self, endpoint: Make) -> None:
        pool = pool_of(old := endpoint(1))
        old.backend.transport = "idle"
        pool.put(endpoint(1, tls=True), 1.0)
        assert pool.endpoints[0].backend.transport is None

    def test_the_same_host_and_port_with_and_without_tls_is_one_endpoint(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1), endpoint(1, tls=True))
        assert [e.tls for e in pool.endpoints] == [True]

    def test_the_route_service_of_the_last_registration_counts(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, route_service_url="https://rs"), endpoint(2))
        assert pool.route_service_url == ""
        pool.put(endpoint(1, route_service_url="https://rs"), 1.0)
        assert pool.route_service_url == "https://rs"

    def test_in_a_second_pool_it_is_refreshed_on_its_own(self, endpoint: Make) -> None:
        shared = endpoint(1)
        first, second = pool_of(shared), pool_of(shared)
        second.put(endpoint(1), 200.0)
        assert first.prune(200.0)
        assert not second.prune(200.0)
        assert second.endpoints[0].backend is shared.backend


class TestBalance:
    def test_options_set_the_algorithm(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1))
        pool.balance(RouteOptions(LEAST_CONNECTION))
        assert (pool.load_balancing, pool.hashing) == (LEAST_CONNECTION, None)
        pool.balance(RouteOptions(HASH, "x-tenant", 1.25))
        hashing = pool.hashing
        assert hashing is not None
        assert (pool.load_balancing, hashing.header, hashing.balance) == (HASH, b"X-Tenant", 1.25)
        pool.balance(RouteOptions(HASH, "X-TENANT", 1.25))
        assert pool.hashing is hashing
        pool.balance(RouteOptions(HASH, "X-Tenant", 2.0))
        assert pool.hashing is not hashing
        pool.balance(RouteOptions(ROUND_ROBIN))
        assert pool.hashing is None

    def test_a_pool_of_some_of_its_endpoints(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port, instance_id=f"i{port}", route_service_url="https://rs") for port in (1, 2, 3)))
        pool.balance(RouteOptions(HASH, "X-Tenant", 1.25))
        some = pool.only(pool.endpoints[1:])
        assert [e.port for e in some.endpoints] == [2, 3]
        assert some.find("i2") is pool.find("i2")
        assert some.find("i1") is None
        assert some.hashing is not None
        assert (some.load_balancing, some.hashing.header, some.route_service_url) == (HASH, b"X-Tenant", "https://rs")


class TestFind:
    def test_by_instance_id_and_by_address(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1, instance_id="i1"), endpoint(2, instance_id="i2"))
        assert pool.find("i1") is pool.find("10.0.0.1:1") is first
        assert pool.find("i3") is None

    def test_whether_there_is_one_endpoint_or_several(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1, instance_id="i1"))
        assert pool.find("i1") is pool.find("10.0.0.1:1") is first
        pool.put(second := endpoint(2, instance_id="i2"), 0.0)
        assert (pool.find("i1"), pool.find("10.0.0.1:2"), pool.find("i2")) == (first, second, second)
        pool.remove(first, 0.0)
        assert (pool.find("i1"), pool.find("10.0.0.1:1"), pool.find("i2")) == (None, None, second)
        pool.remove(second, 0.0)
        assert pool.find("i2") is None

    def test_the_last_writer_of_an_instance_id_wins(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, instance_id="i"), last := endpoint(2, instance_id="i"))
        assert pool.find("i") is last

    def test_a_changed_instance_id(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, instance_id="old"))
        pool.put(endpoint(1, instance_id="new"), 1.0)
        assert pool.find("old") is None
        assert pool.find("new") is pool.endpoints[0]


class TestRemove:
    def test_only_the_address_has_to_match_and_the_order_stays(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port, app="x", instance_id=str(port)) for port in (1, 2, 3)))
        assert pool.remove(endpoint(1), 9.0)
        assert not pool.remove(endpoint(1), 10.0)
        assert [e.port for e in pool.endpoints] == [2, 3]
        assert pool.updated == 9.0
        assert pool.find("1") is None

    @pytest.mark.parametrize(("index", "removed"), [(4, False), (5, True), (6, True)])
    def test_an_older_tag_does_not_remove(self, endpoint: Make, index: int, removed: bool) -> None:
        pool = pool_of(endpoint(1, modification_tag=ModificationTag("g", 5)))
        assert pool.remove(endpoint(1, modification_tag=ModificationTag("g", index)), 0.0) is removed

    def test_discard(self, endpoint: Make) -> None:
        pool = pool_of(gone := endpoint(1, tls=True))
        assert pool.discard(gone, 1.0)
        assert not pool.discard(gone, 1.0)
        assert pool.is_empty


class TestPrune:
    def test_stale_plain_endpoints_go_tls_endpoints_stay(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, ttl=10.0), endpoint(2, ttl=100.0), endpoint(3, ttl=10.0, tls=True))
        assert pool.prune(10.0) == []
        assert [e.port for e in pool.prune(10.1)] == [1]
        assert [e.port for e in pool.endpoints] == [2, 3]

    def test_a_negative_time_to_live_ends_at_the_next_cycle(self, endpoint: Make) -> None:
        assert pool_of(endpoint(1, ttl=-1.0)).prune(0.0)

    def test_freshen(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, ttl=10.0))
        pool.freshen(50.0)
        assert pool.prune(55.0) == []


class TestOverload:
    def test_only_when_every_endpoint_is_at_the_limit(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1), second := endpoint(2))
        first.connections = 2
        assert not pool.is_overloaded(2)
        second.connections = 2
        assert pool.is_overloaded(2)
        assert not pool.is_overloaded(3)
        assert not pool.is_overloaded(0)
        assert not pool_of().is_overloaded(1)


class TestPick:
    def test_pick_walks_in_order_of_registration(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port) for port in (1, 2, 3)))
        assert [e.port for _ in range(4) if (e := pool.pick())] == [1, 2, 3, 1]

    def test_pick_leaves_everything_else_to_a_selection(self, endpoint: Make) -> None:
        assert pool_of().pick() is None
        assert pool_of(endpoint(1), load_balancing=LEAST_CONNECTION).pick() is None
        pool = pool_of(first := endpoint(1))
        pool.mark_failed(first, 0.0)
        assert pool.pick() is None

    @given(st.integers(1, 8), st.integers(0, 1000), st.integers(1, 50))
    def test_every_endpoint_gets_its_share(self, size: int, start: int, requests: int) -> None:
        pool = Pool("a", "a", start=start)
        for port in range(size):
            pool.put(Endpoint(host="h", port=port), 0.0)
        counts = Counter(e.port for _ in range(requests) if (e := pool.pick()))
        assert max(counts.values()) - min(counts[port] for port in range(size)) <= 1
