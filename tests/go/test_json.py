"""JSON as Go reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go import json as go_json

END = "unexpected end of JSON input"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", END),
        (b" \n", END),
        (b"{", END),
        (b'{"a"', END),
        (b'{"a":', END),
        (b"[1,", END),
        (b'"abc', END),
        (b'"\\', END),
        (b'"\\u12', END),
        (b"tru", END),
        (b"-", END),
        (b"1.", END),
        (b"1e+", END),
        (b"hello", "invalid character 'h' looking for beginning of value"),
        (b"{}x", "invalid character 'x' after top-level value"),
        (b"[1,]", "invalid character ']' looking for beginning of value"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"{a", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a"}', "invalid character '}' after object key"),
        (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        (b'"a\nb"', "invalid character '\\n' in string literal"),
        (b'"\\x"', "invalid character 'x' in string escape code"),
        (b'"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        (b"trux", "invalid character 'x' in literal true (expecting 'e')"),
        (b"nUll", "invalid character 'U' in literal null (expecting 'u')"),
        (b"-x", "invalid character 'x' in numeric literal"),
        (b"01", "invalid character '1' after top-level value"),
        (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
        (b"1ex", "invalid character 'x' in exponent of numeric literal"),
        (b"'", "invalid character '\\'' looking for beginning of value"),
        (b"\xc3\xa9", "invalid character '\u00c3' looking for beginning of value"),
        (b"\x00", "invalid character '\\x00' looking for beginning of value"),
        (b"\xef\xbb\xbf{}", "invalid character '\u00ef' looking for beginning of value"),
    ],
)
def test_what_go_says_of_bad_syntax(text: bytes, message: str) -> None:
    with pytest.raises(go_json.JSONError) as refused:
        go_json.parse(text)
    assert str(refused.value) == message


def test_nesting_has_a_limit() -> None:
    assert go_json.parse(b"[" * 10_000 + b"]" * 10_000).kind == "array"
    with pytest.raises(go_json.JSONError, match="exceeded max depth"):
        go_json.parse(b"[" * 10_002 + b"]" * 10_002)


def test_texts_with_bad_bytes_and_lone_surrogates() -> None:
    assert go_json.unquote(b'"\\ud83d\\ude00 \\ud800x \xff\xe2\x82 \\/\\n"') == "😀 \ufffdx \ufffd\ufffd\ufffd /\n"


def plain(value: go_json.Value) -> object:
    """The value as Python has it."""
    if value.kind == "object":
        return {key: plain(member) for key, member in value.members}
    if value.kind == "array":
        return [plain(item) for item in value.items]
    return value.text if value.kind == "string" else json.loads(value.raw)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_it_reads_what_others_write(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert plain(go_json.parse(text.encode())) == value


@given(st.binary(max_size=20) | st.text(alphabet='{}[]:,"\\u0123aeftnrul.-+ ').map(str.encode))
def test_it_accepts_what_python_accepts(text: bytes) -> None:
    try:
        json.loads(text.decode("utf-8"), parse_constant=lambda name: name / 0)
        valid = True
    except UnicodeDecodeError:
        return
    except (ValueError, TypeError):
        valid = False
    try:
        go_json.parse(text)
        assert valid
    except go_json.JSONError:
        assert not valid
