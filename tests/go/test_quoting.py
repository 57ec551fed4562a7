"""Go's %q."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go.quoting import quote


@pytest.mark.statement("F", "quoting like a Go string literal, printable Unicode kept")
@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", '""'),
        ("plain text ~!", '"plain text ~!"'),
        ('say "hi" \\o/', '"say \\"hi\\" \\\\o/"'),
        ("\a\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'),
        ("\x00\x1b\x7f", '"\\x00\\x1b\\x7f"'),
        ("Ünïcödé 漢字 😀", '"Ünïcödé 漢字 😀"'),
        ("\u2028\u00a0\u00ad\ufeff", '"\\u2028\\u00a0\\u00ad\\ufeff"'),
        ("\U000e0001", '"\\U000e0001"'),
        (b"\xff\xfe".decode("utf-8", "surrogateescape"), '"\\xff\\xfe"'),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@given(st.text())
def test_the_quoted_text_is_one_line_and_can_be_read_back(text: str) -> None:
    quoted = quote(text)
    assert len(quoted.splitlines()) == 1
    body = quoted[1:-1]
    read = []
    while body:
        if body[0] != "\\":
            read.append(body[0])
            body = body[1:]
            continue
        size = {"x": 4, "u": 6, "U": 10}.get(body[1], 2)
        read.append(
            chr(int(body[2:size], 16))
            if size > 2
            else {**dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))}.get(body[1], body[1])
        )
        body = body[size:]
    assert "".join(read) == text
