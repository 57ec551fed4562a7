"""How long it takes to get a connection."""

import contextlib
import socket

import pytest

from cfroute.proxy.backend import Destination
from cfroute.proxy.failure import Failure
from cfroute.proxy.timings import NOT_MEASURED, Stopwatch, Timings
from cfroute.testing import ManualClock

from .plumbing import Rig, get

pytestmark = pytest.mark.anyio


async def test_steps_are_measured_whether_they_succeed_or_fail() -> None:
    clock = ManualClock()
    watch = Stopwatch(clock)
    assert watch.timings == NOT_MEASURED
    with watch.step("dns"):
        clock.advance(0.5)
    with contextlib.suppress(OSError), watch.step("dial"):
        clock.advance(2)
        raise OSError
    assert watch.timings == pytest.approx((0.5, 2, -1, ""))


async def test_a_connection_knows_how_long_it_took_to_make(rig: Rig) -> None:
    app = await rig.application()
    backend = await Destination(app.host, app.port).dial()
    local = (await app.connection()).writer.get_extra_info("peername")
    made = backend.timings
    assert (made.dns, made.tls, made.local) == (-1, -1, f"{local[0]}:{local[1]}")
    assert 0 <= made.dial < 5
    backend.requests = 2
    assert backend.timings == Timings(local=made.local)
    backend.close()


async def test_names_are_looked_up(rig: Rig) -> None:
    app = await rig.application()
    backend = await Destination("localhost", app.port).dial()
    assert 0 <= backend.timings.dns < 5
    assert 0 <= backend.timings.dial < 5
    backend.close()


async def failed(destination: Destination) -> Timings:
    with pytest.raises(Failure) as failure:
        await destination.dial()
    return failure.value.timings


async def test_a_failed_dial_knows_how_long_it_took(rig: Rig) -> None:
    timings = await failed(Destination("127.0.0.1", rig.nobody().port))
    assert (timings.dns, timings.tls, timings.local) == (-1, -1, "")
    assert 0 <= timings.dial < 5
    timings = await failed(Destination("nobody.invalid", 80))
    assert 0 <= timings.dns < 5
    assert timings.dial == -1


async def test_the_first_address_that_listens_is_taken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def addresses(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr("cfroute.proxy.backend.look_up", addresses)
    app = await rig.application()
    (await Destination("a.test", app.port).dial()).close()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        with pytest.raises(Failure, match=f"^dial tcp 127.0.0.2:{port}: connect: connection refused$"):
            await Destination("a.test", port).dial()


async def test_a_failed_attempt_has_the_times_of_its_connection(rig: Rig) -> None:
    app = await rig.application()
    client = await rig.client(get())
    backend = await app.request()
    local = backend.writer.get_extra_info("peername")
    backend.close()
    assert (await client.response())[0] == 502
    [failure] = rig.policy.failures
    assert failure.timings.local == f"{local[0]}:{local[1]}"
    assert failure.timings.dial >= 0
