"""Packages, builds and droplets, and the internal API that cells use."""

import io
import json
import zipfile
from typing import Any

import pytest

from cfroute.cloud_controller.diego import staging


def bits(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def package(cc: Any, app: str) -> dict[str, Any]:
    body = {"type": "bits", "relationships": {"app": {"data": {"guid": app}}}}
    made: dict[str, Any] = cc.ok("POST", "/v3/packages", body)
    return made


def test_uploading_bits(cc: Any) -> None:
    made = package(cc, cc.app())
    assert made["state"] == "AWAITING_UPLOAD"
    zipped, path = bits(main="print()"), f"/v3/packages/{made['guid']}"
    uploaded = cc.ok("POST", f"{path}/upload", data={"resources": "[]"}, files={"bits": ("package.zip", zipped)})
    assert uploaded["state"] == "READY"
    assert len(uploaded["data"]["checksum"]["value"]) == 64
    assert cc("GET", f"{path}/download").content == zipped
    assert cc.internal("GET", f"/internal/v4/packages/{made['guid']}/download").content == zipped
    response = cc("POST", f"{path}/upload", files={"bits": ("package.zip", zipped)})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, 150004)


def test_an_app_of_empty_files_has_no_bits(cc: Any) -> None:
    made = package(cc, cc.app())
    path = f"/v3/packages/{made['guid']}"
    form = {"resources": (None, "[]")}
    assert cc.ok("POST", f"{path}/upload", files=form)["state"] == "READY"
    assert zipfile.ZipFile(io.BytesIO(cc("GET", f"{path}/download").content)).namelist() == []


@pytest.mark.parametrize(
    "options",
    [
        {"files": {"bits": ("package.zip", b"no zip")}},
        {"files": {"other": ("package.zip", b"x")}},
        {"data": {"bits": "text"}},
        {"content": b"--x--", "headers": {"Content-Type": "multipart/form-data; boundary=y"}},
        {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
        {"body": {}},
    ],
)
def test_uploads_that_are_none(cc: Any, options: dict[str, Any]) -> None:
    path = f"/v3/packages/{package(cc, cc.app())['guid']}"
    response = cc("POST", f"{path}/upload", **options)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, 160001), response.text
    assert cc.ok("GET", path)["state"] == "AWAITING_UPLOAD"
    assert list((cc.platform.blobs.package("x")).parent.iterdir()) == []


def test_packages_have_an_app_and_are_listed(cc: Any) -> None:
    body = {"type": "bits", "relationships": {"app": {"data": {"guid": "nobody"}}}}
    assert cc.detail("POST", "/v3/packages", body) == "App is invalid. Ensure it exists and you have access to it."
    assert "Type must be one of 'bits'" in cc.detail("POST", "/v3/packages", body | {"type": "docker"})
    app = cc.app()
    first = package(cc, app)["guid"]
    cc.clock.advance(1)
    second = cc.package(app)
    query = f"app_guids={app}&order_by=-created_at"
    found = [each["guid"] for each in cc.ok("GET", f"/v3/packages?{query}")["resources"]]
    assert found == [second, first]
    found = [each["guid"] for each in cc.ok("GET", f"/v3/packages?{query}&states=READY")["resources"]]
    assert found == [second]
    cc.ok("DELETE", f"/v3/packages/{second}")
    assert not cc.platform.blobs.package(second).exists()


def copied(cc: Any, source: str, app: str) -> tuple[str, dict[str, Any]]:
    """Path and body of the request that copies a package."""
    return f"/v3/packages?source_guid={source}", {"relationships": {"app": {"data": {"guid": app}}}}


