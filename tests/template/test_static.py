"""What is said of a template without running it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.template import check, expand, label_references, shows_raw_value, uses_value


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a {{ $value", "this `{{` is never closed, `}}` is missing", "{{"),
        (
            "{{ humanizDuration 1 }}",
            "unknown function `humanizDuration`, did you mean `humanizeDuration`?",
            "humanizDuration",
        ),
        ("{{ .Lables.x }}", "there is no `.Lables`, did you mean `Labels`?", ".Lables"),
        ("{{ $label.x }}", "unknown variable `$label`, did you mean `$labels`?", "$label"),
        ("{{ if $value }}x", "this `if` has no `{{ end }}`", "if"),
        ("{{ externalURL }}", "`externalURL` crashes promtool: write `$externalURL`", "externalURL"),
        ("{{ $labels.x | }}", "nothing follows this `|`", "|"),
        ("{{ $value | 5 }}", "only a function can follow `|`", "5"),
    ],
)  # fmt: skip
def test_mistakes_are_named_at_their_place(text: str, message: str, place: str) -> None:
    (error,) = check(text)
    assert error.message == message
    assert text[error.offset : error.offset + error.length] == place


def test_all_mistakes_of_meaning_are_found() -> None:
    assert [e.offset for e in check("{{ $a }} {{ .B }} {{ c }}")] == [3, 12, 21]


@pytest.mark.parametrize(
    "text",
    [
        '{{ range query "up" }}{{ .Labels.job }} {{ .Value }}{{ end }}',
        '{{ with printf "x" | query }}{{ . | first | value | humanizePercentage }}{{ end }}',
        '{{ define "t" }}{{ .Anything }}{{ end }}{{ template "t" . }}',
        '{{ (toTime $value).Format "2006" }}',
        '{{ $x := 1 }}{{ range $i, $s := query "up" }}{{ if gt $i 0 }}{{ break }}{{ end }}{{ $s.Value }}{{ end }}',
        "{{ $externalLabels.env }} {{ $externalURL }} {{ pathPrefix }}",
    ],
)
def test_right_templates_pass(text: str) -> None:
    assert check(text) == []
    assert expand(text, {}, 1.0) is None


def test_label_references() -> None:
    text = '{{ $labels.a }}{{ .Labels.b }}{{ index $labels "c" }}{{ with .Labels }}{{ .d }}{{ end }}'
    text += "{{ $x := $labels }}{{ $x.e }}"
    found = label_references(text + "{{ $externalLabels.no }}")
    assert [reference.name for reference in found] == ["a", "b", "c", "d", "e"]
    assert [text[r.offset : r.offset + r.length] for r in found] == ["a", "b", '"c"', "d", "e"]


@pytest.mark.parametrize(
    ("text", "used", "raw"),
    [
        ("plain", False, False),
        ("{{ $labels.x }}", False, False),
        ("{{ $value }}", True, True),
        ("{{ .Value | printf \"%v\" }}", True, True),
        ("{{ $value | humanize }}", True, False),
        ('{{ printf "%.2f" $value }}', True, False),
        ('{{ printf "%f" $value }}', True, False),
        ('{{ printf "%.15f" $value }}', True, True),
        ('{{ printf "%s %.1f" $labels.x $value }}', True, False),
        ('{{ printf "%g" $value }}', True, True),
        ("{{ if gt $value 1.0 }}high{{ end }}", True, False),
        ("{{ $x := $value }}{{ $x }}", True, True),
        ("{{ with $value }}{{ . | humanize }}{{ end }}", True, False),
        ("{{ with $value }}{{ . }}{{ end }}", True, True),
        ("{{ . }}", True, True),
        ("{{ $value", False, False),
    ],
)  # fmt: skip
def test_value(text: str, used: bool, raw: bool) -> None:
    assert (uses_value(text), shows_raw_value(text)) == (used, raw)


WORDS = """{{ }}
{{- -}} $value $labels.x . .Labels | ( ) if else end range with printf "%d" " ` ' humanize 1 0x nil $ := =
, /* */ é define template break and index eq not args reReplaceAll "(" % \\"""
PARTS = [*WORDS.split(), " ", "\n"]


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PARTS), max_size=16).map(" ".join)), st.floats())
def test_any_text_is_answered(text: str, value: float) -> None:
    for error in check(text):
        assert 0 <= error.offset <= len(text)
        assert error.message and not error.message.endswith(".")
    expanded = expand(text, {"x": "y"}, value)
    assert expanded is None or not check(text)
    label_references(text)
    uses_value(text)
    shows_raw_value(text)


@pytest.mark.parametrize("text", ["{{ " + "(" * 5000, "{{ if 1 }}" * 5000, "{{ " + "(print " * 30 + ")" * 30 + " }}"])
def test_deep_templates_end(text: str) -> None:
    check(text)
    expand(text, {}, 1.0)
