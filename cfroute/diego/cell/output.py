"""From what a process prints to log lines."""

import asyncio
from collections.abc import Callable

from cfroute.diego.cell.child import Child
from cfroute.diego.cell.lines import Lines

CHUNK = 64 * 1024  # bytes

Print = Callable[[str, bool], None]


async def copy_output(child: Child, print_: Print) -> None:
    """Call `print_(line, is_stderr)` for each line, until both streams have ended.

    A process that prints faster than lines can be written is slowed down by its pipe.
    """
    async with child.outputs() as (output, errors):
        await asyncio.gather(_copy(output, False, print_), _copy(errors, True, print_))


async def _copy(stream: asyncio.StreamReader, error: bool, print_: Print) -> None:
    lines = Lines()
    while data := await stream.read(CHUNK):
        for line in lines.feed(data):
            print_(line, error)
    for line in lines.end():
        print_(line, error)
