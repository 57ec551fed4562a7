"""One request and its response, from the first byte to the last.

An exchange stands between its client (`front`) and the backend of the current attempt, and knows of neither what version of HTTP
it speaks (`sides`). All of it happens in protocol callbacks; a task exists only while a new connection is dialled.

    begin ──▶ attempt ──▶ [dial] ──▶ send ──▶ responded ──▶ body … ──▶ ended ──▶ finish
      │          ▲                    │            │                     │
      └─ answer  └─── attempt_failed ◀┘            └─ 101: tunnel        └─ cut: a broken end
"""

import asyncio
from typing import TYPE_CHECKING, cast

from cfroute.daemon import spawn
from cfroute.proxy.answer import Answer
from cfroute.proxy.failure import Failure, Kind
from cfroute.proxy.head import CHUNKED, RequestHead, ResponseHead, trailer_names
from cfroute.proxy.headers import Headers
from cfroute.proxy.sides import BackendSide, ClientSide

if TYPE_CHECKING:
    from cfroute.proxy.backend import Destination
    from cfroute.proxy.server import ProxyServer

_WAIT_FOR_CONTINUE = 1.0  # seconds that a backend gets to say 100 before the body is asked for anyway
_REPLAYABLE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE"))
_MOST_PENDING = 64 * 1024
_MOST_PRELIMINARY = 5  # responses before the final one, as with Go's client
_RETRY_IMPOSSIBLE = b"the request's body is gone with the connection that failed\n"


