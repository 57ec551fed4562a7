"""The session with NATS: what is said in which order, what is understood, and what happens when the server goes (2)."""

import ipaddress
import json
import socket
import subprocess
import threading
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from cfroute import certificates
from cfroute.nats.server import find_binary

from ..ports import free_port
from ..waiting import eventually
from .conftest import DEADLINE, Nats, Router

START = ["id", "hosts", "minimumRegisterIntervalInSeconds", "pruneThresholdInSeconds"]


class Listener:
    """A server of one connection that accepts everybody, and keeps what they say."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.said: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b'INFO {"server_id":"x","headers":true,"max_payload":1048576}\r\n')
            for line in lines:
                self.said.append(line.rstrip(b"\r\n"))
                if line == b"PING\r\n":
                    connection.sendall(b"PONG\r\n")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def own_nats():
    """A nats-server that nobody else uses."""
    nats = Nats()
    yield nats
    nats.stop()


@pytest.fixture
def connect(tmp_path):
    """Starts a router with NATS settings of the test's own."""
    routers = []

    def begin(nats, **settings):
        routers.append(Router(tmp_path, SimpleNamespace(port=0), {"nats": nats, **settings}))
        return routers[-1]

    yield begin
    for router in routers:
        router.process.kill()
        router.process.wait()


@pytest.fixture(scope="module")
def chatty(shared_nats, tmp_path_factory):
    """A router that refuses messages aloud; tests read what is new in its log."""
    router = Router(tmp_path_factory.mktemp("chatty"), shared_nats, {"logging": {"level": "error"}})
    yield router
    assert router.stop() == 0


@pytest.mark.statement("2.1", "CONNECT: verbose and pedantic false, user, pass, an empty name, lang go, protocol 1, echo true")
@pytest.mark.statement("2.1", "After connecting: router.start is published, then router.greet and router.* are subscribed to")
def test_what_is_said_first(connect):
    server = Listener()
    connect({"hosts": [{"hostname": "127.0.0.1", "port": server.port}], "user": "me", "pass": "secret"})
    eventually(lambda: len(server.said) >= 6, "all of it")
    introduction, ping, publish, message, greet, everything = server.said[:6]
    said = json.loads(introduction.removeprefix(b"CONNECT "))
    version = said.pop("version")
    assert version
    assert said == {
        "verbose": False,
        "pedantic": False,
        "user": "me",
        "pass": "secret",
        "tls_required": False,
        "name": "",
        "lang": "go",
        "protocol": 1,
        "echo": True,
        "headers": True,
        "no_responders": True,
    }
    assert ping == b"PING"
    assert publish == b"PUB router.start %d" % len(message)
    assert [greet.split()[:2], everything.split()[:2]] == [[b"SUB", b"router.greet"], [b"SUB", b"router.*"]]
    server.close()


@pytest.mark.statement("2.1", "In the deprecated mode the router is announced before all that")
def test_what_is_said_first_in_the_deprecated_mode(connect):
    server = Listener()
    nats = {"hosts": [{"hostname": "127.0.0.1", "port": server.port}], "user": "me", "pass": "secret"}
    connect(nats, status={"host": "127.0.0.1", "enable_deprecated_varz_healthz_endpoints": True})

    def said():
        return [line.split()[:2] for line in server.said if line.startswith((b"SUB", b"PUB"))]

    eventually(lambda: len(said()) >= 5, "all of it")
    assert said() == [
        [b"SUB", b"vcap.component.discover"],
        [b"PUB", b"vcap.component.announce"],
        [b"PUB", b"router.start"],
        [b"SUB", b"router.greet"],
        [b"SUB", b"router.*"],
    ]
    server.close()


@pytest.mark.statement("E", "28: router.greet is answered with the start message")
@pytest.mark.statement("2.1", "The start message: id of index and a uuid, hosts, and both intervals in whole seconds")
@pytest.mark.statement("2.1", "router.greet is answered with the start message; without a reply subject nothing happens")
@pytest.mark.statement("2.1", "The router hears its own router.start, and takes no offence")
def test_start_message_and_greeting(start, own_nats):
    own_nats.subscribe("router.start")
    router = start(own_nats, index=3, start_response_delay_interval="1900ms", droplet_stale_threshold="61500ms")
    subject, payload = own_nats.next()
    told = json.loads(payload)
    assert subject == "router.start"
    assert list(told) == START
    assert (told["minimumRegisterIntervalInSeconds"], told["pruneThresholdInSeconds"]) == (1, 61)
    assert told["id"].startswith("3-")
    assert len(told["id"]) == 38
    (address,) = told["hosts"]
    assert ipaddress.ip_address(address)
    own_nats.subscribe("_INBOX.greeting")
    own_nats.publish("router.greet", b"{}")
    own_nats.publish("router.greet", b"{}", reply="_INBOX.greeting")
    assert own_nats.next() == ("_INBOX.greeting", payload)
    assert router.log("validation-error") == []


