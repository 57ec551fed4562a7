"""Staging: from a package to a droplet, in a container of its own.

    download the package ─▶ unpack ─▶ plan (see stager) ─▶ install what it needs ─▶ pack ─▶ upload

Every step says what it does in the app's log, under STG, in the words of Cloud Foundry.
"""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import join

import msgspec
import yaml

from cfroute.diego.api import Task
from cfroute.diego.cell import archives, processes, stager, static_server
from cfroute.diego.cell.environment import base_environment
from cfroute.diego.cell.instance import Host
from cfroute.diego.cell.launcher import launch
from cfroute.diego.cell.output import copy_output
from cfroute.diego.cell.stager import Package, Plan, StagingFailed
from cfroute.diego.cell.transfer import TransferError, download, upload

TIME_LIMIT = 15 * 60  # s
MAX_PACKAGE = 4 * 1024**3  # bytes, unpacked
MAX_TEXT = 1024 * 1024  # bytes of a file that detection reads
VERSION = "1.0.0"

PYTHON_PROFILE = """\
export PYTHONPATH="$DEPS_DIR/python${PYTHONPATH:+:$PYTHONPATH}"
export PATH="$DEPS_DIR/python/bin:$PATH"
"""


async def stage(host: Host, task: Task) -> Task:
    """Do the task; it comes back COMPLETED, with its result or why it failed."""
    work = _Staging(host, task)
    failure = ""
    result = ""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            result = await work.run()
    except StagingFailed as error:
        failure = error.reason
    except TransferError as error:
        failure = f"StagingError - {error.message}"
    except archives.ArchiveError as error:
        failure = f"StagingError - the app package is unusable: {error.message}"
    except OSError as error:
        failure = f"StagingError - {error.strerror or error}"
    except TimeoutError:
        failure = "StagingTimeExpired - Staging time expired: the app took too long to stage"
    finally:
        await work.clean_up(failure)
    return msgspec.structs.replace(task, state="COMPLETED", failed=bool(failure), failure_reason=failure, result=result)


