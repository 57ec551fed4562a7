"""Plugins: what they add, and what happens when one does not work."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest

from cfroute import plugins
from cfroute.cli.apps import samples
from cfroute.cli.main import COMPLETION, main

from .conftest import Run

Install = Callable[..., None]


@pytest.fixture(autouse=True)
def looked_up_anew() -> Iterator[None]:
    """What is installed is looked up once in each run of the program."""
    plugins.installed.cache_clear()
    yield
    plugins.installed.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes a package that looks installed: `files` by name, and its entry points."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    before = set(sys.modules)

    def install_(package: str, points: dict[str, str], files: dict[str, str]) -> None:
        folder = site / f"{package.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {target}" for name, target in points.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[cfroute]", *lines, ""]))
        for name, text in files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(text)

    yield install_
    for name in set(sys.modules) - before:  # the next test has a package of the same name
        if str(site) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def example() -> dict[str, str]:
    """The files of the example in the documentation, by name."""
    text = resources.files("cfroute").joinpath("docs/plugins.md").read_text()
    files = dict(re.findall(r"^```(?:python|toml)?\n# (\S+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    assert list(files) == ["pyproject.toml", "cfroute_hello/__init__.py", "cfroute_hello/greet.py", "cfroute_hello/app/Procfile"]
    return files


@pytest.fixture
def documented(install: Install) -> None:
    """The example of the documentation, as it stands there."""
    files = example()
    points = dict(re.findall(r'^(hello) = "(.*)"$', files["pyproject.toml"], re.MULTILINE))
    install("cfroute-hello", points, files)


def test_the_example_of_the_documentation_can_be_installed(tmp_path: Path) -> None:
    """What a stranger copies is a package, with all of its files."""
    pytest.importorskip("setuptools")
    for name, text in example().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    build = [sys.executable, "-c", "import setuptools; setuptools.setup()", "build", "--build-lib", "built"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    built = {str(path.relative_to(tmp_path / "built")) for path in tmp_path.glob("built/**/*") if path.is_file()}
    assert built == {name for name in example() if name.startswith("cfroute_hello/")}


@pytest.mark.usefixtures("documented")
def test_the_example_of_the_documentation_works(cfroute: Run) -> None:
    assert cfroute("hello") == (0, "Hello, nobody\n", "")
    assert cfroute("hello", "--json").data == ["Hello, nobody"]
    assert "--loud" in cfroute("hello", "--help").out
    assert "--state-dir" in cfroute("help", "hello").out
    assert cfroute("hello-server", "--help", "x").out == "serving ['--help', 'x']\n"
    assert "Serve greetings" in cfroute("help", "hello-server").out
    with samples.unpacked("hello") as folder:
        assert (folder / "Procfile").read_text() == "web: python3 -m http.server $PORT\n"
    assert not folder.exists()


@pytest.mark.usefixtures("documented")
def test_what_plugins_add_is_listed(cfroute: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cfroute("plugins", "--json").data == [
        {
            "name": "hello",
            "package": "cfroute-hello",
            "version": "1.0",
            "commands": ["hello", "hello-server"],
            "samples": ["hello"],
            "error": None,
        }
    ]
    assert re.search(r"^hello +cfroute-hello +1\.0 +hello, hello-server +hello$", cfroute("plugins").out, re.MULTILINE)
    assert re.search(r"^From plugins:\n   hello  +Greet the apps", cfroute("help", "-a").out, re.MULTILINE)
    assert "The samples are: echo, hello, logging" in cfroute("push", "x", "--sample", "nothing", "--no-start").err
    monkeypatch.setenv(COMPLETION, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "cfroute hell")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert cfroute().out == "plain,hello\nplain,hello-server\n"


def test_an_app_of_a_plugin_is_put_together_and_pushed(
    install: Install, cfroute: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = (
        "from pathlib import Path\nfrom cfroute.plugins import Sample\nHERE = Path(__file__).parent\n"
        "def samples():\n    return [Sample('mine', '', {'': HERE / 'app', 'lib/one.py': HERE / 'one.py', 'lib': HERE / 'more'})]"
    )
    files = {"mine/__init__.py": hooks, "mine/app/Procfile": "web: x\n", "mine/one.py": "1\n", "mine/more/two.py": "2\n"}
    install("mine", {"mine": "mine"}, files)
    with samples.unpacked("mine") as folder:
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"Procfile", "lib/one.py", "lib/two.py"}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    assert cfroute("push", "it", "--sample", "mine", "--no-start").status == 0
    assert not list(scratch.iterdir())


BROKEN = {
    "is not there": ("", "ModuleNotFoundError: No module named 'broken'"),
    "fails": ("1 / 0", "ZeroDivisionError: division by zero"),
    "ends the program": ("raise SystemExit(3)", "it ends the program (SystemExit(3))"),
    "gives something else": ("def commands(): return [1]", "commands() gives 1, which is no Command"),
    "takes a command": ("def commands(): return [C('push', 'x:y', '')]", "the command 'push' is cfroute's own"),
    "takes a daemon": ("def commands(): return [C('gorouter', 'x:y', '')]", "the command 'gorouter' is cfroute's own"),
    "has one twice": ("def commands(): return [C('x', '', '')] * 2", "the command 'x' is there already, from 'the same plugin'"),
    "takes a sample": ("def samples(): return [S('echo', '', {})]", "the sample 'echo' is cfroute's own"),
    "takes another's": ("def commands(): return [C('fine', '', '')]", "the command 'fine' is there already, from 'a-fine'"),
    "lacks a file": (
        "def samples(): return [S('s', '', {'': Path('/nowhere')})]",
        "the file /nowhere of the sample 's' does not exist",
    ),
}
IMPORTS = "from pathlib import Path\nfrom cfroute.plugins import Command as C, Sample as S\n"
FINE = IMPORTS + "def commands(): return [C('fine', 'fine:main', 'Fine')]\ndef main(arguments): return 7\n"


@pytest.mark.parametrize(("code", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_named_and_stops_nothing(install: Install, cfroute: Run, code: str, why: str) -> None:
    install("fine", {"a-fine": "fine"}, {"fine.py": FINE})
    install("broken-one", {"broken": "broken"}, {"broken.py": IMPORTS + code} if code else {})
    warning = f"The plugin 'broken' of broken-one 1.0 does not work: {why}\n"
    assert cfroute("fine") == (7, "", "")
    listed = cfroute("plugins")
    assert (listed.status, listed.err) == (0, warning)
    assert re.search(r"^broken +broken-one +1\.0 +broken *$", listed.out, re.MULTILINE)
    assert [row["error"] for row in cfroute("plugins", "--json").data] == [None, why]
    assert cfroute("mistyped-name").err.startswith(warning + "'mistyped-name' is not a registered command.")
    assert "Traceback" in cfroute("plugins", "--debug").err
    assert cfroute("orgs") == (0, "Getting orgs as admin...\n\nname\nlocal\n", "")


@pytest.mark.parametrize("target", ["fine:nothing", "nowhere:main", "fine", "fine:IMPORTED"])
def test_a_command_that_cannot_be_had(install: Install, cfroute: Run, target: str) -> None:
    hooks = f"{IMPORTS}IMPORTED = 1\ndef commands(): return [C('fine', {target!r}, 'Fine')]\n"
    install("fine", {"fine": "fine"}, {"fine.py": hooks})
    failed = cfroute("fine")
    assert failed.status == 1
    assert failed.err.startswith("The command 'fine' of a plugin does not work: ")


def test_plugins_are_imported_when_they_are_needed(install: Install, cfroute: Run, tmp_path: Path) -> None:
    mark = tmp_path / "imported"
    install("fine", {"fine": "fine"}, {"fine.py": f"open({str(mark)!r}, 'w').close()\n"})
    cfroute("orgs")
    cfroute("routes", "--help")
    cfroute()
    assert not mark.exists()
    cfroute("plugins")
    assert mark.exists()


def test_without_plugins_nothing_is_imported_for_them(cfroute: Run) -> None:
    code = "import sys, cfroute.cli.main as m; m.main(['--help']); print('importlib.metadata' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "False\n"
    assert json.loads(cfroute("plugins", "--json").out) == []
    assert main(["plugins"]) == 0
