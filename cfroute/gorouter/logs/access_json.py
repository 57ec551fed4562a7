"""The access log once more, as one JSON object a line: what the lines say, for those who would rather not parse them.

Upstream has nothing like it. The names are those of the line's fields; what the line shows as `"-"` is null.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cfroute.gorouter.config import Config
from cfroute.gorouter.logs.access_file import AccessFile
from cfroute.gorouter.logs.access_log import LineFormat, Record
from cfroute.logs import Logger

_TEXTS: Final = ("referer", "user_agent", "client", "backend")
_LABELLED: Final = {
    "x_forwarded_for": "forwarded_for",
    "x_forwarded_proto": "forwarded_proto",
    "vcap_request_id": "request_id",
    "app_id": "app_id",
    "app_index": "app_index",
    "instance_id": "instance_id",
    "local_address": "local_address",
    "tls_sni": "tls_sni",
    "caller_cf_app": "caller_cf_app",
    "caller_cf_space": "caller_cf_space",
    "caller_cf_org": "caller_cf_org",
    "route_policy": "route_policy",
    "x_cf_routererror": "router_error",
}
_TIMES: Final = (
    "response_time", "gorouter_time", "backend_time", "dial_time", "dns_time", "tls_time", "failed_attempts_time",
)  # fmt: skip


class AccessJson:
    """Writes an object a line to a file of its own."""

    def __init__(self, config: Config, log: Logger) -> None:
        """Raises AccessLogError, after logging it, when the file cannot be opened."""
        self._file = AccessFile(config.cfroute.access_log_json, log)
        self._format = LineFormat(config)
        self._names = [label.strip(b" :").decode() for label in self._format.labels]
        hidden = {"client": config.logging.disable_log_source_ip, "x_forwarded_for": config.logging.disable_log_forwarded_for}
        self._hidden = [name for name, hides in hidden.items() if hides]
        self._pending: list[bytes] = []

    def log(self, record: Record, line: bytes, tags: Mapping[str, str] | None) -> None:
        """Add the object of a request; it is written with the line."""
        self._pending.append(msgspec.json.encode(self._object(record)) + b"\n")

    def flush(self) -> None:
        """Write what is pending."""
        pending, self._pending = self._pending, []
        if pending:
            self._file.write(pending)

    def close(self) -> None:
        """Write what is pending and close the file."""
        self.flush()
        self._file.close()

    def _object(self, record: Record) -> dict[str, object]:
        uri = self._format.redacted(record.uri) if record.method == b"GET" else record.uri
        shown: dict[str, object] = {
            "host": _text(record.host),
            "time": self._format.time(record.received_at_ns).decode(),
            "method": _text(record.method),
            "uri": _text(uri),
            "proto": _text(record.proto),
            "status": record.status or None,
            "request_bytes": record.request_bytes,
            "response_bytes": record.response_bytes,
            **{name: _text(getattr(record, name)) for name in _TEXTS},
            **{name: _text(getattr(record, field)) for name, field in _LABELLED.items()},
            **{name: _time(getattr(record, name)) for name in _TIMES},
            "failed_attempts": record.failed_attempts,
        }
        for name in self._hidden:
            shown[name] = None
        if self._names:
            shown["headers"] = dict(zip(self._names, map(_text, _padded(record.extra, len(self._names))), strict=True))
        return shown


def _text(text: bytes) -> str | None:
    return text.decode("utf-8", "replace") or None


def _time(seconds: float) -> float | None:
    return round(seconds, 6) if seconds >= 0 else None


def _padded(values: Sequence[bytes], count: int) -> list[bytes]:
    return [*values, *[b""] * (count - len(values))]
