"""The annotation `value`: how what was measured reads, by unit and size of the threshold."""

from __future__ import annotations

import pytest

from alertkit.compile.ruleset import Rule
from alertkit.compile.system import Settings, compile_system
from alertkit.kinds import Registry
from alertkit.source import Problems, load
from alertkit.template import go


def rule_of(spec: str) -> Rule:
    problems = Problems()
    document = load(f"system: s\nalerts:\n  A: {{{spec}}}\n", "s.yaml", problems)
    system = compile_system(document, "s.yaml", Registry(), Settings(), problems) if document else None
    assert system is not None, problems
    return system.alerts[0].rules[0]


@pytest.mark.parametrize(
    ("spec", "value", "reads"),
    [
        ("kind: threshold, metric: queue_length, above: 10", 12.5, "12.5"),
        ("kind: threshold, metric: queue_length, above: 0.5", 0.75, "0.75"),
        ("kind: threshold, metric: rows, above: 200000", 234567.0, "234.6k"),
        ("kind: threshold, metric: memory_mb, above: 2000MB", 2001.0, "2001 MB"),
        ("kind: threshold, metric: memory_bytes, above: 2GB", 2_002_000_000.0, "2.002GB"),
        ("kind: threshold, metric: cpu_percent, above: 90%", 90.5, "90.5%"),
        ("kind: threshold, metric: used_ratio, above: 90%", 0.905, "90.5%"),
        ("kind: threshold, metric: ping_ms, above: 100ms", 250.5, "250.5 ms"),
        ("kind: threshold, metric: age_seconds, above: 10m", 601.0, "10m 1s"),
        ("kind: threshold, metric: age_seconds, above: 10m, over: avg, window: 5m", 600.6, "600.6s"),
        ("kind: latency, histogram: http_seconds, quantile: 0.9, window: 5m, above: 250ms", 0.25025, "250.2ms"),
        ("kind: rate, counter: errors_total, window: 5m, above: 10/s", 10.01, "10.01/s"),
    ],
)
def test_it_reads_well(spec: str, value: float, reads: str) -> None:
    text = dict(rule_of(spec).annotations)["value"]
    assert go.check(text) == [] and not go.shows_raw_value(text)
    assert go.expand(text, {}, value) == reads


def test_the_specs_own_replaces_it() -> None:
    rule = rule_of('kind: threshold, metric: m, above: 1, annotations: {value: "{{ $value }} apples"}')
    assert [pair for pair in rule.annotations if pair[0] == "value"] == [("value", "{{ $value }} apples")]


@pytest.mark.parametrize(
    "spec", ["kind: absent, metric: m, for: 5m", "kind: heartbeat, receiver: r", "kind: expr, expr: up == 0"]
)
def test_kinds_that_measure_nothing_have_none(spec: str) -> None:
    assert "value" not in dict(rule_of(spec).annotations)
