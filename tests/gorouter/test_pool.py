"""The endpoints of a route, and which of them a request goes to."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.endpoint import Endpoint, ModificationTag
from cfroute.gorouter.pool import ADDED, LEAST_CONNECTION, REFRESHED, UNMODIFIED, UPDATED, Pool
from cfroute.gorouter.selection import Selection

Make = Callable[..., Endpoint]


def pool_of(*endpoints: Endpoint, load_balancing: str = "round-robin") -> Pool:
    pool = Pool("a.test", "a.test", load_balancing=load_balancing)
    for endpoint in endpoints:
        pool.put(endpoint, 0.0)
    return pool


def picks(pool: Pool, count: int, **wishes: object) -> list[int]:
    """The ports that so many requests go to, one attempt each."""
    chosen = (Selection(pool, now=0.0, rng=Random(1), **wishes).next(0.0, 1) for _ in range(count))
    return [endpoint.port if endpoint else 0 for endpoint in chosen]


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


class TestFind:
    def test_by_instance_id_and_by_address(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1, instance_id="i1"), endpoint(2, instance_id="i2"))
        assert pool.find("i1") is pool.find("10.0.0.1:1") is first
        assert pool.find("i3") is None

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


class TestRoundRobin:
    def test_pick_walks_in_order_of_registration(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port) for port in (1, 2, 3)))
        assert [e.port for _ in range(4) if (e := pool.pick())] == [1, 2, 3, 1]

    def test_the_start_is_given_from_outside(self, endpoint: Make) -> None:
        pool = Pool("a", "a", start=5)
        pool.put(endpoint(1), 0.0)
        pool.put(endpoint(2), 0.0)
        assert picks(pool, 2) == [2, 1]

    def test_pick_leaves_everything_else_to_a_selection(self, endpoint: Make) -> None:
        assert pool_of().pick() is None
        assert pool_of(endpoint(1), load_balancing=LEAST_CONNECTION).pick() is None
        pool = pool_of(first := endpoint(1))
        pool.mark_failed(first, 0.0)
        assert pool.pick() is None

    def test_a_shrunk_pool_starts_over(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1), endpoint(2), endpoint(3))
        assert picks(pool, 2) == [1, 2]
        pool.remove(endpoint(3), 0.0)
        pool.remove(endpoint(2), 0.0)
        assert picks(pool, 2) == [1, 1]

    def test_attempts_of_one_request_go_on_from_where_it_started(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port) for port in (1, 2, 3)))
        one = Selection(pool, now=0.0, rng=Random(1))
        assert [e.port for attempt in (1, 2, 3, 4) if (e := one.next(0.0, attempt))] == [1, 2, 3, 1]
        assert picks(pool, 1) == [2]

    def test_a_selection_goes_on_after_what_pick_gave(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port) for port in (1, 2, 3)))
        first = pool.pick()
        again = Selection(pool, now=0.0, rng=Random(1), after=first).next(0.0, 2)
        assert again is not None
        assert again.port == 2
        assert picks(pool, 1) == [2]

    def test_marked_endpoints_are_skipped_for_the_cool_down(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1), endpoint(2))
        assert pool.mark_failed(first, 100.0)
        assert {e.port for _ in range(4) if (e := Selection(pool, now=130.0, rng=Random(1)).next(130.0, 1))} == {2}
        assert {e.port for _ in range(4) if (e := Selection(pool, now=130.1, rng=Random(1)).next(130.1, 1))} == {1, 2}
        assert not pool.failed

    def test_when_all_are_marked_all_marks_are_forgotten(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1), second := endpoint(2))
        pool.mark_failed(first, 0.0)
        pool.mark_failed(second, 0.0)
        assert picks(pool, 1) != [0]
        assert not pool.failed

    def test_marks_do_not_outlive_the_endpoint(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1))
        pool.mark_failed(first, 0.0)
        assert "10.0.0.1:1 failed" in repr(pool)
        pool.remove(first, 0.0)
        assert not pool.mark_failed(first, 0.0)
        assert not pool.failed

    def test_overloaded_endpoints_are_skipped_and_marks_kept_when_all_are(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1), second := endpoint(2))
        first.connections = 1
        assert picks(pool, 3, max_conns=1) == [2, 2, 2]
        second.connections = 1
        pool.mark_failed(first, 0.0)
        assert picks(pool, 1, max_conns=1) == [0]
        assert pool.failed

    def test_own_zone_first_for_the_first_attempt_only(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port, availability_zone=f"z{port}") for port in (1, 2, 3)))
        assert picks(pool, 4, zone="z2", prefer_zone=True) == [2, 2, 2, 2]
        request = Selection(pool, now=0.0, rng=Random(1), zone="z2", prefer_zone=True)
        assert [e.port for attempt in (1, 2) if (e := request.next(0.0, attempt))] == [2, 3]

    def test_without_any_endpoint_in_the_own_zone_all_marks_are_forgotten(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1, availability_zone="z1"), endpoint(2, availability_zone="z1"))
        pool.mark_failed(first, 0.0)
        assert picks(pool, 1, zone="z9", prefer_zone=True) != [0]
        assert not pool.failed

    @given(st.integers(1, 8), st.integers(0, 1000), st.integers(1, 50))
    def test_every_endpoint_gets_its_share(self, size: int, start: int, requests: int) -> None:
        pool = Pool("a", "a", start=start)
        for port in range(size):
            pool.put(Endpoint(host="h", port=port), 0.0)
        counts = Counter(e.port for _ in range(requests) if (e := pool.pick()))
        assert max(counts.values()) - min(counts[port] for port in range(size)) <= 1


class TestLeastConnection:
    def test_the_least_busy_one(self, endpoint: Make) -> None:
        pool = pool_of(first := endpoint(1), second := endpoint(2), load_balancing=LEAST_CONNECTION)
        first.connections, second.connections = 3, 1
        assert picks(pool, 3) == [2, 2, 2]

    def test_ties_are_broken_at_random(self, endpoint: Make) -> None:
        pool = pool_of(*(endpoint(port) for port in (1, 2, 3)), load_balancing=LEAST_CONNECTION)
        rng = Random(1)
        seen = {e.port for _ in range(50) if (e := Selection(pool, now=0.0, rng=rng).next(0.0, 1))}
        assert seen == {1, 2, 3}

    def test_marks_are_ignored_limits_are_not(self, endpoint: Make) -> None:
        pool = pool_of(only := endpoint(1), load_balancing=LEAST_CONNECTION)
        pool.mark_failed(only, 0.0)
        assert picks(pool, 1) == [1]
        only.connections = 1
        assert picks(pool, 1, max_conns=1) == [0]

    def test_own_zone(self, endpoint: Make) -> None:
        pool = pool_of(
            near := endpoint(1, availability_zone="z1"),
            endpoint(2, availability_zone="z2"),
            load_balancing=LEAST_CONNECTION,
        )
        near.connections = 5
        assert picks(pool, 2, zone="z1", prefer_zone=True) == [1, 1]
        assert picks(pool, 2, zone="z1", prefer_zone=True, max_conns=5) == [2, 2]
        request = Selection(pool, now=0.0, rng=Random(1), zone="z1", prefer_zone=True)
        again = request.next(0.0, 2)
        assert again is not None
        assert again.port == 2


class TestSticky:
    def test_the_wanted_endpoint_by_instance_id_or_address_then_the_usual_choice(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, instance_id="i1"), endpoint(2, instance_id="i2"))
        assert picks(pool, 2, sticky="i2") == [2, 2]
        assert picks(pool, 2, sticky="10.0.0.1:2") == [2, 2]
        request = Selection(pool, now=0.0, rng=Random(1), sticky="i2")
        assert [e.port for attempt in (1, 2, 3) if (e := request.next(0.0, attempt))] == [2, 1, 2]

    def test_gone_or_overloaded_means_another(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, instance_id="i1"), busy := endpoint(2, instance_id="i2"))
        busy.connections = 1
        assert picks(pool, 1, sticky="gone") == [1]
        assert picks(pool, 2, sticky="i2", max_conns=1) == [1, 1]

    def test_must_be_sticky_has_no_alternative(self, endpoint: Make) -> None:
        pool = pool_of(endpoint(1, instance_id="i1"), busy := endpoint(2, instance_id="i2"))
        busy.connections = 1
        assert picks(pool, 1, sticky="gone", must_be_sticky=True) == [0]
        assert picks(pool, 1, sticky="i2", must_be_sticky=True, max_conns=1) == [0]
        request = Selection(pool, now=0.0, rng=Random(1), sticky="i2", must_be_sticky=True)
        assert [e.port for attempt in (1, 2, 3) if (e := request.next(0.0, attempt))] == [2, 2, 2]
        assert "sticky=i2" in repr(request)


def test_an_empty_pool_has_nothing() -> None:
    assert picks(pool_of(), 1) == [0]
    assert picks(pool_of(load_balancing=LEAST_CONNECTION), 1) == [0]
