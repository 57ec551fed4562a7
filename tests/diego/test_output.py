"""What instances print."""

import asyncio
import gc
import os
import sys

import uvloop

from cfroute.diego.cell.child import Child
from cfroute.diego.cell.output import copy_output

PRINTS = "import sys; print('out'); print('err', file=sys.stderr)"


async def printed() -> list[tuple[str, bool]]:
    with open(os.devnull) as nothing:
        command = [sys.executable, "-c", PRINTS]
        child = Child.start(command, cwd="/", environment={}, stdin=nothing.fileno(), pipes=True)
    lines: list[tuple[str, bool]] = []
    await copy_output(child, lambda line, error: lines.append((line, error)))
    assert await child.wait() == 0
    return sorted(lines)


def test_both_streams_are_copied_and_closed() -> None:
    async def run() -> None:
        assert await printed() == [("err", True), ("out", False)]
        before = len(os.listdir("/dev/fd"))
        for _ in range(3):
            await printed()
        await asyncio.sleep(0)  # closing takes a turn of the loop
        assert len(os.listdir("/dev/fd")) <= before

    gc.disable()  # whatever is left open must not be closed by chance
    try:
        uvloop.run(run())
    finally:
        gc.enable()
