"""Connections of gRPC on paper, and the messages of Locket: whatever comes, nothing raises but what may, and nothing is left.

As in `connections`, the first byte says how large the pieces are.
"""

import asyncio
import contextlib

from cfroute.grpc.client_connection import ClientConnection
from cfroute.grpc.server_connection import MOST_STREAMS, ServerConnection
from cfroute.grpc.serving import Server
from cfroute.grpc.status import RpcError
from cfroute.http2.frames import PREFACE
from cfroute.locket import api
from cfroute.testing import ManualClock

from ..http2.plumbing import Wire
from . import corpus

HEAD = b"\x83\x04\x02/x\x0f\x10\x10application/grpc"
CALLS = [
    corpus.frame(4, 0, 0) + corpus.frame(1, 4, 1, HEAD) + corpus.frame(0, 1, 1, b"\0\0\0\0\2ok"),
    corpus.frame(1, 5, 3, HEAD)
    + corpus.frame(1, 4, 5, HEAD)
    + corpus.frame(0, 0, 5, b"\1\0\0")
    + corpus.frame(3, 0, 5, bytes(4)),
]
LOCKS = [
    b"\x0a\x0f\x0a\x03key\x12\x02me\x1a\x02ab\x28\x01\x10\x0f",
    b"\x0a\x03key\x10\x02\x1b\x08\x01\x1c",
]


async def _echo(message: bytes) -> bytes:
    return message


def calls(data: bytes) -> None:
    """Frames of a client."""

    async def run(size: int) -> None:
        server = Server({"/x": _echo}, ManualClock(), lambda peer, why: None)
        connection, wire = ServerConnection(server), Wire()
        connection.connection_made(wire)  # type: ignore[arg-type]
        sent = PREFACE + data[1:]
        for position in range(0, len(sent), size):
            connection.data_received(sent[position : position + size])
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(connection.streams) <= MOST_STREAMS
        assert len(wire.written) < 100 * (len(data) + 1000)
        connection.connection_lost(None)
        assert not connection.streams
        assert not len(server.requests)

    asyncio.run(run(1 << 20))
    asyncio.run(run(data[0] % 16 + 1 if data else 1))


def call_answers(data: bytes) -> None:
    """Frames of a server, to three calls: each gets its answer, or an error."""

    async def run(size: int) -> None:
        connection = ClientConnection()
        connection.connection_made(Wire())  # type: ignore[arg-type]
        made = [asyncio.ensure_future(connection.call(HEAD, b"x")) for _ in range(3)]
        await asyncio.sleep(0)
        sent = data[1:]
        for position in range(0, len(sent), size):
            connection.data_received(sent[position : position + size])
            await asyncio.sleep(0)
        connection.connection_lost(None)
        assert not connection.streams
        for call in made:
            with contextlib.suppress(RpcError):
                await asyncio.wait_for(call, 30)

    asyncio.run(run(1 << 20))
    asyncio.run(run(data[0] % 16 + 1 if data else 1))


def locks(data: bytes) -> None:
    """What is understood of a message of Locket is understood alike when it is written anew."""
    with contextlib.suppress(ValueError):
        request = api.decode_lock_request(data)
        assert api.decode_lock_request(api.encode_lock_request(request)) == request
    with contextlib.suppress(ValueError):
        found = api.decode_fetch_all_response(data)
        assert api.decode_fetch_all_response(api.encode_fetch_all_response(found)) == found
    with contextlib.suppress(ValueError):
        code = api.decode_fetch_all_request(data)
        assert api.decode_fetch_all_request(api.encode_fetch_all_request(code)) == code
    with contextlib.suppress(ValueError):
        key = api.decode_fetch_request(data)
        assert api.decode_fetch_request(api.encode_fetch_request(key)) == key
