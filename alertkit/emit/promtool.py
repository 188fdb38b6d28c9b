"""Test groups as a promtool unit-test file.

Source of the format: Prometheus documentation, "Unit testing for rules". `interval` and `group_eval_order` are always
written: promtool before 2.49 has no default for the one, and without the other the order of groups is luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from alertkit.emit.scalar import quote, scalar
from alertkit.spec.duration import format_duration

Labels = tuple[tuple[str, str], ...]


class InputSeries(NamedTuple):
    """One input series: its name with labels, and its values in promtool's notation."""

    series: str
    values: str


class ExpectedAlert(NamedTuple):
    """One firing alert: all labels but `alertname`, and all annotations."""

    labels: Labels
    annotations: Labels


class AlertTest(NamedTuple):
    """Exactly these alerts of the name `alert` fire at `time` (milliseconds). There are very many of these."""

    time: int
    alert: str
    expected: tuple[ExpectedAlert, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ExprTest:
    """`expr` gives exactly these samples (labels with the name, value) at `time` (milliseconds)."""

    time: int
    expr: str
    samples: tuple[tuple[str, float], ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class TestGroup:
    """One promtool test: series `interval` milliseconds apart, and what is expected of the rules."""

    name: str
    interval: int
    series: tuple[InputSeries, ...]
    alerts: tuple[AlertTest, ...]
    exprs: tuple[ExprTest, ...] = ()


def test_file(
    header: str, rule_files: list[str], groups: list[str], evaluation_interval: int, tests: list[TestGroup]
) -> str:
    """The text of one promtool test file; `groups` are the rule groups in the order of their evaluation."""
    rows = [header, "rule_files:\n"]
    rows += [f"  - {scalar(path)}\n" for path in rule_files]
    rows.append(f"evaluation_interval: {format_duration(evaluation_interval)}\n")
    rows.append(f"group_eval_order: [{', '.join(map(scalar, groups))}]\n")
    rows.append("tests:\n")
    for test in tests:
        _group(test, rows)
    return "".join(rows)


def _group(test: TestGroup, rows: list[str]) -> None:
    rows.append(f"  - name: {quote(test.name)}\n    interval: {format_duration(test.interval)}\n")
    if test.series:
        rows.append("    input_series:\n")
        rows += [f"      - series: {_single(s.series)}\n        values: {quote(s.values)}\n" for s in test.series]
    if test.alerts:
        rows.append("    alert_rule_test:\n")
        _alerts(test.alerts, rows)
    if test.exprs:
        rows.append("    promql_expr_test:\n")
        for expr in test.exprs:
            _expr(expr, rows)


def _single(text: str) -> str:
    """Single quotes read best around a series, whose labels are in double ones."""
    if not text.isprintable():
        return quote(text)
    return "'" + text.replace("'", "''") + "'"


def _alerts(tests: tuple[AlertTest, ...], rows: list[str]) -> None:
    known: dict[tuple[str, int], str] = {}  # many tests of a group share what they expect
    for time, alert, expected, comment in tests:
        key = (alert, id(expected))
        told = known.get(key)
        if told is None:
            listed = "\n" + "".join(map(_expected, expected)) if expected else " []\n"
            told = known[key] = f"{scalar(alert)}\n        exp_alerts:{listed}"
        rows.append(_moment(time, comment))
        rows.append(told)


@lru_cache(maxsize=8192)
def _moment(time: int, comment: str) -> str:
    above = f"      # {comment}\n" if comment else ""
    return f"{above}      - eval_time: {format_duration(time)}\n        alertname: "


def _expected(expected: ExpectedAlert) -> str:
    labels = ", ".join([f"{name}: {quote(value)}" for name, value in expected.labels])
    text = f"          - exp_labels: {{{labels}}}\n"
    if expected.annotations:
        rows = [f"              {name}: {quote(value)}\n" for name, value in expected.annotations]
        text += f"            exp_annotations:\n{''.join(rows)}"
    return text


def _expr(test: ExprTest, rows: list[str]) -> None:
    if test.comment:
        rows.append(f"      # {test.comment}\n")
    rows.append(f"      - expr: {_single(test.expr)}\n        eval_time: {format_duration(test.time)}\n")
    if not test.samples:
        rows.append("        exp_samples: []\n")
        return
    rows.append("        exp_samples:\n")
    for labels, value in test.samples:
        rows.append(f"          - labels: {_single(labels)}\n            value: {value:g}\n")
