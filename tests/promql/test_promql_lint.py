"""Expressions that surely do not do what they should, and their neighbours that do."""

from __future__ import annotations

import pytest

from alertkit.promql import parse
from alertkit.promql.lint import findings, fires_when_absent
from alertkit.promql.parts import place

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
    ("sum by (a, b) (x) > sum by (a) (y)", "AK415"),
    ("sum(x) / sum by (a) (y) > 5", "AK415"),
    ("sum by (a) (x) > 5 and hour() > 9", "AK415"),
    ('x{a="b"} / sum by (c) (y) > 5', "AK415"),
    ('x{a="b"} / x{a="c"} > 5', "AK415"),
    ('x{a="b"} / on (a) x{a="c"} > 5', "AK415"),
    ('(x{a="b"} / ignoring (a) y > 5) and y{a="b"} > 0', "AK415"),
    ("x > 5 and x < 3", "AK415"),
    ("x > 5 and y > 1 and (x) <= 5", "AK415"),
    ("x == 1 and x == 2", "AK415"),
    ("x > 1 or x > 2", "AK417"),
    ("x > 2 or y or 1 < (x)", "AK417"),
    ("rate(x[5m]) < 1 or rate(x[5m]) <= 1", "AK417"),
    ("x > 1 and x > 2", "AK417"),
    ("x == 1 or x == 1", "AK417"),
    ("x != 0 and x > 1 and x != 0", "AK417"),
    ("histogram_quantile(0.9, sum by (le) (d_bucket)) > 1", "AK310"),
    ("histogram_quantile(0.9, d_bucket) > 1", "AK310"),
    ("rate(up[5m]) > 1", "AK310"),
    ("sum by (a) (x) / sum by (b) (y) / sum by (b) (z) > 1", "AK415"),
    ("increase(cpu_celsius[5m]) > 1", "AK310"),
    ("x > 5 or errors_total >= 5", "AK310"),
    ("absent_over_time(sum(x)[5m:])", "AK416"),
    ('label_replace(x, "a-b", "$1", "c", "(.*)") > 1', "AK411"),
    ('label_replace(x, "a", "$1", "c", "(") > 1', "AK411"),
    ('label_join(x, "a", ",", "b", "c.d") > 1', "AK411"),
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
    "sum(x) > sum(y)", "x > y", "sum by (a) (x) > 5 or sum by (b) (y) > 5",
    "sum by (a) (x) > 5 unless sum by (b) (y) > 5", "sum by (a) (x) > on () group_left sum(y)", "sum by (a) (x) > 5",
    'x{a="b"} / x > 5', 'x{a="b"} / ignoring (a) x{a="c"} > 5', "sum by (a) (x) > on () sum(y)", "x / sum(y) > 5",
    'x{a="b"} > 5 and on () hour() > 9', "sum without (a) (x) / sum by (b) (y) > 5", 'x{a=~"b|c"} / x{a="c"} > 5',
    "x > 5 and x < 9", "x > 5 or x < 3", "x > 5 and on (a) x < 3", "x > 5 or y > 7", "x > 5 or x == 3",
    "x >= 5 and x <= 5", "x > 1 unless x > 2", "x == 1 or x == 2", "x > 1 and x != 2",
    "histogram_quantile(0.9, sum by (le) (d_bucket - d_bucket offset 5m)) > 1", "delta(backup_ratio[5m]) > 1",
    "errors_total == 0", "x / y_total > 5 and y_total > 0", "last_over_time(things_total[5m]) > 5",
    "increase(backup_timestamp_seconds[1h]) == 0", "rate(log_messages_info[5m]) > 9", "delta(used_total[5m:]) > 5",
    'label_replace(x, "a", "b", "", "") > 1', 'label_replace(x, "a", "$1", "c", "(.*)") > 1',
    'label_join(x, "a", "-", "b", "c") > 1',
    "rate(errors_total[5m]) > 5", "errors_total > errors_total offset 1h", "increase(errors_total[30s]) > 1",
    "deriv(memory_bytes[5m]) > 0", "max_over_time(x[15s]) > 5", "rate(errors_total[5m:1m]) > 1",
    "sum(rate(errors_total[5m])) > 1", 'absent(up{job="api"})', "sum by (a) (x) * scalar(sum(y)) > 1",
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), WRONG)
def test_what_is_surely_wrong(text: str, code: str) -> None:
    tree = parse(text)
    found = list(findings(tree, SCRAPE))
    assert [one.code for one in found] == [code]
    assert place(text, tree, found[0].node, found[0].word)[1] < len(text) and found[0].help


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
