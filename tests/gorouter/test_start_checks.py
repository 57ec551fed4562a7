"""What stops a router although its configuration is valid."""

from pathlib import Path

import pytest

from cfroute.gorouter import start_checks
from cfroute.gorouter.config_file import parse
from cfroute.gorouter.start_checks import TemplateProblem
from cfroute.logs import Logger


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("debug", 0),
        ("Info", 1),
        ("WARN", 2),
        ("error", 3),
        ("dpanic", 3),
        ("panic", 3),
        ("fatal", 3),
        ("", None),
        ("trace", None),
    ],
)
def test_levels(name: str, level: int | None) -> None:
    assert start_checks.level(name) == level


@pytest.mark.parametrize("entry", ["a.test", "*.a.test", "my-host.apps.example.com", "*.internal", "a_b.test"])
def test_entries_of_the_allowlist(entry: str) -> None:
    assert start_checks.allowlist_problem(parse(f"route_services_hairpinning_allowlist: ['ok.test', '{entry}']")) is None


@pytest.mark.parametrize(
    "entry", ["", "a", "*", "a.*.test", "**.test", "a..test", ".test", "https://a.test", "a.test/x", "-a.test"]
)
def test_bad_entries_of_the_allowlist(entry: str) -> None:
    problem = start_checks.allowlist_problem(parse(f"route_services_hairpinning_allowlist: ['ok.test', '{entry}']"))
    assert problem == (
        f"invalid route service hairpinning allowlist entry: {entry}. "
        "Must be wildcard (*.domain.com) or FQDN (hostname.domain.com)"
    )


def test_templates(tmp_path: Path, logger: Logger) -> None:
    start_checks.error_writer(parse(""), logger)
    page = tmp_path / "page.html"
    page.write_text("<h1>{{ .Status }}</h1>")
    start_checks.error_writer(parse(f"html_error_template_file: {page}"), logger)
    page.write_text("{{ .Status")
    with pytest.raises(TemplateProblem):
        start_checks.error_writer(parse(f"html_error_template_file: {page}"), logger)
    page.write_bytes(b"\xff")
    with pytest.raises(TemplateProblem, match=r"^Could not read HTML error template file: "):
        start_checks.error_writer(parse(f"html_error_template_file: {page}"), logger)
    page.unlink()
    with pytest.raises(TemplateProblem) as problem:
        start_checks.error_writer(parse(f"html_error_template_file: {page}"), logger)
    assert str(problem.value) == f"Could not read HTML error template file: open {page}: no such file or directory"
