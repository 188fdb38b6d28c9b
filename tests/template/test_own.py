"""`<< expression >>`: what it gives, what it refuses, and that nothing but TemplateError ever comes out."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alertkit.template import TemplateError, mentions, render

VARIABLES: dict[str, object] = {"threshold": 0.07, "window": "5m", "system": "peak", "by": ["a", "b"], "count": 3}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("above << threshold >> {{ $value | humanize }}", "above 0.07 {{ $value | humanize }}"),
        ("<< threshold * 100 >>%", "7.0%"),
        ("<< (threshold * 100) | round | int >>%", "7%"),
        ("<< by | join(', ') >>", "a, b"),
        ("<< nope | default('x') >> << system | upper >>", "x PEAK"),
        ("<< 'a>>b' >> \\<< threshold >>", "a>>b << threshold >>"),
        ("{% if %} {# c #} {{ $labels.x }} >>", "{% if %} {# c #} {{ $labels.x }} >>"),
        ('{{ printf "<< window >>" }}', '{{ printf "5m" }}'),
        ("<< 'high' if threshold > 0.5 else 'low' >>", "low"),
        ("<< system ~ '-' ~ count >>\n", "peak-3\n"),
        ("a<<window>>b<<window>>", "a5mb5m"),
    ],
)
def test_render(text: str, expected: str) -> None:
    assert render(text, VARIABLES) == expected


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("x << treshold >>", "unknown variable `treshold`, did you mean `threshold`?", "treshold"),
        ("<< window.upper >>", "an attribute (`.`) cannot be used in `<< >>`", "."),
        ("<< window() >>", "a call cannot be used in `<< >>`", "("),
        ("<< by[0] >>", "an index (`[ ]`) cannot be used in `<< >>`", "["),
        ("<< 9**9**9 >>", "`**` cannot be used in `<< >>`", "*"),
        ("<< 'a' * 999999999 >>", "this calculation wants numbers", "'"),
        ("<< '%0999999999d' % 1 >>", "this calculation wants numbers", "'"),
        ("<< 1 + >>", "the expression ends too early", " "),
        ("<< window", "this `<<` is never closed, `>>` is missing", "<<"),
        ("<< by >>", "a list cannot be shown: use `join`", " by "),
        ("<< 'a' @ 1 >>", "unexpected '@'", "@"),
        ("<< count / 0 >>", "division by zero", "c"),
    ],
)
def test_refused(text: str, message: str, place: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, VARIABLES)
    error = caught.value
    assert error.message == message
    assert text[error.offset : error.offset + error.length] == place


def test_mentions() -> None:
    assert mentions("<< a + b | default(c) >> {{ d }} << 'e' >>") == {"a", "b", "c"}
    assert mentions("<< a") == set()


def test_jinja_is_imported_only_when_needed() -> None:
    code = "import sys; from alertkit.template import render; render('{{ x }}', {}); sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


WORDS = """<< >> {{ }}
{% {# #} threshold by window nope 'a' " ' ( ) [ ] { . , | upper join round replace default int + - *
** / // % ~ == < if else and not in is 1 0 1e308 99999999999999999999 0x 1_0 \\ : = none true self loop é"""
TOKENS = st.sampled_from([*WORDS.split(), " ", "\n", "\r", "\x00"])
BODIES = st.lists(TOKENS, max_size=12).map(" ".join)


@settings(max_examples=400, deadline=None)
@example('<<0"\n">>')
@given(st.one_of(st.text(max_size=40), BODIES, BODIES.map(lambda body: f"a << {body} >> b")))
def test_nothing_but_template_errors(text: str) -> None:
    mentions(text)
    try:
        first = render(text, VARIABLES)
    except TemplateError as error:
        assert 0 <= error.offset <= len(text)
        assert error.message and not error.message.endswith(".") and "\n" not in error.message
    else:
        assert first == render(text, VARIABLES)
        if "<<" not in text:
            assert first == text


@pytest.mark.parametrize("piece", ["(", "-", "not ", "[", "1+", "'a'~", "{1:", "1 if ", "x|", "9" * 50, "((1)*"])
def test_deep_and_long_expressions_end(piece: str) -> None:
    for count in (90, 5000):
        with pytest.raises(TemplateError):
            render(f"<< {piece * count} >>", VARIABLES)
