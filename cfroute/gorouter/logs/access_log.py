"""The access log: one line a request.

    <host> - [<time>] "<METHOD> <uri> <proto>" <status> <bytes in> <bytes out> "<referer>" "<user agent>" "<client>" "<backend>"
    x_forwarded_for:"…" x_forwarded_proto:"…" vcap_request_id:"…" response_time:S gorouter_time:S app_id:"…" app_index:"…"
    instance_id:"…" [<extra fields> ]x_cf_routererror:"…"[ <extra header>:"…" …]

Lines are gathered and written together, off the request path, in order.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from cfroute.clock import Clock, Timer
from cfroute.go.quoting import quote
from cfroute.gorouter.config import Config
from cfroute.proxy.headers import canonical

_FLUSH_AFTER: Final = 0.05  # seconds
_MOST_PENDING: Final = 1024  # lines, as many as upstream's queue holds

# What Go's quoting leaves as it is, among the bytes of ASCII.
_PLAIN: Final = re.compile(rb"[ !#-\[\]-~]*")
_SMALL: Final = [b"%d" % number for number in range(1000)]
_THREE: Final = [b"%03d" % number for number in range(1000)]
_LONGEST_KNOWN: Final = 128
_MOST_KNOWN: Final = 4096
_known: Final[dict[bytes, bytes]] = {b"": b"-"}

_TIMES: Final = frozenset({"backend_time", "dial_time", "dns_time", "tls_time", "failed_attempts_time"})
_TEXTS: Final = frozenset({"local_address", "tls_sni", "caller_cf_app", "caller_cf_space", "caller_cf_org", "route_policy"})
_FIELDS: Final = _TIMES | _TEXTS | {"failed_attempts"}
_ZIPKIN: Final = ("X-B3-TraceId", "X-B3-SpanId", "X-B3-ParentSpanId", "b3")
_W3C: Final = ("traceparent", "tracestate")


class Record:
    """What a line tells of a request. Texts are as they came, and empty where there is nothing to tell; times are seconds.

    `uri` is path and query; `extra` has the values of `AccessLog.extra_names`, in their order. What follows it is shown only
    where the configuration asks for it; the times are negative when they were not measured.
    """

    __slots__ = (
        "app_id", "app_index", "backend", "backend_time", "caller_cf_app", "caller_cf_org", "caller_cf_space", "client",
        "dial_time", "dns_time", "extra", "failed_attempts", "failed_attempts_time", "forwarded_for", "forwarded_proto",
        "gorouter_time", "host", "instance_id", "local_address", "method", "proto", "received_at_ns", "referer",
        "request_bytes", "request_id", "response_bytes", "response_time", "route_policy", "router_error", "status", "tls_sni",
        "tls_time", "uri", "user_agent",
    )  # fmt: skip

    def __init__(
        self,
        host: bytes,
        received_at_ns: int,
        method: bytes,
        uri: bytes,
        proto: bytes,
        status: int,
        request_bytes: int,
        response_bytes: int,
        referer: bytes,
        user_agent: bytes,
        client: bytes,
        backend: bytes,
        forwarded_for: bytes,
        forwarded_proto: bytes,
        request_id: bytes,
        response_time: float,
        gorouter_time: float,
        app_id: bytes,
        app_index: bytes,
        instance_id: bytes,
        router_error: bytes,
        extra: Sequence[bytes],
        failed_attempts: int = 0,
        backend_time: float = -1.0,
        dial_time: float = -1.0,
        dns_time: float = -1.0,
        tls_time: float = -1.0,
        failed_attempts_time: float = -1.0,
        local_address: bytes = b"",
    ) -> None:
        self.host, self.received_at_ns, self.method, self.uri, self.proto = host, received_at_ns, method, uri, proto
        self.status, self.request_bytes, self.response_bytes = status, request_bytes, response_bytes
        self.referer, self.user_agent, self.client, self.backend = referer, user_agent, client, backend
        self.forwarded_for, self.forwarded_proto, self.request_id = forwarded_for, forwarded_proto, request_id
        self.response_time, self.gorouter_time = response_time, gorouter_time
        self.app_id, self.app_index, self.instance_id = app_id, app_index, instance_id
        self.router_error, self.extra, self.failed_attempts = router_error, extra, failed_attempts
        self.backend_time, self.dial_time, self.dns_time, self.tls_time = backend_time, dial_time, dns_time, tls_time
        self.failed_attempts_time, self.local_address = failed_attempts_time, local_address
        self.tls_sni = self.caller_cf_app = self.caller_cf_space = self.caller_cf_org = self.route_policy = b""


class LineFormat:
    """Access lines the way a configuration wants them."""

    def __init__(self, config: Config) -> None:
        logging = config.logging
        self._hides_client = logging.disable_log_source_ip
        self._hides_forwarded_for = logging.disable_log_forwarded_for
        self._redaction = logging.redact_query_params
        self.redacts = self._redaction != "none"
        self._fields = [name for name in dict.fromkeys(logging.extra_access_log_fields) if name in _FIELDS]
        names = _extra_headers(config)
        self.extra_names = [canonical(name.encode()) for name in names]
        """Canonical names of the request headers that end the line."""
        self.labels = [f" {name.lower().replace('-', '_')}:".encode() for name in names]
        self.detailed = bool(self._fields)
        """Whether the line shows fields that are only measured on demand."""
        self._second = -1
        self._second_text = b""

    def line(self, record: Record) -> bytes:
        """The line, with its line end."""
        uri = record.uri
        if self.redacts and record.method == b"GET":
            uri = self.redacted(uri)
        line = (
            b'%b - [%b] "%b %b %b" %b %b %b "%b" "%b" "%b" "%b" x_forwarded_for:"%b" x_forwarded_proto:"%b" vcap_request_id:"%b" '
            b'response_time:%b gorouter_time:%b app_id:"%b" app_index:"%b" instance_id:"%b" %bx_cf_routererror:"%b"'
        ) % (
            record.host,
            self.time(record.received_at_ns),
            record.method,
            shown(uri) if uri else uri,
            record.proto,
            _number(record.status) if record.status else b'"-"',
            _number(record.request_bytes),
            _number(record.response_bytes),
            shown(record.referer),
            shown(record.user_agent),
            b"-" if self._hides_client else shown(record.client),
            shown(record.backend),
            b"-" if self._hides_forwarded_for else shown(record.forwarded_for),
            shown(record.forwarded_proto),
            record.request_id or b"-",
            _seconds(record.response_time),
            _seconds(record.gorouter_time),
            shown(record.app_id),
            shown(record.app_index),
            shown(record.instance_id),
            self._extra_fields(record) if self._fields else b"",
            shown(record.router_error),
        )
        return line + self._extra_headers(record.extra) + b"\n" if self.labels else line + b"\n"

    def time(self, nanoseconds: int) -> bytes:
        """Local time with a Z, as upstream writes it and log parsers expect it. Most lines share their second."""
        second = nanoseconds // 1_000_000_000
        if second != self._second:
            self._second = second
            self._second_text = f"{datetime.fromtimestamp(second):%Y-%m-%dT%H:%M:%S}".encode()  # noqa: DTZ006
        fraction = nanoseconds - second * 1_000_000_000
        millis, rest = fraction // 1_000_000, fraction % 1_000_000
        return b"%b.%b%b%bZ" % (self._second_text, _THREE[millis], _THREE[rest // 1000], _THREE[rest % 1000])

    def redacted(self, uri: bytes) -> bytes:
        """Path and query of a GET, as they may be logged."""
        path, mark, query = uri.partition(b"?")
        if not query or not self.redacts:
            return uri
        if self._redaction == "all":
            return path
        return b"%b%bhash=%b" % (path, mark, hashlib.sha1(query, usedforsecurity=False).hexdigest().encode())

    def _extra_fields(self, record: Record) -> bytes:
        parts = []
        for name in self._fields:
            value = getattr(record, name)
            text = _quoted(value) if name in _TEXTS else _seconds(value) if name in _TIMES else b"%d" % value
            parts.append(b"%b:%b " % (name.encode(), text))
        return b"".join(parts)

    def _extra_headers(self, values: Sequence[bytes]) -> bytes:
        present = (*values, *(b"" for _ in self.labels[len(values) :]))
        return b"".join(label + _quoted(value) for label, value in zip(self.labels, present, strict=True))


def shown(text: bytes) -> bytes:
    """A text as it stands between quotes. Most have been shown before."""
    known = _known.get(text)
    if known is not None:
        return known
    between = text if _is_plain(text) else _escaped(text)
    if len(text) <= _LONGEST_KNOWN:
        if len(_known) >= _MOST_KNOWN:  # bounded: clients choose the texts
            _known.clear()
            _known[b""] = b"-"
        _known[text] = between
    return between


def _is_plain(text: bytes) -> bool:
    """Whether Go's quoting leaves the text as it is."""
    return _PLAIN.fullmatch(text) is not None


