"""The messages of `models.Locket` as Google's protobuf library reads and writes them: an opinion that is not ours."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

INT64, STRING, ENUM, MESSAGE = 3, 9, 14, 11
OPTIONAL, REPEATED = 1, 3
MESSAGES = {
    "Resource": [
        ("key", 1, STRING, OPTIONAL),
        ("owner", 2, STRING, OPTIONAL),
        ("value", 3, STRING, OPTIONAL),
        ("type", 4, STRING, OPTIONAL),
        ("type_code", 5, "TypeCode", OPTIONAL),
    ],
    "LockRequest": [("resource", 1, "Resource", OPTIONAL), ("ttl_in_seconds", 2, INT64, OPTIONAL)],
    "LockResponse": [],
    "ReleaseRequest": [("resource", 1, "Resource", OPTIONAL)],
    "ReleaseResponse": [],
    "FetchRequest": [("key", 1, STRING, OPTIONAL)],
    "FetchResponse": [("resource", 1, "Resource", OPTIONAL)],
    "FetchAllRequest": [("type", 1, STRING, OPTIONAL), ("type_code", 2, "TypeCode", OPTIONAL)],
    "FetchAllResponse": [("resources", 1, "Resource", REPEATED)],
}
ENUM_VALUES = {"UNKNOWN": 0, "LOCK": 1, "PRESENCE": 2}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="locket.proto", package="models", syntax="proto3")
    enum = file.enum_type.add(name="TypeCode")
    for name, number in ENUM_VALUES.items():
        enum.value.add(name=name, number=number)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, label in fields:
            made = message.field.add(name=field, number=number, label=label)
            made.type = kind if isinstance(kind, int) else ENUM if kind == "TypeCode" else MESSAGE
            if isinstance(kind, str):
                made.type_name = f".models.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"models.{name}")) for name in MESSAGES}


CLASSES = _classes()


def make(name: str, **values: Any) -> Any:
    """A message of this type."""
    return CLASSES[name](**values)


def parse(name: str, data: bytes) -> Any:
    """Raises google.protobuf.message.DecodeError."""
    return CLASSES[name].FromString(data)
