"""The dropsonde messages as Google's protobuf library reads them: an opinion that is not ours."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

INT32, INT64, UINT64, DOUBLE, STRING, BYTES, ENUM, MESSAGE = 5, 3, 4, 1, 9, 12, 14, 11
REQUIRED, OPTIONAL, REPEATED = 2, 1, 3

METHODS = {"GET": 1, "POST": 2, "PUT": 3, "DELETE": 4, "HEAD": 5, "CONNECT": 11, "OPTIONS": 24, "PATCH": 26, "TRACE": 36}
MESSAGES = {
    "UUID": [("low", 1, UINT64, REQUIRED), ("high", 2, UINT64, REQUIRED)],
    "HttpStartStop": [
        ("startTimestamp", 1, INT64, REQUIRED),
        ("stopTimestamp", 2, INT64, REQUIRED),
        ("requestId", 3, "UUID", REQUIRED),
        ("peerType", 4, "PeerType", REQUIRED),
        ("method", 5, INT32, REQUIRED),
        ("uri", 6, STRING, REQUIRED),
        ("remoteAddress", 7, STRING, REQUIRED),
        ("userAgent", 8, STRING, REQUIRED),
        ("statusCode", 9, INT32, REQUIRED),
        ("contentLength", 10, INT64, REQUIRED),
        ("applicationId", 12, "UUID", OPTIONAL),
        ("instanceIndex", 13, INT32, OPTIONAL),
        ("instanceId", 14, STRING, OPTIONAL),
        ("forwarded", 15, STRING, REPEATED),
    ],
    "LogMessage": [
        ("message", 1, BYTES, REQUIRED),
        ("message_type", 2, "MessageType", REQUIRED),
        ("timestamp", 3, INT64, REQUIRED),
        ("app_id", 4, STRING, OPTIONAL),
        ("source_type", 5, STRING, OPTIONAL),
        ("source_instance", 6, STRING, OPTIONAL),
    ],
    "ValueMetric": [("name", 1, STRING, REQUIRED), ("value", 2, DOUBLE, REQUIRED), ("unit", 3, STRING, REQUIRED)],
    "CounterEvent": [("name", 1, STRING, REQUIRED), ("delta", 2, UINT64, REQUIRED), ("total", 3, UINT64, OPTIONAL)],
    "Tag": [("key", 1, STRING, OPTIONAL), ("value", 2, STRING, OPTIONAL)],
    "Envelope": [
        ("origin", 1, STRING, REQUIRED),
        ("eventType", 2, "EventType", REQUIRED),
        ("timestamp", 6, INT64, OPTIONAL),
        ("httpStartStop", 7, "HttpStartStop", OPTIONAL),
        ("logMessage", 8, "LogMessage", OPTIONAL),
        ("valueMetric", 9, "ValueMetric", OPTIONAL),
        ("counterEvent", 10, "CounterEvent", OPTIONAL),
        ("tags", 17, "Tag", REPEATED),
    ],
}
ENUMS = {
    "PeerType": {"Client": 1, "Server": 2},
    "MessageType": {"OUT": 1, "ERR": 2},
    "EventType": {"EventHttpStartStop": 4, "EventLogMessage": 5, "EventValueMetric": 6, "EventCounterEvent": 7},
}


def _envelope_class():
    file = descriptor_pb2.FileDescriptorProto(name="envelope.proto", package="events", syntax="proto2")
    for name, values in ENUMS.items():
        enum = file.enum_type.add(name=name)
        for label, number in values.items():
            enum.value.add(name=label, number=number)
    for name, members in MESSAGES.items():
        message = file.message_type.add(name=name)
        for member, number, kind, label in members:
            field = message.field.add(name=member, number=number, label=label)
            if isinstance(kind, int):
                field.type = kind
            else:
                field.type = ENUM if kind in ENUMS else MESSAGE
                field.type_name = f".events.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("events.Envelope"))


Envelope = _envelope_class()


def parse(datagram: bytes):
    """The envelope in a datagram; fails when a required field is missing, or when it holds what is not known here."""
    envelope = Envelope.FromString(datagram)
    assert envelope.IsInitialized()
    assert envelope.ByteSize() == len(datagram)
    return envelope


def tags(envelope) -> dict[str, str]:
    return {tag.key: tag.value for tag in envelope.tags}


def uuid_text(message) -> str:
    """A UUID message as text: two little-endian halves."""
    text = (message.low.to_bytes(8, "little") + message.high.to_bytes(8, "little")).hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
