"""The log format of Cloud Foundry's Go components: one JSON object a line.

    {"log_level":1,"timestamp":1700000000.5,"message":"route-registered","source":"gorouter.routing_table.registry","data":{…}}

Every daemon of cfroute writes its own log like this, on stdout, flushed line by line. A line that cannot be written is lost.
"""

import sys
from datetime import datetime
from typing import Any, Protocol

import msgspec

from cfroute.clock import Clock, SystemClock

DEBUG, INFO, WARN, ERROR = 0, 1, 2, 3
_encode = msgspec.json.Encoder(enc_hook=str).encode
LEVELS = {"debug": DEBUG, "info": INFO, "warn": WARN, "error": ERROR}


class Stream(Protocol):
    """Where the lines go."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class Logger:
    """Writes the lines of one component; `session` gives a logger for a part of it."""

    __slots__ = ("_clock", "_rfc3339", "_second", "_second_text", "_sessions", "_stream", "level", "source")

    def __init__(
        self,
        source: str,
        level: int = INFO,
        *,
        rfc3339: bool = False,
        stream: Stream | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.source = source
        self.level = level
        self._rfc3339 = rfc3339
        self._stream: Stream = sys.stdout if stream is None else stream
        self._clock = clock or SystemClock()
        self._sessions: list[Logger] = []
        self._second = -1
        self._second_text = ""

    def session(self, name: str) -> "Logger":
        """A logger whose source is `<source>.<name>`."""
        made = Logger(f"{self.source}.{name}", self.level, rfc3339=self._rfc3339, stream=self._stream, clock=self._clock)
        self._sessions.append(made)
        return made

    def set_level(self, level: int) -> None:
        """Write lines of that level and above from now on, in this logger and in its sessions."""
        self.level = level
        for session in self._sessions:
            session.set_level(level)

    def debug(self, message: str, **data: Any) -> None:
        if self.level <= DEBUG:
            self._write(DEBUG, message, data)

    def info(self, message: str, **data: Any) -> None:
        if self.level <= INFO:
            self._write(INFO, message, data)

    def warn(self, message: str, **data: Any) -> None:
        if self.level <= WARN:
            self._write(WARN, message, data)

    def error(self, message: str, **data: Any) -> None:
        self._write(ERROR, message, data)

    def _write(self, level: int, message: str, data: dict[str, Any]) -> None:
        line = {
            "log_level": level,
            "timestamp": self._timestamp(),
            "message": message,
            "source": self.source,
            "data": data,
        }
        if not self.source:  # upstream's first lines are written before there is a logger with a name
            del line["source"]
        try:
            self._stream.write(_encode(line).decode() + "\n")
            self._stream.flush()
        except OSError:
            return  # a full disk must not stop the work, and there is nobody else to tell

    def _timestamp(self) -> float | str:
        if not self._rfc3339:
            return self._clock.now()
        second, nanoseconds = divmod(self._clock.now_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            # Upstream writes the local time and says Z all the same; log parsers are fitted to it.
            self._second_text = f"{datetime.fromtimestamp(second):%Y-%m-%dT%H:%M:%S}"  # noqa: DTZ006
        return f"{self._second_text}.{nanoseconds:09d}Z"
