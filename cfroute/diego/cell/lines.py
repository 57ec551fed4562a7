"""Cutting what an app prints into log lines."""

LONGEST = 60 * 1024  # bytes, as in the log cache


class Lines:
    """Takes bytes as they come, gives whole lines. A line that is too long comes in pieces; empty ones are dropped."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > self._longest:
            whole.append(self._rest[: self._longest])
            self._rest = self._rest[self._longest :]
        return [text for line in whole for text in self._texts(line)]

    def end(self) -> list[str]:
        """What was left without a line break at the end."""
        rest, self._rest = self._rest, b""
        return self._texts(rest)

    def _texts(self, line: bytes) -> list[str]:
        line = line.removesuffix(b"\r")
        pieces = (line[at : at + self._longest] for at in range(0, len(line), self._longest))
        return [piece.decode("utf-8", "replace") for piece in pieces]
