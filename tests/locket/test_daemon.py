"""The real daemon, asked by a client of grpcio."""

import contextlib
import http.client
import json
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from ..ports import free_port
from ..waiting import eventually
from .daemons import Locket
from .grpcio_locket import GrpcioClient

Launch = Callable[..., Locket]


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return refused.value.code().name, refused.value.details()


@pytest.mark.statement(
    "Locket 1", "a lock of another owner is refused with ALREADY_EXISTS lock-collision, and can be had after its release"
)
def test_two_owners(shared: Locket, client: GrpcioClient) -> None:
    client.lock("two", "me", value="first")
    client.lock("two", "me", value="second")
    assert refusal(lambda: client.lock("two", "you")) == ("ALREADY_EXISTS", "lock-collision")
    assert refusal(lambda: client.release("two", "you")) == ("ALREADY_EXISTS", "lock-collision")
    client.release("two", "me")
    client.lock("two", "you")
    assert [each["owner"] for each in shared.said("locket.lock.acquired-lock") if each["key"] == "two"] == ["me", "you"]
    assert [each["owner"] for each in shared.said("locket.release.released-lock") if each["key"] == "two"] == ["me"]


@pytest.mark.statement(
    "Locket 1", "what cannot be granted: type code before TTL before owner; a wrong type is NOT_FOUND invalid-type"
)
@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"type_code": 0, "type": "lock", "ttl": 0}, ("NOT_FOUND", "invalid-type")),
        ({"type_code": 3}, ("NOT_FOUND", "invalid-type")),
        ({"ttl": 0, "owner": ""}, ("INVALID_ARGUMENT", "invalid-ttl")),
        ({"ttl": -5}, ("INVALID_ARGUMENT", "invalid-ttl")),
        ({"owner": ""}, ("INVALID_ARGUMENT", "invalid-owner")),
    ],
)
def test_what_cannot_be_granted(client: GrpcioClient, values: dict[str, Any], refused: tuple[str, str]) -> None:
    assert refusal(lambda: client.lock("never", **{"owner": "me", **values})) == refused
    assert refusal(lambda: client.call("Fetch", key="never")) == ("NOT_FOUND", "resource-not-found")


@pytest.mark.statement("Locket 1", "to release what nobody has is no error")
def test_nothing_to_release(client: GrpcioClient) -> None:
    client.release("nobody has it", "me")


@pytest.mark.statement(
    "Locket 1", "Fetch and FetchAll return the resources with `type` and `type_code`; FetchAll of another type is NOT_FOUND"
)
def test_what_is_fetched(client: GrpcioClient) -> None:
    client.lock("fetched", "me", value="x")
    client.lock("present", "me", type_code=2, type="nonsense")
    found = client.call("Fetch", key="fetched").resource
    assert (found.key, found.owner, found.value, found.type, found.type_code) == ("fetched", "me", "x", "lock", 1)
    present = client.call("FetchAll", type_code=2).resources
    assert [(each.key, each.type, each.type_code) for each in present] == [("present", "presence", 2)]
    assert "fetched" in [each.key for each in client.call("FetchAll", type_code=1).resources]
    assert refusal(lambda: client.call("FetchAll", type="lock")) == ("NOT_FOUND", "invalid-type")


@pytest.mark.statement(
    "Locket 2", "a renewed lock outlives its TTL; one that is not renewed is deleted after it, and `lock-expired` is logged"
)
def test_renewal_and_expiry(shared: Locket, client: GrpcioClient) -> None:

    def expired(key: str) -> list[dict[str, Any]]:
        return [each for each in shared.said("locket.lock-pick.lock-expired") if each["key"] == key]

    began = time.monotonic()
    client.lock("left", "me", ttl=2)
    eventually(lambda: [client.lock("kept", "me", ttl=2), *expired("left")][1:], "the end of the one that is not renewed")
    assert time.monotonic() - began >= 2
    assert refusal(lambda: client.call("Fetch", key="left"))[0] == "NOT_FOUND"
    (told,) = expired("left")
    assert (told["owner"], told["type"], told["modified-index"]) == ("me", "lock", 1)
    assert client.call("Fetch", key="kept").resource.owner == "me"
    assert expired("kept") == []