class _Staging:
    def __init__(self, host: Host, task: Task) -> None:
        self._host = host
        self._task = task
        self._root = host.folder / task.task_guid
        self._cell = f"Cell {host.config.cell_id}"

    async def run(self) -> str:
        """The task's result, as JSON. Raises StagingFailed, TransferError, ArchiveError, OSError."""
        self._say(f"{self._cell} creating container for instance {self._task.task_guid}")
        app = self._root / "app"
        for name in ("app", "tmp", "deps", "profile.d"):
            (self._root / name).mkdir(parents=True, exist_ok=True)
        self._say(f"{self._cell} successfully created container for instance {self._task.task_guid}")
        await self._fetch(app)
        plan = stager.plan(_package(app), self._task.command, self._task.buildpacks)
        self._say(f"-----> {plan.title} Buildpack version {VERSION}")
        await self._install(plan, app)
        await self._deliver(plan)
        result = {
            "process_types": plan.process_types,
            "buildpack": plan.buildpack,
            "detected_output": plan.title.lower(),
        }
        return msgspec.json.encode(result).decode()

    async def clean_up(self, failure: str) -> None:
        """Leave nothing behind; say how it ended."""
        if failure:
            self._say(f"Failed to stage: {failure}", error=True)
        self._say(f"{self._cell} stopping instance {self._task.task_guid}")
        self._say(f"{self._cell} destroying container for instance {self._task.task_guid}")
        if self._root.exists():
            await asyncio.to_thread(archives.remove, self._root)
        self._say(f"{self._cell} successfully destroyed container for instance {self._task.task_guid}")

    async def _fetch(self, app: Path) -> None:
        self._say("Downloading app package...")
        package = self._root / "package"
        size = await download(self._host.http, self._task.package_url, package)
        self._say(f"Downloaded app package ({byte_size(size)})")
        await asyncio.to_thread(archives.unpack, package, app, MAX_PACKAGE)
        package.unlink()

    async def _install(self, plan: Plan, app: Path) -> None:
        deps = self._root / "deps"
        if plan.install == "static":
            if not (app / plan.static_root).is_dir():
                self._say(f"the folder {plan.static_root} is not in the package", error=True)
                raise stager.compile_failed()
            shutil.copy(Path(static_server.__file__), deps / stager.STATIC_SERVER)
        elif plan.install == "pip":
            await self._compile(pip_command(app, deps / "python"))
            (self._root / "profile.d" / "python.sh").write_text(PYTHON_PROFILE)
        elif plan.install == "npm":
            locked = (app / "package-lock.json").exists()
            await self._compile(["npm", "ci" if locked else "install", "--omit=dev", "--no-audit", "--no-fund"])
        if "web" not in plan.process_types:
            self._say("No start command specified by buildpack or via Procfile.")
            self._say("App will not start unless a command is provided at runtime.")

    async def _compile(self, command: Sequence[str]) -> None:
        environment = base_environment(self._host.surroundings, str(self._root)) | self._task.environment
        environment["CF_INSTANCE_GUID"] = self._task.task_guid  # what escapes is found by this
        self._say(f"       Running {command[0].rpartition('/')[2]} {join(command[1:])}")
        process = launch(join(command), self._root, environment, self._host.guard)
        try:
            await copy_output(process, lambda line, error: self._say(f"       {line}", error=error))
            status = processes.exit_status(await process.wait())
        finally:
            await processes.end_group(process, 0)
            self._host.guard.discard(process.pid)
        if status:
            self._say(f"Exit status {status}", error=True)
            raise stager.compile_failed()

    async def _deliver(self, plan: Plan) -> None:
        info = {
            "detected_buildpack": plan.buildpack,
            "start_command": plan.process_types.get("web", ""),
            "process_types": dict(plan.process_types),
        }
        (self._root / "staging_info.yml").write_text(yaml.safe_dump(info))
        shutil.rmtree(self._root / "tmp")
        self._say("Exit status 0")
        self._say("Uploading droplet, build artifacts cache...")
        self._say("Uploading droplet...")
        droplet = self._root.with_name(f"{self._root.name}.tgz")
        try:
            await asyncio.to_thread(archives.pack, self._root, droplet)
            await upload(self._host.http, self._task.droplet_upload_url, droplet)
            self._say(f"Uploaded droplet ({byte_size(droplet.stat().st_size)})")
        finally:
            droplet.unlink(missing_ok=True)
        self._say("Uploading complete")

    def _say(self, text: str, *, error: bool = False) -> None:
        with contextlib.suppress(OSError):  # a full disk is told by the step that needs it
            self._host.logs.write(self._task.app_guid, "STG", "0", text, error)


def pip_command(app: Path, target: Path) -> list[str]:
    """How to install what a Python app needs: from its vendor folder when it has one, else from the index.

    It is this program's pip, told to work for the interpreter that apps run with (see `main.apps_path`).
    """
    apps_python = str(Path(sys.executable).resolve())
    command = [sys.executable, "-m", "pip", "--python", apps_python, "--disable-pip-version-check", "install"]
    command += ["--no-input", "--no-warn-script-location", "--target", str(target)]
    if (app / "vendor").is_dir():
        command += ["--no-index", "--find-links", str(app / "vendor")]
    return command + (["-r", "requirements.txt"] if (app / "requirements.txt").exists() else ["."])


def byte_size(count: int) -> str:
    """The size as Cloud Foundry writes it: 512B, 1.2K, 8M."""
    size, unit = float(count), "B"
    for larger in "KMGT":
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f}".removesuffix(".0") + unit


def _package(app: Path) -> Package:
    def read(name: str) -> str:
        with (app / name).open("rb") as file:
            return file.read(MAX_TEXT).decode("utf-8", "replace")

    return Package(frozenset(path.name for path in app.iterdir()), read)
