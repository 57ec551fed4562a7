"""A daemon as small as they come: answers GET /health, and misbehaves on demand.

Arguments: PORT [die | stubborn | sick]: end at once with status 7; ignore SIGTERM; answer 503.
"""

import asyncio
import signal
from collections.abc import Sequence

from cfroute import daemon


def main(argv: Sequence[str]) -> int:
    port, mood = int(argv[0]), argv[1] if len(argv) > 1 else ""
    if mood == "die":
        print("toy: cannot go on", flush=True)
        return 7

    async def serve(stop: daemon.Stop) -> int:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.1 503 Sick\r\n\r\n" if mood == "sick" else b"HTTP/1.1 200 OK\r\n\r\nok")
            writer.close()

        if mood == "stubborn":
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            print("toy: started", flush=True)
            await stop.wait()
        print("toy: stopped", flush=True)
        return 0

    return daemon.run(serve)
