"""Trace contexts: Zipkin's B3 headers and W3C's `traceparent` and `tracestate`, as values.

Rules of B3 are those of the Zipkin project's Go library; of W3C's headers, upstream's own, which checks less than the standard
asks for. Ids are hexadecimal digits in lower case.
"""

import re
from typing import Final, NamedTuple

_HEX: Final = re.compile(rb"[0-9A-Fa-f]+")
_UUID: Final = re.compile(rb"[0-9a-f]{12}[1-5][0-9a-f]{19}")
_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2}).([0-9a-f]{32}).([0-9a-f]{16}).([0-9a-f]{2})", re.DOTALL)
_SINGLE: Final = re.compile(
    rb"(?P<trace>.{16}(?:[^-].{15})?)-(?P<span>.{16})(?:-(?P<sampled>.)(?:-(?P<parent>.{16}))?)?", re.DOTALL
)
_SAMPLED: Final = {b"": b"", b"0": b"0", b"false": b"0", b"1": b"1", b"true": b"1"}
_MOST_TRACESTATE: Final = 2048  # bytes of a header that is still read


class TraceError(Exception):
    """The headers make no trace context; the message is the library's."""


class TraceInfo(NamedTuple):
    """What a request is known by: in its trace, and in the router's own headers and logs."""

    trace_id: bytes
    span_id: bytes
    request_id: bytes


class B3(NamedTuple):
    """A context of B3. `sampled` is `1`, `0`, `d` (debug) or empty."""

    trace_id: bytes
    span_id: bytes
    sampled: bytes = b""
    parent_id: bytes = b""

    def single(self) -> bytes:
        """The value of the `b3` header; ids that are zero are left out."""
        ids = [self.trace_id, self.span_id] if self.trace_id.strip(b"0") and self.span_id.strip(b"0") else []
        return b"-".join([*ids, *(part for part in (self.sampled, self.parent_id) if part)])


def generated(digits: bytes, uuid: bytes) -> TraceInfo:
    """A new trace from a UUID and its digits without the dashes: the span has the lower half of the trace's digits."""
    return TraceInfo(digits, digits[16:], uuid)


def request_id_of(trace_id: bytes) -> bytes | None:
    """The request id that a trace id gives: its digits as a UUID, where they make one."""
    if not _UUID.fullmatch(trace_id):
        return None
    return b"-".join((trace_id[:8], trace_id[8:12], trace_id[12:16], trace_id[16:20], trace_id[20:]))


# B3


def parse_single(value: bytes) -> B3:
    """`trace-span[-sampled[-parent]]`, or `sampled` alone. Raises TraceError."""
    if len(value) == 1:
        return B3(_id(b"0", ""), _id(b"0", ""), _single_sampled(value))
    if len(value) in (16, 32):
        raise TraceError("require either both TraceID and SpanID or none")
    found = _SINGLE.fullmatch(value)
    if found is None:
        raise TraceError("invalid B3 TraceID value found")
    trace, span, sampled, parent = found["trace"], found["span"], found["sampled"], found["parent"]
    return B3(
        _trace_id(trace, "invalid B3 TraceID value found"),
        _id(span, "invalid B3 SpanID value found"),
        _single_sampled(sampled) if sampled else b"",
        _id(parent, "invalid B3 ParentSpanID value found") if parent else b"",
    )


def parse_multiple(trace: bytes, span: bytes, parent: bytes, sampled: bytes, flags: bytes) -> B3:
    """The context in `X-B3-TraceId`, `-SpanId`, `-ParentSpanId`, `-Sampled` and `-Flags`. Raises TraceError."""
    decision = _SAMPLED.get(sampled.lower())
    if decision is None:
        raise TraceError("invalid B3 Sampled header found")
    return B3(
        _trace_id(trace, "invalid B3 TraceID header found"),
        _id(span, "invalid B3 SpanID header found"),
        b"d" if flags == b"1" else decision,
        _id(parent, "invalid B3 ParentSpanID header found") if parent else b"",
    )


def _single_sampled(value: bytes) -> bytes:
    if value not in (b"0", b"1", b"d"):
        raise TraceError("invalid B3 Sampled found")
    return value


def _trace_id(value: bytes, problem: str) -> bytes:
    """32 digits, or 16 where the upper half is zero."""
    low = _id(value[-16:], problem)
    high = _id(value[:-16], problem) if len(value) > 16 else b""
    return high + low if high.strip(b"0") else low


def _id(value: bytes, problem: str) -> bytes:
    """16 digits, for a hexadecimal number of 64 bits."""
    if not _HEX.fullmatch(value) or len(digits := value.lstrip(b"0")) > 16:
        raise TraceError(problem)
    return digits.lower().rjust(16, b"0")


# W3C


class Traceparent(NamedTuple):
    """What is passed on of a `traceparent`."""

    trace_id: bytes
    flags: bytes

    def with_parent(self, parent_id: bytes) -> bytes:
        """The header for the next hop."""
        return b"00-%b-%b-%b" % (self.trace_id.rjust(32, b"0"), parent_id, self.flags)


def parse_traceparent(value: bytes) -> Traceparent | None:
    """Trace id and flags, or None where upstream does not accept the header. Dashes and version are not looked at."""
    found = _TRACEPARENT.fullmatch(value.strip().lower())
    return None if found is None else Traceparent(found[2], found[4])


def tracestate(old: bytes, key: bytes, parent_id: bytes) -> bytes:
    """Our entry, then those of `old` that have another key; all of `old` is dropped when it is too long."""
    entries = [key + b"=" + parent_id]
    for entry in old.split(b",") if len(old) <= _MOST_TRACESTATE else ():
        name, equals, _ = (entry := entry.strip()).partition(b"=")
        if equals and name != key:
            entries.append(entry)
    return b",".join(entries)
