"""The supervisor with real processes."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cfroute.errors import CfrouteError, NotFound, NotRunning
from cfroute.foundation.client import FoundationClient
from cfroute.home import Home

from ..ports import free_port
from ..waiting import eventually
from .toys import Supervised, is_gone

Supervise = Callable[..., Supervised]


def toys(*names: str) -> list[str]:
    return [f"{name}={free_port()}" for name in names]


@pytest.mark.parametrize("forks", [True, False])
def test_ready_when_all_are_healthy_and_down_leaves_nothing(supervise: Supervise, forks: bool) -> None:
    running = supervise(*toys("a", "b/0"), forks=forks).wait_ready()
    everything = running.all_processes()
    assert {component["state"] for component in running.client.status()} == {"running"}
    assert len(everything) == 4
    running.client.down()
    assert running.process.wait(30) == 0
    assert all(is_gone(pid) for pid in everything)
    assert not (running.home.run / "children.json").exists()
    assert "toy: stopped" in running.home.log("b/0").read_text()


def test_a_killed_component_comes_back(supervise: Supervise) -> None:
    running = supervise(*toys("a", "b")).wait_ready()
    before = running.pids()
    killed = running.client.kill("a")
    assert killed["pid"] == before["a"]
    again = eventually(lambda: (now := running.component("a"))["state"] == "running" and now["restarts"] == 1 and now)
    assert again["pid"] not in {0, before["a"]}
    assert again["last_error"] == "killed by SIGKILL"
    assert running.pids()["b"] == before["b"]


def test_a_component_comes_back_though_nothing_can_be_written(supervise: Supervise) -> None:
    running = supervise(*toys("a")).wait_ready()
    record = running.home.run / "children.json"
    record.unlink()
    record.mkdir()  # for what a full disk does to a file
    for times in (1, 2):
        running.client.kill("a")
        eventually(lambda times=times: (now := running.component("a"))["state"] == "running" and now["restarts"] == times)
    record.rmdir()


def test_restart_returns_when_the_next_process_is_healthy(supervise: Supervise) -> None:
    running = supervise(*toys("a")).wait_ready()
    before = running.pids()["a"]
    after = running.client.restart("a")
    assert after["state"] == "running"
    assert after["pid"] != before
    assert "toy: stopped" in running.home.log("a").read_text()


def test_a_component_that_ignores_sigterm_is_killed(supervise: Supervise) -> None:
    running = supervise(f"a={free_port()}:stubborn").wait_ready()
    pid = running.pids()["a"]
    running.client.down()
    assert is_gone(pid)


def test_nothing_outlives_a_supervisor_that_was_killed_and_the_next_one_starts(supervise: Supervise) -> None:
    described = [*toys("a", "b"), f"server={free_port()}:binary"]
    first = supervise(*described).wait_ready()
    before = first.all_processes()
    first.process.kill()
    first.process.wait()
    second = supervise(*described).wait_ready()
    assert all(is_gone(pid) for pid in before)
    assert not set(before) & set(second.pids().values())


def test_children_end_on_their_own_when_supervisor_and_nursery_are_killed(supervise: Supervise) -> None:
    running = supervise(*toys("a"), f"server={free_port()}:binary").wait_ready()
    supervisor, nursery, *children = running.all_processes()
    os.kill(supervisor, signal.SIGKILL)
    os.kill(nursery, signal.SIGKILL)
    eventually(lambda: all(is_gone(pid) for pid in children))
    running.process.wait()


def test_left_over_processes_are_killed_by_the_next_start(home: Home, supervise: Supervise) -> None:
    port = free_port()
    running = supervise(f"a={port}:stubborn").wait_ready()
    supervisor, nursery, child = running.all_processes()
    os.kill(child, signal.SIGSTOP)  # so that it does not notice
    os.kill(nursery, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    running.process.wait()
    supervise(f"a={port}").wait_ready()
    assert is_gone(child)


def test_a_killed_nursery_is_replaced(supervise: Supervise) -> None:
    running = supervise(*toys("a", "b")).wait_ready()
    before = running.pids()
    os.kill(running.all_processes()[1], signal.SIGKILL)

    def back() -> bool:
        now = running.client.status()
        return all(one["state"] == "running" and one["pid"] != before[one["name"]] for one in now)

    eventually(back)
    assert all(is_gone(pid) for pid in before.values())


def test_a_second_supervisor_is_refused_and_told_the_pid(supervise: Supervise) -> None:
    first = supervise(*toys("a")).wait_ready()
    second = supervise(*toys("a"))
    assert f"already (pid {first.process.pid})" in second.output()
    assert second.process.wait() == 6
    assert first.component("a")["state"] == "running"


def test_a_component_that_never_starts_is_given_up_with_its_last_words(supervise: Supervise) -> None:
    failing = supervise(*toys("good"), f"bad={free_port()}:die", timeout=60)
    said = failing.output()
    assert failing.process.wait() == 1
    assert "bad does not start: exit status 7" in said
    assert "toy: cannot go on" in said
    assert "good:" not in said
    assert not FoundationClient(failing.home).is_up()


def test_a_log_that_cannot_be_written_is_named(home: Home, supervise: Supervise) -> None:
    home.log("bad").mkdir()
    failing = supervise(*toys("bad"), timeout=60)
    said = failing.output()
    assert failing.process.wait() == 1
    assert f"bad does not start: [Errno 21] Is a directory: '{home.log('bad')}'" in said


def test_what_an_earlier_run_said_is_no_reason(home: Home, supervise: Supervise) -> None:
    home.log("bad").write_text("said long ago\n")
    failing = supervise(f"bad={free_port()}:die", timeout=60)
    said = failing.output()
    assert failing.process.wait() == 1
    assert "toy: cannot go on" in said
    assert "said long ago" not in said


def test_not_ready_in_time_ends_everything(supervise: Supervise) -> None:
    late = supervise(f"a={free_port()}:sick", timeout=2.5)
    said = late.output()
    assert late.process.wait() == 5
    assert "not ready after 2.5 s" in said
    assert "a: starting /health answered 503 Sick" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_after_ready_is_a_normal_end(supervise: Supervise, number: signal.Signals) -> None:
    running = supervise(*toys("a")).wait_ready()
    everything = running.all_processes()
    running.process.send_signal(number)
    assert running.process.wait(30) == 0
    assert all(is_gone(pid) for pid in everything)


def test_a_signal_before_ready_is_told_by_the_exit_status(supervise: Supervise) -> None:
    starting = supervise(f"a={free_port()}:sick", timeout=60)
    eventually(lambda: starting.client.is_up() and starting.component("a")["pid"])
    starting.process.send_signal(signal.SIGINT)
    assert starting.process.wait(30) == 130


def test_a_second_signal_forces_the_end(supervise: Supervise) -> None:
    running = supervise(f"a={free_port()}:stubborn:30").wait_ready()
    pid = running.pids()["a"]
    running.process.send_signal(signal.SIGTERM)
    eventually(lambda: running.component("a")["state"] == "stopping")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) == 143
    assert is_gone(pid)


def test_a_component_that_hangs_is_unhealthy_until_it_goes_on(supervise: Supervise) -> None:
    running = supervise(*toys("a")).wait_ready()
    pid = running.pids()["a"]
    running.client.kill("a", signal.SIGSTOP)
    hanging = eventually(lambda: (now := running.component("a"))["state"] == "unhealthy" and now)
    assert "no answer" in hanging["last_error"]
    running.client.kill("a", signal.SIGCONT)
    eventually(lambda: running.component("a")["state"] == "running")
    assert running.pids()["a"] == pid


def test_events_tell_the_present_state_and_then_what_happens(supervise: Supervise) -> None:
    running = supervise(*toys("a")).wait_ready()
    events = running.client.events()
    assert next(events)["component"]["state"] == "running"
    running.client.kill("a")
    states = [next(events)["component"]["state"] for _ in range(3)]
    assert states == ["backing-off", "starting", "starting"]
    running.client.down()
    assert "stopping" in [event["event"] for event in events]


def test_what_the_supervisor_cannot_do_is_an_error_of_its_kind(supervise: Supervise) -> None:
    running = supervise(*toys("gorouter/0")).wait_ready()
    with pytest.raises(NotFound, match="no component 'gorooter'"):
        running.client.kill("gorooter")
    assert running.client.kill("gorouter", signal.SIGCONT)["name"] == "gorouter/0"
    with pytest.raises(CfrouteError, match="no request 'dance'"):
        running.client._ask({"do": "dance"})


def test_nothing_to_talk_to_while_down(home: Home) -> None:
    client = FoundationClient(home)
    assert not client.is_up()
    for ask in (client.status, client.down, lambda: client.kill("nats"), lambda: client.restart("nats")):
        with pytest.raises(NotRunning):
            ask()


def test_a_large_log_is_set_aside_when_the_component_starts(home: Home, supervise: Supervise) -> None:
    with home.log("a").open("wb") as log:
        log.truncate(11 * 1024 * 1024)
    running = supervise(*toys("a")).wait_ready()
    assert (home.logs / "a.log.1").stat().st_size == 11 * 1024 * 1024
    assert "toy: started" in running.home.log("a").read_text()


def test_a_state_folder_with_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 30))
    home.create()
    running = Supervised(home, *toys("a")).wait_ready()
    assert running.component("a")["state"] == "running"
    assert not list(home.run.glob("*.sock"))
    running.client.down()
    assert running.process.wait() == 0
    running.output()


def test_one_that_cannot_start_without_another_waits_for_it(home: Home, supervise: Supervise) -> None:
    supervised = supervise(f"needy={free_port()}:::needed", f"needed={free_port()}").wait_ready()
    told = [json.loads(line) for line in home.log("supervisor").read_text().splitlines()]
    seen = [(one["data"]["name"], one["data"]["state"]) for one in told if one["message"] == "component"]
    assert ("needy", "waiting") in seen
    assert seen.index(("needed", "running")) < seen.index(("needy", "starting"))
    assert supervised.component("needy")["state"] == "running"
