import json
from collections.abc import Collection

import pytest

from cfroute.diego.cell.stager import Package, Plan, StagingFailed, plan


def staged(files: dict[str, str], command: str = "", buildpacks: Collection[str] = ()) -> Plan:
    return plan(Package(files.keys(), files.__getitem__), command, buildpacks)


def node(**changes: object) -> dict[str, str]:
    return {"package.json": json.dumps(changes), "server.js": ""}


@pytest.mark.parametrize(
    ("files", "buildpack", "install", "web"),
    [
        ({"app.py": ""}, "python_buildpack", "none", "python3 app.py"),
        ({"requirements.txt": "flask\n", "main.py": ""}, "python_buildpack", "pip", "python3 main.py"),
        ({"requirements.txt": "# none\n\n", "server.py": ""}, "python_buildpack", "none", "python3 server.py"),
        ({"setup.py": ""}, "python_buildpack", "pip", None),
        (node(), "nodejs_buildpack", "none", "node server.js"),
        (node(scripts={"start": "node ."}), "nodejs_buildpack", "none", "npm start"),
        (node(dependencies={"x": "1"}), "nodejs_buildpack", "npm", "node server.js"),
        (node(dependencies={"x": "1"}) | {"node_modules": ""}, "nodejs_buildpack", "none", "node server.js"),
        ({"package.json": '{"main":"it.js"}'}, "nodejs_buildpack", "none", 'node "it.js"'),
        ({"index.html": ""}, "staticfile_buildpack", "static", 'python3 "$DEPS_DIR/static_server.py" "."'),
        (
            {"Staticfile": "root: public\npushstate: enabled\n"},
            "staticfile_buildpack",
            "static",
            'python3 "$DEPS_DIR/static_server.py" --push-state "public"',
        ),
        ({"Procfile": "web: ./run\n", "run": ""}, "binary_buildpack", "none", "./run"),
    ],
)
def test_detection(files: dict[str, str], buildpack: str, install: str, web: str | None) -> None:
    found = staged(files)
    assert (found.buildpack, found.install, found.process_types.get("web")) == (buildpack, install, web)


def test_a_procfile_and_a_command_win_over_what_is_detected() -> None:
    files = {"app.py": "", "Procfile": "# mine\nweb: gunicorn app\nworker:  ./work  \n"}
    assert staged(files).process_types == {"web": "gunicorn app", "worker": "./work"}
    assert staged(files, "mine").process_types["web"] == "mine"


def test_what_nobody_recognises_is_refused_in_cloud_foundrys_words() -> None:
    with pytest.raises(StagingFailed) as failure:
        staged({"README": ""})
    assert failure.value.reason == ("NoAppDetectedError - An app was not successfully detected by any available buildpack")
    assert staged({"README": ""}, "./run").buildpack == "binary_buildpack"


def test_a_named_buildpack_is_not_asked() -> None:
    assert staged({"README": ""}, buildpacks=["staticfile_buildpack"]).install == "static"
    with pytest.raises(StagingFailed):
        staged({"app.py": ""}, buildpacks=["cobol_buildpack"])


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": "{"},
        {"package.json": "[]"},
        {"Procfile": "what is this"},
        {"Staticfile": 'root: "$(reboot)"'},
        {"Staticfile": "root: ../.."},
    ],
)
def test_files_that_make_no_sense_are_the_apps_fault(files: dict[str, str]) -> None:
    with pytest.raises(StagingFailed) as failure:
        staged(files)
    assert failure.value.code == "BuildpackCompileFailed"
