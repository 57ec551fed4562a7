"""Our messages against Google's protobuf library."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from cfroute.locket import api
from cfroute.locket.api import LockRequest, Resource

from .messages import make, parse

texts = st.text(max_size=40)
codes = st.integers(-(2**31), 2**31 - 1)
ttls = st.integers(-(2**63), 2**63 - 1)
resources = st.builds(Resource, texts, texts, texts, texts, codes)


def theirs(resource: Resource) -> Any:
    return make("Resource", **resource._asdict())


def ours(message: Any) -> Resource:
    return Resource(message.key, message.owner, message.value, message.type, message.type_code)


@given(resources)
def test_resources(resource: Resource) -> None:
    assert parse("Resource", api.encode_resource(resource)) == theirs(resource)
    assert api.decode_resource(theirs(resource).SerializeToString()) == resource


@given(resources, ttls)
def test_lock_requests(resource: Resource, ttl: int) -> None:
    request, message = LockRequest(resource, ttl), make("LockRequest", resource=theirs(resource), ttl_in_seconds=ttl)
    assert parse("LockRequest", api.encode_lock_request(request)) == message
    assert api.decode_lock_request(message.SerializeToString()) == request


@pytest.mark.parametrize("name", ["ReleaseRequest", "FetchResponse"])
@given(resource=resources)
def test_holders(name: str, resource: Resource) -> None:
    message = make(name, resource=theirs(resource))
    assert parse(name, api.encode_holder(resource)) == message
    assert api.decode_holder(message.SerializeToString()) == resource


@given(texts, codes, st.lists(resources, max_size=4))
def test_what_is_fetched(key: str, code: int, found: list[Resource]) -> None:
    assert parse("FetchRequest", api.encode_fetch_request(key)).key == key
    assert api.decode_fetch_request(make("FetchRequest", key=key).SerializeToString()) == key
    assert parse("FetchAllRequest", api.encode_fetch_all_request(code)).type_code == code
    assert api.decode_fetch_all_request(make("FetchAllRequest", type="x", type_code=code).SerializeToString()) == code
    response = make("FetchAllResponse", resources=map(theirs, found))
    assert parse("FetchAllResponse", api.encode_fetch_all_response(found)) == response
    assert api.decode_fetch_all_response(response.SerializeToString()) == found


READERS: list[tuple[str, Callable[[bytes], Any], Callable[[Any], Any]]] = [
    ("Resource", api.decode_resource, ours),
    ("LockRequest", api.decode_lock_request, lambda message: LockRequest(ours(message.resource), message.ttl_in_seconds)),
    ("ReleaseRequest", api.decode_holder, lambda message: ours(message.resource)),
    ("FetchRequest", api.decode_fetch_request, lambda message: message.key),
    ("FetchAllRequest", api.decode_fetch_all_request, lambda message: message.type_code),
    ("FetchAllResponse", api.decode_fetch_all_response, lambda message: list(map(ours, message.resources))),
]
# Mostly plausible: known fields with right and wrong wire types, groups, and pieces of them.
tags = st.builds(lambda number, wire: bytes((number << 3 | wire,)), st.integers(0, 6), st.integers(0, 7))
pieces = st.one_of(tags, st.binary(max_size=4), st.just(b"\x02ab"), resources.map(lambda r: b"\x0a" + sized(r)))


def sized(resource: Resource) -> bytes:
    encoded = theirs(resource).SerializeToString()
    return bytes((len(encoded),)) + encoded if len(encoded) < 0x80 else b"\0"


@pytest.mark.parametrize(("name", "read", "told"), READERS, ids=[name for name, _, _ in READERS])
@given(data=st.lists(pieces, max_size=6).map(b"".join))
def test_any_bytes_are_read_as_by_the_library_or_refused_as_by_it(
    name: str, read: Callable[[bytes], Any], told: Callable[[Any], Any], data: bytes
) -> None:
    try:
        expected = told(parse(name, data))
    except DecodeError:
        with pytest.raises(ValueError, match=r".*"):
            read(data)
    else:
        assert read(data) == expected
