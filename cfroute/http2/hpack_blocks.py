"""Header blocks (RFC 7541): fields -> bytes without a state, bytes -> fields with `hpack`'s decoder.

What we write refers to the static table only, never to the dynamic one. A block so costs a few hundred bytes more on the wire,
and a tenth of the time: each field's bytes depend on nothing but the field. What we read may use everything that HPACK has.
"""

from typing import Final, cast

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable

from cfroute.http2.frames import ConnectionProblem, ErrorCode
from cfroute.proxy.head import RequestHead, ResponseHead

Pair = tuple[bytes, bytes]

_MOST_NAMES: Final = 4096
_MOST_BLOCKS: Final = 64
_LONGEST_NAME: Final = 96  # bytes of a name that is remembered
_LONGEST_BLOCK: Final = 512  # bytes of a block that is remembered: each may stand for a field of some kilobytes
_NO_TABLE: Final = b"\x20"  # "our dynamic table has no room": nobody's later setting can make it too large
_INDEXED: Final = bytes(range(0x80, 0x100))
_LENGTHS: Final = tuple(bytes((length,)) for length in range(127))

_names: dict[bytes, bytes] = {}
_whole: Final[dict[Pair, bytes]] = {}


def _integer(value: int, prefix: int, first: int = 0) -> bytes:
    """A number in HPACK's form; `prefix` is how many bits of the first byte it has, `first` what is in the others."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes((first | value,))
    result = [first | most]
    value -= most
    while value >= 0x80:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def _fill() -> None:
    for position, (name, value) in enumerate(HeaderTable.STATIC_TABLE, start=1):
        _names.setdefault(name, _integer(position, 4))
        if value:
            _whole[name, value] = _integer(position, 7, 0x80)


_fill()
_STATIC_NAMES: Final = len(_names)


def _name(name: bytes) -> bytes:
    """A field's name, as the begin of a literal that is not indexed; it may have upper case."""
    lower = name.lower()
    begin = _names.get(lower) or b"\0" + _integer(len(lower), 7) + lower
    if len(_names) < _STATIC_NAMES + _MOST_NAMES and len(name) <= _LONGEST_NAME:  # bounded: others choose the names
        _names[name] = begin
    return begin


def field(name: bytes, value: bytes) -> bytes:
    """One field; upper case in its name becomes lower case."""
    size = len(value)
    return (_names.get(name) or _name(name)) + (_LENGTHS[size] if size < 127 else _integer(size, 7)) + value


def indexed(name: bytes, value: bytes) -> bytes:
    """One field of which the static table may have name and value."""
    return _whole.get((name, value)) or field(name, value)


class BlockEncoder:
    """Writes the blocks of one connection: only the first one has something of its own."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def block(self, encoded: bytes) -> bytes:
        """The block of these encoded fields."""
        if self._begun:
            return encoded
        self._begun = True
        return _NO_TABLE + encoded


class BlockDecoder:
    """Reads the blocks of one connection; `largest` is the size in bytes of a decoded list that ends it.

    A block that only refers to tables means the same again, as long as the dynamic table has not changed, and most requests of
    a client are like the one before. So what was made of such a block is remembered in `known`, by the block and whatever else
    it depends on; `keep` puts it there.
    """

    __slots__ = ("_decoder", "_lasting", "known")

    def __init__(self, largest: int) -> None:
        self._decoder = Decoder(largest)
        self._lasting = False  # whether the last block only referred to tables
        self.known: dict[tuple[bytes, bool], RequestHead | ResponseHead] = {}

    def decode(self, block: bytes) -> list[Pair]:
        """The fields. Raises ConnectionProblem."""
        self._lasting = not block.translate(None, _INDEXED)
        if not self._lasting:
            self.known.clear()  # the table may change
        try:
            pairs = cast(list[Pair], self._decoder.decode(block, raw=True))
        except OversizedHeaderListError as oversized:
            raise ConnectionProblem(ErrorCode.ENHANCE_YOUR_CALM, "header list too large") from oversized
        except (HPACKError, ValueError, IndexError) as error:
            raise ConnectionProblem(ErrorCode.COMPRESSION_ERROR, "malformed header block") from error
        return pairs

    def keep(self, key: tuple[bytes, bool], head: RequestHead | ResponseHead) -> bool:
        """Remember what was made of the last block, if it can come again. If so, only a copy may be changed."""
        if not self._lasting or len(self.known) >= _MOST_BLOCKS or len(key[0]) > _LONGEST_BLOCK:
            return False
        self.known[key] = head
        return True
