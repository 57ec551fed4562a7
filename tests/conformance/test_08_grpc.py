"""gRPC end to end: a real gRPC client, the router, and a real gRPC server (section 8; checklist point 35)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..ports import free_port
from ..waiting import eventually
from .conftest import Router
from .metering import Authority

grpc = pytest.importorskip("grpc")

NAME = "instance-guid"
HOST = "grpc.h2.test"


class Echo(grpc.GenericRpcHandler):
    """A service without schema: messages are bytes. A call that never ends sets `begun`, and `cancelled` when it is."""

    def __init__(self) -> None:
        self.begun, self.cancelled = threading.Event(), threading.Event()
        self.metadata = {}

    def service(self, details):
        self.metadata = dict(details.invocation_metadata)
        name = details.method.rpartition("/")[2]
        kinds = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Never": grpc.unary_unary_rpc_method_handler(self.never),
            "Server": grpc.unary_stream_rpc_method_handler(self.several),
            "Client": grpc.stream_unary_rpc_method_handler(self.joined),
            "Both": grpc.stream_stream_rpc_method_handler(self.each),
        }
        return kinds.get(name)

    def unary(self, request, context):
        context.set_trailing_metadata((("size", str(len(request))),))
        return request

    def fail(self, request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")

    def never(self, request, context):
        context.add_callback(self.cancelled.set)
        self.begun.set()
        self.cancelled.wait(30)
        return request

    def several(self, request, context):
        for number in range(int(request)):
            yield b"%d" % number

    def joined(self, requests, context):
        return b"+".join(requests)

    def each(self, requests, context):
        for request in requests:
            yield request.upper()


@pytest.fixture(scope="module")
def service(shared_nats, tmp_path_factory) -> Iterator[tuple[Router, Echo, object]]:
    folder = tmp_path_factory.mktemp("grpc")
    authority = Authority(folder)
    chain, key = (file.read_text() for file in authority.files("localhost"))
    tls_port = free_port()
    settings = {
        "enable_ssl": True,
        "ssl_port": tls_port,
        "tls_pem": [{"cert_chain": chain, "private_key": key}],
        "client_cert_validation": "none",
        "cipher_suites": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ca_certs": [authority.pem],
    }
    echo = Echo()
    server = grpc.server(ThreadPoolExecutor(8), handlers=(echo,))
    pair = tuple(file.read_bytes() for file in reversed(authority.files(NAME)))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    router = Router(folder, shared_nats, settings)
    router.register(HOST, port, tls_port=port, protocol="http2", server_cert_domain_san=NAME)
    options = ("grpc.ssl_target_name_override", "localhost"), ("grpc.default_authority", HOST)
    trust = grpc.ssl_channel_credentials(authority.pem.encode())
    with grpc.secure_channel(f"127.0.0.1:{tls_port}", trust, options) as channel:
        yield router, echo, channel
    server.stop(None).wait()
    assert router.stop() == 0


pytestmark = pytest.mark.statement("8", "gRPC works from HTTP/2 to HTTP/2: te stays, trailers come, also without a body")


@pytest.mark.statement("E", "35: a unary gRPC call with trailers, through an endpoint of http2 and TLS")
def test_unary(service) -> None:
    _, echo, channel = service
    body, call = channel.unary_unary("/echo.Echo/Unary").with_call(b"hello", timeout=30)
    assert (body, dict(call.trailing_metadata())["size"]) == (b"hello", "5")
    assert "x-forwarded-for" in echo.metadata
    assert "x-vcap-request-id" in echo.metadata


def test_large_messages(service) -> None:
    _, _, channel = service
    message = bytes(range(256)) * 12_000  # three megabytes: many times the windows
    assert channel.unary_unary("/echo.Echo/Unary")(message, timeout=30) == message


def test_streams_of_the_server(service) -> None:
    _, _, channel = service
    assert list(channel.unary_stream("/echo.Echo/Server")(b"500", timeout=30)) == [b"%d" % number for number in range(500)]


def test_streams_of_the_client(service) -> None:
    _, _, channel = service
    assert channel.stream_unary("/echo.Echo/Client")(iter([b"a", b"b", b"c"]), timeout=30) == b"a+b+c"


def test_both_in_turns(service) -> None:
    """Each message is answered before the next one is sent: nothing waits for the end of a body."""
    _, _, channel = service
    answered = threading.Semaphore(1)

    def messages():
        for letter in b"abcdef":
            assert answered.acquire(timeout=30)
            yield bytes((letter,))

    received = []
    for answer in channel.stream_stream("/echo.Echo/Both")(messages(), timeout=30):
        received.append(answer)
        answered.release()
    assert b"".join(received) == b"ABCDEF"


def test_an_error_is_a_response_of_trailers_only(service) -> None:
    _, _, channel = service
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/echo.Echo/Fail")(b"", timeout=30)
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not now")
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/echo.Echo/Unknown")(b"", timeout=30)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_deadline_cancels_at_the_server(service) -> None:
    _, echo, channel = service
    echo.cancelled.clear()
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/echo.Echo/Never")(b"", timeout=0.3)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert echo.cancelled.wait(30)


def test_a_cancelled_call_is_cancelled_at_the_server(service) -> None:
    router, echo, channel = service
    echo.cancelled.clear()
    echo.begun.clear()
    call = channel.unary_unary("/echo.Echo/Never").future(b"")
    assert echo.begun.wait(30)
    call.cancel()
    assert echo.cancelled.wait(30)
    eventually(lambda: any(' "POST /echo.Echo/Never HTTP/2.0" 499 ' in line for line in router.access_lines(1)), "its line")
    call = channel.stream_stream("/echo.Echo/Both")(iter([b"a"] * 3))
    assert next(call) == b"A"
    call.cancel()


def test_many_at_a_time(service) -> None:
    _, _, channel = service
    method = channel.unary_unary("/echo.Echo/Unary")
    calls = [method.future(b"%d" % number, timeout=20) for number in range(200)]
    assert [call.result() for call in calls] == [b"%d" % number for number in range(200)]
