"""The chunked transfer coding (RFC 9112 section 7.1), read strictly and written anew.

Chunk extensions are dropped. Line ends must be CRLF: a reader that takes a bare LF here can be made to disagree with another
about where a message ends.
"""

import re
from typing import Final

from cfroute.proxy.head import BadRequest, fields
from cfroute.proxy.headers import Headers

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_LONGEST_LINE = 4096
_LONGEST_TRAILER = 64 * 1024
_MOST_OVERHEAD: Final = 16 * 1024  # bytes that are not of the body, beyond a fair share for each chunk (Go's)

LAST_CHUNK: Final = b"0\r\n\r\n"


class ChunkError(Exception):
    """The body is not in the chunked coding."""


class ChunkedDecoder:
    """Takes bytes as they come and gives the body's bytes back; `done` once the last chunk and the trailer are in.

    rest then holds what came after the message, and trailers the trailer fields.
    """

    __slots__ = ("_buffer", "_left", "_overhead", "_position", "_state", "done", "rest", "trailers")

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0  # of the first byte in the buffer that has not been read
        self._left = 0
        self._overhead = 0
        self._state = self._size
        self.done = False
        self.rest = b""
        self.trailers = Headers()

    def __repr__(self) -> str:
        return f"<ChunkedDecoder {self._state.__name__.strip('_')} left={self._left}>"

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of body in `data`. Raises ChunkError; nothing may be fed after that, or after `done`."""
        self._buffer = self._buffer + data if self._buffer else data
        self._position = 0
        pieces: list[bytes] = []
        while not self.done and self._state(pieces):
            pass
        self._buffer = self._buffer[self._position :]
        if self.done:
            self.rest, self._buffer = self._buffer, b""
        return pieces

    def _line(self, longest: int) -> bytes | None:
        begin = self._position
        end = self._buffer.find(b"\n", begin, begin + longest + 2)
        if end < 0:
            if len(self._buffer) - begin > longest:
                raise ChunkError("header line too long")
            return None
        line = self._buffer[begin:end]
        if not line.endswith(b"\r"):
            raise ChunkError("chunked line ends with bare LF")
        self._position = end + 1
        return line[:-1]

    def _size(self, pieces: list[bytes]) -> bool:
        line = self._line(_LONGEST_LINE)
        if line is None:
            return False
        match = _SIZE.fullmatch(line)
        if match is None:
            raise ChunkError("invalid byte in chunk length")
        self._left = size = int(match.group(1), 16)
        self._overhead = max(self._overhead + len(line) + 4 - 16 - 2 * size, 0)
        if self._overhead > _MOST_OVERHEAD:
            raise ChunkError("chunked encoding contains too much non-data")
        self._state = self._data if self._left else self._trailer
        return True

    def _data(self, pieces: list[bytes]) -> bool:
        piece = self._buffer[self._position : self._position + self._left]
        if piece:
            pieces.append(piece)
            self._position += len(piece)
            self._left -= len(piece)
        if self._left:
            return False
        self._state = self._data_end
        return True

    def _data_end(self, pieces: list[bytes]) -> bool:
        end = self._buffer[self._position : self._position + 2]
        if end != b"\r\n":
            if end in (b"", b"\r"):
                return False
            raise ChunkError("malformed chunked encoding")
        self._position += 2
        self._state = self._size
        return True

    def _trailer(self, pieces: list[bytes]) -> bool:
        begin = self._position
        if self._buffer.startswith(b"\r\n", begin):
            self._end(begin + 2)
            return False
        end = self._buffer.find(b"\r\n\r\n", begin)
        if (end if end >= 0 else len(self._buffer)) - begin > _LONGEST_TRAILER:
            raise ChunkError("http: suspiciously long trailer after chunked body")
        if end < 0:
            return False
        try:
            self.trailers = fields(self._buffer[begin:end].split(b"\r\n"))
        except BadRequest as refused:
            raise ChunkError("malformed trailer") from refused
        self._end(end + 4)
        return False

    def _end(self, position: int) -> None:
        """The message ends there."""
        self._position = position
        self.done = True
        self._state = _over  # not a method: it would hold us until somebody looks for cycles


def _over(pieces: list[bytes]) -> bool:
    """There is nothing more to come."""
    return False


def chunk(piece: bytes) -> bytes:
    """One chunk that holds `piece`, which must not be empty."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def last_chunk(trailers: Headers) -> bytes:
    """The end of a chunked body."""
    return b"0\r\n" + trailers.lines() + b"\r\n" if trailers else LAST_CHUNK
