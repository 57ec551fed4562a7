"""`make bench`: cfroute beside direct access, nginx, HAProxy and Envoy, in one run on this machine.

Everything listens on loopback, and nothing stays behind: no process, no port, no file but that of `--json`.
"""

import argparse
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ParamSpec

from . import api, backend, cases, contenders, foundation, registrations, report, router, tcp
from .cases import CASES
from .contenders import Contender, Ports, url
from .machine import BenchError, Machine, NotInstalledError, free_ports, program
from .report import Report

P = ParamSpec("P")
TCP = [*(case.name for case in CASES if case.relays), "tcp-memory"]
ALONE = ("intake", "foundation", "api", "tcp-memory")
WITHOUT_PEERS = frozenset({"foundation", "api"})


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line of the benchmark."""
    names = [*(case.name for case in CASES), *ALONE]
    parser = argparse.ArgumentParser(prog="make bench ARGS='…'", description=__doc__.splitlines()[0])
    listed = f"a list of {', '.join(names)}; tcp for all of those"
    parser.add_argument("--cases", default=",".join(names), help=f"what to measure: {listed}")
    parser.add_argument("--contenders", default="", help="only these (a list of names), and what --peer adds")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    parser.add_argument("--seconds", type=int, default=3, help="how long each time (3)")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=URL", help="a router that already runs")
    parser.add_argument("--backend-port", type=int, help="where the backend listens, so that a peer can be pointed at it")
    parser.add_argument("--cfroute", default=None, metavar="COMMAND", help="the cfroute command to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    options = parser.parse_args(argv)
    options.cases = [name for given in options.cases.split(",") for name in (TCP if given == "tcp" else [given])]
    if unknown := set(options.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    if any("=" not in peer for peer in options.peer):
        parser.error("--peer wants NAME=URL")
    options.contenders = set(filter(None, options.contenders.split(",")))
    return options


class Bench:
    """One run: starts the contenders, measures them, and fills a report."""

    def __init__(self, options: argparse.Namespace, machine: Machine) -> None:
        self._options = options
        self._machine = machine
        self._ports = free_ports()
        self._contenders: list[Contender] = []
        self._relays: list[Contender] = []
        self.report = Report()

    def run(self) -> None:
        """Measure what was asked for. What is missing is left out, what fails is noted, the rest goes on."""
        wanted = set(self._options.cases)
        if wanted - WITHOUT_PEERS:
            self._start(http=bool(wanted - WITHOUT_PEERS - {*TCP}), relays=bool(wanted & set(TCP)))
        for case in CASES:
            if case.name in wanted and (self._relays if case.relays else self._contenders):
                self._try(self._measure, case)
        if "tcp-memory" in wanted:
            for relay in self._relays:
                self._try(self._weigh, relay)
        if "foundation" in wanted:
            self._try(self._found)
        if "api" in wanted:
            self._try(self._ask)

    def _start(self, *, http: bool, relays: bool) -> None:
        """Start the backend and every contender, and keep those that do what they are measured for."""
        port = self._options.backend_port or next(self._ports)
        process, what = backend.start(self._machine, port)
        direct = Contender("direct", url(port), process.pid, what)
        if http:
            self._line_up(direct, port)
        if relays:
            self._line_up_relays(direct, port)

    def _line_up_relays(self, direct: Contender, port: int) -> None:
        if self._wanted("direct"):
            self._relays.append(direct)
        for name, start in tcp.PEERS.items():
            if self._wanted(name):
                self._try(self._enter_relay, partial(start, self._machine, next(self._ports), port))
        if self._wanted("cfroute"):
            self._try(self._enter_relay, partial(tcp.cfroute, self._machine, self._cfroute(), self._ports, port))

    def _enter_relay(self, start: Callable[[], Contender]) -> None:
        relay = start()
        tcp.check(relay)
        self._relays.append(relay)
        self.report.versions[relay.name] = relay.version

    def _weigh(self, relay: Contender) -> None:
        if relay.name != "direct":
            self.report.footprints[relay.name] = tcp.weigh(relay)

    def _line_up(self, direct: Contender, port: int) -> None:
        if self._wanted("direct"):
            self._try(self._enter, direct)
        for name, start in contenders.PEERS.items():
            if self._wanted(name):
                self._try(self._enter_peer, start, port)
        for name, routes in (("cfroute-1", range(50_000, 50_001)), ("cfroute", range(registrations.ROUTES))):
            if self._wanted(name):
                self._try(self._enter_cfroute, name, port, routes)
        for peer in self._options.peer:
            name, _, base = peer.partition("=")
            self._try(self._enter, Contender(name, base.rstrip("/"), None, base))

    def _wanted(self, name: str) -> bool:
        return not self._options.contenders or name in self._options.contenders

    def _enter(self, contender: Contender) -> None:
        if contender.name != "direct":
            cases.check(contender)
        self._contenders.append(contender)
        self.report.versions[contender.name] = contender.version

    def _enter_peer(self, start: contenders.Start, port: int) -> None:
        self._enter(start(self._machine, Ports(next(self._ports), next(self._ports)), port))

    def _enter_cfroute(self, name: str, port: int, routes: range) -> None:
        contender, intake = router.start(self._machine, self._cfroute(), name, self._ports, port, routes)
        if name == "cfroute" and "intake" in self._options.cases:
            self.report.intake = intake
        self._enter(contender)

    def _measure(self, case: cases.Case) -> None:
        contenders = self._relays if case.relays else self._contenders
        if case.name != "small":  # the size of the table can only matter where requests are many
            contenders = [contender for contender in contenders if contender.name != "cfroute-1"]
        if case.load.streams:
            contenders = [contender for contender in contenders if contender.secure_url]
        results = cases.run(case, contenders, self._options.rounds, self._options.seconds)
        self.report.cases[case] = results
        _show(report.table(case, results))

    def _found(self) -> None:
        state = self._machine.folder / "state"
        self.report.foundation = foundation.measure(self._cfroute(), state, self._ports, self._options.rounds)

    def _ask(self) -> None:
        state = self._machine.folder / "api"
        self.report.api = api.measure(self._cfroute(), state, self._ports, self._options.seconds)

    def _cfroute(self) -> list[str]:
        return shlex.split(self._options.cfroute) if self._options.cfroute else [program("cfroute")]

    def _try(self, step: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
        try:
            step(*arguments, **named)
        except NotInstalledError as missing:
            self.report.left_out.append(str(missing))
            _show([f"left out: {missing}"])
        except BenchError as failure:
            self.report.failures.append(str(failure))
            _show([f"failed: {failure}"])


def _show(lines: Sequence[str]) -> None:
    print("\n".join(lines), end="\n\n" if lines else "", flush=True)


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; returns 0, or 1 when something that is installed failed, or 130 after Ctrl-C."""
    options = arguments(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if (busy := os.getloadavg()[0]) > 1:
        _show([f"other programs keep this machine busy (load {busy:.1f}): take the figures with care"])
    try:
        program("wrk")
        with Machine() as machine:
            bench = Bench(options, machine)
            bench.run()
    except NotInstalledError as missing:
        print(f"nothing can be measured: {missing}")
        return 1
    except KeyboardInterrupt:
        print("interrupted")
        return 130
    _show(report.alone(bench.report))
    _show(report.reach(bench.report))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(bench.report), indent=2) + "\n")
    return 1 if bench.report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
