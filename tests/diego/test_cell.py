"""A real BBS and real cells that run real processes."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cfroute.diego.api import HealthCheck
from cfroute.diego.cell import processes
from cfroute.log_cache import read

from .conftest import SERVER, Bench, eventually
from .daemons import Daemon

# Leaves its session, so that no signal to the group reaches it.
DAEMON = """\
import os, sys, time
if os.fork() == 0:
    os.setsid()
    open("pid", "w").write(str(os.getpid()))
    time.sleep(600)
exec(open("server.py").read())
"""


def ask(lrp: Any, path: str = "/") -> Any:
    with urllib.request.urlopen(f"http://{lrp.address}:{lrp.ports[0].host_port}{path}", timeout=30) as answer:
        return json.load(answer)


def logs(bench: Bench, guid: str = "web") -> list[str]:
    return [f"{line.source_type}/{line.type} {line.payload}" for line in read(bench.app_logs, f"app-of-{guid}")]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def instance_processes(guid: str) -> list[int]:
    wanted = {guid.encode()}
    return [pid for pid, environ in processes._environments() if processes._guid_of(environ) in wanted]


def test_runs_scales_restarts_and_stops_instances(bench: Bench) -> None:
    bench.add_cell()
    lrp = bench.lrp("web", {"server.py": SERVER}, environment={"COLOR": "blue"})
    bench.call(lambda bbs: bbs.desire(lrp))
    [first] = eventually(lambda: bench.instances("web"))
    environment = ask(first)
    assert (environment["COLOR"], environment["CF_INSTANCE_INDEX"]) == ("blue", "0")
    assert environment["CF_INSTANCE_GUID"] == first.instance_guid
    assert "PYTEST_CURRENT_TEST" not in environment
    assert "BEGIN CERTIFICATE" in Path(environment["SSL_CERT_FILE"]).read_text()
    assert os.listdir(environment["CF_SYSTEM_CERT_PATH"]) == ["foundation-ca.crt"]

    bench.call(lambda bbs: bbs.update("web", instances=3))
    eventually(lambda: len(bench.instances("web")) == 3)
    bench.call(lambda bbs: bbs.update("web", instances=1))
    eventually(lambda: [each.index for each in bench.call(lambda bbs: bbs.actual_lrps())] == [0])

    bench.call(lambda bbs: bbs.retire("web", 0))
    [second] = eventually(lambda: [each for each in bench.instances("web") if each.instance_guid != first.instance_guid])
    assert second.crash_count == 0

    bench.call(lambda bbs: bbs.remove("web"))
    eventually(lambda: bench.call(lambda bbs: bbs.actual_lrps()) == [])
    assert not instance_processes(second.instance_guid)
    eventually(lambda: not os.listdir(bench.folder / "cells/0/containers"))
    said = logs(bench)
    assert "APP/PROC/WEB/OUT hello from 0" in said
    assert "APP/PROC/WEB/ERR and an error" in said
    assert "APP/PROC/WEB/OUT bye" in said  # it got SIGTERM, and the time to say so
    assert "APP/PROC/WEB/OUT Exit status 0" in said
    assert f"CELL/OUT Cell diego_cell/0 creating container for instance {first.instance_guid}" in said
    assert "CELL/OUT Container became healthy" in said


def test_no_instance_survives_its_cell(bench: Bench) -> None:
    cell = bench.add_cell()
    files = {"server.py": SERVER, "daemon.py": DAEMON}
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", files, command="sleep 600 & python3 -u daemon.py", instances=2)))
    instances = eventually(lambda: len(found := bench.instances("web")) == 2 and found)
    pids = {pid for each in instances for pid in instance_processes(each.instance_guid)}
    homes = [Path(ask(each)["HOME"]) for each in instances]
    daemons = {int(eventually(lambda home=home: Path(home, "pid").read_text())) for home in homes}  # type: ignore[misc]
    assert daemons < pids
    assert len(pids) == 8  # shell, sleep, server and daemon, each twice

    cell.kill()
    eventually(lambda: {pid for pid in pids if alive(pid)} <= daemons)
    bench.add_cell()  # the daemons have left their groups, but not their environment
    eventually(lambda: not {pid for pid in pids if alive(pid)})
    guids = {each.instance_guid for each in instances}
    eventually(lambda: len({each.instance_guid for each in bench.instances("web")} - guids) == 2)
    containers = set(os.listdir(bench.folder / "cells/0/containers"))
    assert not containers & guids


def test_a_second_cell_in_the_folder_leaves_the_first_alone(bench: Bench) -> None:
    cell = bench.add_cell()
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": SERVER})))
    [instance] = eventually(lambda: bench.instances("web"))
    second = Daemon(*cell._work[:2], bench.folder / "second.log")
    second.start()
    assert second.wait() == 1
    assert f"another cell works in {bench.folder / 'cells/0'}" in second.log
    assert ask(instance)["CF_INSTANCE_GUID"] == instance.instance_guid


def test_a_cell_that_is_asked_to_end_takes_its_instances_along(bench: Bench) -> None:
    cell = bench.add_cell()
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": SERVER})))
    [instance] = eventually(lambda: bench.instances("web"))
    assert cell.stop() == 0

    assert not instance_processes(instance.instance_guid)
    [waiting] = bench.call(lambda bbs: bbs.actual_lrps())
    assert (waiting.state, waiting.placement_error) == ("UNCLAIMED", "found no compatible cell")
    assert "APP/PROC/WEB/OUT bye" in logs(bench)


def test_crashes_are_restarted_and_the_third_waits(bench: Bench) -> None:
    bench.add_cell()
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": "print('no'); exit(3)"})))
    [crashed] = eventually(lambda: bench.instances("web", "CRASHED"))

    assert (crashed.crash_count, crashed.crash_reason) == (3, "APP/PROC/WEB: Exited with status 3")
    assert logs(bench).count("APP/PROC/WEB/OUT Exit status 3") == 3

    bench.call(lambda bbs: bbs.desire(bench.lrp("gone", {}, droplet_url=f"{bench.cloud_controller.url}/none")))
    [missing] = eventually(lambda: bench.instances("gone", "CRASHED"))
    assert "404" in missing.crash_reason


HALF = SERVER.replace("self.send_response(200)", "self.send_response(503)")


def test_an_instance_runs_when_its_health_check_says_so(bench: Bench) -> None:
    bench.add_cell(address="127.0.0.1")
    quick = HealthCheck(timeout=1)
    silent = {"server.py": "import time\ntime.sleep(600)"}
    for lrp in (
        bench.lrp("port", silent, health_check=quick),
        bench.lrp("http", {"server.py": HALF}, health_check=HealthCheck("http", "/health", timeout=3)),
        bench.lrp("process", silent, health_check=HealthCheck("process")),
        bench.lrp("good", {"server.py": SERVER}, health_check=HealthCheck("http", "/health")),
    ):
        bench.call(lambda bbs, lrp=lrp: bbs.desire(lrp))  # type: ignore[misc]

    eventually(lambda: bench.instances("process") and bench.instances("good"))
    port, http = (eventually(lambda guid=guid: crash_reason(bench, guid)) for guid in ("port", "http"))  # type: ignore[misc]
    assert "Instance never healthy after 1s: Failed to make TCP connection to port" in port
    assert "received status code 503" in http


def crash_reason(bench: Bench, guid: str) -> str:
    [lrp] = bench.call(lambda bbs: bbs.actual_lrps(process_guid=guid))
    return str(lrp.crash_reason)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux has all of 127.0.0.0/8")
def test_an_app_is_registered_where_it_listens(bench: Bench) -> None:
    bench.add_cell(address="127.0.0.77")
    for guid, listen in (("here", "127.0.0.1"), ("there", "127.0.0.77"), ("all", "")):
        lrp = bench.lrp(guid, {"server.py": SERVER}, environment={"LISTEN": listen})
        bench.call(lambda bbs, lrp=lrp: bbs.desire(lrp))  # type: ignore[misc]

    for guid, address in (("here", "127.0.0.1"), ("there", "127.0.0.77"), ("all", "127.0.0.77")):
        [instance] = eventually(lambda guid=guid: bench.instances(guid))  # type: ignore[misc]
        assert instance.address == address
        assert ask(instance)["CF_INSTANCE_IP"] == "127.0.0.77"


def test_the_guard_is_replaced_and_the_database_may_be_lost(bench: Bench) -> None:
    cell = bench.add_cell()
    lrp = bench.lrp("web", {"server.py": SERVER})
    bench.call(lambda bbs: bbs.desire(lrp))
    bench.cloud_controller.desired = [lrp]
    [instance] = eventually(lambda: bench.instances("web"))
    children = Path(f"/proc/{cell.pid}/task/{cell.pid}/children").read_text().split()
    [guard] = [int(pid) for pid in children if b"groups" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(guard, signal.SIGKILL)
    eventually(lambda: '"guard-died"' in cell.log)

    bench.bbs.kill()
    for file in bench.folder.glob("bbs.sqlite*"):
        file.write_bytes(b"this is no database")
    bench.start_bbs()
    [again] = eventually(lambda: bench.instances("web"))
    assert again.instance_guid == instance.instance_guid
    assert eventually(lambda: [each.process_guid for each in bench.call(lambda bbs: bbs.desired_lrps())]) == ["web"]

    pids = instance_processes(instance.instance_guid)
    cell.kill()
    eventually(lambda: not any(alive(pid) for pid in pids))


def test_two_cells_share_the_work_and_one_takes_over(bench: Bench) -> None:
    first = bench.add_cell(0)
    bench.add_cell(1)
    eventually(lambda: len(bench.call(lambda bbs: bbs.cells())) == 2)
    bench.call(lambda bbs: bbs.desire(bench.lrp("web", {"server.py": SERVER}, instances=4)))
    instances = eventually(lambda: len(found := bench.instances("web")) == 4 and found)
    assert sorted(each.cell_id for each in instances) == ["diego_cell/0"] * 2 + ["diego_cell/1"] * 2
    eventually(lambda: all(each.usage.get("mem", 0) > 1_000_000 for each in bench.instances("web")))

    first.stop()
    eventually(lambda: {each.cell_id for each in bench.instances("web")} == {"diego_cell/1"})


def test_usage_is_that_of_the_whole_session() -> None:
    command = "python3 -c 'x = bytearray(50_000_000); input()'; true"
    process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, start_new_session=True)
    try:
        eventually(lambda: processes.usage_by_session({process.pid})[process.pid].memory > 50_000_000)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdin
        process.stdin.close()