@pytest.mark.statement("Locket 1", "a client without a certificate of the authority gets no further than UNAVAILABLE")
def test_a_client_without_a_certificate(shared: Locket) -> None:
    client = GrpcioClient(shared.port, shared.output.parent, certificate=False)
    assert refusal(lambda: client.lock("key", "me"))[0] == "UNAVAILABLE"
    client.close()
    assert any("certificate" in each["error"] for each in shared.said("locket.grpc-server.refused"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_below_1_2_is_refused(shared: Locket) -> None:
    context = ssl.create_default_context(cafile=shared.output.parent / "ca.pem")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", shared.port)) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="127.0.0.1")


@pytest.mark.statement("Locket 2", "no acknowledged lock is lost by a kill -9")
def test_what_was_granted_is_there_after_a_kill(launch: Launch) -> None:
    first = launch().started()
    client = GrpcioClient(first.port, first.output.parent)
    granted: list[str] = []

    def lock_one_after_the_other() -> None:
        with contextlib.suppress(grpc.RpcError):
            while True:
                client.lock(str(len(granted)), "me", ttl=60)
                granted.append(str(len(granted)))

    locking = threading.Thread(target=lock_one_after_the_other)
    locking.start()
    eventually(lambda: len(granted) > 20)
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    locking.join()
    client.close()
    second = launch(listen_address=first.config["listen_address"]).started()
    client = GrpcioClient(second.port, second.output.parent)
    there = {each.key for each in client.call("FetchAll", type_code=1).resources}
    assert there >= set(granted)
    assert refusal(lambda: client.lock("0", "you")) == ("ALREADY_EXISTS", "lock-collision")
    client.lock("0", "me")
    client.close()
    assert second.end() == 0


def test_who_only_holds_connections_does_not_keep_others_out(shared: Locket, client: GrpcioClient) -> None:
    silent = [socket.create_connection(("127.0.0.1", shared.port)) for _ in range(500)]
    for number, each in enumerate(silent):
        each.sendall((b"", b"\x16\x03\x01\x02", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100)[number % 4])
    for number in range(20):
        client.lock(f"busy {number}", "me")
    for each in silent:
        each.close()
    client.lock("busy", "me")


def test_it_ends_at_once_with_a_client_that_holds_its_connection(launch: Launch) -> None:
    locket = launch().started()
    client = GrpcioClient(locket.port, locket.output.parent)
    client.lock("key", "me")
    assert locket.end() == 0
    client.close()
    assert locket.said("locket.grpc-server.complete")


@pytest.mark.parametrize(
    ("wrong", "message", "error"),
    [
        ({"cert_file": "/nowhere"}, "invalid-tls-config", "/nowhere"),
        ({"database_connection_string": "/nowhere/locket.sqlite"}, "sql-failed-to-connect", "unable to open database file"),
        ({"database_driver": "oracle"}, "sql-failed-to-connect", 'unknown driver "oracle"'),
        ({"listen_address": "localhost:"}, "failed-invalid-listen-address", "missing port"),
        ({"db_operation_timeout": "soon"}, "invalid-config-file", "invalid duration"),
        ({"log_level": "loud"}, "invalid-config-file", "$.log_level"),
        ({"redact_secrets": True, "redact_patterns": ["("]}, "invalid-config-file", "missing )"),
    ],
)
def test_what_is_wrong_is_said_and_the_status_is_2(launch: Launch, wrong: dict[str, Any], message: str, error: str) -> None:
    locket = launch(**wrong)
    assert locket.process.wait(30) == 2
    (told,) = locket.said(f"locket.{message}")
    assert error in told["error"]


def test_a_port_that_is_taken(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        locket = launch(listen_address=f"127.0.0.1:{taken.getsockname()[1]}")
        assert locket.process.wait(30) == 1
    assert "address already in use" in locket.said("locket.exited-with-failure")[0]["error"]
    assert locket.said("locket.grpc-server.failed-to-listen")


def test_the_debug_server_changes_the_level(launch: Launch) -> None:
    port = free_port()
    locket = launch(debug_address=f"127.0.0.1:{port}", log_level="info", enable_db_health_check=True).started()
    client = GrpcioClient(locket.port, locket.output.parent)
    client.lock("key", "me")
    for level in ("info", "debug"):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as debug:
            debug.request("PUT", "/log-level", level)
            assert debug.getresponse().status == 200
        with pytest.raises(grpc.RpcError):
            client.lock("key", "you")
        assert len(locket.said("locket.lock.lock-collision")) == (level == "debug")
    client.close()
    assert locket.said("locket.db-health-check-runner.starting")
    assert locket.end() == 0


@pytest.mark.parametrize(("arguments", "status"), [(["-help"], 0), (["-x"], 2), ([], 2), (["-config", "/nowhere"], 2)])
def test_the_command_line(arguments: list[str], status: int, capfd: pytest.CaptureFixture[str]) -> None:
    from cfroute.locket.main import main

    assert main(arguments) == status
    said = capfd.readouterr()
    assert "Usage of locket" in said.err or json.loads(said.out)["message"] == "locket.invalid-config-file"


@pytest.mark.parametrize(
    ("address", "ours", "listener"),
    [
        (":8891", None, ("127.0.0.1", 8891)),
        (":8891", "", ("0.0.0.0", 8891)),
        (":8891", "10.0.0.1", ("10.0.0.1", 8891)),
        ("0.0.0.0:8891", None, ("0.0.0.0", 8891)),
        ("[::1]:8891", None, ("::1", 8891)),
    ],
)
def test_where_it_listens(tmp_path: Path, address: str, ours: str | None, listener: tuple[str, int]) -> None:
    from cfroute.locket import config

    given = {"listen_address": address, "ca_file": "", "cert_file": "", "key_file": "", "database_connection_string": ""}
    extension = {} if ours is None else {"cfroute": {"address": ours}}
    (tmp_path / "locket.json").write_text(json.dumps({**given, **extension, "dropsonde_port": 3457}))
    assert config.load(tmp_path / "locket.json").listener == listener
