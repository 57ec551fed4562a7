"""Header blocks, messages and timeouts of gRPC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.grpc import wire
from cfroute.grpc.status import Code, RpcError
from cfroute.http2.hpack_blocks import BlockDecoder


def fields(block: bytes) -> dict[bytes, bytes]:
    return wire.fields_of(BlockDecoder(1 << 20).decode(block))


@given(st.binary(max_size=300))
def test_messages_there_and_back(message: bytes) -> None:
    assert wire.message_of(wire.framed(message)) == message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.INTERNAL),
        (b"\0\0\0\0", Code.INTERNAL),
        (b"\0\0\0\0\2x", Code.INTERNAL),
        (b"\0\0\0\0\1xy", Code.INTERNAL),
        (b"\0\0\0\0\1x\0\0\0\0\0", Code.INTERNAL),
        (b"\2\0\0\0\1x", Code.INTERNAL),
        (b"\1\0\0\0\1x", Code.UNIMPLEMENTED),
        (b"\0\xff\xff\xff\xff", Code.RESOURCE_EXHAUSTED),
    ],
)
def test_what_is_not_one_message(data: bytes, code: Code) -> None:
    with pytest.raises(RpcError) as refused:
        wire.message_of(data)
    assert refused.value.code is code


@given(st.text(max_size=50), st.sampled_from([code for code in Code if code]))
def test_errors_there_and_back(message: str, code: Code) -> None:
    told = fields(wire.trailer_block(RpcError(code, message)))
    assert told[b"grpc-message"].decode("ascii").isprintable()
    error = wire.outcome(told)
    assert error is not None
    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({}, Code.UNKNOWN),
        ({b"grpc-status": b"x"}, Code.UNKNOWN),
        ({b"grpc-status": b"-1"}, Code.UNKNOWN),
        ({b"grpc-status": b"17"}, Code.UNKNOWN),
        ({b"grpc-status": b"9" * 99}, Code.UNKNOWN),
        ({b"grpc-status": b"5", b"grpc-message": b"%zz\xff"}, Code.NOT_FOUND),
    ],
)
def test_odd_ends(told: dict[bytes, bytes], code: Code) -> None:
    error = wire.outcome(told)
    assert error is not None
    assert error.code is code


@pytest.mark.parametrize(
    ("status", "code"), [(b"404", Code.UNIMPLEMENTED), (b"503", Code.UNAVAILABLE), (b"302", Code.UNKNOWN), (b"", Code.UNKNOWN)]
)
def test_what_is_no_answer_of_grpc(status: bytes, code: Code) -> None:
    problem = wire.response_problem({b":status": status})
    assert problem is not None
    assert problem.code is code
    assert wire.response_problem({b":status": status, b"grpc-status": b"5"}) is None
    assert wire.response_problem({b":status": b"200"}) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, b"1m"),
        (0.05, b"50m"),
        (15, b"15000m"),
        (1e5, b"100000S"),
        (99_999, b"99999000m"),
        (1e9, b"16666667M"),
        (1e30, b"99999999H"),
    ],
)
def test_timeouts(seconds: float, text: bytes) -> None:
    assert wire.timeout_text(seconds) == text


@pytest.mark.parametrize(
    ("method", "kind", "call"),
    [
        (b"POST", b"application/grpc", True),
        (b"POST", b"application/grpc+proto", True),
        (b"POST", b"application/grpc;v=1", True),
        (b"GET", b"application/grpc", False),
        (b"POST", b"application/grpc-web", False),
        (b"POST", b"application/json", False),
        (b"POST", b"", False),
    ],
)
def test_what_is_a_call(method: bytes, kind: bytes, call: bool) -> None:
    assert wire.is_call({b":method": method, b"content-type": kind}) is call
    assert not wire.is_call({})


def test_errors_read_as_those_of_go() -> None:
    assert str(RpcError(Code.ALREADY_EXISTS, "lock-collision")) == "rpc error: code = AlreadyExists desc = lock-collision"
    assert [code.title for code in (Code.OK, Code.DEADLINE_EXCEEDED)] == ["OK", "DeadlineExceeded"]


def test_methods_that_there_are_not() -> None:
    assert wire.unknown("/a.B/C", {"a.B"}).message == "unknown method C for service a.B"
    assert wire.unknown("/a.X/C", {"a.B"}).message == "unknown service a.X"
