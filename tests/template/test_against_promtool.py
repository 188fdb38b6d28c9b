"""`expand` gives what every Prometheus gives, byte for byte; what `check` refuses, Prometheus fails on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertkit.template import check, expand
from tests.template.promtools import Case, run, versions

pytestmark = pytest.mark.skipif(not versions(), reason="no promtool on PATH")
each_promtool = pytest.mark.parametrize("promtool", versions())

LABELS = {"job": "api", "instance": "web-1.example.com:9100", "empty_like": "0", "note": 'it\'s <a> "b" & c\\d', "um": "Zürich 東京"}

VALUES = [
    0.0, -0.0, 1.0, -1.0, 0.1, 0.3, 1 / 3, 2 / 3, 0.5, 0.05, 0.999, 0.9999, 0.99995, 0.99999, 1.5, 59.0, 59.9999,
    59.99999, 60.0, 61.5, 99.995, 100.0, 119.99999999999999, 999.0, 999.95, 999.9999, 1000.0, 1023.0, 1024.0, 1e4, 86399.9,
    86400.0, 90061.0, 99999.0, 123456.0, 999999.0, 1e6, 1234567.0, 1e7, 1.5e9, 1.7e9, 1700000000.123, 1e15, 1e16, 1e17,
    123456789012345678.0, 1e20, 1e21, 1e22, 1e25, 1e28, 1e100, 1.7976931348623157e308, 1e-3, 1e-4, 1e-5, 0.00012345,
    0.000012345, 1e-9, 1e-24, 1e-27, 1e-30, 5e-324, 2.5e-310, -0.25, -61.5, -1234567.0, -1e-7, math.inf, -math.inf,
    math.nan, 0.1 + 0.2, 1.1 * 1.1, 4.35 * 100, 2.0**53, 2.0**62, 2.0**31, 0.000099999, 0.0001, 1e6 - 0.5, 3.0,
]  # fmt: skip

PIPES = [
    "$value", ".Value", "$value | humanize", "$value | humanize1024", "$value | humanizeDuration", "print $value",
    "$value | humanizePercentage", "humanizeTimestamp $value", 'printf "%.2f" $value', 'printf "%v" $value',
    'printf "%.0f%%" $value', 'printf "%g" $value', 'printf "%e" $value', 'printf "%8.3f|" $value', '$value | printf "%.3g"',
    'printf "%-10.1f|" $value', 'printf "%010.2f" $value', 'printf "%d" $value', 'printf "%s" $value', "println $value 1 2",
    'printf "%G" $value', 'printf "%.12g" $value', 'printf "%f" $value', 'printf "%q" $value', 'printf "%t" $value',
    'printf "% .1f" $value', 'printf "%6v|" $value', "gt $value 5.0", "le $value 0.5", "eq $value 1.0", "not $value",
    "and $value 3", "or $value 3", 'print $value $value "x" 1', "$value | html", "$value | urlquery", "ge $value 0.0",
]  # fmt: skip

TEXTS = [
    "{{ $labels.job }}", "{{ .Labels.job }}", '{{ index $labels "job" }}', "{{ $labels.missing }}|", "{{ $.Labels.job }}",
    "a {{- $labels.job -}} b", "a {{ $labels.job -}}  \n b", "a  {{- /* c */ -}}  b", "{{/* c */}}x", "{{ $labels.um | toUpper }}",
    "{{ $labels.job | toUpper }} {{ toLower \"ABC\" }} {{ title \"hello big-world a/b x9\" }}", "{{ `raw \\n` }}{{ \"a\\tb\\u00e9\" }}",
    "{{ $labels.instance | stripPort }} {{ stripDomain $labels.instance }} {{ stripPort \"::1\" }} {{ stripDomain \"10.0.0.1:80\" }}",
    "{{ $labels }}", "{{ $labels.note }}", "{{ $labels.note | html }}", "{{ $labels.note | safeHtml }}", '{{ printf "%q" $labels.note }}',
    '{{ printf "%5s|%-5s|%.2s|%x" "abc" "abc" "abc" "abc" }}', '{{ printf "%d %5d %-5d| %05d %x %+d" 5 42 42 42 255 7 }}',
    '{{ printf "%s" }}', '{{ printf "%s" "a" "b" 1 2.5 true }}', '{{ printf "%t %v %!" true false }}', '{{ printf "%*d" 5 42 }}',
    '{{ printf "%v %v" $labels.job 1.0 }}', '{{ printf "100%" }}', "{{ print 1 2 }} {{ print \"a\" 1 2 \"b\" }} {{ print true false 1.5 }}",
    "{{ if $labels.job }}y{{ else }}n{{ end }}{{ if $labels.missing }}y{{ else }}n{{ end }}",
    '{{ if eq $labels.job "web" }}a{{ else if eq $labels.job "api" "x" }}b{{ else }}c{{ end }}',
    "{{ with $labels.job }}<{{ . }}>{{ end }}{{ with $labels.no }}x{{ else }}none{{ end }}",
    "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "{{ range .Labels }}[{{ . }}]{{ end }}", "{{ range $v := $labels }}{{ $v }}{{ end }}",
    "{{ $x := $labels.job }}{{ $x }}{{ if true }}{{ $x = \"z\" }}{{ end }}{{ $x }}", '{{ reReplaceAll "(.*):(.*)" "$2-$1" $labels.instance }}',
    '{{ reReplaceAll "[^a-z]+" "_" $labels.instance }}', '{{ match "^web" $labels.instance }} {{ if match "9[0-9]+$" $labels.instance }}y{{ end }}',
    '{{ reReplaceAll "\\\\..*" "" $labels.instance }}', '{{ $labels.instance | reReplaceAll "(a)" "${1}x$9" }}', '{{ (args 1 "b").arg1 }}',
    "{{ parseDuration \"1h30m\" }} {{ parseDuration \"5m\" | humanizeDuration }}", '{{ humanize "1234.5" }} {{ humanize 12345 }} {{ humanize 1e7 }}',
    "{{ len $labels.um }} {{ len $labels }}", "{{ and 1 0 }} {{ or 0 \"x\" }} {{ not \"\" }} {{ lt 1 2 }} {{ ne \"a\" \"b\" }}", "{{ 0x1F }} {{ 010 }} {{ 1_000 }} {{ -5 }} {{ 1e3 }} {{ .5 }} {{ +2 }}",
    "{{ graphLink \"up == 0\" }} {{ tableLink \"a{b='c'}\" }} {{ urlquery \"a b&c/ü~\" }}", "}} { } {{ \"{{\" }}", "{{\n$labels.job\n|\ntoUpper\n}}", "{{ ($labels.job | toUpper) }}{{(print 1)}}",
    "{{ if and (gt $value 0.0) (lt $value 100.0) }}in{{ end }}", "{{ printf \"%s is %s\" $labels.job (humanize $value) }}", "{{ $labels.job|toUpper|toLower }}", "{{ break_ }}" if False else "{{ true }} {{ false }}",
    "{{ 12345678.0 }} {{ 1e21 }} {{ 100000.0 }} {{ 1000000.0 }} {{ 9223372036854775807 }}", "{{ title \"don't\" }}", "  {{ $labels.job }}  ", "line\n\n  {{- $labels.job }}\n",
]  # fmt: skip


def agree(promtool: str, wanted: list[tuple[str, float]], folder: Path) -> int:
    """Run all cases that `expand` knows; returns how many those were."""
    cases = []
    for template, value in wanted:
        text = expand(template, {"__name__": f"x{len(cases)}", **LABELS}, value)
        if text is not None:
            cases.append(Case(template, value, text, LABELS))
    code, output = run(promtool, cases, folder)
    assert code == 0, output[:6000]
    return len(cases)


@each_promtool
def test_every_pipe_on_every_value(promtool: str, tmp_path: Path) -> None:
    wanted = [(f"v {{{{ {pipe} }}}}", value) for pipe in PIPES for value in VALUES]
    assert agree(promtool, wanted, tmp_path) > 0.95 * len(wanted)


@each_promtool
def test_texts(promtool: str, tmp_path: Path) -> None:
    assert agree(promtool, [(text, 2.5) for text in TEXTS], tmp_path) > len(TEXTS) - 6
