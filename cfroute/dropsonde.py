"""Dropsonde, version 1: the protobuf messages that Cloud Foundry's components send to the metron agent of their VM over UDP.

One envelope is one datagram. What this foundation sends and reads of them is small, so it is written by hand here: the numbers
are those of the fields in the public files `envelope.proto`, `http.proto`, `log.proto`, `metric.proto` and `uuid.proto`.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from cfroute.protobuf import fields, sized, varint

# Event types, and at the same time the key of the field that carries the event (number << 3 | 2, for bytes).
_HTTP_START_STOP: Final = b"\x10\x04", b"\x3a"
_LOG_MESSAGE: Final = b"\x10\x05", b"\x42"
_VALUE_METRIC: Final = b"\x10\x06", b"\x4a"
_COUNTER_EVENT: Final = b"\x10\x07", b"\x52"

_METHODS: Final = (  # by their numbers; 0 is what the file does not know
    b"? GET POST PUT DELETE HEAD ACL BASELINE_CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DEBUG LABEL LINK LOCK MERGE "
    b"MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH PRI PROPFIND PROPPATCH REBIND "
    b"REPORT SEARCH SHOWMETHOD SPACEJUMP TEXTSEARCH TRACE TRACK UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE "
    b"UPDATEREDIRECTREF VERSION_CONTROL"
)
_METHOD_NUMBERS: Final = {name: number for number, name in enumerate(_METHODS.split())}
_UUID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_INDEX: Final = re.compile(rb"[+-]?[0-9]{1,9}")
_double: Final = struct.Struct("<d").pack


class HttpStartStop(NamedTuple):
    """A request from its start to its end, as the side saw it that is called server or client.

    Times are nanoseconds of the epoch. `request_id` is a UUID as text, `content_length` -1 where it is not known. `app_id` is
    left out where it is no UUID, `instance_index` where it is no number; `forwarded` has the addresses of `X-Forwarded-For`.
    """

    server: bool
    started_ns: int
    stopped_ns: int
    request_id: bytes
    method: bytes
    uri: bytes
    remote_address: bytes
    user_agent: bytes
    status: int
    content_length: int
    app_id: bytes = b""
    instance_index: bytes = b""
    instance_id: bytes = b""
    forwarded: Sequence[bytes] = ()


class LogMessage(NamedTuple):
    """A line of an app's log. `source_type` is like `RTR`, `source_instance` the index of who says it."""

    message: bytes
    timestamp_ns: int
    app_id: bytes
    source_type: bytes
    source_instance: bytes
    error: bool = False


class CounterEvent(NamedTuple):
    """A number that only grows, by `delta`."""

    name: str
    delta: int


Event = HttpStartStop | LogMessage | CounterEvent
ValueMetric = tuple[str, float, str]
"""A number that goes up and down: its name, its present value, and the unit."""


def envelope(origin: bytes, timestamp_ns: int, event: Event, tags: Mapping[str, str] | None = None) -> bytes:
    """The datagram that tells of an event."""
    match event:
        case HttpStartStop():
            (kind, key), body = _HTTP_START_STOP, _http_start_stop(event)
        case LogMessage():
            (kind, key), body = _LOG_MESSAGE, _log_message(event)
        case CounterEvent():
            (kind, key), body = _COUNTER_EVENT, _counter_event(event)
    data = b"%b%b%b%b" % (_head(origin, kind, timestamp_ns), key, varint(len(body)), body)
    return data + b"".join(_tag(name, value) for name, value in tags.items()) if tags else data


def value_metrics(origin: bytes, timestamp_ns: int, values: Iterable[ValueMetric]) -> Iterator[bytes]:
    """The datagrams that tell of values. There are several a request, so what those of one name have in common is made once."""
    kind, key = _VALUE_METRIC
    head = _head(origin, kind, timestamp_ns)
    frames: dict[tuple[str, str], tuple[bytes, bytes]] = {}
    for name, value, unit in values:
        frame = frames.get((name, unit))
        if frame is None:
            before, after = b"\x0a%b\x11" % sized(name.encode()), b"\x1a%b" % sized(unit.encode())
            size = varint(len(before) + 8 + len(after))
            frame = frames[name, unit] = b"%b%b%b%b" % (head, key, size, before), after
        yield frame[0] + _double(value) + frame[1]


def _head(origin: bytes, kind: bytes, timestamp_ns: int) -> bytes:
    return b"\x0a%b%b%b\x30%b" % (varint(len(origin)), origin, kind, varint(timestamp_ns))


def _http_start_stop(event: HttpStartStop) -> bytes:
    body = b"\x08%b\x10%b\x1a%b\x20%b\x28%b\x32%b\x3a%b\x42%b\x48%b\x50%b" % (
        varint(event.started_ns),
        varint(event.stopped_ns),
        _uuid(event.request_id),
        b"\x02" if event.server else b"\x01",
        varint(_METHOD_NUMBERS.get(event.method, 0)),
        sized(event.uri),
        sized(event.remote_address),
        sized(event.user_agent),
        varint(event.status),
        varint(event.content_length),
    )
    if event.app_id and _UUID.fullmatch(event.app_id):
        body += b"\x62" + _uuid(event.app_id)
    if event.instance_index and _INDEX.fullmatch(event.instance_index):
        body += b"\x68" + varint(int(event.instance_index))
    if event.instance_id:
        body += b"\x72" + sized(event.instance_id)
    return body + b"".join(b"\x7a" + sized(address) for address in event.forwarded)


def _log_message(event: LogMessage) -> bytes:
    return b"\x0a%b\x10%b\x18%b\x22%b\x2a%b\x32%b" % (
        sized(event.message),
        b"\x02" if event.error else b"\x01",
        varint(event.timestamp_ns),
        sized(event.app_id),
        sized(event.source_type),
        sized(event.source_instance),
    )


def _counter_event(event: CounterEvent) -> bytes:
    return b"\x0a%b\x10%b" % (sized(event.name.encode()), varint(event.delta))


@lru_cache(4096)  # every envelope about an endpoint has the same few
def _tag(name: str, value: str) -> bytes:
    return b"\x8a\x01" + sized(b"\x0a%b\x12%b" % (sized(name.encode()), sized(value.encode("utf-8", "surrogateescape"))))


def _uuid(text: bytes) -> bytes:
    """A UUID as a message: two little-endian halves."""
    low, high = struct.unpack("<QQ", bytes.fromhex(text.decode().replace("-", "")))
    return sized(b"\x08%b\x10%b" % (varint(low), varint(high)))


def log_message(datagram: bytes) -> LogMessage | None:
    """The log line in a datagram; None if it tells of something else. Raises ValueError for what is no envelope."""
    for number, value in fields(datagram):
        if number == 2 and value != _LOG_MESSAGE[0][1]:
            return None
        if number == 8 and isinstance(value, bytes):
            parts = dict(fields(value))
            texts = (parts.get(number, b"") for number in (4, 5, 6))
            app, kind, instance = (text if isinstance(text, bytes) else b"" for text in texts)
            message, stamp = parts.get(1), parts.get(3)
            if not isinstance(message, bytes) or not isinstance(stamp, int):
                raise ValueError("a log message without text or time")
            return LogMessage(message, stamp, app, kind, instance, error=parts.get(2) == 2)
    return None
