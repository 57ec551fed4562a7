"""The socket between parent and worker."""

import asyncio
import socket

from cfroute.gorouter.workers import channel as module
from cfroute.gorouter.workers.channel import Channel
from cfroute.gorouter.workers.messages import Feel, Gone, Level, ToWorker, for_worker

from ...waiting import until


class End:
    """One end: what it has heard, and whether it is over."""

    def __init__(self) -> None:
        self.heard: list[ToWorker] = []
        self.over = 0
        self.channel: Channel[ToWorker] = Channel(for_worker, self.heard.append, self._ended)

    def _ended(self) -> None:
        self.over += 1


def test_messages_arrive_in_order_and_the_end_is_told() -> None:
    async def scenario() -> None:
        one, two = End(), End()
        ours, theirs = socket.socketpair()
        await one.channel.open(ours)
        await two.channel.open(theirs)
        told: list[ToWorker] = [Level(1), Gone("a" * 300_000), Feel(True)]
        for message in told:
            one.channel.send(message)
        two.channel.send(Feel(False))
        await one.channel.drained()
        await until(lambda: len(two.heard) == 3 and one.heard)
        assert two.heard == told
        one.channel.close()
        await until(lambda: two.over)
        two.channel.send(Feel(True))
        await until(lambda: one.over)
        assert (one.over, two.over) == (1, 1)

    asyncio.run(scenario())


def test_who_does_not_listen_is_left() -> None:
    async def scenario() -> None:
        one = End()
        ours, theirs = socket.socketpair()
        with theirs:
            await one.channel.open(ours)
            limit, sent = module._MOST_WAITING, 0
            block = b"x" * (4 << 20)
            while not one.over and sent <= limit + (16 << 20):
                one.channel.write(block)
                sent += len(block)
                await asyncio.sleep(0)
            await until(lambda: one.over)
            assert sent > limit
            async with asyncio.timeout(30):
                await one.channel.drained()

    asyncio.run(scenario())


def test_before_it_is_open_and_without_a_listener_nothing_happens() -> None:
    one = End()
    one.channel.send(Feel(True))
    one.channel.close()
    one.channel.abort()
    assert not one.heard
