"""Access lines to syslog."""

import os
import re
import socket
import time

import pytest

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.logs.access_file import AccessLogError
from cfroute.gorouter.logs.syslog import SyslogWriter

HEAD = rb"<14>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d) (\S+) (\S*) (\d+) - \xef\xbb\xbf"


@pytest.fixture
def server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(30)
        yield listener


@pytest.fixture
def stream():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        yield listener


def config(listener, network="udp", **more):
    settings = {"syslog_network": network, "syslog_addr": f"127.0.0.1:{listener.getsockname()[1]}", **more}
    return parse("logging: {" + ", ".join(f"{key}: '{value}'" for key, value in settings.items()) + "}")


def truncating(listener, network, size):
    settings = config(listener, network)
    settings.logging.syslog_truncate = size
    return settings


def test_each_line_is_a_datagram(server, clock, logger):
    writer = SyslogWriter(config(server, syslog="vcap.gorouter"), clock, logger)
    writer.write([b"one\n", b"two\n"])
    first, second = server.recv(65536), server.recv(65536)
    match = re.fullmatch(HEAD + rb"one", first)
    assert match, first
    assert match.groups() == (socket.gethostname().encode(), b"vcap.gorouter", str(os.getpid()).encode())
    assert re.fullmatch(HEAD + rb"two", second)
    writer.close()


def test_without_a_tag_its_place_is_empty(server, clock, logger):
    writer = SyslogWriter(config(server), clock, logger)
    writer.write([b"one\n"])
    assert re.fullmatch(HEAD + rb"one", server.recv(65536))[2] == b""
    writer.close()


@pytest.mark.parametrize(("size", "shown"), [(3, "one"), (2, "on"), (9, "one"), (0, "one"), (-1, "one")])
def test_messages_are_cut(server, clock, logger, size, shown):
    writer = SyslogWriter(truncating(server, "udp", size), clock, logger)
    writer.write([b"one\n"])
    assert re.fullmatch(HEAD + shown.encode(), server.recv(65536))
    writer.close()


@pytest.mark.parametrize(("zone", "shown"), [("UTC", b"2023-11-14T22:13:20Z"), ("ABC-2", b"2023-11-15T00:13:20+02:00")])
def test_the_time_is_the_local_one(server, clock, logger, monkeypatch, zone, shown):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    writer = SyslogWriter(config(server), clock, logger)
    writer.write([b"one\n"])
    assert server.recv(65536).split()[1] == shown
    writer.close()
    monkeypatch.undo()
    time.tzset()


def test_over_tcp_lines_end_in_newlines(stream, clock, logger):
    writer = SyslogWriter(truncating(stream, "tcp", 2), clock, logger)
    peer, _ = stream.accept()
    writer.write([b"one\n", b"two\n"])
    writer.close()
    with peer, peer.makefile("rb") as lines:
        assert [re.fullmatch(HEAD + rb"(..)\n", line)[4] for line in lines] == [b"on", b"tw"]


def test_a_slow_server_gets_everything_later(stream, clock, logger, log_lines):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer = SyslogWriter(config(stream, "tcp"), clock, logger)
    peer, _ = stream.accept()
    lines = [b"%d" % number + b"x" * 1000 + b"\n" for number in range(4000)]
    writer.write(lines)
    assert clock.waiting == 1
    received = b""
    peer.settimeout(30)
    while received.count(b"\n") < len(lines):
        clock.advance(0.05)
        received += peer.recv(1 << 20)
    assert clock.waiting == 0
    assert received.count(b"\xef\xbb\xbf") == len(lines)
    assert log_lines == []
    writer.close()
    peer.close()


def test_a_server_that_does_not_read_costs_lines(stream, clock, logger, log_lines):
    writer = SyslogWriter(config(stream, "tcp"), clock, logger)
    peer, _ = stream.accept()
    lines = [b"x" * 100_000 + b"\n"] * 100
    writer.write(lines)
    writer.write(lines)
    assert log_lines.messages() == ["error-emitting-access-log-to-writer-syslog"]
    peer.close()
    writer.close()


def test_a_server_that_went_away_is_told_with_each_batch(stream, clock, logger, log_lines):
    writer = SyslogWriter(config(stream, "tcp"), clock, logger)
    stream.accept()[0].close()
    stream.close()
    while len(log_lines) < 2:
        writer.write([b"one\n", b"two\n"])
    assert {line["message"] for line in log_lines} == {"error-emitting-access-log-to-writer-syslog"}
    writer.close()


def test_nobody_listens_on_the_datagram_port(server, clock, logger, log_lines):
    writer = SyslogWriter(config(server), clock, logger)
    server.close()
    writer.write([b"one\n", b"two\n"])
    assert log_lines.data("error-emitting-access-log-to-writer-syslog") == [{"error": "connection refused"}]
    writer.close()


@pytest.mark.parametrize(
    ("network", "address", "error"),
    [
        ("unix", "127.0.0.1:1", "syslog: invalid network: unix"),
        ("tcp9", "127.0.0.1:1", "syslog: invalid network: tcp9"),
        ("udp", "nohost", "dial udp: address nohost: missing port in address"),
        ("tcp", "nobody.invalid:1", "dial tcp: lookup nobody.invalid: no such host"),
        ("tcp", "127.0.0.1:1", "dial tcp 127.0.0.1:1: connect: connection refused"),
    ],
)
def test_what_cannot_be_connected_to(clock, logger, log_lines, network, address, error):
    with pytest.raises(AccessLogError, match=f"^{error}$"):
        SyslogWriter(parse(f"logging: {{syslog_network: {network}, syslog_addr: '{address}'}}"), clock, logger)
    assert log_lines.data("error-creating-syslog-writer") == [{"error": error}]
