"""Forms as they arrive: whole, byte by byte, and of those who do not mean it well."""

import itertools
from collections.abc import Iterable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cloud_controller.bits.multipart import FormReader, NoForm

KIND = "multipart/form-data; boundary=XX"


def form(**parts: tuple[str | None, bytes]) -> tuple[str, bytes]:
    """Content type and body, as a client makes them; a part without a file's name is a field."""
    request = httpx.Request("POST", "http://api.test", files=parts)
    return request.headers["content-type"], request.read()


def read(kind: str, pieces: Iterable[bytes]) -> tuple[FormReader, bytes]:
    reader = FormReader(kind, "bits")
    content = b"".join([reader.feed(piece) for piece in pieces])
    reader.end()
    return reader, content


def part(disposition: str, content: str = "x") -> bytes:
    return f"--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n".encode()


@given(st.binary(max_size=200) | st.just(b"\r\n--XX\r\n"), st.lists(st.integers(0, 600)))
def test_the_wanted_file_is_had_however_the_form_is_cut(content: bytes, cuts: list[int]) -> None:
    kind, body = form(resources=(None, b"[]"), bits=("p.zip", content), other=("o", b"nobody wants it"))
    edges = [0, *sorted(cuts), len(body)]
    reader, found = read(kind, [body[start:end] for start, end in itertools.pairwise(edges)])
    assert (found, reader.file_name, reader.names) == (content, "p.zip", ["resources", "bits", "other"])


def test_byte_by_byte() -> None:
    kind, body = form(bits=("d.tgz", b"--XX\r\n-\r\n"))
    assert read(kind, [bytes([each]) for each in body])[1] == b"--XX\r\n-\r\n"


def test_a_field_is_no_file() -> None:
    kind, body = form(bits=(None, b"text"))
    reader, content = read(kind, [body])
    assert (content, reader.file_name, reader.names) == (b"", None, ["bits"])


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", f"{KIND}{'X' * 400}"])
def test_what_is_no_form_by_its_type(kind: str) -> None:
    with pytest.raises(NoForm):
        FormReader(kind, "bits")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        part('name="bits"; filename="p"'),
        part('name="bits"; filename="p"') * 2 + b"--XX--\r\n",
        part('name="a"') * 11 + b"--XX--\r\n",
        part(f'name="{"a" * 10_000}"') + b"--XX--\r\n",
        b"--XX\r\n" + b"a" * 10_000,
    ],
    ids=["empty", "nonsense", "cut off", "two files", "many parts", "a long value", "a long header"],
)
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(NoForm):
        read(KIND, [body])
