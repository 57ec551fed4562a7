"""Templates of error pages: what is understood, what it gives, and what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.go.template import RenderError, TemplateError, render
from cfroute.go.template_parser import parse

HEADERS = {"X-A": "hx"}
DATA = {"Status": 404, "StatusText": "Not Found", "Message": "m", "Header": {"Get": lambda name: HEADERS.get(name, "")}}


def rendered(template: str) -> str:
    return render(parse(template), DATA)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no actions { } }}", "no actions { } }}"),
        ("{{.Status}} {{ .StatusText }}", "404 Not Found"),
        ('{{.Header.Get "X-A"}}{{.Header.Get "no"}}{{$.Header.Get "X-A"}}', "hxhx"),
        ("{{if eq .Status 404}}A{{else if gt .Status 499}}B{{else}}C{{end}}", "A"),
        ("{{if ne .Status 404}}A{{else if (gt .Status 403)}}B{{else}}C{{end}}", "B"),
        ("{{if not .Status}}A{{else}}C{{end}}", "C"),
        ('{{if and (ge .Status 400) (lt .Status 500) (eq .Message "x" "m")}}client{{end}}', "client"),
        ('{{or "" 0 "d"}} {{and 1 "" "x"}}.', "d ."),
        ('{{with .Header.Get "X-A"}}[{{.}} {{$.Status}}]{{else}}none{{end}}', "[hx 404]"),
        ('{{with .Header.Get "no"}}[{{.}}]{{else}}none {{.Status}}{{end}}', "none 404"),
        ("{{$m := .Message}}{{if true}}{{$m = `n`}}{{end}}{{$m}}", "n"),
        ("{{if $s := .Status}}{{$s}}{{end}}", "404"),
        ("a {{- 1 -}} b {{- /* c */ -}} c{{/* d */}} e", "a1bc e"),
        ("{{-3}} {{true}} {{false}} {{le 1 1}}", "-3 true false true"),
        (r'{{"a\"\\\t\x41\u00e9\101"}}', 'a"\\\tAéA'),
        ("{{`raw\\n`}}", "raw\\n"),
        ('{{eq (.Header.Get "X-A") "hx"}}', "true"),
    ],
)
def test_what_is_understood(template, expected):
    assert rendered(template) == expected


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{", "unclosed action"),
        ("{{.Status}", "unexpected '}'"),
        ('{{"x}}', "unexpected '\"'"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{else}}", "unexpected {{else}}"),
        ("{{if .Status}}", "{{if}} without {{end}}"),
        ("{{if}}{{end}}", "missing value"),
        ("{{}}", "missing value"),
        ("{{.Status | html}}", "unexpected '|'"),
        ("{{range .Status}}{{end}}", '"range" not defined, or not supported'),
        ('{{template "x"}}', '"template" not defined, or not supported'),
        ('{{printf "%d" .Status}}', '"printf" not defined, or not supported'),
        ("{{.Status 1}}", "unexpected '1'"),
        ("{{$x}}", 'undefined variable "$x"'),
        ("{{$x = 1}}", 'undefined variable "$x"'),
        ("{{if true}}{{$x := 1}}{{end}}{{$x}}", 'undefined variable "$x"'),
        ("{{$x := 1}}{{$x := 2}}", "$x cannot be set here"),
        ("{{not 1 2}}", "wrong number of args for not"),
        ("{{eq 1}}", "wrong number of args for eq"),
        ("{{eq (1 2}}", "unclosed left paren"),
        ("\n\n{{nil}}", "error-message:3:"),
        (r'{{"\q"}}', "unknown escape"),
    ],
)
def test_what_is_refused(template, problem):
    with pytest.raises(TemplateError) as refused:
        parse(template)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "template", ["{{.Nothing}}", "{{.Status.Text}}", "{{.Header}}", "{{.Header.Get}}", '{{lt .Status "a"}}', "{{lt true false}}"]
)
def test_what_fails_when_it_is_rendered(template):
    nodes = parse(template)
    with pytest.raises(RenderError):
        render(nodes, DATA)


@given(st.text(alphabet='{}-.$ "`()/*=:abeifnd1\n', max_size=60))
def test_no_template_is_too_odd(template):
    with contextlib.suppress(TemplateError, RenderError):
        render(parse(template), DATA)
