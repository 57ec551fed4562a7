"""The access log: one line a request.

    <host> - [<time>] "<METHOD> <uri> <proto>" <status> <bytes in> <bytes out> "<referer>" "<user agent>" "<client>" "<backend>"
    x_forwarded_for:"…" x_forwarded_proto:"…" vcap_request_id:"…" response_time:S gorouter_time:S app_id:"…" app_index:"…"
    instance_id:"…" [<extra fields> ]x_cf_routererror:"…"[ <extra header>:"…" …]

Lines are gathered and written together, off the request path, in order.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from cfroute.clock import Clock, Timer
from cfroute.gorouter.config import Config
from cfroute.gorouter.quoting import quote
from cfroute.logs import Logger
from cfroute.proxy.headers import canonical

_FLUSH_AFTER: Final = 0.05  # seconds
_MOST_PENDING: Final = 1024  # lines, as many as upstream's queue holds
_MODE: Final = 0o644

_LINE: Final = (
    b'%b - [%b] "%b" %b %d %d "%b" "%b" "%b" "%b" x_forwarded_for:"%b" x_forwarded_proto:"%b" vcap_request_id:"%b" '
    b'response_time:%b gorouter_time:%b app_id:"%b" app_index:"%b" instance_id:"%b" %bx_cf_routererror:"%b"'
)
# What Go's quoting leaves as it is, among the bytes of ASCII.
_PLAIN: Final = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')

_TIMES: Final = frozenset({"backend_time", "dial_time", "dns_time", "tls_time", "failed_attempts_time"})
_FIELDS: Final = _TIMES | {"failed_attempts", "local_address"}
_ZIPKIN: Final = ("X-B3-TraceId", "X-B3-SpanId", "X-B3-ParentSpanId", "b3")
_W3C: Final = ("traceparent", "tracestate")


class Record(NamedTuple):
    """What a line tells of a request. Texts are as they came, and empty where there is nothing to tell; times are seconds.

    `uri` is path and query; `extra` has the values of `AccessLog.extra_names`, in their order. What follows it is shown only
    where the configuration asks for it; the times are negative when they were not measured.
    """

    host: bytes
    received_at_ns: int
    method: bytes
    uri: bytes
    proto: bytes
    status: int
    request_bytes: int
    response_bytes: int
    referer: bytes
    user_agent: bytes
    client: bytes
    backend: bytes
    forwarded_for: bytes
    forwarded_proto: bytes
    request_id: bytes
    response_time: float
    gorouter_time: float
    app_id: bytes
    app_index: bytes
    instance_id: bytes
    router_error: bytes
    extra: Sequence[bytes]
    failed_attempts: int = 0
    backend_time: float = -1.0
    dial_time: float = -1.0
    dns_time: float = -1.0
    tls_time: float = -1.0
    failed_attempts_time: float = -1.0
    local_address: bytes = b""


class LineFormat:
    """Access lines the way a configuration wants them."""

    def __init__(self, config: Config) -> None:
        logging = config.logging
        self._hides_client = logging.disable_log_source_ip
        self._hides_forwarded_for = logging.disable_log_forwarded_for
        self._redaction = logging.redact_query_params
        self._redacts = self._redaction != "none"
        self._fields = [name for name in dict.fromkeys(logging.extra_access_log_fields) if name in _FIELDS]
        names = _extra_headers(config)
        self.extra_names = [canonical(name.encode()) for name in names]
        """Canonical names of the request headers that end the line."""
        self._labels = [f" {name.lower().replace('-', '_')}:".encode() for name in names]
        self._second = -1
        self._second_text = b""

    def line(self, record: Record) -> bytes:
        """The line, with its line end."""
        # Taken apart at once: looking up the fields one by one would cost as much as all the rest.
        (
            host, received_at_ns, method, uri, proto, status, request_bytes, response_bytes, referer, agent, client, backend,
            forwarded_for, forwarded_proto, request_id, response_time, gorouter_time, app, index, instance, error, extra,
        ) = record[:22]  # fmt: skip
        if self._redacts and method == b"GET":
            uri = self._redacted(uri)
        texts: tuple[bytes, ...] = (
            b"%b %b %b" % (method, uri, proto),
            referer or b"-",
            agent or b"-",
            (not self._hides_client and client) or b"-",
            backend or b"-",
            (not self._hides_forwarded_for and forwarded_for) or b"-",
            forwarded_proto or b"-",
            request_id or b"-",
            app or b"-",
            index or b"-",
            instance or b"-",
            error or b"-",
        )
        if b"".join(texts).translate(None, _PLAIN):
            texts = tuple(map(_escaped, texts))
        request, referer, agent, client, backend, forwarded_for, proto, request_id, app, index, instance, error = texts
        line = _LINE % (
            host,
            self._time(received_at_ns),
            request,
            b"%d" % status if status else b'"-"',
            request_bytes,
            response_bytes,
            referer,
            agent,
            client,
            backend,
            forwarded_for,
            proto,
            request_id,
            b"%.6f" % response_time if response_time >= 0 else b'"-"',
            b"%.6f" % gorouter_time if gorouter_time >= 0 else b'"-"',
            app,
            index,
            instance,
            self._extra_fields(record) if self._fields else b"",
            error,
        )
        return line + self._extra_headers(extra) + b"\n" if self._labels else line + b"\n"

    def _time(self, nanoseconds: int) -> bytes:
        """Local time with a Z, as upstream writes it and log parsers expect it. Most lines share their second."""
        second, fraction = divmod(nanoseconds, 1_000_000_000)
        if second != self._second:
            self._second = second
            self._second_text = f"{datetime.fromtimestamp(second):%Y-%m-%dT%H:%M:%S}".encode()  # noqa: DTZ006
        return b"%b.%09dZ" % (self._second_text, fraction)

    def _redacted(self, uri: bytes) -> bytes:
        path, mark, query = uri.partition(b"?")
        if not query:
            return uri
        if self._redaction == "all":
            return path
        return b"%b%bhash=%b" % (path, mark, hashlib.sha1(query, usedforsecurity=False).hexdigest().encode())

    def _extra_fields(self, record: Record) -> bytes:
        parts = []
        for name in self._fields:
            value = getattr(record, name)
            shown = _quoted(value) if name == "local_address" else _seconds(value) if name in _TIMES else b"%d" % value
            parts.append(b"%b:%b " % (name.encode(), shown))
        return b"".join(parts)

    def _extra_headers(self, values: Sequence[bytes]) -> bytes:
        present = (*values, *(b"" for _ in self._labels[len(values) :]))
        return b"".join(label + _quoted(value) for label, value in zip(self._labels, present, strict=True))


def _escaped(text: bytes) -> bytes:
    """What stands between the quotes."""
    return quote(text.decode("utf-8", "surrogateescape"))[1:-1].encode()


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % _escaped(text or b"-")


def _seconds(seconds: float) -> bytes:
    return b"%.6f" % seconds if seconds >= 0 else b'"-"'


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


class AccessLogError(Exception):
    """The log file cannot be opened; the message is the `error` of the log line."""


class AccessLog:
    """Writes access lines to the configured file, or nowhere."""

    def __init__(self, config: Config, clock: Clock, logger: Logger) -> None:
        """Raises AccessLogError, after logging it, when the file cannot be opened."""
        self._format = LineFormat(config)
        self.extra_names = self._format.extra_names
        self._clock = clock
        self._logger = logger
        self._pending: list[bytes] = []
        self._timer: Timer | None = None
        self._failing = False
        self._path = config.access_log.file
        self._file = self._open(self._path) if self._path else -1

    @property
    def enabled(self) -> bool:
        """Whether there is anything to write to."""
        return self._file >= 0

    def _open(self, path: str) -> int:
        try:
            return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        except OSError as error:
            text = f"open {path}: {(error.strerror or str(error)).lower()}"
            self._logger.error("error-creating-accesslog-file", filename=path, error=text)
            raise AccessLogError(text) from error

    def log(self, record: Record) -> None:
        """Add the line of a request. It is in the file after a few hundredths of a second."""
        if self._file < 0:
            return
        pending = self._pending
        pending.append(self._format.line(record))
        if self._timer is None:
            self._timer = self._clock.call_later(_FLUSH_AFTER, self.flush)
        elif len(pending) >= _MOST_PENDING:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        lines = b"".join(self._pending)
        self._pending.clear()
        self._write(lines)

    def _write(self, lines: bytes) -> None:
        view = memoryview(lines)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:  # a full disk must not stop the traffic: the lines are lost, and that is said once
            if not self._failing:
                self._logger.error("error-writing-accesslog-file", filename=self._path, error=quote(str(error.strerror)))
            self._failing = True
            return
        self._failing = False

    def close(self) -> None:
        """Write what is pending and close the file."""
        if self._file >= 0:
            self.flush()
            os.close(self._file)
            self._file = -1
