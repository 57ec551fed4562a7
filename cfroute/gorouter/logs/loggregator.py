"""Access lines in the logs of the apps: `cf logs` shows them as `[RTR/0] OUT …`.

A datagram holds at most 64 KiB. Of a line that would not fit, what a client can make long is shortened, by upstream's rules.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cfroute.clock import Clock
from cfroute.dropsonde import LogMessage
from cfroute.gorouter.config import Config
from cfroute.gorouter.logs.access_log import LineFormat, Record, shown
from cfroute.gorouter.logs.dropsonde import Emitter
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
        self._short = ShortLines(config)

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
            message = line[:-1] if len(line) <= _LONGEST_LINE + 1 else self._short.line(record)
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


class ShortLines:
    """Lines that fit into a datagram."""

    def __init__(self, config: Config) -> None:
        self._form = LineFormat(config)
        tracing = msgspec.structs.replace(config.tracing, enable_zipkin=False, enable_w3c=False)
        logging = msgspec.structs.replace(config.logging, redact_query_params="none")
        # What it leaves out is done here: redaction before shortening, and the extra headers as far as they fit.
        bare = msgspec.structs.replace(config, tracing=tracing, logging=logging, extra_headers_to_log=[])
        self._bare = LineFormat(bare)

    def line(self, record: Record) -> bytes:
        """The line, without a line end."""
        kept = record.uri, record.referer, record.user_agent, record.forwarded_for, record.forwarded_proto
        uri, referer, agent, forwarded_for, forwarded_proto = kept
        if record.method == b"GET":
            uri = self._form.redacted(uri)
        record.uri = shortened(uri, b"REQUEST-URI", _LARGE)
        record.referer = shortened(referer, b"REFERER", _SMALL)
        record.user_agent = shortened(agent, b"USER-AGENT", _SMALL)
        record.forwarded_for = shortened(forwarded_for, b"X-FORWARDED-FOR", _SMALL)
        record.forwarded_proto = shortened(forwarded_proto, b"X-FORWARDED-PROTO", _SMALL)
        try:
            line = self._bare.line(record)[:-1]
        finally:  # others see it as well, and compiled classes cannot be copied
            record.uri, record.referer, record.user_agent, record.forwarded_for, record.forwarded_proto = kept
        return line + b" " + first_headers(self._form.labels, record.extra) if self._form.labels else line


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
