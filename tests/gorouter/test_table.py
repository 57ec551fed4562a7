"""The routing table as JSON."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cfroute.gorouter.routing_table.endpoint import Endpoint
from cfroute.gorouter.routing_table.pool import Pool
from cfroute.gorouter.routing_table.route_options import RouteOptions
from cfroute.gorouter.table import Rates, table, upstream_routes

Make = Callable[..., Endpoint]


def pool_of(uri: str, *endpoints: Endpoint, now: float = 0.0) -> Pool:
    pool = Pool(uri, uri)
    for endpoint in endpoints:
        pool.put(endpoint, now)
    return pool


def sample(rates: Rates, pools: list[Pool], now: float) -> None:
    for _ in rates.sample(pools, now):
        pass


def shown(pools: list[Pool], rates: Rates, now: float) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(b"".join(table("gorouter/1", 1700000000.5, pools, rates, now)))
    return document


def test_upstream_s_routes(endpoint: Make) -> None:
    full = endpoint(
        *(21551, "127.0.0.1"),
        availability_zone="z1",
        ttl=20.0,
        tags={"z": "<&>", "component": "Web\u2028"},
        isolation_segment="is1",
        instance_id="iid",
        options=RouteOptions("least-connection"),
        route_service_url="https://rs",
        san="san",
        tls=True,
    )
    pools = [pool_of("b.test", endpoint(1)), pool_of("a.test", full), pool_of("c.test")]
    assert b"".join(upstream_routes(pools)).decode() == (
        '{"a.test":[{"address":"127.0.0.1:21551","availability_zone":"z1","protocol":"http1","tls":true,"ttl":20,'
        '"route_service_url":"https://rs","tags":{"component":"Web\\u2028","z":"\\u003c\\u0026\\u003e"},'
        '"isolation_segment":"is1","private_instance_id":"iid","server_cert_domain_san":"san",'
        '"load_balancing_algorithm":"least-connection"}],'
        '"b.test":[{"address":"10.0.0.1:1","availability_zone":"","protocol":"http1","tls":false,"ttl":120,"tags":null}],'
        '"c.test":[]}\n'
    )


def test_nothing_registered() -> None:
    assert b"".join(upstream_routes([])) == b"{}\n"
    assert shown([], Rates(), 0.0) == {"router": "gorouter/1", "time": 1700000000.5, "routes": []}


@pytest.mark.parametrize("count", [1, 49, 500, 501, 1234, 5000])
def test_long_tables_come_in_pieces(endpoint: Make, count: int) -> None:
    pools = [pool_of(f"{number}.test", endpoint(number)) for number in range(count)]
    pieces = list(upstream_routes(pools))
    routes = json.loads(b"".join(pieces))
    assert len(routes) == count
    assert list(routes) == sorted(routes)
    assert max(piece.count(b"address") for piece in pieces) <= 700
    assert len(shown(pools, Rates(), 0.0)["routes"]) == count


def test_an_entry_of_the_table(endpoint: Make) -> None:
    pool = pool_of("a.test", plain := endpoint(1, app="g", instance_index="0", instance_id="i", ttl=30.0), endpoint(2, tls=True))
    pool.put(endpoint(1, app="g", instance_index="0", instance_id="i", ttl=30.0), 6.0)
    pool.mark_failed(plain, 8.0)
    plain.connections, plain.requests, pool.requests = 2, 7, 8
    (route,) = shown([pool], Rates(), 10.0)["routes"]
    assert route["endpoints"][0] == {
        "address": "10.0.0.1:1",
        "app": "g",
        "index": "0",
        "instance_id": "i",
        "protocol": "http1",
        "tls": False,
        "age": 10.0,
        "refreshed": 4.0,
        "ttl": 30.0,
        "expires_in": 26.0,
        "availability_zone": "",
        "isolation_segment": "",
        "failed_for": 2.0,
        "connections": 2,
        "requests": 7,
        "rate": 0.0,
        "tags": None,
    }
    assert (route["endpoints"][1]["expires_in"], route["endpoints"][1]["failed_for"]) == (None, None)
    assert {key: route[key] for key in route if key != "endpoints"} == {
        "uri": "a.test",
        "route_service_url": "",
        "load_balancing": "round-robin",
        "requests": 8,
        "rate": 0.0,
    }


def test_rates_are_averages_of_the_last_five_seconds(endpoint: Make) -> None:
    rates, pool = Rates(), pool_of("a.test", first := endpoint(1), second := endpoint(2))
    sample(rates, [pool], 100.0)
    for second_of_traffic in range(1, 21):
        pool.requests += 30
        first.requests += 20
        second.requests += 10
        sample(rates, [pool], 100.0 + second_of_traffic)
        assert rates.of(pool) == 30.0
    assert (rates.of_endpoint(pool, first), rates.of_endpoint(pool, second)) == (20.0, 10.0)
    sample(rates, [pool], 121.0)
    assert rates.of(pool) == 24.0
    for quiet in range(122, 128):
        sample(rates, [pool], float(quiet))
    assert rates.of(pool) == rates.of_endpoint(pool, first) == 0.0
    assert not rates._busy


def test_a_replaced_endpoint_begins_at_nothing(endpoint: Make) -> None:
    rates, pool = Rates(), pool_of("a.test", old := endpoint(1))
    sample(rates, [pool], 1.0)
    pool.requests = old.requests = 50
    sample(rates, [pool], 2.0)
    pool.put(endpoint(1, app="new"), 2.0)
    sample(rates, [pool], 3.0)
    assert rates.of_endpoint(pool, pool.endpoints[0]) == 0.0
