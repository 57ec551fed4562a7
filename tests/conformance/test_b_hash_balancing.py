"""Routes that are balanced by the hash of a header (appendix B)."""

import pytest

from .routing import asked, named, register

NAMES = ("one", "two", "three", "four")
OPTIONS = {"loadbalancing": "hash", "hash_header": "x-tenant", "hash_balance": 1.5}


@pytest.fixture
def route(shared_router, backend, request):
    """A host of its own, with four apps behind it."""
    host = f"{request.node.name.replace('_', '-')}.b.test"
    for name, app in zip(NAMES, named(backend, *NAMES), strict=True):
        register(shared_router, app, host, private_instance_id=f"id-{name}", options=OPTIONS)
    return host


@pytest.mark.statement("B", "the same value of the header goes to the same instance: the one at its slot of a Maglev table")
def test_the_same_value_goes_to_the_same_instance(shared_router, route):
    answers = {}
    for number in range(24):
        answers[number] = {asked(shared_router, route, "/", f"X-Tenant: t{number}") for _ in range(2)}
    assert all(len(names) == 1 for names in answers.values())
    assert set().union(*answers.values()) == set(NAMES)


@pytest.mark.statement("B", "without the header the router's own algorithm decides, and a line says so")
def test_without_the_header(shared_router, route):
    assert sorted(asked(shared_router, route) for _ in range(4)) == sorted(NAMES)
    ours = [line for line in shared_router.log("hash-based-routing-header-value-not-found") if line["Host"] == route]
    assert ours == [{"Host": route, "Path": "/"}] * 4


@pytest.mark.statement("B", "the sticky cookie wins over the hash")
def test_sticky_sessions(shared_router, route):
    for name in NAMES:
        headers = ["X-Tenant: t", f"Cookie: JSESSIONID=x; __VCAP_ID__=id-{name}"]
        assert asked(shared_router, route, "/", *headers) == name


@pytest.mark.statement("B", "an instance that failed in this request is followed by the next different one of the table")
def test_retries(shared_router, backend):
    apps = named(backend, *NAMES)
    for name, app in zip(NAMES, apps, strict=True):
        register(shared_router, app, "retry.b.test", private_instance_id=f"id-{name}", options=OPTIONS)
    wanted = asked(shared_router, "retry.b.test", "/", "X-Tenant: t")
    apps[NAMES.index(wanted)].close()
    others = {asked(shared_router, "retry.b.test", "/", "X-Tenant: t") for _ in range(3)}
    assert len(others) == 1
    assert others < set(NAMES) - {wanted}


@pytest.mark.statement("B", "/routes shows hash_header and hash_balance")
def test_what_is_shown(shared_router, route):
    shown = shared_router.routes()[route]
    names = ("load_balancing_algorithm", "hash_header", "hash_balance")
    assert [[endpoint[name] for name in names] for endpoint in shown] == [["hash", "x-tenant", 1.5]] * 4
