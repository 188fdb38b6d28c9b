"""What is parsed, printed and parsed again is the same tree, and real servers read what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from promql_support import CORPUS, needs_promtool, refused

from alertkit.promql import parse, prettify, to_text


@pytest.mark.parametrize("text", CORPUS)
def test_round_trip(text: str) -> None:
    tree = parse(text)
    printed = to_text(tree)
    assert parse(printed) == tree
    assert hash(parse(printed)) == hash(tree)
    assert to_text(parse(printed)) == printed


@pytest.mark.parametrize("width", [1, 20, 60, 1000])
@pytest.mark.parametrize("text", CORPUS)
def test_pretty_round_trip(text: str, width: int) -> None:
    assert parse(prettify(parse(text), width=width)) == parse(text)


@needs_promtool
@pytest.mark.parametrize("show", [to_text, lambda tree: prettify(tree, width=10)], ids=["line", "pretty"])
def test_promtool_reads_what_is_printed(show: object, tmp_path: Path) -> None:
    assert callable(show)
    assert refused([show(parse(text)) for text in CORPUS], tmp_path) == []


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("sum(x)by(job)", "sum by (job) (x)"),
        ("SUM  WITHOUT(a,)(x)", "sum without (a) (x)"),
        ("-2^2", "-2 ^ 2"),
        ("(-2)^2", "(-2) ^ 2"),
        ("a*on(x)group_left b", "a * on (x) group_left () b"),
        ("x{b='1',a=`\\d`}", 'x{b="1",a="\\\\d"}'),
        ("x offset 90s @ 1.5", "x @ 1.5 offset 1m30s"),
        ('{__name__="x",a="b"}', 'x{a="b"}'),
        ("sum", '{__name__="sum"}'),
        ("x[3600s]", "x[1h]"),
        ("+x", "x"),
        ("1e3", "1000"),
        ("1e-7 + 1e30", "0.0000001 + 1e+30"),
        ("x{}", "x"),
        ("x # why", "x"),
    ],
)
def test_canonical_text(text: str, printed: str) -> None:
    assert to_text(parse(text)) == printed


def test_pretty_layout() -> None:
    text = (
        'sum by (job) (rate(errors_total{job="api"}[5m])) / sum by (job) (rate(requests_total{job="api"}[5m])) > 0.05'
    )
    assert prettify(parse(text), width=60) == (
        'sum by (job) (rate(errors_total{job="api"}[5m]))\n/ sum by (job) (rate(requests_total{job="api"}[5m]))\n> 0.05'
    )
    assert prettify(parse(text), width=30, indent=4).splitlines()[:6] == [
        "sum by (job) (",
        "    rate(",
        "        errors_total{",
        '            job="api"',
        "        }[5m]",
        "    )",
    ]


@needs_promtool
def test_promtool_refusals_are_noticed(tmp_path: Path) -> None:
    said = refused(["up", "up >", "up > 1", "no_such_function(up)"], tmp_path)
    assert [text.split(": ")[0] for text in said] == ["up >", "no_such_function(up)"]
