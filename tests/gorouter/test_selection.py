"""Which endpoints one request is tried on."""

from collections import Counter
from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import HASH, LEAST_CONNECTION, ROUND_ROBIN, Pool
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.gorouter.routing_table.selection import Selection

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


class TestRoundRobin:
    def test_the_start_is_given_from_outside(self, endpoint: Make) -> None:
        pool = Pool("a", "a", start=5)
        pool.put(endpoint(1), 0.0)
        pool.put(endpoint(2), 0.0)
        assert picks(pool, 2) == [2, 1]

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


class TestHash:
    def picks(self, pool: Pool, value: bytes, attempts: int = 1, **wishes: object) -> list[int]:
        request = Selection(pool, now=0.0, rng=Random(1), hash_value=value, **wishes)
        return [e.port if (e := request.next(0.0, attempt)) else 0 for attempt in range(1, attempts + 1)]

    def pool(self, *endpoints: Endpoint, balance: float = 0.0) -> Pool:
        pool = pool_of(*endpoints)
        pool.balance(RouteOptions(HASH, "X-Tenant", balance))
        return pool

    def test_the_same_value_goes_to_the_same_endpoint(self, endpoint: Make) -> None:
        pool = self.pool(*(endpoint(port, instance_id=f"i-{port}") for port in (1, 2, 3)))
        ports = {value: self.picks(pool, value)[0] for value in (b"a", b"b", b"c", b"d", b"e", b"f")}
        assert set(ports.values()) == {1, 2, 3}
        assert all(self.picks(pool, value) == [port] for value, port in ports.items())

    def test_each_attempt_goes_to_another_one_until_none_is_left(self, endpoint: Make) -> None:
        pool = self.pool(*(endpoint(port, instance_id=f"i-{port}") for port in (1, 2, 3)))
        *ports, last = self.picks(pool, b"a", attempts=4)
        assert sorted(ports) == [1, 2, 3]
        assert last == 0

    def test_marks_and_zones_do_not_count(self, endpoint: Make) -> None:
        pool = self.pool(*(endpoint(port, instance_id=f"i-{port}", availability_zone=f"z{port}") for port in (1, 2)))
        (port,) = self.picks(pool, b"a")
        pool.mark_failed(pool.endpoints[port - 1], 0.0)
        assert self.picks(pool, b"a", zone=f"z{3 - port}", prefer_zone=True) == [port]

    def test_who_is_at_the_limit_or_has_more_than_its_share_is_passed_over(self, endpoint: Make) -> None:
        pool = self.pool(*(endpoint(port, instance_id=f"i-{port}") for port in (1, 2)), balance=1.5)
        (port,) = self.picks(pool, b"a")
        busy = pool.endpoints[port - 1]
        busy.connections = 1
        assert self.picks(pool, b"a", max_conns=1) == [3 - port]
        assert self.picks(pool, b"a") == [3 - port]
        pool.endpoints[2 - port].connections = 1
        assert self.picks(pool, b"a") == [port]
        assert self.picks(pool, b"a", max_conns=1) == [0]

    def test_a_single_endpoint_is_taken_as_long_as_it_has_room(self, endpoint: Make) -> None:
        pool = self.pool(only := endpoint(1), balance=1.0)
        only.connections = 5
        assert self.picks(pool, b"a", attempts=2) == [1, 1]
        assert self.picks(pool, b"a", max_conns=5) == [0]

    def test_the_sticky_instance_wins_and_is_not_tried_again(self, endpoint: Make) -> None:
        pool = self.pool(*(endpoint(port, instance_id=f"i-{port}") for port in (1, 2)))
        (port,) = self.picks(pool, b"a")
        assert self.picks(pool, b"a", attempts=2, sticky=f"i-{3 - port}") == [3 - port, port]
        assert self.picks(pool, b"a", attempts=2, sticky=f"i-{port}") == [port, 3 - port]

    def test_without_a_value_another_algorithm_has_to_do(self, endpoint: Make) -> None:
        pool = self.pool(busy := endpoint(1), endpoint(2))
        assert picks(pool, 4, algorithm="round-robin") == [1, 2, 1, 2]
        busy.connections = 1
        assert picks(pool, 3, algorithm=LEAST_CONNECTION) == [2, 2, 2]
        assert pool.pick() is None

    def test_an_endpoint_that_was_removed_meanwhile_is_not_chosen(self, endpoint: Make) -> None:
        pool = self.pool(*(endpoint(port, instance_id=f"i-{port}") for port in (1, 2, 3)))
        request = Selection(pool, now=0.0, rng=Random(1), hash_value=b"a")
        tried = request.next(0.0, 1)
        assert tried is not None
        gone = next(e for e in pool.endpoints if e is not tried)
        pool.discard(gone, 0.0)
        again = request.next(0.0, 2)
        assert again not in (None, tried, gone)


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


class TestWhateverHappens:
    @given(st.data(), st.sampled_from((ROUND_ROBIN, LEAST_CONNECTION, HASH)), st.integers(0, 3), st.booleans())
    def test_what_is_chosen_is_in_the_pool_and_below_the_limit(
        self, data: st.DataObject, algorithm: str, limit: int, prefers_zone: bool
    ) -> None:
        pool = pool_of(
            *(Endpoint(host="h", port=port, availability_zone=f"z{port % 2}") for port in range(data.draw(st.integers(1, 5))))
        )
        pool.balance(RouteOptions(algorithm, "X-Tenant"))
        for request in range(data.draw(st.integers(1, 6))):
            for endpoint in pool.endpoints:
                endpoint.connections = data.draw(st.integers(0, 3))
                if data.draw(st.booleans()):
                    pool.mark_failed(endpoint, float(request))
            selection = Selection(
                pool,
                now=float(request),
                rng=Random(request),
                max_conns=limit,
                zone="z1",
                prefer_zone=prefers_zone,
                hash_value=b"v",
            )
            for attempt in range(1, 4):
                free = [e for e in pool.endpoints if not limit or e.connections < limit]
                chosen = selection.next(float(request), attempt)
                if chosen is None:
                    assert not free or (algorithm == HASH and attempt > 1)
                else:
                    assert chosen in free
                    if data.draw(st.booleans()):
                        pool.discard(chosen, float(request))

    @given(st.integers(2, 6), st.integers(0, 255), st.sets(st.integers(0, 5)), st.integers(1, 60))
    def test_round_robin_is_fair_among_those_that_are_not_marked(
        self, size: int, start: int, marked: set[int], requests: int
    ) -> None:
        """Who comes after a marked one gets its turns as well, as upstream: nobody gets more than those of all before it."""
        pool = Pool("a", "a", start=start)
        for port in range(size):
            pool.put(Endpoint(host="h", port=port), 0.0)
        usable = [e for e in pool.endpoints if e.port not in marked]
        for endpoint in pool.endpoints:
            if endpoint.port in marked and usable:
                pool.mark_failed(endpoint, 0.0)
        counts = Counter(picks(pool, requests * size))
        shares = {e.port: 0 for e in usable or pool.endpoints}
        for port in range(size):
            served = next(step % size for step in range(port, port + size) if step % size in shares)
            shares[served] += requests
        assert counts == shares
