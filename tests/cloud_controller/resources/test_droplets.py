"""Droplets that were built elsewhere, or for another app."""

import io
import tarfile
from typing import Any

import pytest

INVALID = "Uploaded droplet file is invalid: "
NO_DROPLET = "Uploaded bits are not a valid droplet file"


def tgz(**files: str) -> bytes:
    """An archive with these files; `staging_info` is staging_info.yml."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in {"app": "x", **files}.items():
            member = tarfile.TarInfo("./staging_info.yml" if name == "staging_info" else name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


def body(app: str, **fields: Any) -> dict[str, Any]:
    return {"relationships": {"app": {"data": {"guid": app}}}, **fields}


def upload(cc: Any, droplet: str, content: bytes, name: str = "d.tgz") -> Any:
    return cc("POST", f"/v3/droplets/{droplet}/upload", files={"bits": (name, content)})


def test_a_droplet_is_uploaded_and_run(cc: Any) -> None:
    app = cc.app()
    made = cc.ok("POST", "/v3/droplets", body(app, process_types={"web": "run it"}))
    guid = made["guid"]
    assert (made["state"], made["process_types"]) == ("AWAITING_UPLOAD", {"web": "run it"})
    assert made["links"]["upload"] == {"href": f"http://api.test/v3/droplets/{guid}/upload", "method": "POST"}
    current = f"/v3/apps/{app}/relationships/current_droplet"
    assert cc.detail("PATCH", current, {"data": {"guid": guid}}) == "droplet must be in staged state"
    content = tgz(staging_info="start_command: not this\n")
    answer = upload(cc, guid, content)
    assert (answer.status_code, answer.json()["state"]) == (202, "STAGED")
    assert cc.ok("GET", answer.headers["location"])["operation"] == "droplet.upload"
    assert cc("GET", f"/v3/droplets/{guid}/download").content == content
    cc.ok("PATCH", current, {"data": {"guid": guid}})
    cc.ok("POST", f"/v3/apps/{app}/actions/start")
    (lrp,) = cc.desired(app)
    assert lrp["command"] == "run it"
    twice = "Droplet may be uploaded only once. Create a new droplet to upload bits."
    again = upload(cc, guid, content)
    assert (again.status_code, again.json()["errors"][0]["detail"]) == (422, twice)
    events = [each["type"] for each in cc.ok("GET", f"/v3/audit_events?target_guids={app}&per_page=50")["resources"]]
    assert events[1:3] == ["audit.app.droplet.create", "audit.app.droplet.upload"]


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("start_command: python app.py\n", {"web": "python app.py"}),
        ("process_types: {web: a, job: b}\n", {"web": "a", "job": "b"}),
        ("nothing", {"web": ""}),
        ("process_types: [web]\n", {"web": ""}),
    ],
)
def test_the_commands_are_those_that_the_droplet_says(cc: Any, info: str, expected: dict[str, str]) -> None:
    guid = cc.ok("POST", "/v3/droplets", body(cc.app()))["guid"]
    assert upload(cc, guid, tgz(staging_info=info)).json()["process_types"] == expected


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"files": {"bits": ("d.zip", b"x")}}, "d.zip is not a tgz"),
        ({"files": {"bits": ("d.tgz", b"")}}, "d.tgz cannot be empty"),
        ({"files": {"bits": ("d.tar.gz", b"no archive")}}, NO_DROPLET),
        ({"files": {"bits": ("d.tgz", tgz()[:30])}}, NO_DROPLET),
        ({"files": {"bits": ("d.tgz", tgz(staging_info="[" * 20_000))}}, NO_DROPLET),
        ({"files": {"bits": ("d.tgz", tgz(staging_info="built: 2001-13-45"))}}, NO_DROPLET),
        ({"files": {"bits": ("d.tgz", tgz(staging_info='start_command: "a\\0b"'))}}, NO_DROPLET),
        ({"files": {"other": ("d.tgz", b"x")}}, "A droplet tgz file must be uploaded as 'bits'"),
        ({"body": {}}, "A droplet tgz file must be uploaded as 'bits'"),
    ],
    ids=["zip", "empty", "nonsense", "cut off", "deep", "no day", "NUL", "another field", "no form"],
)
def test_uploads_that_are_none(cc: Any, options: dict[str, Any], problem: str) -> None:
    guid = cc.ok("POST", "/v3/droplets", body(cc.app()))["guid"]
    assert cc.detail("POST", f"/v3/droplets/{guid}/upload", **options) == INVALID + problem
    assert cc.ok("GET", f"/v3/droplets/{guid}")["state"] == "AWAITING_UPLOAD"


def test_a_droplet_is_copied_to_another_app(cc: Any) -> None:
    source = cc.droplet(cc.app())
    other = cc.app("other")
    copy = cc.ok("POST", f"/v3/droplets?source_guid={source}", body(other))
    assert (copy["state"], copy["process_types"]) == ("STAGED", {"web": "python app.py"})
    assert copy["relationships"]["app"]["data"]["guid"] == other
    assert cc("GET", f"/v3/droplets/{copy['guid']}/download").content == b"tgz"
    cc.ok("PATCH", f"/v3/apps/{other}/relationships/current_droplet", {"data": {"guid": copy["guid"]}})
    assert [each["guid"] for each in cc.ok("GET", f"/v3/apps/{other}/droplets")["resources"]] == [copy["guid"]]


def test_what_cannot_be_copied(cc: Any) -> None:
    app = cc.app()
    waiting = cc.ok("POST", "/v3/droplets", body(app))["guid"]
    path = "/v3/droplets?source_guid="
    assert cc.detail("POST", f"{path}{waiting}", body(app)) == "source droplet is not staged"
    assert cc.detail("POST", f"{path}none", body(app), status=404) == "Droplet not found"
    assert cc.detail("POST", f"{path}{cc.droplet(app)}", body("none"), status=404) == "App not found"


def test_what_is_copied_has_only_to_be_seen(cc: Any) -> None:
    """An auditor of one space, who develops in another one."""
    cc.person("dev")
    cc.grant("dev", "space_auditor", cc.space)
    own = cc.new_space("own")
    cc.grant("dev", "space_developer", own)
    seen, mine = cc.app(), cc.app("mine", own)
    droplet = cc.droplet(seen)
    with cc.being("dev"):
        assert cc("POST", f"/v3/droplets?source_guid={droplet}", body(mine)).status_code == 201
        assert cc("POST", f"/v3/droplets?source_guid={droplet}", body(seen)).status_code == 403


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"process_types": []}, "Process types must be an object"),
        ({"process_types": {"": "x"}}, "Process types key must not be empty"),
        ({"process_types": {"web": 1}}, "Process types value must be a string"),
        ({"nonsense": 1}, "Unknown field(s): 'nonsense'"),
    ],
)
def test_droplets_that_are_no_good(cc: Any, fields: dict[str, Any], problem: str) -> None:
    assert cc.detail("POST", "/v3/droplets", body(cc.app(), **fields)) == problem


def test_the_app_has_to_be_there(cc: Any) -> None:
    problem = 'App with guid "none" does not exist, or you do not have access to it.'
    assert cc.detail("POST", "/v3/droplets", body("none")) == problem


def test_labels_can_be_changed(cc: Any) -> None:
    path = f"/v3/droplets/{cc.droplet(cc.app())}"
    assert cc.ok("PATCH", path, {"metadata": {"labels": {"a": "b"}}})["metadata"]["labels"] == {"a": "b"}
    assert cc.detail("PATCH", path, {"image": "x"}) == "Unknown field(s): 'image'"
