"""Access lines in the apps' logs."""

import hashlib

import pytest

from cfroute.gorouter.config_file import parse
from cfroute.gorouter.logs.access_log import LineFormat
from cfroute.gorouter.logs.loggregator import ShortLines, app_log, first_headers, shortened
from cfroute.logs import INFO, Logger

from ..dropsonde_messages import parse as parse_envelope
from ..dropsonde_messages import tags
from .access_records import record

ON = "logging: {loggregator_enabled: true}\nindex: 3"
DROPPED = "dropping-loggregator-access-log"
WHY = "either no appId or source instance present"


def test_a_line_goes_to_the_log_of_its_app(metron, emitter, clock, logger, log_lines):
    log = app_log(parse(ON), emitter, clock, logger)
    log.log(record(), b"the line\n", {"component": "web"})
    log.flush()
    told = parse_envelope(metron.recv(65536))
    line = told.logMessage
    assert (told.origin, told.eventType, tags(told)) == ("gorouter", 5, {"component": "web"})
    assert (line.message, line.message_type, line.timestamp) == (b"the line", 1, clock.now_ns())
    assert (line.app_id, line.source_type, line.source_instance) == ("app-1", "RTR", "3")
    assert log_lines == []
    log.close()


def test_a_line_without_an_app_is_dropped(emitter, clock, logger, log_lines):
    app_log(parse(ON), emitter, clock, logger).log(record(app_id=b""), b"the line\n", None)
    assert log_lines.data(DROPPED) == [{"error": WHY, "appID": "", "sourceInstance": "3"}]


def test_all_are_dropped_where_loggregator_is_off(emitter, clock, logger, log_lines):
    app_log(parse(""), emitter, clock, logger).log(record(), b"the line\n", None)
    assert log_lines.data(DROPPED) == [{"error": WHY, "appID": "app-1", "sourceInstance": ""}]


def test_nobody_is_asked_where_there_is_nothing_to_send_or_to_say(emitter, clock, log_lines):
    assert app_log(parse(""), emitter, clock, Logger("g", INFO, stream=log_lines)) is None


@pytest.mark.parametrize(("size", "cut"), [(65_400, False), (65_401, True)])
def test_only_what_does_not_fit_is_shortened(metron, emitter, clock, logger, size, cut):
    form = LineFormat(parse(ON))
    told = record(uri=b"/")
    told = record(uri=b"/" + b"u" * (size - len(form.line(told)) + 1))
    line = form.line(told)
    assert len(line) == size + 1
    log = app_log(parse(ON), emitter, clock, logger)
    log.log(told, line, None)
    log.flush()
    message = parse_envelope(metron.recv(65536)).logMessage.message
    assert (message != line[:-1]) is cut
    assert (b"...REQUEST-URI-TOO-LONG-TO-LOG--TRUNCATED HTTP/1.1" in message) is cut


def test_texts_are_halved_until_they_fit():
    assert shortened(b"x" * 1000, b"N", 1000) == b"x" * 1000
    assert shortened(b"x" * 1001, b"N", 1000) == b"x" * 500 + b"...N-TOO-LONG-TO-LOG--TRUNCATED"
    again = shortened(b"x" * 3999, b"N", 1000)
    assert len(again) <= 1000
    assert again.strip(b"x") == b"...N-TOO-LONG-TO-LOG--TRUNCATED"


def test_what_a_client_can_make_long():
    long = dict.fromkeys(("referer", "user_agent", "forwarded_for", "forwarded_proto"), b"y" * 1001)
    told = record(uri=b"/" * 20_001, **long)
    line = ShortLines(parse("")).line(told)
    assert (told.uri, told.referer) == (b"/" * 20_001, b"y" * 1001)
    for name in (b"REFERER", b"USER-AGENT", b"X-FORWARDED-FOR", b"X-FORWARDED-PROTO"):
        assert b'"' + b"y" * 500 + b"...%b-TOO-LONG-TO-LOG--TRUNCATED" % name + b'"' in line
    assert b'"GET ' + b"/" * 10_000 + b'...REQUEST-URI-TOO-LONG-TO-LOG--TRUNCATED HTTP/1.1"' in line


def test_what_is_redacted_stays_redacted():
    query = b"q" * 30_000
    told = record(uri=b"/p?" + query)
    config = "logging: {redact_query_params: hash}"
    assert b'"GET /p?hash=%b HTTP/1.1"' % hashlib.sha1(query).hexdigest().encode() in ShortLines(parse(config)).line(told)
    assert b'"GET /p HTTP/1.1"' in ShortLines(parse("logging: {redact_query_params: all}")).line(told)


def test_extra_headers_as_far_as_they_fit():
    labels = [b" x_a:", b" x_b:", b" x_c:"]
    mark = b"...EXTRA-REQUEST-HEADERS-TOO-LONG-TO-LOG--TRUNCATED"
    assert first_headers(labels, [b"1", b"", b"3"]) == b'x_a:"1" x_b:"-" x_c:"3"'
    assert first_headers(labels, [b"1"]) == b'x_a:"1" x_b:"-" x_c:"-"'
    assert first_headers(labels, [b"1", b"2" * 20_000, b"3"]) == b'x_a:"1" ' + mark
    assert first_headers(labels, [b"1" * 20_000]) == mark
    fits = 20_000 - len(b"x_a") - 4 - 1
    assert first_headers([b" x_a:"], [b"1" * fits]) == b'x_a:"' + b"1" * fits + b'"'
    assert first_headers([b" x_a:"], [b"1" * (fits + 1)]) == mark


def test_the_headers_end_the_short_line():
    short = ShortLines(parse("extra_headers_to_log: [X-A]"))
    assert short.line(record(extra=[b"1"])).endswith(b'x_cf_routererror:"-" x_a:"1"')
