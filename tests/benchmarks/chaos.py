"""Everything at once: `python -m tests.benchmarks.chaos --seconds 120`.

Clients of every kind, a thousand changes of routes a second, instances that are replaced (some on ports that other apps have
left), and a NATS that is killed twice. No request may reach an app that it was not meant for, no response may be another's,
nothing may fail, and the router must not grow.
"""

import argparse
import asyncio
import json
import os
import shlex
import statistics
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from random import Random

import uvloop

from cfroute.clock import SystemClock

from . import registrations
from .chaos_apps import App, Instance
from .chaos_clients import Clients, Target
from .contenders import identity
from .machine import Machine, Role, accepts, free_ports, program
from .router import configuration, tls

APPS, INSTANCES = 6, 2
CLIENTS = {"plain": 8, "tls": 3, "socket": 2, "h2": 3}
CHANGING = 5000  # hosts that come and go
CHANGES = 1000  # a second
TICK = 0.02  # seconds
REPLACED_EVERY = 0.3  # seconds
LEFT_ALONE = 1.0  # seconds between an unregistration and the end of the instance, as Diego has it
NATS_DOWN = 1.0  # seconds
MEGABYTE = 1 << 20


class Bus:
    """A nats-server that can be killed, and a connection to it that is made again."""

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine = machine
        self.port = port
        self._writer: asyncio.StreamWriter | None = None
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [program("nats-server"), "-a", "127.0.0.1", "-p", str(self.port)]
        command += ["--user", registrations.USER, "--pass", registrations.PASSWORD]
        return self._machine.start("nats", command, Role.LOAD, ready=lambda: accepts(self.port))

    async def connect(self) -> None:
        """Be able to publish."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await reader.readline()
        options = json.dumps({"user": registrations.USER, "pass": registrations.PASSWORD, "verbose": False})
        writer.write(f"CONNECT {options}\r\nPING\r\n".encode())
        await reader.readline()
        self._writer = writer

    def publish(self, messages: Sequence[tuple[str, dict[str, object]]]) -> None:
        """Send these; they are lost while NATS is away, as an emitter's would be."""
        if self._writer is not None:
            payloads = ((subject, json.dumps(message).encode()) for subject, message in messages)
            self._writer.write(b"".join(b"PUB %b %d\r\n%b\r\n" % (s.encode(), len(p), p) for s, p in payloads))

    async def restart(self, clock: SystemClock) -> None:
        """Kill it, and start another one a while later."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
        self._process.kill()
        self._process.wait()
        await clock.sleep(NATS_DOWN)
        self._process = await asyncio.to_thread(self._start)
        await self.connect()


class Chaos:
    """One run."""

    def __init__(self, machine: Machine, cfroute: Sequence[str], seconds: float, seed: int) -> None:
        ports = free_ports()
        self._clock = SystemClock()
        self._random = Random(seed)
        self._seconds = seconds
        self._ending = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self._bus = Bus(machine, next(ports))
        port, tls_port, status = next(ports), next(ports), next(ports)
        settings = configuration(port, status, self._bus.port, ports, machine.folder / "access.log")
        file = machine.folder / "gorouter.yml"
        file.write_text(json.dumps({**settings, **tls(tls_port, identity(machine).read_text())}))
        command = [*cfroute, "gorouter", "-c", str(file)]
        self._process = machine.start("gorouter", command, Role.PROXY, ready=lambda: accepts(port))
        self._output = machine.folder / "gorouter.out"
        self._apps = [App(f"app-{number}") for number in range(APPS)]
        self._changing = App("changing-", open=True)
        self._registered: set[int] = set()
        self._left: deque[int] = deque()  # ports that an app has left, for another one
        self._instances: set[Instance] = set()
        self._steady = asyncio.Event()  # whether NATS is there, so that instances can be replaced
        self._steady.set()
        self._clients = Clients(Target(port, tls_port, self._some_host), self.counts, self._ending, seed)
        self._memory: list[int] = []

    def _some_host(self) -> tuple[str, str, bool]:
        """A host to ask for, the app that is to answer, and whether its route may be gone."""
        if self._random.random() < 0.2:
            return f"changing-{self._random.randrange(CHANGING)}.chaos.test", self._changing.name, True
        app = self._random.choice(self._apps)
        return app.host, app.name, False

    # Routes and instances

    def _message(self, instance: Instance, host: str) -> dict[str, object]:
        app, port = instance.app.name, instance.port
        return {"host": "127.0.0.1", "port": port, "uris": [host], "app": app, "private_instance_id": f"{app}-{port}"}

    def _register_all(self) -> None:
        everything = [(one, app.host) for app in self._apps for one in app.instances]
        self._bus.publish([("router.register", self._message(one, host)) for one, host in everything])

    async def _change_routes(self) -> None:
        """A thousand times a second, a host comes or goes."""
        instance, began, done = self._changing.instances[0], self._clock.monotonic(), 0
        while not self._ending.is_set():
            due = int((self._clock.monotonic() - began) * CHANGES) - done
            done += due
            messages = []
            for _ in range(due):
                number = self._random.randrange(CHANGING)
                subject = "router.unregister" if number in self._registered else "router.register"
                self._registered ^= {number}
                messages.append((subject, self._message(instance, f"changing-{number}.chaos.test")))
            self._bus.publish(messages)
            self.counts["changes of routes"] += len(messages)
            await self._clock.sleep(TICK)

    async def _replace_instances(self) -> None:
        """Start another instance, then end one; its port may become that of another app's."""
        async with asyncio.TaskGroup() as tasks:
            while not self._ending.is_set():
                await self._clock.sleep(REPLACED_EVERY)
                await self._steady.wait()
                app = self._random.choice(self._apps)
                new = await self._start(app, self._left.popleft() if self._left else 0)
                self._bus.publish([("router.register", self._message(new, app.host))])
                old = app.instances.pop(0)
                app.instances.append(new)
                tasks.create_task(self._retire(old))
                self.counts["instances replaced"] += 1

    async def _retire(self, old: Instance) -> None:
        await self._clock.sleep(LEFT_ALONE / 2)  # the new one's registration is there
        await self._steady.wait()
        self._bus.publish([("router.unregister", self._message(old, old.app.host))])
        await self._clock.sleep(LEFT_ALONE)
        old.stop()
        self._instances.discard(old)
        self._left.append(old.port)

    async def _restart_nats(self) -> None:
        """Twice, at a third and at two thirds. Instances are not replaced meanwhile: nobody could tell the router."""
        for _ in range(2):
            await self._clock.sleep(self._seconds / 3)
            self._steady.clear()
            await self._clock.sleep(2 * LEFT_ALONE)  # what was begun is finished
            await self._bus.restart(self._clock)
            await self._clock.sleep(3.0)  # the router is back within 2 s
            self._register_all()
            self.counts["restarts of NATS"] += 1
            self._steady.set()

    # The run

    async def run(self) -> dict[str, object]:
        """Everything; what was seen."""
        await self._bus.connect()
        await self._begin()
        before = self._process_state()
        works = [asyncio.ensure_future(work) for work in (self._change_routes(), self._replace_instances(), self._watch())]
        if self._seconds >= 30:
            works.append(asyncio.ensure_future(self._restart_nats()))
        clients = [asyncio.ensure_future(self._clients.go_on(kind)) for kind, many in CLIENTS.items() for _ in range(many)]
        await self._clock.sleep(self._seconds)
        self._ending.set()
        await asyncio.gather(*clients, *works)
        after = await self._after(before)
        return self._report(before, after)

    async def _begin(self) -> None:
        for app in [*self._apps, self._changing]:
            for _ in range(INSTANCES):
                app.instances.append(await self._start(app))
        self._register_all()
        await self._clock.sleep(0.5)

    async def _start(self, app: App, port: int = 0) -> Instance:
        instance = Instance(app, self.counts)
        await instance.start(port)
        self._instances.add(instance)
        return instance

    async def _watch(self) -> None:
        while not self._ending.is_set():
            self._memory.append(self._process_state()["memory"])
            await self._clock.sleep(0.5)

    async def _after(self, before: dict[str, int]) -> dict[str, int]:
        """What is left of the router once all clients and backends have gone; that may take a moment."""
        for instance in self._instances:
            instance.stop()
        for _ in range(40):
            state = self._process_state()
            if state["descriptors"] <= before["descriptors"]:
                break
            await self._clock.sleep(0.1)
        return state

    def _process_state(self) -> dict[str, int]:
        folder = Path(f"/proc/{self._process.pid}")
        threads = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("Threads:"))
        memory = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return {"memory": memory, "descriptors": len(os.listdir(folder / "fd")), "threads": int(threads.split()[1])}

    def _report(self, before: dict[str, int], after: dict[str, int]) -> dict[str, object]:
        quarter = max(len(self._memory) // 4, 1)
        early, late = statistics.median(self._memory[quarter : 2 * quarter] or [0]), statistics.median(self._memory[-quarter:])
        problems = list(self._clients.problems)
        if self.counts["MISROUTED"]:
            problems.append(f"{self.counts['MISROUTED']} misrouted")
        if after["descriptors"] > before["descriptors"]:
            problems.append(f"descriptors: {before['descriptors']} before, {after['descriptors']} after")
        if after["threads"] > before["threads"] + 4:
            problems.append(f"threads: {before['threads']} before, {after['threads']} after")
        if late - early > 8 * MEGABYTE:
            problems.append(f"memory: {early / MEGABYTE:.1f} MB, later {late / MEGABYTE:.1f} MB")
        output = self._output.read_text(errors="replace")
        if "Traceback" in output or "panic-check" in output:
            problems.append("the router tells of a defect")
        memory = {"begin": before["memory"], "second quarter": early, "last quarter": late, "end": after["memory"]}
        return {
            "seconds": self._seconds,
            "requests a second": round(self.counts["requests at backends"] / self._seconds),
            "memory in MB": {name: round(size / MEGABYTE, 1) for name, size in memory.items()},
            "descriptors": [before["descriptors"], after["descriptors"]],
            "threads": [before["threads"], after["threads"]],
            "counts": dict(sorted(self.counts.items())),
            "problems": problems,
        }


def main(argv: Sequence[str]) -> int:
    """Exit status: 1 if there were problems."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cfroute", metavar="COMMAND", help="the cfroute command to try")
    options = parser.parse_args(argv)
    command = shlex.split(options.cfroute) if options.cfroute else [str(Path(sys.executable).with_name("cfroute"))]

    async def run(machine: Machine) -> dict[str, object]:
        return await Chaos(machine, command, options.seconds, options.seed).run()

    with Machine() as machine:
        report = uvloop.run(run(machine))
    print(json.dumps(report, indent=2))
    return 1 if report["problems"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