@pytest.mark.statement("2.1", "The uuid of the start message is another one for each process")
@pytest.mark.statement("2.1", "router.active_apps is a JSON array of app GUIDs that got requests, compressed by zlib")
def test_active_apps(start, own_nats, backend):
    own_nats.subscribe("router.start")
    ids = set()
    router = None
    for interval in ("0s", "100ms"):
        router = start(own_nats, publish_active_apps_interval=interval)
        ids.add(json.loads(own_nats.next()[1])["id"])
    assert len(ids) == 2
    router.register("active.test", backend(), app="app-guid")
    own_nats.subscribe("router.active_apps")
    assert router.get("active.test").status == 200
    for _ in range(50):
        subject, payload = own_nats.next()
        assert subject == "router.active_apps"
        if json.loads(zlib.decompress(payload)) == ["app-guid"]:
            break
    else:
        pytest.fail("the app was not told of")


@pytest.mark.statement("2.2", "Messages that come during the start-up delay are processed")
def test_messages_during_the_delay(start, own_nats, backend, tmp_path):
    one = backend()

    own_nats.subscribe("router.start")

    def register() -> None:
        own_nats.next()
        own_nats.publish("router.register", {"host": "127.0.0.1", "port": one.port, "uris": ["early.test"]})

    emitter = threading.Thread(target=register)
    emitter.start()
    router = start(own_nats, cfroute={"start_delay": "2s"})
    emitter.join()
    assert router.get("early.test").status == 200


REFUSED = [
    (b'{"port":"x"}', "json: cannot unmarshal string into Go struct field RegistryMessage.port of type uint16"),
    (b'{"port":70000}', "json: cannot unmarshal number 70000 into Go struct field RegistryMessage.port of type uint16"),
    (b'{"port":1.5}', "json: cannot unmarshal number 1.5 into Go struct field RegistryMessage.port of type uint16"),
    (b'{"port":-1}', "json: cannot unmarshal number -1 into Go struct field RegistryMessage.port of type uint16"),
    (b'{"HOST":1}', "json: cannot unmarshal number into Go struct field RegistryMessage.host of type string"),
    (b'{"uris":"a"}', "json: cannot unmarshal string into Go struct field RegistryMessage.uris of type []route.Uri"),
    (b'{"tags":{"a":1}}', "json: cannot unmarshal number into Go struct field RegistryMessage.tags of type string"),
    (
        b'{"private_instance_index":0}',
        "json: cannot unmarshal number into Go struct field RegistryMessage.private_instance_index of type string",
    ),
    (b"[]", "json: cannot unmarshal array into Go value of type mbus.RegistryMessage"),
    (b"", "unexpected end of JSON input"),
    (b"{", "unexpected end of JSON input"),
    (b"{} x", "invalid character 'x' after top-level value"),
    (b"\xff", "invalid character 'ÿ' looking for beginning of value"),
    (b'{"route_service_url":"http://x"}', "Unable to validate message. route_service_url must be https"),
]


@pytest.mark.statement("2.3", "Wrong types, numbers out of range, garbage behind and bad syntax refuse the whole message")
@pytest.mark.statement("2.3", "A refusal is the line validation-error of the subscriber, with error, payload and subject")
@pytest.mark.parametrize(("payload", "error"), REFUSED)
def test_what_is_refused(chatty, payload, error):
    before = len(chatty.log("validation-error"))
    whole = payload if not payload.startswith(b'{"') else payload[:-1] + b',"uris":["refused.test"],"host":"h"}'
    whole = payload if b"uris" in payload or b"HOST" in payload else whole
    chatty.nats.publish("router.register", whole)
    told = eventually(lambda: chatty.log("validation-error")[before:], "a refusal")
    assert told == [{"error": error, "payload": whole.decode("utf-8", "replace"), "subject": "router.register"}]
    (line,) = [line for line in chatty.output.read_text().splitlines() if "validation-error" in line][before:]
    shown = json.loads(line)
    assert (shown["log_level"], shown["source"]) == (3, "gorouter.stdout.subscriber")
    assert "refused.test" not in chatty.routes()


@pytest.mark.statement("2.3", "Keys match in any case, unknown ones are ignored, and null leaves what was there")
@pytest.mark.statement("2.3", "The literals null and {} are messages that do nothing")
@pytest.mark.statement("2.3", "Port 0, an empty host and odd URIs are accepted")
def test_what_is_understood(chatty):
    before = len(chatty.log("validation-error"))
    for payload in (b"null", b"{}", b'{"uris":[]}', b'{"uris":["odd.test//x?y"],"host":"","port":0}'):
        chatty.nats.publish("router.register", payload)
    odd = {"Host": "127.0.0.1", "PORT": 1, "uris": ["cases.test"], "URIS": None, "extra": [1], "app": None}
    chatty.nats.publish("router.register", odd)
    eventually(lambda: "cases.test" in chatty.routes(), "the route")
    assert "odd.test//x" in chatty.routes()
    assert chatty.log("validation-error")[before:] == []
    for uri in ("cases.test", "odd.test//x"):
        chatty.nats.publish("router.unregister", {**odd, "host": "127.0.0.1", "uris": [uri]})


