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

# What names are put in for; no YAML text can hold it.
BLANK = "\0"

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
        """Their tests, with a blank for the alert and what is expected of it."""
        rows = []
        for time, comment, _ in self.rows:
            above = f"      # {comment}\n" if comment else ""
            rows.append(f"{above}      - eval_time: {format_duration(time)}\n        alertname: ")
        return BLANK.join([*rows, ""])


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
    known: dict[int, str] = {}
    return "".join([_group(test, known) for test in tests])


def _group(test: TestGroup, known: dict[int, str]) -> str:
    form = group_form(
        BLANK, test.interval, tuple([series.values for series in test.series]),
        [tests.moments for tests in test.alerts], [(expr.time, expr.comment) for expr in test.exprs],
    )  # fmt: skip
    filled = [quote(test.name), *[single(series.series) for series in test.series]]
    for tests in test.alerts:
        listed = [told(tests.alert, expected, known) for expected in tests.expectations]
        filled += [listed[place] for place in tests.moments.places]
    for expr in test.exprs:
        filled += [single(expr.expr), samples(expr.samples)]
    pieces = form.split(BLANK)
    return "".join([piece for pair in zip(pieces, [*filled, ""], strict=True) for piece in pair])


def group_form(
    title: str, interval: int, values: tuple[str, ...], moments: Iterable[Moments], exprs: Iterable[tuple[int, str]]
) -> str:
    """The text of a test group with a `BLANK` for each of its names.

    They stand for the name of each series (`single`), what each moment expects of an alert (`told`), and for each
    PromQL, of which its time and its comment are given, that (`single`) and its samples (`samples`). `title` may have
    one as well.
    """
    rows = [f"  - name: {title}\n    interval: {format_duration(interval)}\n"]
    if values:
        rows += ["    input_series:\n", _values(values)]
    texts = [each.text for each in moments]
    if texts:
        rows += ["    alert_rule_test:\n", *texts]
    texts = [_expr(time, comment) for time, comment in exprs]
    if texts:
        rows += ["    promql_expr_test:\n", *texts]
    return "".join(rows)


def single(text: str) -> str:
    """Single quotes read best around a series, whose labels are in double ones."""
    if not text.isprintable():
        return quote(text)
    return "'" + text.replace("'", "''") + "'"


@lru_cache(maxsize=256)
def _values(values: tuple[str, ...]) -> str:
    """Input series with these values, and a blank for the name of each."""
    return "".join([f"      - series: {BLANK}\n        values: {quote(row)}\n" for row in values])


def told(alert: str, expected: Expected, known: dict[int, str]) -> str:
    """What a test says of an alert; `known` remembers the texts of expected alerts, which live as long, by their id."""
    head = f"{scalar(alert)}\n        exp_alerts:"
    return f"{head}\n{''.join([_expected(one, known) for one in expected])}" if expected else f"{head} []\n"


def _expected(expected: ExpectedAlert, known: dict[int, str]) -> str:
    text = known.get(id(expected))
    if text is None:
        text = _labels(expected.labels)
        if expected.annotations:
            rows = [_annotation(name, shown) for name, shown in expected.annotations]
            text += f"            exp_annotations:\n{''.join(rows)}"
        known[id(expected)] = text
    return text


# Alerts of a file often have the same labels, and the levels of an alert the same texts.
@lru_cache(maxsize=1024)
def _labels(labels: Labels) -> str:
    return f"          - exp_labels: {{{', '.join([f'{name}: {quote(value)}' for name, value in labels])}}}\n"


@lru_cache(maxsize=1024)
def _annotation(name: str, text: str) -> str:
    return f"              {name}: {quote(text)}\n"


def _expr(time: int, comment: str) -> str:
    above = f"      # {comment}\n" if comment else ""
    return f"{above}      - expr: {BLANK}\n        eval_time: {format_duration(time)}\n        exp_samples:{BLANK}"


def samples(expected: Iterable[tuple[str, float]]) -> str:
    """The samples that PromQL results in."""
    rows = [f"          - labels: {single(labels)}\n            value: {value:g}\n" for labels, value in expected]
    return "\n" + "".join(rows) if rows else " []\n"