class Exchange:
    """The state of one request. A policy extends it with what it needs to know.

    status is 0 until a response has begun. request_bytes and response_bytes count the bodies. body_done tells whether the
    request's body is here in full; body_sent whether a backend has got some of it, so that it cannot be sent again. complete is
    False when the client did not get the whole response.
    """

    # Defaults of the class: most requests change few of them, and what is not set costs nothing.
    backend: BackendSide | None = cast("BackendSide | None", None)  # mypyc would leave out a plain None of a protocol's type
    destination: "Destination | None" = None
    status = 0
    request_bytes = 0
    response_bytes = 0
    body_sent = False
    complete = True
    finished = False
    _pending: list[bytes] | None = None
    _pending_size = 0
    _dialling: object = None  # the task that dials for the current attempt
    continued = False  # whether the client was told to send the body that it announced with `Expect`
    _reusable = False
    _preliminary = 0  # 1xx responses in the present attempt

    def __init__(self, front: ClientSide, request: RequestHead) -> None:
        self.front = front
        self.server: ProxyServer = front.server
        self.policy = front.server.policy
        self.request = request
        self.received_at = self.server.now_ns()
        self.keep_alive = request.keep_alive
        self.upgrade = upgrade_of(request) if b"Upgrade" in request.headers else b""
        self.expects_continue = b"Expect" in request.headers and request.version != b"HTTP/1.0"
        self.body_done = request.length == 0

    def __repr__(self) -> str:
        return f"<Exchange {self.request!r} status={self.status} backend={self.backend!r}>"

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again although a backend may have seen it: without a body, and safe or said to be idempotent."""
        request = self.request
        return request.length == 0 and (
            request.method in _REPLAYABLE
            or bool(request.headers.first(b"Idempotency-Key") or request.headers.first(b"X-Idempotency-Key"))
        )

    # The way out: towards the backend

    def start(self) -> None:
        """Run the policy and send the request on its way."""
        try:
            answer = self.policy.begin(self)
            if answer is not None:
                self.answer(answer)
            else:
                self.attempt()
        except Exception as defect:
            self.panicked(defect)

    def attempt(self) -> None:
        """Send the request to the next destination that the policy names."""
        destination = self.policy.destination(self)
        if isinstance(destination, Answer):
            self.answer(destination)
            return
        self.destination = destination
        self._connect(destination)

    def _connect(self, destination: "Destination") -> None:
        if not self.upgrade:
            self.server.deadlines.add(self)
        else:
            destination = destination.without_http2
            if self.upgrade != b"websocket":
                self.server.deadlines.add(self)
        backend = destination.take()
        if backend is not None:
            self._send(backend)
        else:
            self._dialling = spawn(self._dial(destination), name="dial")

    async def _dial(self, destination: "Destination") -> None:
        try:
            backend = await destination.dial()
        except Failure as failure:
            if self._still_wants(asyncio.current_task()):
                self.attempt_failed(failure)
            return
        if not self._still_wants(asyncio.current_task()):
            backend.release(self.server.monotonic())
        elif backend.closed:
            self.attempt_failed(backend.failure())
        else:
            self._send(backend)

    def _still_wants(self, dialling: object) -> bool:
        """Whether the attempt that the connection was dialled for is still the current one."""
        return self._dialling is dialling and not self.finished

    def _send(self, backend: BackendSide) -> None:
        self.backend = backend
        line = self.policy.request_line(self)
        pending = self._pending
        if pending is not None:
            self._pending = None
            self._pending_size = 0
            self.body_sent = True
        backend.send(self, line, pending)
        if self.expects_continue and not self.body_done and not self.request_bytes:
            self.server.clock.call_later(_WAIT_FOR_CONTINUE, self._continue)
        elif not self.body_done and not backend.blocked:
            self.front.resume_reading()

    def _continue(self) -> None:
        if not (self.continued or self.status or self.finished or self.request.version == b"HTTP/1.0"):
            self.continued = True
            self.front.go_on()

    def request_body(self, data: bytes, *, last: bool) -> None:
        """A piece of the request's body; the last one may be empty."""
        self.request_bytes += len(data)
        self.body_done = last
        backend = self.backend
        if backend is not None:
            self.body_sent = True
            backend.body(data, last=last)
        elif data:
            if self._pending is None:
                self._pending = []
            self._pending.append(data)
            self._pending_size += len(data)
            if self._pending_size > _MOST_PENDING:
                self.front.pause_reading()

    def attempt_failed(self, failure: Failure) -> None:
        """This attempt came to nothing: try again, or answer."""
        self._dialling = None
        if self.backend is not None:
            failure.timings = self.backend.timings
        self._drop_backend()
        self._preliminary = 0
        self.server.deadlines.discard(self)
        if failure.reused and self.destination is not None and self._may_go_again(failure):
            self._connect(self.destination)  # a kept connection had gone stale: not the backend's failure
            return
        answer = self.policy.failed(self, failure)
        if answer is None and self.body_sent:
            answer = Answer(502, _RETRY_IMPOSSIBLE)
        if answer is None:
            self.attempt()
        else:
            self.answer(answer)

    def _may_go_again(self, failure: Failure) -> bool:
        """Whether the request can be sent to the same backend on another connection."""
        if failure.unprocessed:
            return not self.body_sent
        return self.replayable and failure.kind in (Kind.EOF, Kind.RESET)

    # The way back: towards the client

    def informational(self, head: ResponseHead) -> bool:
        """A 1xx response, which the final one will follow. False when there were too many of them."""
        self._preliminary += 1
        if self._preliminary > _MOST_PRELIMINARY:
            return False
        if head.status == 100 and self.expects_continue:
            self._continue()
        elif self.request.version != b"HTTP/1.0":
            head.headers.pop(b"Content-Length", None)
            self.front.preliminary(head)
        return True

    def responded(self, head: ResponseHead, body: bytes, *, ended: bool, clean: bool = False) -> bool:
        """The response's head, and what there is of its body. False when the policy answered something else."""
        if head.status == 101:
            return self._switched(head, body)
        announced = head.headers.get(b"Trailer") if head.length == CHUNKED else None
        answer = self.policy.response(self, head)
        if answer is None and head.status < 100:  # that is no response, and 000 would look like one that has not begun
            answer = Answer(502)
        if answer is not None:
            self.answer(answer)
            return False
        if announced is not None and self.request.version != b"HTTP/1.0":
            head.headers[b"Trailer"] = (b", ".join(trailer_names(announced)),)
        self.status = head.status
        self._reusable = head.keep_alive
        self.response_bytes = len(body)
        self.front.respond(self, head, body, ended)
        if ended:
            self._over(clean=clean)
        return True

    def body(self, data: bytes) -> None:
        """A piece of the response's body."""
        if data:
            self.response_bytes += len(data)
            self.front.body(data)

    def ended(self, trailers: Headers, *, clean: bool) -> None:
        """The response is complete; `clean` means that its connection can serve another."""
        self.front.end(trailers)
        self._over(clean=clean)

    def _over(self, *, clean: bool) -> None:
        if clean and self._reusable and self.body_done and (self.request.length == 0 or self._backend_took_all()):
            backend, self.backend = self.backend, None
            if backend is not None:
                backend.release(self.server.monotonic())
        else:
            self._drop_backend()
        if self.status == 101:
            self.front.close()
        self.finish()

    def cut(self, reason: str) -> None:
        """The response ended before its time: all that can be done is to end the client's connection, too."""
        self._drop_backend()
        if self.status == 101:
            self.front.close()
            self.finish()
            return
        self.complete = False
        self.keep_alive = False
        self.server.cut_short(self, reason)
        self.finish()

    def answer(self, answer: Answer) -> None:
        """Respond without a backend."""
        self._drop_backend()
        self._pending = None
        self.status = answer.status
        self.response_bytes = len(answer.body) if self.request.method != b"HEAD" else 0
        self.front.answer(self, answer)
        self.finish()

    def finish(self) -> None:
        """The end, however it came about; called once."""
        if self.finished:
            return
        self.finished = True
        self.server.deadlines.discard(self)
        try:
            self.policy.finished(self)
        except Exception as defect:
            self.server.panicked(self, defect)
        self.front.exchange_over(self)

    def panicked(self, defect: Exception) -> None:
        """Something raised what nobody expected. The client gets an end, and the operator the story."""
        if self.finished:
            self.server.panicked(self, defect)
            return
        self.complete = False
        self.keep_alive = False
        self.server.panicked(self, defect)
        if self.status == 0:
            self.answer(Answer(502, b"", Headers({b"X-Cf-Routererror": (b"unknown_failure",)})))
        else:
            self._drop_backend()
            self.finish()

    # What may happen at any time

    def client_gone(self) -> None:
        """The client closed its connection before the end."""
        if self.finished:
            return
        if self.status == 101 and self.backend is not None:
            self.backend.end()
            self.backend = None
        self._drop_backend()
        if self.status == 0:
            self.status = 499
            answer = self.policy.failed(self, Failure(Kind.CANCELLED, "context canceled"))
            if answer is not None:
                self.response_bytes = len(answer.body)  # written, although nobody reads it
        elif self.status != 101:
            self.complete = False
        self.keep_alive = False
        self.finish()

    def body_broken(self, reason: str) -> None:
        """The client's body is not in the coding that it announced."""
        self.body_done = True
        self.keep_alive = False
        self.answer(self.policy.failed(self, Failure(Kind.OTHER, reason, True, True)) or Answer(400))

    def timed_out(self) -> None:
        """The time for this attempt is over."""
        if self.status:
            self.cut("context deadline exceeded")
        else:
            got_connection = self.backend is not None
            self.attempt_failed(Failure(Kind.TIMEOUT, "context deadline exceeded", got_connection, got_connection))

    # Tunnels

    def _switched(self, head: ResponseHead, early: bytes) -> bool:
        """The backend goes over to another protocol. False if that is not the one that the client asked for."""
        headers, backend = head.headers, self.backend
        kept = {name: headers[name] for name in (b"Connection", b"Upgrade") if name in headers}
        protocol = headers.first(b"Upgrade").lower()
        answer = self.policy.response(self, head)
        if answer is None and (not self.upgrade or protocol != self.upgrade):
            answer = Answer(502)
        if answer is not None or backend is None:
            self.answer(answer or Answer(502))
            return False
        headers.update(kept)
        self.status = 101
        self.front.switch(head, early, backend)
        return True

    def _backend_took_all(self) -> bool:
        """Whether no byte of the request waits to be sent: the next request would queue up behind it."""
        return self.backend is not None and self.backend.took_all

    def _drop_backend(self) -> None:
        backend, self.backend = self.backend, None
        if backend is not None:
            backend.close()


def upgrade_of(request: RequestHead) -> bytes:
    """The protocol that the client asks to switch to, in lower case; b"" if it does not."""
    upgrade = request.headers.get(b"Upgrade")
    if upgrade is None or b"upgrade" not in request.headers.tokens(b"Connection"):
        return b""
    return upgrade[0].lower()
