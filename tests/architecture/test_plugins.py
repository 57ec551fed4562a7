"""Packages in plugins/ are as somebody else would write them: of cfroute they see what is meant for plugins."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

from . import source
from .source import ROOT, Module, within

PACKAGES = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def modules() -> list[Module]:
    """Every module of the plugins, without their tests."""
    files = [file for package in PACKAGES for file in sorted(package.glob(f"{package.name.replace('-', '_')}/**/*.py"))]
    return [Module(f"{file.parent.name}.{file.stem}", file, text := file.read_text(), ast.parse(text)) for file in files]


def test_they_import_what_is_meant_for_them() -> None:
    found = [
        f"{module.at(node)}: imports {name}"
        for module in modules()
        for name, node in source.imports(module)
        if within(name, "cfroute") and not (within(name, "cfroute.plugins") and module.path.name == "plugin.py")
    ]
    assert not found, "\n".join(found)


def test_what_is_pushed_needs_the_standard_library_alone() -> None:
    known = sys.stdlib_module_names | {package.name.replace("-", "_") for package in PACKAGES}
    found = [
        f"{module.at(node)}: imports {name}"
        for module in modules()
        for name, node in source.imports(module)
        if name.partition(".")[0] not in known and module.path.name != "plugin.py"
    ]
    assert not found, "\n".join(found)


def test_they_are_as_small_and_as_well_told_as_cfroute_itself() -> None:
    for module in modules():
        assert ast.get_docstring(module.tree), module.path
        assert module.lines <= 400, module.path
        for function in source.functions(module):
            assert source.length(function) <= 80, module.at(function)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_each_is_a_package_with_a_readme_and_tests(package: Path) -> None:
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    assert project["name"] == package.name
    assert set(project.get("dependencies", [])) <= {each.name for each in PACKAGES}
    assert (package / project["readme"]).read_text().startswith(f"# {package.name}\n")
    assert list((package / "tests").glob("test_*.py"))