def test_a_package_is_copied_to_another_app(cc: Any) -> None:
    """As `cf copy-source` has it, and with bits of its own."""
    source, other = cc.package(cc.app()), cc.app("other")
    copy = cc.ok("POST", *copied(cc, source, other))
    assert (copy["state"], copy["relationships"]["app"]["data"]["guid"]) == ("READY", other)
    cc.ok("DELETE", f"/v3/packages/{source}")
    assert cc("GET", f"/v3/packages/{copy['guid']}/download").content == b"PK\x05\x06" + bytes(18)
    event = cc.ok("GET", f"/v3/audit_events?target_guids={other}&types=audit.app.package.create")["resources"][0]
    assert event["data"]["package_guid"] == copy["guid"]


def test_source_is_copied_only_by_those_who_may_download_it(cc: Any) -> None:
    """An auditor of one space, who develops in another one, could have it from there."""
    cc.person("dev")
    cc.grant("dev", "space_auditor", cc.space)
    own = cc.new_space("own")
    cc.grant("dev", "space_developer", own)
    package, mine = cc.package(cc.app()), cc.app("mine", own)
    with cc.being("dev"):
        assert cc("POST", *copied(cc, package, mine)).status_code == 403
    cc.grant("dev", "space_developer", cc.space)
    with cc.being("dev"):
        cc.ok("POST", *copied(cc, package, mine))


def test_packages_that_cannot_be_copied(cc: Any) -> None:
    app, other = cc.app(), cc.app("other")
    ready, empty = cc.package(app), package(cc, app)["guid"]
    invalid = "is invalid. Ensure it exists and you have access to it."
    assert cc.detail("POST", *copied(cc, "none", other)) == f"Source package {invalid}"
    assert cc.detail("POST", *copied(cc, ready, "none")) == f"App {invalid}"
    assert cc.detail("POST", *copied(cc, ready, app)) == "Source and destination app cannot be the same"
    assert cc.detail("POST", *copied(cc, empty, other)) == "Source package has no bits."


def begin(cc: Any, app: str) -> dict[str, Any]:
    build: dict[str, Any] = cc.ok("POST", "/v3/builds", {"package": {"guid": cc.package(app)}})
    return build


def finish(cc: Any, build: str, **fields: Any) -> int:
    task = {"task_guid": build, "app_guid": "a", "package_url": "", "droplet_upload_url": "", "completion_url": ""}
    response = cc.internal("POST", f"/internal/v4/builds/{build}/completed", task | {"state": "COMPLETED", **fields})
    status: int = response.status_code
    return status


def test_a_build(cc: Any) -> None:
    app = cc.app()
    build = begin(cc, app)
    guid = build["guid"]
    assert (build["state"], build["droplet"]) == ("STAGING", None)
    assert cc.diego.staged == [guid]
    uploaded = cc.internal("PUT", f"/internal/v4/builds/{guid}/droplet", content=b"droplet")
    assert uploaded.status_code == 201
    result = {"process_types": {"web": "run", "worker": "work"}, "buildpack": "python", "detected_output": "python 3"}
    assert finish(cc, guid, result=json.dumps(result)) == 204
    assert finish(cc, guid, result=json.dumps(result)) == 204
    staged = cc.ok("GET", f"/v3/builds/{guid}")
    assert staged["state"] == "STAGED"
    droplet = cc.ok("GET", f"/v3/droplets/{staged['droplet']['guid']}")
    assert droplet["process_types"] == {"web": "run", "worker": "work"}
    assert droplet["buildpacks"][0]["name"] == "python"
    assert droplet["created_at"] == "2023-11-14T22:13:20Z"
    for download in (
        cc("GET", f"/v3/droplets/{droplet['guid']}/download"),
        cc.internal("GET", f"/internal/v4/droplets/{droplet['guid']}/download"),
    ):
        assert download.content == b"droplet"
    query = f"/v3/packages/{staged['package']['guid']}/droplets?per_page=1&states=STAGED"
    assert [each["guid"] for each in cc.ok("GET", query)["resources"]] == [droplet["guid"]]
    body = {"data": {"guid": droplet["guid"]}}
    assert cc.ok("PATCH", f"/v3/apps/{app}/relationships/current_droplet", body)["data"] == body["data"]
    processes = cc.ok("GET", f"/v3/apps/{app}/processes")["resources"]
    assert {each["type"]: each["instances"] for each in processes} == {"web": 1, "worker": 0}
    assert cc.ok("GET", f"/v3/apps/{app}/droplets/current")["guid"] == droplet["guid"]
    assert cc.detail("DELETE", f"/v3/droplets/{droplet['guid']}") == "The droplet is currently used by the app."


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"failed": True, "failure_reason": "NoAppDetectedError - nothing"}, "NoAppDetectedError - nothing"),
        ({"failed": True}, "StagingError - the build failed"),
        ({"result": "{}"}, "StagingError - the droplet was not uploaded"),
        ({"result": "nonsense"}, "StagingError - the result cannot be read"),
    ],
)
def test_builds_that_fail(cc: Any, fields: dict[str, Any], error: str) -> None:
    guid = begin(cc, cc.app())["guid"]
    assert finish(cc, guid, **fields) == 204
    build = cc.ok("GET", f"/v3/builds/{guid}")
    assert build["state"] == "FAILED"
    assert build["error"].startswith(error)


