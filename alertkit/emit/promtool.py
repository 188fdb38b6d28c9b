"""Test groups as a promtool unit-test file.

Source of the format: Prometheus documentation, "Unit testing for rules". `interval` and `group_eval_order` are always
written: promtool before 2.49 has no default for the one, and without the other the order of groups is luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import groupby
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


Expected = tuple[ExpectedAlert, ...]


class AlertTest(NamedTuple):
    """Exactly these alerts of the name `alert` fire at `time` (milliseconds)."""

    time: int
    alert: str
    expected: Expected
    comment: str = ""


class Moments:
    """When something is expected: (time in milliseconds, comment, place of the expectation in a list) of each test.

    They know no names, so alerts that differ in nothing else share them.
    """

    def __init__(self, rows: Iterable[tuple[int, str, int]]) -> None:
        self.rows = tuple(rows)
        self.places = tuple([place for _, _, place in self.rows])

    @cached_property
    def text(self) -> str:
        """Their tests, with a `%s` for the alert and what is expected of it."""
        rows = []
        for time, comment, _ in self.rows:
            above = f"      # {comment}\n" if comment else ""
            rows.append(f"{above}      - eval_time: {format_duration(time)}\n        alertname: ".replace("%", "%%"))
        return "%s".join([*rows, ""])


class AlertTests(NamedTuple):
    """What is expected of one alert at each of some moments; many of them share an expectation."""

    alert: str
    moments: Moments
    expectations: tuple[Expected, ...]

    def each(self) -> Iterator[AlertTest]:
        """One test at a time."""
        for time, comment, place in self.moments.rows:
            yield AlertTest(time, self.alert, self.expectations[place], comment)


def gathered(tests: Iterable[AlertTest]) -> tuple[AlertTests, ...]:
    """Single tests, in their order, by alert."""
    found = []
    for alert, group in groupby(tests, key=lambda test: test.alert):
        expectations: dict[Expected, int] = {}
        moments = [(t.time, t.comment, expectations.setdefault(t.expected, len(expectations))) for t in group]
        found.append(AlertTests(alert, Moments(moments), tuple(expectations)))
    return tuple(found)


class ExprTest(NamedTuple):
    """`expr` gives exactly these samples (labels with the name, value) at `time` (milliseconds)."""

    time: int
    expr: str
    samples: tuple[tuple[str, float], ...]
    comment: str = ""


class TestGroup(NamedTuple):
    """One promtool test: series `interval` milliseconds apart, and what is expected of the rules."""

    name: str
    interval: int
    series: tuple[InputSeries, ...]
    alerts: tuple[AlertTests, ...]
    exprs: tuple[ExprTest, ...] = ()

    @property
    def alert_tests(self) -> list[AlertTest]:
        """All tests of alerts, one at a time."""
        return [test for tests in self.alerts for test in tests.each()]


def test_file(
    header: str, rule_files: list[str], groups: list[str], evaluation_interval: int, tests: list[TestGroup]
) -> str:
    """The text of one promtool test file; `groups` are the rule groups in the order of their evaluation."""
    return test_file_head(header, rule_files, groups, evaluation_interval) + test_groups(tests)


def test_file_head(header: str, rule_files: list[str], groups: list[str], evaluation_interval: int) -> str:
    """The text of a test file up to its test groups."""
    rows = [header, "rule_files:\n"]
    rows += [f"  - {scalar(path)}\n" for path in rule_files]
    rows.append(f"evaluation_interval: {format_duration(evaluation_interval)}\n")
    rows.append(f"group_eval_order: [{', '.join(map(scalar, groups))}]\n")
    rows.append("tests:\n")
    return "".join(rows)


def test_groups(tests: Iterable[TestGroup]) -> str:
    """The text of test groups, as it stands in a test file."""
    rows: list[str] = []
    texts = _Texts()
    for test in tests:
        _group(test, rows, texts)
    return "".join(rows)


def _group(test: TestGroup, rows: list[str], texts: _Texts) -> None:
    rows.append(f"  - name: {quote(test.name)}\n    interval: {format_duration(test.interval)}\n")
    if test.series:
        rows.append("    input_series:\n")
        values = _values(tuple([series.values for series in test.series]))
        rows.append(values % tuple([_single(series.series) for series in test.series]))
    if test.alerts:
        rows.append("    alert_rule_test:\n")
        rows += [texts.of(tests) for tests in test.alerts]
    if test.exprs:
        rows.append("    promql_expr_test:\n")
        for expr in test.exprs:
            _expr(expr, rows)


def _single(text: str) -> str:
    """Single quotes read best around a series, whose labels are in double ones."""
    if not text.isprintable():
        return quote(text)
    return "'" + text.replace("'", "''") + "'"


@lru_cache(maxsize=8192)
def _values(values: tuple[str, ...]) -> str:
    """Input series with these values, and a `%s` for the name of each."""
    return "".join([f"      - series: %s\n        values: {quote(row).replace('%', '%%')}\n" for row in values])


class _Texts:
    """The texts of what is expected; the groups of an alert share most of them."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, tests: AlertTests) -> str:
        head = f"{scalar(tests.alert)}\n        exp_alerts:"
        listed = [
            f"{head}\n{''.join(map(self._one, expected))}" if expected else f"{head} []\n"
            for expected in tests.expectations
        ]
        return tests.moments.text % tuple([listed[place] for place in tests.moments.places])

    def _one(self, expected: ExpectedAlert) -> str:
        # All of them live for as long as the file is written, so an id stays one object's.
        text = self._known.get(id(expected))
        if text is None:
            text = self._known[id(expected)] = _expected(expected)
        return text


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
