"""The route emitter's log, as its configuration wants it."""

from typing import Any

from cfroute.clock import Clock
from cfroute.diego.route_emitter.config import Config
from cfroute.lager import Data, Lager, Redact, redaction, sink_of

_TRUNCATED = "-(truncated)"


def logger(config: Config, clock: Clock) -> Lager:
    """A logger that has the name of the session. Raises re.error for a pattern that is none."""
    redact = redaction(config)
    if config.max_data_string_length > 0:
        redact = _shortened(config.max_data_string_length, redact)
    return Lager(config.locket_session_name, sink_of(config, redact, clock=clock))


def _shortened(longest: int, redact: Redact | None) -> Redact:
    """Cuts texts that are longer, after what `redact` does."""

    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: cut(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [cut(inner) for inner in value]
        if isinstance(value, str) and len(value) > longest:
            return value[: max(longest - len(_TRUNCATED), 0)] + _TRUNCATED
        return value

    def shorten(data: Data) -> Data:
        return {name: cut(value) for name, value in (redact(data) if redact else data).items()}

    return shorten
