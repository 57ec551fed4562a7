"""All targets by name, each with what it begins with."""

from collections.abc import Callable
from typing import Final

from . import connections, corpus, grpc_connections, readers

TARGETS: Final[dict[str, tuple[Callable[[bytes], None], list[bytes]]]] = {
    "request": (readers.request, corpus.REQUESTS),
    "response": (readers.response, corpus.RESPONSES),
    "chunked": (readers.chunked, [b"3;x\r\nabc\r\n", b"0\r\nX: y\r\n\r\n", b"a\r\n0123456789\r\n"]),
    "proxy": (readers.proxy, corpus.LINES),
    "hello": (readers.hello, corpus.HELLOS),
    "nats": (readers.nats, corpus.NATS),
    "registration": (readers.registration, corpus.REGISTRATIONS),
    "configuration": (readers.configuration, corpus.CONFIGURATIONS),
    "quoted": (readers.quoted, corpus.LOGGED),
    "template": (readers.template, corpus.TEMPLATES),
    "traces": (readers.traces, corpus.TRACES),
    "sessions": (readers.sessions, corpus.COOKIES),
    "signatures": (readers.signatures, corpus.SIGNATURES),
    "form": (readers.form, corpus.FORMS),
    "droplet": (readers.droplet, corpus.DROPLETS),
    "http1": (connections.http1, corpus.REQUESTS),
    "answers": (connections.answers, corpus.RESPONSES),
    "http2": (connections.http2, corpus.FRAMES),
    "http2_begin": (connections.http2_begin, corpus.FRAMES),
    "http2_answers": (connections.http2_answers, corpus.ANSWERS),
    "grpc": (grpc_connections.calls, grpc_connections.CALLS),
    "grpc_answers": (grpc_connections.call_answers, corpus.ANSWERS),
    "locket": (grpc_connections.locks, grpc_connections.LOCKS),
}
