"""The rules, as one table, and as what a random series of calls has to keep."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.grpc.status import Code, RpcError
from cfroute.locket import locks
from cfroute.locket.api import LockRequest, Resource, TypeCode
from cfroute.locket.locks import Row

HELD = Row("key", "me", "old", "lock", 7, "first", 15)
BLANKED = HELD._replace(owner="", value="")  # as older versions left a released one


def wanted(owner: str = "me", type_code: int = 1, ttl: int = 20, **more: str) -> LockRequest:
    return LockRequest(Resource(**{"key": "key", "owner": owner, "value": "new", **more}, type_code=type_code), ttl)


def grant(held: Row | None, request: LockRequest) -> Row:
    locks.check(request)
    return locks.granted(held, request, "second")


NEW = Row("key", "me", "new", "lock", 1, "second", 20)
GRANTED = [
    (None, wanted(), NEW),
    (BLANKED, wanted(), NEW),
    (HELD, wanted(), Row("key", "me", "new", "lock", 8, "first", 20)),
    (HELD, wanted(type_code=2), Row("key", "me", "new", "presence", 8, "first", 20)),
    (None, wanted(type="nonsense", type_code=2), NEW._replace(type="presence")),
    (None, wanted(key=""), NEW._replace(path="")),
]
REFUSED: list[tuple[Callable[[], object], Code, str]] = [
    (lambda: grant(None, wanted(type_code=0)), Code.NOT_FOUND, "invalid-type"),
    (lambda: grant(None, wanted(type_code=3)), Code.NOT_FOUND, "invalid-type"),
    (lambda: grant(None, wanted(type_code=0, ttl=0, owner="")), Code.NOT_FOUND, "invalid-type"),
    (lambda: grant(None, wanted(type="lock", type_code=0)), Code.NOT_FOUND, "invalid-type"),
    (lambda: grant(None, wanted(ttl=0)), Code.INVALID_ARGUMENT, "invalid-ttl"),
    (lambda: grant(None, wanted(ttl=-1, owner="")), Code.INVALID_ARGUMENT, "invalid-ttl"),
    (lambda: grant(None, wanted(owner="")), Code.INVALID_ARGUMENT, "invalid-owner"),
    (lambda: grant(None, wanted(owner="x" * 256)), Code.INVALID_ARGUMENT, "invalid-resource"),
    (lambda: grant(None, wanted(value="x" * 4097)), Code.INVALID_ARGUMENT, "invalid-resource"),
    (lambda: grant(HELD, wanted("you")), Code.ALREADY_EXISTS, "lock-collision"),
    (lambda: locks.released(HELD, Resource("key", "you")), Code.ALREADY_EXISTS, "lock-collision"),
    (lambda: locks.found(None), Code.NOT_FOUND, "resource-not-found"),
    (lambda: locks.found(BLANKED), Code.NOT_FOUND, "resource-not-found"),
    (lambda: locks.check_type(0), Code.NOT_FOUND, "invalid-type"),
]


@pytest.mark.parametrize(("held", "request_", "row"), GRANTED)
def test_what_is_granted(held: Row | None, request_: LockRequest, row: Row) -> None:
    assert grant(held, request_) == row


@pytest.mark.parametrize(("call", "code", "message"), REFUSED)
def test_what_is_refused(call: Callable[[], object], code: Code, message: str) -> None:
    with pytest.raises(RpcError) as refused:
        call()
    assert (refused.value.code, refused.value.message) == (code, message)


def test_what_is_released_and_found() -> None:
    assert not locks.released(None, Resource("key", "me"))
    assert locks.released(HELD, Resource("key", "me"))
    assert locks.found(HELD) == Resource("key", "me", "old", "lock", TypeCode.LOCK)
    assert locks.found(HELD._replace(type="presence")).type_code == TypeCode.PRESENCE
    assert locks.found(HELD._replace(type="odd")) == Resource("key", "me", "old", "odd", TypeCode.UNKNOWN)


@pytest.mark.parametrize(
    ("held", "over"),
    [
        (HELD, True),
        (HELD._replace(value="another", ttl=1), True),
        (HELD._replace(modified_index=8), False),
        (HELD._replace(modified_id="second"), False),
        (HELD._replace(owner="you"), False),
        (None, False),
    ],
)
def test_what_expires_has_not_changed(held: Row | None, over: bool) -> None:
    assert locks.expired(held, HELD) is over


@given(st.lists(st.tuples(st.sampled_from(["lock", "release", "expire"]), st.sampled_from("ab")), max_size=30))
def test_there_is_one_owner_and_nobody_else_gets_in(calls: list[tuple[str, str]]) -> None:
    row, owner = None, ""
    for number, (call, who) in enumerate(calls):
        if call == "expire":
            seen = row
            if seen is not None and locks.expired(row, seen):
                row, owner = None, ""
            continue
        try:
            if call == "lock":
                row = locks.granted(row, wanted(who), str(number))
            elif locks.released(row, Resource("key", who)):
                row = None
        except RpcError:
            assert owner not in ("", who)
        else:
            assert owner in ("", who)
            owner = who if call == "lock" else ""
        assert owner == (row.owner if row else "")
