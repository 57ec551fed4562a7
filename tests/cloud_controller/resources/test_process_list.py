"""Lists of processes with what runs of them."""

from typing import Any

from cfroute.cloud_controller.diego.desired import lrp_guid
from cfroute.diego.api import ActualLRP


def test_a_list_has_the_instances_that_are_wanted(cc: Any) -> None:
    app, stopped = cc.started(), cc.app("stopped")
    cc.ok("POST", f"/v3/apps/{app}/processes/web/actions/scale", {"instances": 2})
    process = cc.ok("GET", f"/v3/apps/{app}/processes/web")
    guid = lrp_guid(process["guid"], process["version"])
    cc.diego.actual = [ActualLRP(guid, 1, state="RUNNING", since=1_700_000_000_500_000_000), ActualLRP(guid, 7)]
    wanted = [
        {"index": 0, "state": "DOWN", "since": None},
        {"index": 1, "state": "RUNNING", "since": 1_700_000_000},
    ]
    listed = cc.ok("GET", f"/v3/processes?embed=process_instances&space_guids={cc.space}")["resources"]
    found = {each["relationships"]["app"]["data"]["guid"]: each["process_instances"] for each in listed}
    assert found == {app: wanted, stopped: []}
    (own,) = cc.ok("GET", f"/v3/apps/{app}/processes?embed=process_instances")["resources"]
    assert own["process_instances"] == wanted


def test_only_who_asks_for_instances_gets_them(cc: Any) -> None:
    cc.started()
    (process,) = cc.ok("GET", "/v3/processes")["resources"]
    assert "process_instances" not in process
    text = cc.detail("GET", "/v3/processes?embed=color", status=400)
    assert text.endswith("Invalid embedded resource: 'color'. Valid embedded resources are: 'process_instances'")