def _escaped(text: bytes) -> bytes:
    """What stands between the quotes."""
    return quote(text.decode("utf-8", "surrogateescape"))[1:-1].encode()


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % shown(text)


def _number(number: int) -> bytes:
    return _SMALL[number] if number < 1000 else b"%d" % number


def _seconds(seconds: float) -> bytes:
    """As `%.6f`, which would cost more than all the rest of a short line; `"-"` for what is below zero."""
    if seconds < 0:
        return b'"-"'
    micros = int(seconds * 1e6 + 0.5)
    if micros >= 1_000_000:
        return b"%.6f" % seconds
    return b"0.%b%b" % (_THREE[micros // 1000], _THREE[micros % 1000])


def _extra_headers(config: Config) -> list[str]:
    """The request headers to log, once each, whatever their case."""
    names = list(config.extra_headers_to_log)
    if config.tracing.enable_zipkin:
        names += _ZIPKIN
    if config.tracing.enable_w3c:
        names += _W3C
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return list(first.values())


class Writer(Protocol):
    """Where access lines go."""

    def write(self, lines: Sequence[bytes], /) -> None:
        """Take lines, which end in a newline each. What goes wrong is logged, not raised."""

    def close(self) -> None:
        """The lines so far were the last ones."""


class Listener(Protocol):
    """Who wants to know of each line what it was made of."""

    def log(self, record: Record, line: bytes, tags: Mapping[str, str] | None, /) -> None:
        """Hear of a line, which ends in a newline, and of the tags of its endpoint."""

    def flush(self) -> None:
        """The lines so far are being written."""

    def close(self) -> None:
        """The lines so far were the last ones."""


class AccessLog:
    """Makes the lines, and hands them on in order: all together to the writers, each at once to the listeners."""

    def __init__(self, config: Config, clock: Clock, writers: Sequence[Writer] = (), listeners: Sequence[Listener] = ()) -> None:
        self._format = LineFormat(config)
        self.extra_names = self._format.extra_names
        self.detailed = self._format.detailed or bool(config.cfroute.access_log_json)
        """Whether somebody wants to see what is only measured on demand."""
        self._clock = clock
        self._pending: list[bytes] = []
        self._timer: Timer | None = None
        self._writers = tuple(writers)
        self._listeners = tuple(listeners)
        self.enabled = bool(writers or listeners)
        """Whether there is anybody to write for."""

    def log(self, record: Record, tags: Mapping[str, str] | None = None) -> None:
        """Add the line of a request to an endpoint with these tags. It is written after a few hundredths of a second."""
        line = self._format.line(record)
        for listener in self._listeners:
            listener.log(record, line, tags)
        pending = self._pending
        pending.append(line)
        if self._timer is None:
            self._timer = self._clock.call_later(_FLUSH_AFTER, self.flush)
        elif len(pending) >= _MOST_PENDING:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            lines, self._pending = self._pending, []
            for writer in self._writers:
                writer.write(lines)
            for listener in self._listeners:
                listener.flush()

    def close(self) -> None:
        """Write what is pending; what comes later is dropped."""
        self.flush()
        self.enabled = False
        for writer in self._writers:
            writer.close()
        for listener in self._listeners:
            listener.close()
        self._writers = self._listeners = ()
