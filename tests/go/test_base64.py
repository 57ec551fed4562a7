"""Go's base64, with the position of the error."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go import base64 as go_base64


@given(st.binary())
def test_both_alphabets(data: bytes) -> None:
    assert go_base64.decode_standard(base64.b64encode(data)) == data
    assert go_base64.decode_url(base64.urlsafe_b64encode(data)) == data
    assert go_base64.decode_standard(base64.encodebytes(data).replace(b"\n", b"\r\n")) == data


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (b"!!!", 0),
        (b"AA!A", 2),
        (b"AAA", 0),
        (b"AAAAAA", 4),
        (b"A===", 1),
        (b"AA=", 3),
        (b"AA=A", 2),
        (b"AAA=A", 4),
        (b"AAA==", 4),
        (b"AA+A", 2),
    ],
)
def test_the_position_of_the_error(text: bytes, position: int) -> None:
    with pytest.raises(go_base64.Base64Error) as refused:
        go_base64.decode_url(text)
    assert str(refused.value) == f"illegal base64 data at input byte {position}"
