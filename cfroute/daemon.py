"""What every daemon shares: the event loop, the signals, the tie to its supervisor, and serving an ASGI app.

A daemon is `main(argv) -> exit status`; it calls `run(serve)` with a coroutine function that gets a `Stop` and returns
the exit status. The same `main` runs in the foreground (`cfroute gorouter -c gorouter.yml`) and under the supervisor.
"""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import uvloop

from cfroute.errors import cannot_listen

if TYPE_CHECKING:
    import uvicorn

_MANY = 10240  # descriptors; OPEN_MAX of macOS

_PATIENCE = 3  # seconds in which requests can end when their server does

LIFELINE = "CFROUTE_LIFELINE"
"""Environment variable with the number of a pipe that ends when the supervisor does. It goes no further than the daemon."""


class Stop:
    """Tells a daemon that it has been asked to end, and by which signal."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self.signal: signal.Signals | None = None
        self.asked_again: Callable[[signal.Signals], object] | None = None

    def ask(self, by: signal.Signals | None = None) -> None:
        """Ask the daemon to end. Only the first call counts; `asked_again` hears of further signals."""
        if not self._asked.is_set():
            self.signal = by
            self._asked.set()
        elif by is not None and self.asked_again is not None:
            self.asked_again(by)

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> None:
        """Return when the daemon has been asked to end."""
        await self._asked.wait()

    async def wait_or(self, task: asyncio.Task[Any]) -> bool:
        """Return when the daemon has been asked to end, or when the task is done; whether the task is done."""
        asked = spawn(self.wait(), name="stop")
        try:
            await asyncio.wait({asked, task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        return task.done()


def run(serve: Callable[[Stop], Awaitable[int]], *, signals: tuple[signal.Signals, ...] = ()) -> int:
    """Run `serve` on a fresh uvloop and return its exit status.

    SIGTERM and SIGINT ask it to stop, and so do `signals`. A daemon that was started by the supervisor also stops when
    the supervisor is gone, however that happened: nothing may outlive a `kill -9` of the foundation.
    """
    _open_many_files()
    return uvloop.run(_run(serve, (signal.SIGTERM, signal.SIGINT, *signals)))


def _open_many_files() -> None:
    """Have as many descriptors as we may, as Go's programs do: 1024, or 256 on macOS, are few for a proxy."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS: "unlimited" is more than the kernel takes
        resource.setrlimit(resource.RLIMIT_NOFILE, (most if most != resource.RLIM_INFINITY else _MANY, most))


async def _run(serve: Callable[[Stop], Awaitable[int]], signals: tuple[signal.Signals, ...]) -> int:
    loop = asyncio.get_running_loop()
    stop = Stop()
    for number in signals:
        loop.add_signal_handler(number, stop.ask, number)
    if lifeline := os.environ.pop(LIFELINE, ""):
        os.set_inheritable(int(lifeline), False)
        loop.add_reader(int(lifeline), _orphaned, loop, int(lifeline), stop)
    gc.freeze()  # what was imported lives for ever: the collector need not look at it again
    gc.enable()  # the nursery has kept it away from the imports
    return await serve(stop)


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int, stop: Stop) -> None:
    loop.remove_reader(lifeline)
    stop.ask(signal.SIGTERM)


_tasks: set[asyncio.Task[Any]] = set()


def spawn(work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
    """Start a task that is kept alive until it is done, and whose failure is not silent.

    The event loop holds its tasks weakly, and an exception in a forgotten task is shown, if ever, when it is collected;
    so no code of cfroute calls `asyncio.create_task` on its own.
    """
    task = asyncio.create_task(work, name=name)
    _tasks.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled() and (failure := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": f"task {task.get_name()} failed", "exception": failure, "task": task})


@contextlib.asynccontextmanager
async def serving(
    app: Callable[..., Any],
    host: str,
    port: int,
    *,
    certificate: tuple[str, str] | None = None,
    client_ca: str | None = None,
    ciphers: str = "TLSv1",
) -> AsyncIterator[int]:
    """Serve an ASGI app while the block runs; yields the port (the one picked, when `port` is 0).

    `certificate` is (certificate chain file, key file) for TLS; `client_ca` demands a client certificate signed by it;
    `ciphers` are those of TLS 1.2, as OpenSSL calls them (what uvicorn has without).
    Raises ConfigurationError when the address cannot be bound.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,  # warnings go to stderr; more would import and set up what nothing here uses
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,  # who has to know how clients have reached us reads the headers himself
        loop="none",
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE + 1,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
        ssl_ca_certs=client_ca,
        ssl_cert_reqs=int(ssl.CERT_REQUIRED if client_ca else ssl.CERT_NONE),
        ssl_ciphers=ciphers,
    )
    server = uvicorn.Server(config)
    listener = _bind(host, port)
    # `serve` would take the signals away from `run`.
    served = spawn(server._serve([listener]), name=f"serve {host}:{port}")
    try:
        while not server.started:
            if served.done():
                served.result()
            await asyncio.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await _hang_up(server, served)
        listener.close()


async def _hang_up(server: "uvicorn.Server", served: asyncio.Task[None]) -> None:
    """Wait for the end of `served`, and cut idle connections meanwhile, in the end those of requests that have no end.

    uvicorn closes them politely; but over TLS that waits for an answer that a client which only keeps the connection for
    later does not give, and would take the whole timeout. And what it cancels after that, it reports as a failure of ours.
    """
    patience = asyncio.get_running_loop().time() + _PATIENCE
    while not served.done():
        over = asyncio.get_running_loop().time() > patience
        for connection in list(server.server_state.connections):
            if over or _is_idle(connection):
                connection.transport.abort()
        await asyncio.wait([served], timeout=0.02)
    served.result()


def _is_idle(connection: Any) -> bool:
    busy = connection.cycle is not None and not connection.cycle.response_complete
    return not busy and not connection.transport.get_write_buffer_size()


def _bind(host: str, port: int) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise cannot_listen(host, port, error) from error
    listener.listen(1024)
    listener.setblocking(False)
    return listener
