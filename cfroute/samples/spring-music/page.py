"""The page: albums, the instance that answered, and what it was asked with. Everything in one file, nothing loaded."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --ink: #1c2b36; --soft: #5d7382; --paper: #f6f8f9; --card: #fff;
        --line: #dde5ea; --green: #4f8f1f; --blue: #0f6cb6 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf2; --soft: #93a7b5; --paper: #12191f; --card: #1a242c; --line: #2b3943;
          --green: #8fce5a; --blue: #6cb8f2 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
header, main { max-width: 68rem; margin: 0 auto; padding: 1.5rem }
h1 { margin: 0; font-size: 1.8rem } h1 span { color: var(--green) }
h2 { font-size: 1.1rem; margin: 2rem 0 .75rem }
.instance { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem }
.instance div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem }
.instance small { display: block; color: var(--soft) }
.albums { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .75rem; padding: 0;
          list-style: none }
.albums li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem }
.albums b { display: block } .albums span { color: var(--soft); font-size: .9rem }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line) }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem; border-bottom: 1px solid var(--line);
         font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere }
th { white-space: nowrap; color: var(--soft); font-weight: 500 }
tr.routing th { color: var(--blue); font-weight: 700 }
"""

# What the routing tier adds: shown first, and marked.
ROUTING = ("x-cf-", "x-forwarded-", "x-vcap-", "x-b3-", "b3", "x-request-start", "traceparent", "tracestate")


def render(albums: Sequence[Mapping[str, Any]], instance: Mapping[str, str], request: Mapping[str, Any]) -> str:
    """The whole page."""
    who = "".join(
        f"<div><small>{label}</small><strong>{escape(instance[key]) or '–'}</strong></div>"
        for label, key in (("app", "app"), ("instance", "index"), ("address", "address"), ("guid", "guid"))
    )
    shelf = "".join(
        f"<li><b>{_text(album, 'title')}</b>{_text(album, 'artist')}<br>"
        f"<span>{_text(album, 'releaseYear')} · {_text(album, 'genre')}</span></li>"
        for album in albums
    )
    headers = sorted(request["headers"], key=lambda header: not _is_routing(header[0]))
    rows = "".join(
        f"<tr{' class=routing' if _is_routing(name) else ''}><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in headers
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Spring Music</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<header><h1>Spring <span>Music</span></h1><div class=instance>{who}</div></header><main>"
        f"<h2>{len(albums)} albums</h2><ul class=albums>{shelf}</ul>"
        f"<h2>{escape(request['method'])} {escape(request['path'])} came with these headers</h2>"
        f"<table>{rows}</table></main></body></html>\n"
    )


def _text(album: Mapping[str, Any], field: str) -> str:
    return escape(str(album.get(field) or ""))


def _is_routing(name: str) -> bool:
    return name.lower().startswith(ROUTING)
