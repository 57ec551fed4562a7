"""What is looked at every five seconds, and every second."""

import asyncio

from cfroute.gorouter.metrics.monitors import Monitors
from cfroute.gorouter.metrics.reporter import Reporter
from cfroute.logs import Logger
from cfroute.testing import ManualClock


class Messages:
    buffered = 4
    dropped = 2


def test_descriptors_messages_and_uptime(reporter: Reporter, clock: ManualClock, logger: Logger) -> None:
    async def scenario() -> None:
        reporter.values = []
        monitors = Monitors(reporter, Messages(), lambda: 9, clock, logger)
        monitors.start()
        for _ in range(5):
            assert reporter.snapshot().gauges["buffered_messages"] == 0
            await asyncio.sleep(0)
            clock.advance(1)
        await asyncio.sleep(0)
        gauges = reporter.snapshot().gauges
        assert (gauges["buffered_messages"], gauges["total_dropped_messages"]) == (4, 2)
        assert gauges["file_descriptors"] == 9
        assert [value for name, value, _ in reporter.values if name == "uptime"] == [1, 2, 3, 4, 5]
        assert {(name, unit) for name, _, unit in reporter.values} == {
            ("uptime", "seconds"),
            ("buffered_messages", "message"),
            ("total_dropped_messages", "message"),
            ("file_descriptors", "file"),
        }
        monitors.close()

    asyncio.run(scenario())
