"""Expressions that surely do not do what they should, and their neighbours that do."""

from __future__ import annotations

import pytest

from alertkit.promql import parse
from alertkit.promql.lint import findings, fires_when_absent

SCRAPE = 15_000

WRONG = [
    ('count(up{job="api"}) == 0', "AK415"),
    ("count by (a) (x) < 1", "AK415"),
    ("0 == count(x)", "AK415"),
    ("(count(x)) <= 0.5", "AK415"),
    ("1 > count(x)", "AK415"),
    ("histogram_quantile(0.9, sum(rate(d_bucket[5m]))) > 1", "AK415"),
    ("histogram_quantile(0.9, sum by (job) (rate(d_bucket[5m]))) > 1", "AK415"),
    ("sum by (a) (x) > sum by (b) (y)", "AK415"),
    ("sum by (a) (x) / sum by (b) (y) > 5", "AK415"),
    ("sum by (a) (x) > 5 and sum by (b) (y) > 5", "AK415"),
    ("errors_total > 5", "AK310"),
    ("5 < (errors_total)", "AK310"),
    ("deriv(errors_total[5m]) > 0", "AK310"),
    ("delta(errors_total[5m]) > 0", "AK310"),
    ("predict_linear(errors_total[1h], 60) > 0", "AK310"),
    ("rate(errors_total[20s]) > 1", "AK312"),
    ("increase(errors_total[29s]) > 1", "AK312"),
    ("rate(sum(errors_total)[5m:]) > 1", "AK416"),
    ("increase(sum by (a) (errors_total)[5m:15s]) > 1", "AK416"),
    ('absent(sum(up{job="api"}))', "AK416"),
    ("absent(count by (a) (x)) == 1", "AK416"),
]
FINE = [
    "count(x) > 0", "count(x) == 1", "count(x) < 3", "count(x) or vector(0) == 0", "sum(x) == 0", "0 < count(x)",
    "histogram_quantile(0.9, sum by (le, job) (rate(d_bucket[5m]))) > 1", "histogram_quantile(0.9, rate(d[5m])) > 1",
    "histogram_quantile(0.9, sum(rate(d[5m]))) > 1", "sum by (a) (x) > on (a) sum by (a, b) (y)",
    "sum by (a, b) (x) > sum by (a) (y)", "sum(x) > sum(y)", "x > y", "sum by (a) (x) > 5 or sum by (b) (y) > 5",
    "sum by (a) (x) > 5 unless sum by (b) (y) > 5", "sum by (a) (x) > on () group_left sum(y)", "sum by (a) (x) > 5",
    "rate(errors_total[5m]) > 5", "errors_total > errors_total offset 1h", "increase(errors_total[30s]) > 1",
    "deriv(memory_bytes[5m]) > 0", "max_over_time(x[15s]) > 5", "rate(errors_total[5m:1m]) > 1",
    "sum(rate(errors_total[5m])) > 1", 'absent(up{job="api"})', "sum by (a) (x) * scalar(sum(y)) > 1",
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), WRONG)
def test_what_is_surely_wrong(text: str, code: str) -> None:
    found = list(findings(parse(text), SCRAPE))
    assert [one.code for one in found] == [code]
    assert found[0].word in text and found[0].help


@pytest.mark.parametrize("text", FINE)
def test_what_may_be_right(text: str) -> None:
    assert list(findings(parse(text), SCRAPE)) == []


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("absent(x)", True),
        ("absent(x) == 1", True),
        ("x > 5 or absent(y)", True),
        ("(absent(x))", True),
        ("x > 5", False),
        ("absent_over_time(x[5m])", False),
        ("x > 5 unless absent(y)", False),
    ],
)
def test_what_fires_when_something_is_absent(text: str, absent: bool) -> None:
    assert fires_when_absent(parse(text)) is absent
