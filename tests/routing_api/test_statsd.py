"""Metrics that cannot be sent."""

import pytest

from cfroute.routing_api.statsd import Statsd, StatsdError

from ..ports import free_port


@pytest.mark.parametrize("endpoint", ["nobody", "no such host:1", "127.0.0.1:port"])
def test_addresses_that_are_none(endpoint: str) -> None:
    with pytest.raises(StatsdError):
        Statsd(endpoint)


def test_nobody_listens() -> None:
    for endpoint in ("", f"127.0.0.1:{free_port()}"):
        statsd = Statsd(endpoint)
        for _ in range(3):
            statsd.gauge("x", 1)
            statsd.flush()
        statsd.close()
