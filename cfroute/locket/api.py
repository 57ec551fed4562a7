"""The values of Locket, and the messages of its gRPC service (protobuf, package `models`)."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

from cfroute.protobuf import fields, signed, sized, varint

LOCK_METHOD: Final = "/models.Locket/Lock"
FETCH_METHOD: Final = "/models.Locket/Fetch"
RELEASE_METHOD: Final = "/models.Locket/Release"
FETCH_ALL_METHOD: Final = "/models.Locket/FetchAll"


class TypeCode(IntEnum):
    """What a resource is."""

    UNKNOWN = 0
    LOCK = 1
    PRESENCE = 2


class Resource(NamedTuple):
    """Who has what. `type` is the older form of `type_code`; both are sent."""

    key: str = ""
    owner: str = ""
    value: str = ""
    type: str = ""
    type_code: int = TypeCode.UNKNOWN


class LockRequest(NamedTuple):
    """Have this resource for so many seconds, or for so many more."""

    resource: Resource
    ttl_in_seconds: int


Values: TypeAlias = dict[int, list[int | bytes]]


def encode_resource(resource: Resource) -> bytes:
    """A Resource."""
    texts = enumerate((resource.key, resource.owner, resource.value, resource.type), start=1)
    encoded = b"".join(_field(number, text.encode()) for number, text in texts if text)
    return encoded + (b"\x28" + varint(resource.type_code) if resource.type_code else b"")


def decode_resource(data: bytes) -> Resource:
    """A Resource. Raises ValueError."""
    values = _values(data)
    key, owner, value, type_ = (_text(values, number) for number in (1, 2, 3, 4))
    return Resource(key, owner, value, type_, _code(values, 5))


def encode_lock_request(request: LockRequest) -> bytes:
    """A LockRequest."""
    ttl = request.ttl_in_seconds
    return encode_holder(request.resource) + (b"\x10" + varint(ttl) if ttl else b"")


def decode_lock_request(data: bytes) -> LockRequest:
    """A LockRequest. Raises ValueError."""
    return LockRequest(decode_holder(data), signed(_number(_values(data), 2)))


def encode_holder(resource: Resource) -> bytes:
    """A ReleaseRequest, or a FetchResponse: their one field is a resource."""
    return _field(1, encode_resource(resource))


def decode_holder(data: bytes) -> Resource:
    """The resource of a LockRequest, a ReleaseRequest or a FetchResponse. Raises ValueError.

    A part that comes several times adds to what came before, as with every reader of protobuf.
    """
    return decode_resource(b"".join(_bytes(_values(data), 1)))


def encode_fetch_request(key: str) -> bytes:
    """A FetchRequest."""
    return _field(1, key.encode()) if key else b""


def decode_fetch_request(data: bytes) -> str:
    """The key of a FetchRequest. Raises ValueError."""
    return _text(_values(data), 1)


def encode_fetch_all_request(type_code: int) -> bytes:
    """A FetchAllRequest."""
    return b"\x10" + varint(type_code) if type_code else b""


def decode_fetch_all_request(data: bytes) -> int:
    """The type code of a FetchAllRequest; its `type` is not looked at. Raises ValueError."""
    values = _values(data)
    _text(values, 1)
    return _code(values, 2)


def encode_fetch_all_response(resources: Iterable[Resource]) -> bytes:
    """A FetchAllResponse."""
    return b"".join(map(encode_holder, resources))


def decode_fetch_all_response(data: bytes) -> list[Resource]:
    """The resources of a FetchAllResponse. Raises ValueError."""
    return [decode_resource(each) for each in _bytes(_values(data), 1)]


def _field(number: int, data: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + sized(data)


def _values(data: bytes) -> Values:
    values: Values = {}
    for number, value in fields(data):
        values.setdefault(number, []).append(value)
    return values


def _bytes(values: Values, number: int) -> list[bytes]:
    return [value for value in values.get(number, ()) if isinstance(value, bytes)]


def _text(values: Values, number: int) -> str:
    texts = [value.decode() for value in _bytes(values, number)]  # all are to be text
    return texts[-1] if texts else ""


def _number(values: Values, number: int) -> int:
    numbers = [value for value in values.get(number, ()) if isinstance(value, int)]
    return numbers[-1] if numbers else 0


def _code(values: Values, number: int) -> int:
    """An enumerator: 32 bits, with a sign."""
    code = _number(values, number) & 0xFFFF_FFFF
    return code - (1 << 32) if code >> 31 else code
