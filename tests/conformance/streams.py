"""A client and a backend that speak HTTP/2: the h2 library on blocking sockets, and raw frames where it is too well-behaved."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import h2.events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from hyperframe.frame import Frame, GoAwayFrame

SECONDS = 10.0
Fields = list[tuple[str, str]]


@dataclass
class Answer:
    """What has come on one stream."""

    headers: Fields = field(default_factory=list)
    informational: list[Fields] = field(default_factory=list)
    body: bytes = b""
    trailers: Fields = field(default_factory=list)
    ended: bool = False
    reset: int | None = None

    def __getitem__(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def status(self) -> int:
        return int(self[":status"] or 0)


class Connection:
    """One end of a connection, with the h2 library."""

    def __init__(self, transport: socket.socket, *, client: bool) -> None:
        self.socket = transport
        self.socket.settimeout(SECONDS)
        checks = {"validate_outbound_headers": False, "normalize_outbound_headers": False}
        self.h2 = H2Connection(H2Configuration(client_side=client, header_encoding="latin-1", **checks))
        self.streams: dict[int, Answer] = {}
        self.goaway: h2.events.ConnectionTerminated | None = None
        self.grants = True  # whether what comes may be followed by as much again
        self.h2.initiate_connection()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def raw(self, data: bytes | Frame) -> None:
        """Send these bytes, whatever the library would think of them."""
        self.flush()
        self.socket.sendall(data.serialize() if isinstance(data, Frame) else data)

    def read(self) -> list[h2.events.Event]:
        """What comes next; an empty list at the end of the connection."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            return []
        if not data:
            return []
        events = self.h2.receive_data(data)
        for event in events:
            self._note(event)
        with contextlib.suppress(OSError):
            self.flush()
        return events or [h2.events.Event()]

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event
        stream_id = getattr(event, "stream_id", None)
        if not stream_id:
            return
        answer = self.streams.setdefault(stream_id, Answer())
        match event:
            case h2.events.ResponseReceived() | h2.events.RequestReceived():
                answer.headers = event.headers
            case h2.events.InformationalResponseReceived():
                answer.informational.append(event.headers)
            case h2.events.TrailersReceived():
                answer.trailers = event.headers
            case h2.events.StreamEnded():
                answer.ended = True
            case h2.events.StreamReset():
                answer.reset = int(event.error_code)
            case h2.events.DataReceived():
                answer.body += event.data
                if self.grants and event.flow_controlled_length:
                    with contextlib.suppress(ProtocolError):
                        self.h2.acknowledge_received_data(event.flow_controlled_length, stream_id)

    def until(self, look: Callable[[], object]) -> None:
        """Read until something holds; fails when the connection ends before."""
        while not look():
            assert self.read(), "the connection has ended"

    def answer(self, stream_id: int) -> Answer:
        """All of what comes on a stream."""
        answer = self.streams.setdefault(stream_id, Answer())
        self.until(lambda: answer.ended or answer.reset is not None)
        return answer

    def ends(self) -> bool:
        """Whether the connection ends, without more than a GOAWAY."""
        while self.read():
            pass
        return True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()


class Client(Connection):
    """A client of the router's TLS listener."""

    def __init__(self, port: int, name: str = "localhost", protocols: tuple[str, ...] = ("h2",)) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(list(protocols))
        plain = socket.create_connection(("127.0.0.1", port))
        plain.settimeout(SECONDS)
        secured = context.wrap_socket(plain, server_hostname=name)
        self.protocol = secured.selected_alpn_protocol()
        super().__init__(secured, client=True)
        self.flush()

    def begin(self, host: str, path: str = "/", *fields: tuple[str, str], method: str = "GET", end: bool = True) -> int:
        """Open a stream with a request; returns its number."""
        stream_id = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"), (":authority", host), (":path", path)]
        self.h2.send_headers(stream_id, [*pseudo, *fields], end_stream=end)
        self.flush()
        return stream_id

    def fields(self, *fields: tuple[str, str], end: bool = True) -> int:
        """Open a stream with exactly these fields."""
        stream_id = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream_id, list(fields), end_stream=end)
        self.flush()
        return stream_id

    def send(self, stream_id: int, data: bytes, *, end: bool = False) -> None:
        """Send a body, as the windows allow."""
        while data or end:
            size = min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size, len(data))
            if data and not size:
                assert self.read(), "the connection has ended"
                continue
            piece, data = data[:size], data[size:]
            self.h2.send_data(stream_id, piece, end_stream=end and not data)
            self.flush()
            if not data:
                return

    def get(self, host: str, path: str = "/", *fields: tuple[str, str], method: str = "GET", body: bytes = b"") -> Answer:
        """One request and its whole response."""
        stream_id = self.begin(host, path, *fields, method=method, end=not body)
        if body:
            self.send(stream_id, body, end=True)
        return self.answer(stream_id)


class Backend:
    """A backend that speaks TLS, and what the router chooses of `protocols`.

    `serve` gets each connection that speaks HTTP/2; without it, each request is answered with 200 and the text `ok`.
    """

    def __init__(
        self,
        files: tuple[Path, Path],
        serve: Callable[[Connection], None] | None = None,
        protocols: tuple[str, ...] = ("h2", "http/1.1"),
        http1: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh1",
    ) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files)
        if protocols:
            self._context.set_alpn_protocols(list(protocols))
        self._serve = serve or self.answer_all
        self._http1 = http1
        self.connections: list[Connection] = []
        self.chosen: list[str | None] = []
        self.http1_requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def requests(self) -> Iterator[Answer]:
        """All that have come by HTTP/2."""
        return (request for connection in self.connections for request in connection.streams.values())

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, plain: socket.socket) -> None:
        plain.settimeout(SECONDS)
        with contextlib.suppress(OSError, ProtocolError), self._context.wrap_socket(plain, server_side=True) as secured:
            self.chosen.append(secured.selected_alpn_protocol())
            if self.chosen[-1] == "h2":
                connection = Connection(secured, client=False)
                self.connections.append(connection)
                connection.flush()
                self._serve(connection)
                return
            while (request := secured.recv(1 << 16)) and self._http1:
                self.http1_requests.append(request)
                secured.sendall(self._http1)

    @staticmethod
    def answer_all(connection: Connection) -> None:
        """Answer each request once it is complete."""
        while events := connection.read():
            for event in events:
                if isinstance(event, h2.events.StreamEnded):
                    connection.h2.send_headers(event.stream_id, [(":status", "200"), ("content-type", "text/plain")])
                    connection.h2.send_data(event.stream_id, b"ok", end_stream=True)
            connection.flush()

    def close(self) -> None:
        self._listener.close()
        for connection in self.connections:
            connection.close()


def goaway(last_stream: int, code: int = 0) -> GoAwayFrame:
    """A frame that the library would end the connection with."""
    return GoAwayFrame(0, last_stream_id=last_stream, error_code=code)