def test_builds_that_cannot_be(cc: Any) -> None:
    app = cc.app()
    waiting = package(cc, app)["guid"]
    assert cc.detail("POST", "/v3/builds", {"package": {"guid": waiting}}, status=400) == (
        "Bad request: Cannot stage package whose state is not ready."
    )
    assert "Unable to use package" in cc.detail("POST", "/v3/builds", {"package": {"guid": "x"}})
    cc.diego.present = False
    response = cc("POST", "/v3/builds", {"package": {"guid": cc.package(app)}})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (503, 10015)
    assert "not running" in response.json()["errors"][0]["detail"]


def test_results_of_what_is_gone_are_accepted(cc: Any) -> None:
    app = cc.app()
    guid = begin(cc, app)["guid"]
    cc.ok("DELETE", f"/v3/apps/{app}")
    assert finish(cc, guid) == 204
    assert cc.internal("PUT", f"/internal/v4/builds/{guid}/droplet", content=b"x").status_code == 404
    assert cc.internal("POST", f"/internal/v4/builds/{guid}/completed", content=b"{").status_code == 400
    assert cc.internal("GET", "/internal/v4/droplets/nobody/download").status_code == 404


def test_tasks_are_made_from_the_builds_that_wait(cc: Any) -> None:
    app = cc.app()
    cc.ok("PATCH", f"/v3/apps/{app}/environment_variables", {"var": {"A": "1"}})
    guid = begin(cc, app)["guid"]
    platform = cc.platform
    with platform.database.reading() as session:
        (task,) = staging.pending(session, platform.config)
        assert staging.pending(session, platform.config, ["x"]) == []
    assert (task.task_guid, task.app_guid) == (guid, app)
    assert task.completion_url == f"https://127.0.0.9:9023/internal/v4/builds/{guid}/completed"
    assert task.environment["A"] == "1"
    assert json.loads(task.environment["VCAP_APPLICATION"])["application_name"] == "music"
    with platform.database.writing() as session:
        staging.give_up(session, platform.clock.now() + staging.LONGEST_BUILD + 1)
        assert staging.pending(session, platform.config) == []
    assert cc.ok("GET", f"/v3/builds/{guid}")["error"] == "StagingTimeExpired - Staging time expired"


@pytest.mark.parametrize("command", ["python3 serve.py", None])
def test_the_command_of_an_app_is_known_to_whoever_stages_it(cc: Any, command: str | None) -> None:
    app = cc.app()
    cc.ok("PATCH", f"/v3/apps/{app}/processes/web", {"command": command})
    begin(cc, app)
    with cc.platform.database.reading() as session:
        (task,) = staging.pending(session, cc.platform.config)
    assert task.command == (command or "")
