"""What the targets begin with: messages as they should be, and pieces to put where they should not be."""

import struct
import tarfile

from cfroute.http2.hpack_blocks import field


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """One frame of HTTP/2."""
    return struct.pack(">HBBBL", len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream_id) + payload


def member(name: str, content: bytes) -> bytes:
    """One file of a tar archive."""
    header = tarfile.TarInfo(name)
    header.size = len(content)
    return header.tobuf(tarfile.GNU_FORMAT) + content.ljust(-(-len(content) // 512) * 512, b"\0")


_FIELDS = ((b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"a.test"), (b":path", b"/"))
_BLOCK = b"".join(field(name, value) for name, value in _FIELDS)
_ANSWER = field(b":status", b"200")

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: a.test\r\nX: y\r\n\r\n",
    b"POST /p?q HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: b\r\n\r\n",
    b"POST / HTTP/1.1\nHost: a.test\nTransfer-Encoding: chunked\n\n3;x\r\nabc\r\n0\r\nT: x\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    b"GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: close, x\r\nX:\r\n y\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nxyz",
]
RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.0 200\r\nConnection: x\r\nX: y\r\n\r\nok",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nxyz",
    b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
]
FRAMES = [
    frame(4, 0, 0, b"\0\4\0\0\0\5") + frame(1, 5, 1, _BLOCK) + frame(8, 0, 0, b"\0\0\1\0"),
    frame(1, 4, 1, _BLOCK) + frame(0, 1, 1, b"abc") + frame(6, 0, 0, b"12345678") + frame(1, 5, 3, b"\x82\x87\x84"),
    frame(1, 0, 1, _BLOCK[:9]) + frame(9, 4, 1, _BLOCK[9:]) + frame(3, 0, 1, b"\0\0\0\x08") + frame(7, 0, 0, bytes(8)),
    frame(1, 0x2C, 1, b"\2\0\0\0\0\5" + _BLOCK + b"\0\0") + frame(0, 9, 1, b"\1x\0") + frame(2, 0, 5, bytes(5)),
]
ANSWERS = [
    frame(4, 0, 0) + frame(1, 4, 1, _ANSWER) + frame(0, 1, 1, b"ok") + frame(1, 5, 3, _ANSWER) + frame(7, 0, 0, bytes(8)),
    frame(1, 4, 1, field(b":status", b"103")) + frame(1, 4, 1, _ANSWER) + frame(1, 5, 1, field(b"x", b"y")),
    frame(3, 0, 5, bytes(4)) + frame(3, 0, 1, b"\0\0\0\7"),
    frame(4, 0, 0, b"\0\3\0\0\0\1") + frame(1, 4, 5, _ANSWER + field(b"content-length", b"3")) + frame(0, 1, 5, b"abcd"),
]
NATS = [
    b'INFO {"headers":true}\r\nMSG router.register 1 2\r\n{}\r\nPING\r\n+OK\r\n',
    b"MSG a 1 reply 0\r\n\r\nHMSG a 1 12 14\r\nNATS/1.0\r\n\r\nab\r\n-ERR 'x'\r\n",
]
REGISTRATIONS = [
    b'{"host":"10.0.0.1","port":61000,"uris":["a.test/p"],"app":"x","tags":{"a":"b"},"stale_threshold_in_seconds":60}',
    b'{"tls_port":1,"route_service_url":"https://x","options":{"loadbalancing":"hash","hash_balance":1.5},"Port":2}',
    b'{"uris":[null,"\\ud800"],"endpoint_updated_at_ns":-9223372036854775808,"host":"\xff"}',
]
CONFIGURATIONS = [
    b"port: 80\nstatus: {port: 0x1F, user: u}\nnats:\n  hosts:\n  - hostname: a\n    port: 010\n",
    b"tls_pem:\n- cert_chain: &a |\n    x\n  private_key: *a\nendpoint_timeout: 1h2m\n<<: {zone: z}\n",
    b"balancing_algorithm: least-connection\nhttp_rewrite: {responses: {add_headers_if_not_present: [{name: a}]}}\n",
]
LINES = [b"PROXY TCP4 1.2.3.4 5.6.7.8 1 65535\r\n", b"PROXY TCP6 ::1 ::ffff:1.2.3.4 1 2\r\nGET", b"PROXY UNKNOWN\r\n"]
HELLOS = [
    b"\3\3" + bytes(32) + b"\0\0\2\x13\1\1\0\0\x1f\0\0\0\x0b\0\x09\0\0\6a.test\0\x10\0\5\0\3\2h2\0\x2b\0\3\2\3\4",
    b"\3\1" + bytes(32) + b"\0\0\2\0\x2f\1\0",
]
TEMPLATES = [
    b'<p class="{{.Status}}">{{if eq .Status 404}}{{.Message}}{{else}}x{{end}}</p>',
    b"{{with .Header.Get \"X\"}}{{.}}{{end}}{{$x := .Message}}<a title='{{$x | html}}'>{{/* c */}}</a>",
]
TRACES = [
    b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
    b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    b"80f198ee56343ba8\ne457b5a2e4d86bd1\n\ntrue\n1",
]
COOKIES = [
    b'JSESSIONID=x; __VCAP_ID__="a b"; x=y\nx; Max-Age=9; Expires=Mon, 02 Jan 2006 15:04:05 GMT; SameSite=lax; Secure',
    b"__VCAP_ID__=x; __VCAP_ID_META__=secure&maxage=170000000000&samesite=lax\nx; max-age=-1; partitioned; expires=x",
]
SIGNATURES = [b"https://a.test/%20?x\neyJub25jZSI6IkFBQUFBQUFBQUFBQUFBQUEifQ==", b"AAAAAAAAAAAAAAAAAAAAAAAA\neyJub25jZSI6MX0="]
LOGGED = ['ä\u2028\x00"\\'.encode(), b"\xff\xed\xa0\x80 ~"]
_FIELD = b'--XX\r\nContent-Disposition: form-data; name="resources"\r\n\r\n[]\r\n'
_FILE = b'--XX\r\nContent-Disposition: form-data; name="bits"; filename="p.zip"\r\nContent-Type: a/b\r\n\r\nPK\r\n--X\r\n'
FORMS = [_FIELD + _FILE + b"--XX--\r\n"]
DROPLETS = [member("app/main.py", b"print()") + member("staging_info.yml", b"process_types: {web: run}\n") + bytes(1024)]

PIECES = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b";", b",", b"=", b'"', b"%", b"\xff", b"0", b"-1", b"9" * 20, b"9" * 5000,
    b"\r\n\r\n", b"0\r\n\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"Host: b\r\n",
    b"{{", b"}}", b"[" * 50, b"{", b"*a", b"&a ", b"null", b"\x3f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    frame(0, 0, 1), frame(0, 1, 3, b"x"), frame(3, 0, 1, bytes(4)), frame(4, 1, 0), frame(8, 0, 1, b"\x7f" * 4),
    frame(1, 4, 7, b"\xbe"), frame(1, 5, 1, b"\x88"), frame(4, 0, 0, b"\0\4\0\0\0\0"),
]  # fmt: skip
