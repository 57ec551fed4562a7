"""Talking to the API directly."""

import sys
from pathlib import Path

import click
import httpx

from cfroute.cli.command import command
from cfroute.cli.failures import HttpStatus
from cfroute.cli.options import argument, option
from cfroute.cli.session import Session


@command(
    "curl",
    usage="cfroute curl PATH [-iv] [-X METHOD] [-H HEADER]... [-d DATA] [--output FILE] [--fail]",
    examples=(
        "cfroute curl /v3/apps",
        "cfroute curl /v3/routes?hosts=shop --fail",
        'cfroute curl /v3/organizations -X POST -d \'{"name":"acme"}\'',
        "cfroute curl /v3/apps -d @/path/to/file",
    ),
    see_also=("oauth-token", "target"),
)
@argument("path")
@option("-X", "method", help="HTTP method (GET,POST,PUT,DELETE,etc)")
@option("-H", "headers", multiple=True, help="Custom headers to include in the request, flag can be repeated")
@option("-d", "data", help="HTTP data to include in the request body, or '@' followed by a file name (@- is stdin)")
@option("-i", "include", is_flag=True, help="Include response headers in the output")
@option("--output", help="Write the response body to FILE instead of stdout")
@option("--fail", "-f", is_flag=True, help="Exit with 22 for an HTTP status of 400 and above")
def curl(
    session: Session,
    path: str,
    method: str | None,
    headers: tuple[str, ...],
    data: str | None,
    include: bool,
    output: str | None,
    fail: bool,
) -> None:
    body = _data(data)
    as_json = {"content-type": "application/json"} if body is not None else {}
    answer = session.api.send(
        method or ("POST" if body is not None else "GET"),
        path if path.startswith(("/", "http:", "https:")) else f"/{path}",
        content=body,
        headers=as_json | dict(_header(text) for text in headers),
    )
    if fail and answer.is_error:
        raise HttpStatus(f"The requested URL returned error: {answer.status_code}")
    shown = (_head(answer).encode() if include else b"") + answer.content
    if output:
        Path(output).write_bytes(shown)
        session.ok()
    else:
        click.echo(shown)


def _head(answer: httpx.Response) -> str:
    """Status line and headers, as Go writes a response down."""
    named = (("-".join(map(str.capitalize, name.split("-"))), value) for name, value in answer.headers.multi_items())
    fields = sorted(named, key=lambda field: (field[0] != "Content-Length", field[0]))
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""])


def _data(text: str | None) -> bytes | None:
    if text is None or not text.startswith("@"):
        return text.encode() if text is not None else None
    return sys.stdin.buffer.read() if text == "@-" else Path(text[1:]).read_bytes()


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip().lower(), value.strip()


@command(
    "oauth-token",
    usage="cfroute oauth-token",
    examples=("cfroute oauth-token", 'curl -H "Authorization: $(cfroute oauth-token)" http://127.0.0.1:9022/v3/apps'),
    see_also=("curl",),
)
def oauth_token(session: Session) -> None:
    token = f"bearer {session.api.token}"
    session.line({"token": token}, token)