@pytest.mark.statement("2.3", "Each message on router.* is parsed, and those of other subjects are then ignored")
def test_other_subjects(chatty):
    before = len(chatty.log("validation-error"))
    chatty.nats.publish("router.anything", {"uris": ["other.test"], "host": "h", "port": 1})
    chatty.nats.publish("router.anything", b"{")
    told = eventually(lambda: chatty.log("validation-error")[before:], "a refusal")
    assert told[0]["subject"] == "router.anything"
    assert "other.test" not in chatty.routes()


@pytest.mark.statement("2.2", "Log lines: connected, disconnected, still disconnected each ping interval, reconnected")
@pytest.mark.statement("2.2", "After a loss the server is asked every 2 s, and router.start is published again")
@pytest.mark.statement("2.1", "The uuid of the start message is that of the process: it stays after a reconnect")
@pytest.mark.statement("2.2", "A client that has given up is nats-connection-closed, and exit status 1")
def test_a_server_that_goes(start, own_nats):
    own_nats.subscribe("router.start")
    router = start(own_nats, nats_client_ping_interval="300ms")
    first = own_nats.next()[1]
    where = {"host": f"127.0.0.1:{own_nats.port}", "addr": f"127.0.0.1:{own_nats.port}"}
    assert router.log("Successfully-connected-to-nats") == [where]
    own_nats.stop()
    lost = time.monotonic()
    eventually(lambda: len(router.log("nats-connection-still-disconnected")) >= 3, "reminders")
    assert router.log("nats-connection-disconnected") == [where]
    assert router.health() == 200
    own_nats.start()
    own_nats.subscribe("router.start")
    subject, again = own_nats.next()
    assert (subject, again) == ("router.start", first)
    assert 1.8 < time.monotonic() - lost < 9.0  # at the latest at the fourth time
    eventually(lambda: router.log("nats-connection-reconnected") == [where], "the line of the reconnect")

    own_nats.stop()
    own_nats._command[-1] = "another"
    server = subprocess.Popen(own_nats._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert router.process.wait(DEADLINE) == 1
    finally:
        server.kill()
        server.wait()
    assert router.log("nats-connection-closed") == [{"error": "unexpected close", "last_error": "nats: Authorization Violation"}]
    sources = {json.loads(line)["source"] for line in router.output.read_text().splitlines() if '"nats-connection-' in line}
    assert sources == {"gorouter.stdout.nats"}
    own_nats._command[-1] = "pw"
    own_nats.start()


@pytest.mark.statement("2.2", "The next of several servers is tried at once")
def test_several_servers(connect, own_nats, shared_nats):
    hosts = [{"hostname": "127.0.0.1", "port": nats.port} for nats in (own_nats, shared_nats)]
    login = {"hosts": hosts, "user": "nats", "pass": "pw"}
    router = connect(login)
    (where,) = router.log("Successfully-connected-to-nats")
    if where["host"].endswith(str(own_nats.port)):
        own_nats.stop()
        (next_one,) = eventually(lambda: router.log("nats-connection-reconnected"), "the other server")
        assert next_one["host"] == f"127.0.0.1:{shared_nats.port}"
        own_nats.start()
    assert router.health() == 200


@pytest.mark.statement("1.2", "The NATS servers are tried in random order")
def test_servers_that_are_not_there(connect, own_nats):
    hosts = [{"hostname": "localhost", "port": port} for port in (free_port(), own_nats.port, free_port())]
    router = connect({"hosts": hosts, "user": "nats", "pass": "pw"})
    (where,) = router.log("Successfully-connected-to-nats")
    assert where["host"] == f"localhost:{own_nats.port}"
    assert where["addr"] == f"127.0.0.1:{own_nats.port}"


@pytest.mark.statement("1.2", "With nats.tls_enabled the router shows its certificate to NATS, and checks that of the server")
def test_tls(connect, tmp_path: Path):
    authority = certificates.make_authority("nats", time.time())
    server = certificates.issue(authority, "nats", ["localhost"], time.time())
    ours = certificates.issue(authority, "gorouter", [], time.time())
    for name, pem in (("ca", authority.certificate), ("cert", server.certificate), ("key", server.key)):
        (tmp_path / name).write_bytes(pem)
    port = free_port()
    command = [find_binary(), "-a", "127.0.0.1", "-p", str(port), "--tlsverify"]
    command += ["--tlscert", tmp_path / "cert", "--tlskey", tmp_path / "key", "--tlscacert", tmp_path / "ca"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "nats-server")
        nats = {
            "hosts": [{"hostname": "localhost", "port": port}],
            "tls_enabled": True,
            "ca_certs": authority.certificate.decode(),
            "cert_chain": ours.certificate.decode(),
            "private_key": ours.key.decode(),
        }
        router = connect(nats)
        assert router.log("Successfully-connected-to-nats")[0]["host"] == f"localhost:{port}"
        assert router.stop() == 0
    finally:
        process.kill()
        process.wait()
