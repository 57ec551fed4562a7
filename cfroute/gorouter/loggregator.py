"""Access lines in the logs of the apps: `cf logs` shows them as `[RTR/0] OUT …`.

A datagram holds at most 64 KiB. Of a line that would not fit, what a client can make long is shortened, by upstream's rules.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Final

from cfroute.clock import Clock
from cfroute.dropsonde import LogMessage
from cfroute.gorouter.access_log import LineFormat, Record, shown
from cfroute.gorouter.config import Config
from cfroute.gorouter.dropsonde import Emitter
from cfroute.logs import DEBUG, Logger

_LONGEST_LINE: Final = 65_400  # bytes
_LARGE: Final = 20_000  # bytes of the URI, and of all extra headers together
_SMALL: Final = 1_000  # bytes of what browsers and proxies send
_EXTRA_TOO_LONG: Final = b"...EXTRA-REQUEST-HEADERS-TOO-LONG-TO-LOG--TRUNCATED"


class AppLog:
    """Sends the lines of requests to apps to metron; or, without an emitter, says of each that it is not sent."""

    def __init__(self, config: Config, emitter: Emitter | None, clock: Clock, log: Logger) -> None:
        self._emitter = emitter
        self._clock = clock
        self._log = log
        self._source_instance = str(config.index) if emitter is not None else ""
        self._instance = self._source_instance.encode()
        self._format = LineFormat(config)

    def log(self, record: Record, line: bytes, tags: Mapping[str, str] | None) -> None:
        """Send the line of a request that got as far as an endpoint with an app id."""
        emitter = self._emitter
        if emitter is None or not record.app_id:
            self._log.debug(
                "dropping-loggregator-access-log",
                error="either no appId or source instance present",
                appID=record.app_id.decode("utf-8", "replace"),
                sourceInstance=self._source_instance,
            )
        elif not emitter.deaf:
            message = line[:-1] if len(line) <= _LONGEST_LINE + 1 else short_line(self._format, record)
            emitter.log_message(LogMessage(message, self._clock.now_ns(), record.app_id, b"RTR", self._instance), tags)

    def flush(self) -> None:
        """Send what waits."""
        if self._emitter is not None:
            self._emitter.flush()

    def close(self) -> None:
        """The emitter is not ours to close."""


def app_log(config: Config, emitter: Emitter, clock: Clock, log: Logger) -> AppLog | None:
    """Who takes the lines for the apps' logs; None where there is nothing to send and nothing to say."""
    if config.logging.loggregator_enabled:
        return AppLog(config, emitter, clock, log)
    return AppLog(config, None, clock, log) if log.level <= DEBUG else None


def short_line(form: LineFormat, record: Record) -> bytes:
    """The line, without a line end, shortened so that it fits into a datagram."""
    short = copy(record)
    short.uri = shortened(form.redacted(record.uri) if record.method == b"GET" else record.uri, b"REQUEST-URI", _LARGE)
    short.referer = shortened(record.referer, b"REFERER", _SMALL)
    short.user_agent = shortened(record.user_agent, b"USER-AGENT", _SMALL)
    short.forwarded_for = shortened(record.forwarded_for, b"X-FORWARDED-FOR", _SMALL)
    short.forwarded_proto = shortened(record.forwarded_proto, b"X-FORWARDED-PROTO", _SMALL)
    plain = copy(form)
    plain.redacts = False  # done above
    plain.labels = []
    line = plain.line(short)[:-1]
    return line + b" " + first_headers(form.labels, record.extra) if form.labels else line


def shortened(text: bytes, name: bytes, limit: int) -> bytes:
    """The text, halved until it has at most `limit` bytes together with the remark on what is missing."""
    while len(text) > limit:
        text = text[: len(text) // 2] + b"...%b-TOO-LONG-TO-LOG--TRUNCATED" % name
    return text


def first_headers(labels: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    """As many of the extra headers as fit; `labels` are like ` x_custom:`.

    As upstream does it, the length of the next one is taken without the escapes that quoting adds.
    """
    text = b""
    for label, value in zip(labels, (*values, *(b"" for _ in labels[len(values) :])), strict=True):
        name = label.strip(b" :")
        if len(text) + len(name) + len(value) + (4 if value else 7) >= _LARGE:
            return text + _EXTRA_TOO_LONG
        text += b'%b:"%b" ' % (name, shown(value))
    return text[:-1]
