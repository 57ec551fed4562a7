"""Readers of heads that remember the last one.

On a kept connection most requests have the head of the one before, and most responses of one backend are alike for as long as
their Date is. A head that comes again, byte for byte, means what it meant: comparing it is cheaper than reading it. What is
handed out is always a copy, for it will be edited. A head is kept only once it has come twice, so that heads which never come
again cost no more than before.
"""

from typing import Final

from cfroute.proxy.head import RequestHead, ResponseHead, parse_request, parse_response
from cfroute.proxy.target import escaped

_LONGEST: Final = 4096  # bytes of a head that is remembered: there may be many connections


class RequestReader:
    """Reads the request heads of one client connection."""

    __slots__ = ("_head", "_last")

    def __init__(self) -> None:
        self._last = b""
        self._head: RequestHead | None = None

    def read(self, data: bytes, limit: int) -> tuple[RequestHead, int] | None:
        """As `parse_request`."""
        last = self._last
        if last and data.startswith(last):
            if self._head is not None:
                return self._head.copy(), len(last)
            parsed = parse_request(data, limit)
            assert parsed is not None, "it was a complete head the last time"
            head = parsed[0]
            head.escaped = escaped(head.path)
            head.count_hop_by_hop()
            self._head = head.copy()
            return parsed
        parsed = parse_request(data, limit)
        if parsed is not None and parsed[1] <= _LONGEST:
            self._last, self._head = data[: parsed[1]], None
        return parsed


class ResponseReader:
    """Reads the response heads of one destination, over all its connections."""

    __slots__ = ("_head", "_last")

    def __init__(self) -> None:
        self._last = b""
        self._head: ResponseHead | None = None

    def read(self, data: bytes, limit: int, method: bytes) -> tuple[ResponseHead, int] | None:
        """As `parse_response`."""
        if method == b"HEAD":  # the same bytes mean another length then
            return parse_response(data, limit, method)
        last = self._last
        if last and data.startswith(last):
            if self._head is not None:
                return self._head.copy(), len(last)
            parsed = parse_response(data, limit, method)
            assert parsed is not None, "it was a complete head the last time"
            parsed[0].count_hop_by_hop()
            self._head = parsed[0].copy()
            return parsed
        parsed = parse_response(data, limit, method)
        if parsed is not None and parsed[1] <= _LONGEST:
            self._last, self._head = data[: parsed[1]], None
        return parsed
