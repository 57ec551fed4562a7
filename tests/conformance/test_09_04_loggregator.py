"""Section 9.4 of what is known of the real Gorouter, and its HttpStartStop events: what it tells metron."""

import socket
import time

import pytest

from ..dropsonde_messages import parse, tags, uuid_text
from ..waiting import eventually
from .conftest import DEADLINE, Router

APP = "5d2a1c3e-0b7f-4c1d-9a55-0123456789ab"


class Metron:
    """A real UDP port that keeps what it gets."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.settimeout(DEADLINE)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def about(self, wanted, count=1):
        """The first envelopes that are wanted."""
        found = []
        end = time.monotonic() + DEADLINE
        while len(found) < count and time.monotonic() < end:
            envelope = parse(self.socket.recv(65536))
            if wanted(envelope):
                found.append(envelope)
        assert len(found) == count
        return found

    def line(self, text):
        [envelope] = self.about(lambda each: each.eventType == 5 and text in each.logMessage.message.decode("utf-8", "replace"))
        return envelope

    def requests(self, host, count):
        return self.about(lambda each: each.eventType == 4 and f"//{host}/" in each.httpStartStop.uri, count)


@pytest.fixture(scope="module")
def metron():
    metron = Metron()
    yield metron
    metron.socket.close()


@pytest.fixture(scope="module")
def router(shared_nats, tmp_path_factory, metron):
    settings = {
        "logging": {"level": "debug", "loggregator_enabled": True, "metron_address": metron.address},
        "index": 7,
        "backends": {"max_attempts": 2},
        "extra_headers_to_log": ["X-Own", "X-Long"],
        "enable_envelope_v1_metrics": False,
        "max_request_header_bytes": 1 << 20,
    }
    router = Router(tmp_path_factory.mktemp("loggregator"), shared_nats, settings)
    yield router
    assert router.stop() == 0


def file_line(router, text):
    return eventually(lambda: next((one for one in router.access_log.read_text().splitlines() if text in one), None), text)


@pytest.mark.statement("9.4", "the line of a request to an app is a log message of origin gorouter and type RTR, with its tags")
@pytest.mark.statement("9.4", "the source's instance is the router's index")
def test_a_line_in_the_apps_log(router, metron, backend):
    router.register("rtr.test", backend(), app=APP, tags={"component": "web", "space": "s"})
    router.get("rtr.test")
    envelope = metron.line("rtr.test - ")
    message = envelope.logMessage
    assert (envelope.origin, tags(envelope)) == ("gorouter", {"component": "web", "space": "s"})
    assert (message.app_id, message.source_type, message.source_instance, message.message_type) == (APP, "RTR", "7", 1)
    assert message.message.decode() == file_line(router, "rtr.test - ")
    assert abs(message.timestamp / 1e9 - time.time()) < 60
    assert envelope.timestamp == message.timestamp


@pytest.mark.statement("9.4", "without an app id nothing is sent, which is logged at debug level")
def test_a_line_without_an_app(router, backend):
    router.register("noapp.test", backend())
    before = len(router.log("dropping-loggregator-access-log"))
    router.get("noapp.test")
    dropped = eventually(lambda: router.log("dropping-loggregator-access-log")[before:], "the remark")
    assert dropped[0] == {"error": "either no appId or source instance present", "appID": "", "sourceInstance": "7"}


@pytest.mark.statement("9.4", "a line of more than 65400 bytes is sent with its long parts halved until they are short enough")
@pytest.mark.statement("9.4", "extra headers end before 20000 bytes, with a remark")
@pytest.mark.statement("9.4", "the line in the file is never shortened")
def test_a_long_line(router, metron, backend):
    router.register("long.test", backend(), app=APP)
    path = "/" + "p" * 29_999
    router.get("long.test", path, "Referer: " + "r" * 1_500, "X-Own: 1", "X-Long: " + "x" * 40_000)
    sent = metron.line("long.test - ").logMessage.message.decode()
    written = file_line(router, "long.test - ")
    assert f'"GET {path} HTTP/1.1"' in written
    assert written.endswith('x_own:"1" x_long:"' + "x" * 40_000 + '"')
    assert f'"GET {path[:15_000]}...REQUEST-URI-TOO-LONG-TO-LOG--TRUNCATED HTTP/1.1"' in sent
    assert '"' + "r" * 750 + '...REFERER-TOO-LONG-TO-LOG--TRUNCATED"' in sent
    assert sent.endswith('x_own:"1" ...EXTRA-REQUEST-HEADERS-TOO-LONG-TO-LOG--TRUNCATED')


@pytest.mark.statement("4.1", "a request is told as an HttpStartStop event of the server, with the endpoint's tags")
@pytest.mark.statement("1.2", "each attempt is told as an HttpStartStop event of the client, with app and instance")
def test_events_of_a_request(router, metron, backend):
    app = backend()
    router.register("event.test", app, app=APP, private_instance_index="2", private_instance_id="i-2", tags={"component": "web"})
    headers = ("X-Forwarded-For: 9.9.9.9", "User-Agent: me", "X-CF-ApplicationID: mine", "X-CF-InstanceIndex: 77")
    router.get("event.test", "/p%20q?secret", *headers, method="POST", body=b"")
    client, server = metron.requests("event.test", 2)
    line = file_line(router, "event.test - ")
    for envelope in (client, server):
        event = envelope.httpStartStop
        assert envelope.origin == "gorouter"
        assert f'vcap_request_id:"{uuid_text(event.requestId)}"' in line
        assert (event.method, event.uri, event.userAgent, event.statusCode) == (2, "http://event.test/p q", "me", 200)
        assert event.contentLength == 2
        assert f'"{event.remoteAddress}"' in line
        assert 0 < event.stopTimestamp - event.startTimestamp < 60e9
    told = client.httpStartStop
    assert (told.peerType, uuid_text(told.applicationId), told.instanceIndex, told.instanceId) == (1, APP, 2, "i-2")
    assert (list(told.forwarded), tags(client)) == (["9.9.9.9", "127.0.0.1"], {})
    told = server.httpStartStop
    assert (told.peerType, list(told.forwarded), tags(server)) == (2, ["9.9.9.9"], {"component": "web"})
    assert not told.HasField("applicationId")
    assert not told.HasField("instanceIndex")


@pytest.mark.statement("5.5", "a failed attempt is told as well, with status 0")
def test_events_of_a_retried_request(router, metron, backend):
    dead, alive = backend(), backend()
    router.register("retry-event.test", dead)
    dead.close()
    assert router.get("retry-event.test").status == 502
    failed, served = metron.requests("retry-event.test", 2)
    assert (failed.httpStartStop.statusCode, failed.httpStartStop.instanceId) == (0, f"127.0.0.1:{dead.port}")
    assert (served.httpStartStop.statusCode, served.httpStartStop.peerType) == (502, 2)
    assert alive.seen == []


@pytest.mark.statement("4.1", "a request without a route is told by the server alone")
def test_events_of_a_request_without_a_route(router, metron):
    router.get("none-event.test", "/x")
    [server] = metron.requests("none-event.test", 1)
    event = server.httpStartStop
    assert (event.peerType, event.statusCode, list(event.forwarded), tags(server)) == (2, 404, [], {})


@pytest.mark.statement("1.2", "the last lines are sent when the router ends")
@pytest.mark.statement("1.2", "each kind of event can be switched off")
def test_the_last_lines(start, backend):
    metron = Metron()
    logging = {"loggregator_enabled": True, "metron_address": metron.address}
    router = start(
        logging=logging, send_http_start_stop_client_event=False, send_http_start_stop_server_event=False,
        enable_envelope_v1_metrics=False,
    )  # fmt: skip
    router.register("last.test", backend(), app=APP)
    for _ in range(3):
        router.get("last.test")
    assert router.stop() == 0
    assert [parse(metron.socket.recv(65536)).eventType for _ in range(3)] == [5, 5, 5]
    metron.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        metron.socket.recv(65536)
    metron.socket.close()


@pytest.mark.statement("9.4", "nobody at the address of metron never stops the router")
def test_nobody_listens(start, backend):
    metron = Metron()
    metron.socket.close()
    router = start(logging={"loggregator_enabled": True, "metron_address": metron.address, "level": "debug"})
    router.register("deaf.test", backend(), app=APP)
    for _ in range(5):
        assert router.get("deaf.test").status == 200
    assert router.log("error-emitting-access-log-to-writers") == []
