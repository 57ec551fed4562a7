"""Which isolation segments a router takes routes of (section 3.6)."""

import pytest

from .routing import registry_lines, tell

ACCEPTED = {"all": {"", "is1", "is2"}, "segments": {"is1"}, "shared-and-segments": {"", "is1"}}


@pytest.mark.statement("3.6", "all: any segment; segments: only isolation_segments; shared-and-segments: those and the empty one")
@pytest.mark.statement("3.4", "a message that the segments exclude is dropped silently")
@pytest.mark.parametrize("mode", ACCEPTED)
def test_sharding(start, mode):
    router = start(routing_table_sharding_mode=mode, isolation_segments=["is1"])
    for port, segment in enumerate(("", "is1", "is2"), 1):
        router.nats.publish(
            "router.register",
            {"host": "127.0.0.1", "port": port, "uris": [f"{segment}.36.test"], "isolation_segment": segment},
        )
    tell(router, "router.register", 9, "end.36.test", isolation_segment="is1")
    shown = {route.removesuffix(".36.test") for route in router.routes() if route.endswith(".36.test")}
    assert shown - {"end"} == ACCEPTED[mode]
    assert bool(registry_lines(router, "is2")) is ("is2" in ACCEPTED[mode])
