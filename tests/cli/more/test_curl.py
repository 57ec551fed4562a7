"""`curl`: what is sent, and what is shown of the answer."""

from pathlib import Path

from ..conftest import Run


def test_a_body_is_json_unless_it_is_said_otherwise(cfroute: Run) -> None:
    """A Cloud Controller does not read a body of no type."""
    traced = cfroute("curl", "/v3/organizations", "-d", '{"name":"acme"}', "--verbose").err
    assert "content-type: application/json" in traced.lower()
    traced = cfroute("curl", "/v3/organizations", "-d", "name: acme", "-H", "Content-Type: application/x-yaml", "--verbose").err
    assert "content-type: application/x-yaml" in traced.lower()
    assert "content-type: application/json\n" not in traced.lower().partition("response:")[0]


def test_headers_are_shown_as_go_writes_them(cfroute: Run) -> None:
    head, _, body = cfroute("curl", "-i", "/v3/nope").out.partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    names = [field.partition(":")[0] for field in fields]
    assert status == "HTTP/1.1 404 Not Found"
    assert names[0] == "Content-Length"
    assert names[1:] == sorted(names[1:])
    assert "Content-Type" in names
    assert body.startswith('{"errors":')


def test_a_file_is_written_and_said_to_be(cfroute: Run, tmp_path: Path) -> None:
    file = tmp_path / "answer"
    assert cfroute("curl", "/v3/nope", "--output", str(file)) == (0, "OK\n\n", "")
    assert file.read_text().startswith('{"errors":')
    assert cfroute("curl", "/v3/nope", "--output", "-").out.startswith('{"errors":')
