"""The metrics of all workers as those of one router. What a worker has counted stays counted when it ends."""

from cfroute.gorouter.metrics.snapshot import Snapshot, merge
from cfroute.gorouter.metrics.varz_counts import RequestCounts, VarzCounts, merged
from cfroute.gorouter.workers.messages import Report

_CPU = "process_cpu_seconds_total"
_DESCRIPTORS = "process_open_fds"


class Totals:
    """The latest report of each worker, and what is left of those that have ended."""

    def __init__(self) -> None:
        self._reports: dict[int, Report] = {}
        self._ended = Snapshot()
        self._ended_varz: list[VarzCounts] = []

    def note(self, worker: int, report: Report) -> None:
        """A worker has reported."""
        self._reports[worker] = report

    def ended(self, worker: int) -> None:
        """A worker has ended: its latest report is its last."""
        report = self._reports.pop(worker, None)
        if report is None:
            return
        last = report.snapshot
        last.process = {_CPU: last.process.get(_CPU, 0.0)}
        bounds = last.bounds
        self._ended = merge([Snapshot(bounds=bounds), self._ended, last])
        if report.varz is not None:
            self._ended_varz = [merged([*self._ended_varz, _without_rates(report.varz)])]

    def snapshot(self, parent: Snapshot) -> Snapshot:
        """All counts of the router; the parent's tell what is not of single requests."""
        return merge([parent, self._ended, *(report.snapshot for report in self._reports.values())])

    def varz(self, parent: VarzCounts) -> VarzCounts:
        """What the deprecated page tells of requests."""
        told = [report.varz for report in self._reports.values() if report.varz is not None]
        return merged([parent, *self._ended_varz, *told])

    @property
    def descriptors(self) -> int:
        """How many the workers have open."""
        return int(sum(report.snapshot.process.get(_DESCRIPTORS, 0.0) for report in self._reports.values()))

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all workers so far."""
        ended = self._ended.process.get(_CPU, 0.0)
        return ended + sum(report.snapshot.process.get(_CPU, 0.0) for report in self._reports.values())

    @property
    def memory(self) -> int:
        """The most that the workers have used, in KiB."""
        return sum(report.memory for report in self._reports.values())


def _without_rates(varz: VarzCounts) -> VarzCounts:
    """What was counted, without what passes."""
    components = {name: _counted(requests) for name, requests in varz.components.items()}
    return VarzCounts(_counted(varz.all), components, {}, varz.rejected, varz.bad_gateways)


def _counted(requests: RequestCounts) -> RequestCounts:
    return RequestCounts(requests.count, [0.0] * len(requests.rate), requests.responses, [])
