"""The rules of Locket: what is there and what is asked -> what is there afterwards, or why not.

`held` is the row of the path that is asked about, or None. Upstream deletes rows that expire or are released; one with an empty
owner, as older versions left them, counts as free.
"""

from typing import NamedTuple

from cfroute.grpc.status import Code, RpcError
from cfroute.locket.api import LockRequest, Resource, TypeCode

NAMES = {int(TypeCode.LOCK): "lock", int(TypeCode.PRESENCE): "presence"}
"""The names of the types that are granted, as they stand in the table."""

_CODES = {name: code for code, name in NAMES.items()}
_LONGEST = 255  # characters of path and owner in the table
_LONGEST_VALUE = 4096


class Row(NamedTuple):
    """A row of the table `locks`. `ttl` is in seconds; a new id is a new lock, each renewal has the next index."""

    path: str
    owner: str
    value: str
    type: str
    modified_index: int
    modified_id: str
    ttl: int

    @property
    def resource(self) -> Resource:
        """As clients see it."""
        return Resource(self.path, self.owner, self.value, self.type, _CODES.get(self.type, TypeCode.UNKNOWN))


def check(request: LockRequest) -> None:
    """Whether the request can be granted to anybody. Raises RpcError."""
    resource = request.resource
    check_type(resource.type_code)
    if request.ttl_in_seconds <= 0:
        raise RpcError(Code.INVALID_ARGUMENT, "invalid-ttl")
    if not resource.owner:
        raise RpcError(Code.INVALID_ARGUMENT, "invalid-owner")
    if max(len(resource.key), len(resource.owner)) > _LONGEST or len(resource.value) > _LONGEST_VALUE:
        raise RpcError(Code.INVALID_ARGUMENT, "invalid-resource")  # upstream's database refuses it


def check_type(code: int) -> str:
    """The name of the type. Raises RpcError; its code is odd, and upstream's."""
    if code not in NAMES:
        raise RpcError(Code.NOT_FOUND, "invalid-type")
    return NAMES[code]


def granted(held: Row | None, request: LockRequest, new_id: str) -> Row:
    """The row of a checked request: a new one with `new_id`, or the renewed one. Raises RpcError when somebody else has it."""
    resource = request.resource
    type_ = NAMES[resource.type_code]
    if held is None or not held.owner:
        return Row(resource.key, resource.owner, resource.value, type_, 1, new_id, request.ttl_in_seconds)
    _check_owner(held, resource.owner)
    return held._replace(value=resource.value, type=type_, modified_index=held.modified_index + 1, ttl=request.ttl_in_seconds)


def released(held: Row | None, resource: Resource) -> bool:
    """Whether there is something to delete: what nobody has is released already. Raises RpcError."""
    if held is None:
        return False
    _check_owner(held, resource.owner)
    return True


def _check_owner(held: Row, owner: str) -> None:
    if held.owner != owner:
        raise RpcError(Code.ALREADY_EXISTS, "lock-collision")


def found(held: Row | None) -> Resource:
    """What somebody has. Raises RpcError."""
    if held is None or not held.owner:
        raise RpcError(Code.NOT_FOUND, "resource-not-found")
    return held.resource


def expired(held: Row | None, seen: Row) -> bool:
    """Whether nothing has happened to a row since it was `seen`, a time to live ago."""
    return held is not None and (held.owner, held.modified_id, held.modified_index) == (
        seen.owner,
        seen.modified_id,
        seen.modified_index,
    )
