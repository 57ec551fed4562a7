"""Messages that wait for their turn."""

import pytest

from cfroute.nats import inbox as nats_inbox
from cfroute.nats.inbox import Inbox
from cfroute.nats.wire import Message
from cfroute.testing import ManualClock


def messages(*payloads: bytes) -> list[Message]:
    return [Message(b"s", b"1", b"", payload) for payload in payloads]


class Reader:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.seen: list[bytes] = []
        self.slow: list[bytes] = []
        self.inbox = Inbox(lambda m: self.seen.append(m.payload), lambda m: self.slow.append(m.payload), self.clock)


@pytest.mark.statement("2.2", "Messages are handled one by one, in their order")
def test_in_order_and_not_all_at_once() -> None:
    reader = Reader()
    sent = [b"%d" % number for number in range(1000)]
    reader.inbox.add(messages(*sent))
    assert len(reader.inbox) == 1000
    reader.inbox._work()
    assert 200 <= len(reader.seen) < 500
    assert len(reader.inbox) == 1000 - len(reader.seen)
    reader.inbox.add(messages(b"more"))
    reader.clock.advance(0)
    assert reader.seen == [*sent, b"more"]
    assert not reader.inbox.dropped


@pytest.mark.statement("2.2", "What exceeds the limits is dropped, and counted")
def test_what_exceeds_the_limits_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_inbox, "MOST_MESSAGES", 250)
    reader = Reader()
    reader.inbox.add(messages(*(b"%d" % number for number in range(300))))
    assert reader.inbox.dropped == 50
    assert reader.slow == [b"250"]
    reader.clock.advance(0)
    reader.inbox.add(messages(b"again"))
    reader.clock.advance(0)
    assert reader.seen[-1] == b"again"
    assert len(reader.seen) == 251


def test_bytes_are_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_inbox, "MOST_BYTES", 10)
    reader = Reader()
    reader.inbox.add(messages(b"x" * 6, b"y" * 6, b"z" * 4))
    reader.clock.advance(0)
    assert reader.inbox.dropped == 1
    assert reader.seen == [b"x" * 6, b"z" * 4]
    reader.inbox.add(messages(b"x" * 10))
    reader.clock.advance(0)
    assert len(reader.seen) == 3


@pytest.mark.statement("2.2", "At most 131072 messages and 131072 KiB wait to be handled")
def test_the_limits_are_upstream_s() -> None:
    assert (nats_inbox.MOST_MESSAGES, nats_inbox.MOST_BYTES) == (131_072, 131_072 * 1024)


def test_a_defect_does_not_stop_the_others() -> None:
    reader = Reader()
    reader.inbox._handle = lambda message: reader.seen.append(message.payload) if message.payload else 1 / 0
    reader.inbox.add(messages(b"", b"next"))
    with pytest.raises(ZeroDivisionError):
        reader.clock.advance(0)
    reader.clock.advance(0)
    assert reader.seen == [b"next"]
