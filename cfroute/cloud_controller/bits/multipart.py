"""A multipart form with one file that is wanted, read as it arrives. Pure.

The file's content is handed on piece by piece, and of everything else only the name is kept: a form takes no more memory than the
piece of it that was fed last.
"""

from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MOST_PARTS: Final = 10
_LONGEST_HEADER: Final = 8192  # bytes


class NoForm(Exception):
    """What was sent is no multipart form, or one that nobody sends who means it well."""


class FormReader:
    """Takes a form piece by piece, and gives the content of the file that is wanted.

    names: of the parts that have come so far. file_name: what the client calls the wanted file; None until it has come.
    """

    def __init__(self, content_type: str, wanted: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise NoForm
        self.names: list[str] = []
        self.file_name: str | None = None
        self._wanted = wanted
        self._inside = False  # the wanted file
        self._ended = False
        self._found: list[bytes] = []
        self._field, self._value, self._disposition = b"", b"", b""
        callbacks: MultipartCallbacks = {
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise NoForm from error

    def feed(self, piece: bytes) -> bytes:
        """What of the wanted file was in this piece of the form. Raises NoForm."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise NoForm from error
        found = b"".join(self._found)
        self._found.clear()
        return found

    def end(self) -> None:
        """The form has been fed whole. Raises NoForm when it had no end."""
        if not self._ended:
            raise NoForm

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field = _longer(self._field, data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = _longer(self._value, data[start:end])

    def _on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        self._disposition = b""
        name = options.get(b"name", b"").decode(errors="replace")
        self._inside = name == self._wanted and b"filename" in options
        if len(self.names) >= _MOST_PARTS or (self._inside and self.file_name is not None):
            raise NoForm
        self.names.append(name)
        if self._inside:
            self.file_name = options[b"filename"].decode(errors="replace")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._found.append(data[start:end])

    def _on_part_end(self) -> None:
        self._inside = False

    def _on_end(self) -> None:
        self._ended = True


def _longer(header: bytes, more: bytes) -> bytes:
    if len(header) + len(more) > _LONGEST_HEADER:
        raise NoForm
    return header + more
