"""The log format of Diego's and the routing tier's daemons ("lager"): one JSON object a line, with sessions that have numbers.

    {"timestamp":"1795287585.817978349","source":"tcp","message":"tcp.watcher.started","log_level":1,"data":{"session":"2"}}

`logs` has the one of Gorouter, which names its sessions in `source`. Keys of `data` are sorted, and `<`, `>` and `&` are
escaped as Go's encoder does. A line that cannot be written is lost.
"""

import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from cfroute.clock import Clock, SystemClock
from cfroute.go.encoding import escaped
from cfroute.go.flags import BadUsage, LagerFlags
from cfroute.logs import Stream

DEBUG, INFO, ERROR, FATAL = 0, 1, 2, 3
LEVELS: Final = {"debug": DEBUG, "info": INFO, "error": ERROR, "fatal": FATAL}
_NAMES: Final = ("debug", "info", "error", "fatal")

_RFC3339: Final = ("rfc3339", 1)  # as a word, or as the number that stands for it
_REDACTED: Final = "*REDACTED*"
_SECRET_KEYS: Final = re.compile("[Pp]wd|[Pp]ass")
SECRET_VALUES: Final = (
    r"AKIA[A-Z0-9]{16}",
    r"""KEY["']?\s*(?::|=>|=)\s*["']?[A-Z0-9/\+=]{40}["']?""",
    r"\$1\$[A-Z0-9./]{1,16}\$[A-Z0-9./]{22}",
    r"\$5\$[A-Z0-9./]{1,16}\$[A-Z0-9./]{43}",
    r"\$6\$[A-Z0-9./]{1,16}\$[A-Z0-9./]{86}",
    r"-----BEGIN(.*)PRIVATE KEY-----",
)
"""What upstream takes for a secret wherever it stands: keys of a cloud, hashes of passwords, private keys."""

_encoder: Final = msgspec.json.Encoder(enc_hook=str, order="sorted")
_line: Final = msgspec.json.Encoder()

Data = dict[str, Any]
Redact = Callable[[Data], Data]


class Sink:
    """Where the lines of a process go, from which level on, and how they look."""

    def __init__(
        self,
        level: int = INFO,
        *,
        rfc3339: bool = False,
        redact: Redact | None = None,
        stream: Stream | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.level = level
        self._rfc3339 = rfc3339
        self._redact = redact
        self._stream: Stream = sys.stdout if stream is None else stream
        self._clock = clock or SystemClock()

    def write(self, level: int, source: str, message: str, data: Data) -> None:
        """Write a line."""
        told = msgspec.Raw(_encoder.encode(self._redact(data) if self._redact else data))
        stamp = self._timestamp()
        if self._rfc3339:
            line: Data = {"timestamp": stamp, "level": _NAMES[level], "source": source, "message": message, "data": told}
        else:
            line = {"timestamp": stamp, "source": source, "message": message, "log_level": level, "data": told}
        try:
            self._stream.write(escaped(_line.encode(line)).decode() + "\n")
            self._stream.flush()
        except OSError:
            return  # a full disk must not stop the work, and there is nobody else to tell

    def _timestamp(self) -> str:
        second, nanoseconds = divmod(self._clock.now_ns(), 1_000_000_000)
        if self._rfc3339:
            return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"
        return f"{second}.{nanoseconds:09d}"


class Lager:
    """Writes the lines of one component, or of a session within it."""

    def __init__(self, source: str, sink: Sink) -> None:
        self._source = source
        self._task = source
        self._number = ""
        self._data: Data = {}
        self._sink = sink
        self._sessions = 0

    def session(self, name: str, **data: Any) -> "Lager":
        """A logger for a part of the work: its lines have the name in `message`, a number, and this data."""
        self._sessions += 1
        made = Lager(self._source, self._sink)
        made._task = f"{self._task}.{name}"
        made._number = f"{self._number}.{self._sessions}" if self._number else str(self._sessions)
        made._data = {**self._data, **data, "session": made._number}
        return made

    def set_level(self, level: int) -> None:
        """Write lines of that level and above from now on, in the whole process."""
        self._sink.level = level

    def debug(self, message: str, **data: Any) -> None:
        self._write(DEBUG, message, data)

    def info(self, message: str, **data: Any) -> None:
        self._write(INFO, message, data)

    def error(self, message: str, **data: Any) -> None:
        self._write(ERROR, message, data)

    def fatal(self, message: str, **data: Any) -> None:
        self._write(FATAL, message, data)

    def _write(self, level: int, message: str, data: Data) -> None:
        if level >= self._sink.level:
            self._sink.write(level, self._source, f"{self._task}.{message}", {**self._data, **data})


def of_flags(source: str, flags: LagerFlags) -> Lager:
    """The log of a program that was started with these flags. Raises BadUsage for a pattern that is none."""
    try:
        return Lager(source, sink_of(flags))
    except re.error as error:
        raise BadUsage(str(error)) from error


class Settings(Protocol):
    """What is said of a log in flags or in a file of configuration, under upstream's names."""

    @property
    def log_level(self) -> str: ...

    @property
    def time_format(self) -> str | int: ...

    @property
    def redact_secrets(self) -> bool: ...

    @property
    def redact_patterns(self) -> list[str]: ...


def sink_of(settings: Settings, redact: Redact | None = None, *, clock: Clock | None = None) -> Sink:
    """Where such a log goes; `redact` in place of what the settings say. Raises re.error for a pattern that is none."""
    rfc3339 = settings.time_format in _RFC3339
    return Sink(LEVELS[settings.log_level], rfc3339=rfc3339, redact=redact or redaction(settings), clock=clock)


def redaction(settings: Settings) -> Redact | None:
    """What blackens secrets, if that is wanted. Raises re.error for a pattern that is none."""
    return redactor(settings.redact_patterns) if settings.redact_secrets else None


def redactor(patterns: Iterable[str]) -> Redact:
    """Blackens values of keys that sound secret, and what matches one of the patterns. Raises re.error for one that is none."""
    secret = [re.compile(pattern) for pattern in patterns or SECRET_VALUES]

    def clean(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: clean(inner, name) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [clean(inner, key) for inner in value]
        text = isinstance(value, str)
        if text and (_SECRET_KEYS.search(key) or any(pattern.search(value) for pattern in secret)):
            return _REDACTED
        return value

    return lambda data: {key: clean(value, key) for key, value in data.items()}
