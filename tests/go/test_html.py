"""Escaping by the place in the page, as Go's html/template does it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go.html import bare_value, escape, html_text
from cfroute.go.template import TemplateError, render
from cfroute.go.template_parser import parse

DATA = {"M": "a <b> & 'c'+\"", "T": True}
ESCAPED = "a &lt;b&gt; &amp; &#39;c&#39;&#43;&#34;"


def page(template: str) -> str:
    return render(escape(parse(template)), DATA)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("<p>{{.M}}</p>", f"<p>{ESCAPED}</p>"),
        ("<title>{{.M}}</title>", f"<title>{ESCAPED}</title>"),
        ("<textarea>x<y {{.M}}</textarea>{{.M}}", f"<textarea>x&lt;y {ESCAPED}</textarea>{ESCAPED}"),
        ('<p class="{{.M}}">', f'<p class="{ESCAPED}">'),
        ("<p class='{{.M}}' id=x>", f"<p class='{ESCAPED}' id=x>"),
        ("<p class={{.M}}>", "<p class=a&#32;&lt;b&gt;&#32;&amp;&#32;&#39;c&#39;&#43;&#34;>"),
        ("<!-- gone {{.M}} --><p>", "<p>"),
        ("<!DOCTYPE html>1 < 2 <3 <!x>", "<!DOCTYPE html>1 &lt; 2 &lt;3 &lt;!x>"),
        ("<style>a > b { } /* < */</style><script>if (a < b) x('</p>')</script>{{.M}}",
         f"<style>a > b {{ }} /* < */</style><script>if (a < b) x('</p>')</script>{ESCAPED}"),
        ("<input {{if .T}}checked{{end}}>", "<input checked>"),
        ("<br/><a href='/x?a=b'>{{with .M}}{{.}}{{else}}-{{end}}</a>", f"<br/><a href='/x?a=b'>{ESCAPED}</a>"),
        ("<a {{if .T}}title=\"{{.M}}\"{{end}}>", f'<a title="{ESCAPED}">'),
    ],
)  # fmt: skip
def test_places(template, expected):
    assert page(template) == expected


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ('<a href="{{.M}}">', "a URL"),
        ('<p data-url="{{.M}}">', "a URL"),
        ('<p xmlns:x="{{.M}}">', "a URL"),
        ('<p style="{{.M}}">', "style attributes"),
        ('<p onclick="{{.M}}">', "a script"),
        ("<script>{{.M}}</script>", "raw text"),
        ("<style>{{.M}}</style>", "raw text"),
        ("<p {{.M}}>", "an attribute name"),
        ("<p", "ends in a non-text context"),
        ("<!--", "ends in a non-text context"),
        ("{{if .T}}<a{{end}}>", "different contexts"),
        ('<a "x">', "expected space, attr name, or end of tag"),
    ],
)
def test_what_is_refused(template, problem):
    with pytest.raises(TemplateError) as refused:
        page(template)
    assert problem in str(refused.value)


@given(st.text())
def test_nothing_gets_out_of_its_place(text):
    assert not set(html_text(text)) & set("<>\"'+\0")
    assert not set(bare_value(text)) & set("<>\"'+=` \t\n\v\f\r\0")
    assert bare_value(text)


@given(st.text(alphabet="<>/!-a=\"' pstyle{}.M", max_size=60))
def test_no_page_is_too_odd(template):
    with contextlib.suppress(TemplateError):
        page(template)
