"""The log cache's read API."""

from base64 import b64decode
from typing import Any


def read(cc: Any, app: str, query: str) -> list[str]:
    batch = cc.ok("GET", f"/api/v1/read/{app}?{query}")["envelopes"]["batch"]
    return [b64decode(each["log"]["payload"]).decode() for each in batch]


def test_reading_lines(cc: Any) -> None:
    assert cc.ok("GET", "/api/v1/info")["version"] == "3.0.8"
    app = cc.app()
    for line in ("one", "two"):
        cc.clock.advance(2)
        cc.platform.app_logs.write(app, "APP/PROC/WEB", "0", line, error=line == "two")
    created = f"Created app with guid {app}"
    start = "start_time=-6795364578871345152&envelope_types=LOG"
    assert read(cc, app, start) == [created, "one", "two"]
    assert read(cc, app, f"{start}&descending=true&limit=1") == ["two"]
    now = cc.clock.now_ns()
    assert read(cc, app, f"start_time={now}&envelope_types=ANY") == ["two"]
    assert read(cc, app, f"{start}&end_time={now}") == [created, "one"]
    assert read(cc, app, f"{start}&envelope_types=METRICS") == []
    batch = cc.ok("GET", f"/api/v1/read/{app}?start_time={now}")["envelopes"]["batch"]
    assert batch[0]["timestamp"] == str(now)
    assert batch[0]["log"]["type"] == "ERR"
    assert batch[0]["tags"] == {"source_type": "APP/PROC/WEB"}
    assert cc.detail("GET", "/api/v1/read/nobody", status=404) == "App not found"
