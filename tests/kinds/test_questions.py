# ruff: noqa: E501
"""What kinds ask, where the obvious PromQL would be wrong; and what they refuse because it would do nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alertkit.kinds.burn_rate import bucket
from tests.kinds.compiled import PROMTOOL, compiled, prove


def rules(alert: str, folder: Path) -> str:
    system, drawn = compiled(f"system: demo\nalerts:\n  A: {alert}\n", {}, folder)
    assert system is not None, drawn
    return "\n".join([r.expr for r in system.records] + [rule.expr for a in system.alerts for rule in a.rules])


@pytest.mark.parametrize(
    ("bound", "matcher"),
    [
        (0.25, 'le="0.25"'), (1.0, r'le=~"1|1\\.0"'), (10.0, r'le=~"10|10\\.0"'),
        (1e6, r'le=~"1000000|1000000\\.0|1e\\+06"'), (2.5e6, r'le=~"2500000|2500000\\.0|2\\.5e\\+06"'),
    ],
)  # fmt: skip
def test_a_bucket_is_found_however_its_bound_is_spelt(bound: float, matcher: str) -> None:
    assert str(bucket(bound)) == matcher


def test_a_burn_rate_of_latency_asks_for_whole_bounds_in_every_spelling(tmp_path: Path) -> None:
    alert = "{kind: burn_rate, objective: 95%, latency: {histogram: d_seconds, under: 1s}}"
    assert r'd_seconds_bucket{le=~"1|1\\.0"}' in rules(alert, tmp_path)


BUDGET = """kind: burn_rate, objective: 99%%, windows: {severity: critical, long: 1h, short: 5m, budget: 5%%},
      ratio: {bad: %s_total, total: r_total}"""


@pytest.mark.parametrize(
    ("alerts", "selectors"),
    [
        (f"B: {{{BUDGET % 'e'}, for_each: {{hall: [a, b]}}}}", ['e_total{hall="a"}', 'e_total{hall="b"}']),
        (f"bR: {{{BUDGET % 'e'}}}\n  b_r: {{{BUDGET % 'f'}}}", ["e_total", "f_total"]),
    ],
)
def test_alerts_whose_records_would_have_one_name_read_their_own(
    alerts: str, selectors: list[str], tmp_path: Path
) -> None:
    system, drawn = compiled(f"system: demo\nalerts:\n  {alerts}\n", {}, tmp_path)
    assert system is not None, drawn
    recorded = {record.name: record.expr for record in system.records}
    assert len(recorded) == len(system.records) == 4
    for alert, selector in zip(system.alerts, selectors, strict=True):
        read = set(re.findall(r"demo:[\w:]+", alert.rules[0].expr))
        assert len(read) == 2 and all(selector in recorded[name] for name in read)
        assert alert.claim is not None and alert.claim.signal in read
    if PROMTOOL is not None:
        assert prove(system, tmp_path)


def test_each_job_of_an_alternation_is_missed_by_itself(tmp_path: Path) -> None:
    expr = rules("""{kind: down, up: 'up{job=~"api|web-1",env="prod"}'}""", tmp_path)
    assert 'absent(up{job="api",env="prod"})' in expr and 'absent(up{job="web-1",env="prod"})' in expr
    assert 'absent(up{job=~"ap.*"})' in rules("""{kind: down, up: 'up{job=~"ap.*"}'}""", tmp_path)


def test_jobs_of_a_list_are_names_and_no_patterns(tmp_path: Path) -> None:
    expr = rules("""{kind: down, job: ["a|b", "c (d)", e.f]}""", tmp_path)
    assert r'up{job=~"a\\|b|c \\(d\\)|e\\.f"} == 0' in expr and 'absent(up{job="a|b"})' in expr


@pytest.mark.parametrize(
    ("quantile", "shown"),
    [("95%", "0.95"), ("p99", "0.99"), ("0.5", "0.5"), ("99.9%", "0.999"), ("'0.95'", "0.95"), ("'.5'", "0.5")],
)
def test_a_quantile_may_be_a_percentage(quantile: str, shown: str, tmp_path: Path) -> None:
    expr = rules(f"{{kind: latency, histogram: d_seconds, quantile: {quantile}, above: 1s}}", tmp_path)
    assert f"histogram_quantile({shown}," in expr


def test_a_quantile_of_for_each_is_the_number_it_shows(tmp_path: Path) -> None:
    each = '"<< q >>", for_each: {q: ["0.5", "0.99"]}'
    expr = rules(f"{{kind: latency, histogram: d_seconds, quantile: {each}, above: 1s}}", tmp_path)
    assert "histogram_quantile(0.5," in expr and "histogram_quantile(0.99," in expr


UPSIDE_DOWN = (
    "{kind: burn_rate, objective: 99%, ratio: {bad: b, total: t}, windows: ["
    "{severity: warning, long: 1h, short: 5m, budget: 2%}, {severity: critical, long: 1d, short: 2h, budget: 10%}]}"
)


def test_the_levels_of_a_burn_rate_go_by_severity_whatever_their_thresholds(tmp_path: Path) -> None:
    system, drawn = compiled(f"system: demo\nalerts:\n  A: {UPSIDE_DOWN}\n", {}, tmp_path)
    assert system is not None, drawn
    assert [dict(rule.labels)["severity"] for rule in system.alerts[0].rules] == ["warning", "critical"]
    assert [rule.expr.count("> 0.03") for rule in system.alerts[0].rules] == [0, 2]
    if PROMTOOL is not None:
        assert prove(system, tmp_path) > 5


NOT_EQUAL = (
    "{kind: ratio, bad: e_total, total: r_total, not_equals: 100%, window: 10m}",
    "{kind: latency, histogram: d_seconds, buckets: [500ms, 1s], not_equals: 1s}",
    "{kind: latency, summary_metric: s_seconds, not_equals: 1s}",
)


@pytest.mark.parametrize("alert", NOT_EQUAL)
def test_nothing_measured_is_not_another_value(alert: str, tmp_path: Path) -> None:
    expr = rules(alert, tmp_path)
    assert "!=" not in expr and " < " in expr and "\nor\n" in expr and " > " in expr
    if PROMTOOL is not None:
        system, _ = compiled(f"system: demo\nalerts:\n  A: {alert}\n", {}, tmp_path)
        assert system is not None and prove(system, tmp_path) > 3


@pytest.mark.parametrize(("per", "shown"), [("s", "humanize }} ms/s"), ("min", "humanize }} ms/min")])
def test_the_rate_of_a_time_is_shown_as_it_is_counted(per: str, shown: str, tmp_path: Path) -> None:
    alert = f"{{kind: rate, counter: a_ms_total, per: {per}, above: 50%}}"
    system, drawn = compiled(f"system: demo\nalerts:\n  A: {alert}\n", {}, tmp_path)
    assert system is not None, drawn
    assert f"rises by {{{{ $value | {shown}" in dict(system.alerts[0].rules[0].annotations)["summary"]


GOOD_AND_BAD = (
    "{kind: ratio, good: 'g{a=\"1\"}', bad: b, below: 50%, missing: alert}",
    "{kind: burn_rate, objective: 99%, ratio: {good: 'g{a=\"1\"}', bad: b}, missing: alert}",
)


@pytest.mark.parametrize("alert", GOOD_AND_BAD)
def test_good_and_bad_are_missing_only_together(alert: str, tmp_path: Path) -> None:
    assert rules(alert, tmp_path).endswith('\nabsent(g{a="1"}) and on () absent(b)')
    known = rules(alert.replace("kind", "by: [c], kind"), tmp_path)
    assert (
        'group by (c) (last_over_time(g{a="1"}[1h]) or last_over_time(b[1h])) unless on (c) group by (c) (g{a="1"} or b)'
        in known
    )
    assert known.endswith('\nabsent_over_time(g{a="1"}[1h]) and on () absent_over_time(b[1h])')


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_promtool_agrees_that_good_and_bad_are_missing_together(tmp_path: Path) -> None:
    alerts = "".join(
        f"  A{i}: {alert}\n"
        for i, alert in enumerate([*GOOD_AND_BAD, GOOD_AND_BAD[0].replace("kind", "by: [c], kind")])
    )
    system, drawn = compiled(f"system: demo\nalerts:\n{alerts}", {}, tmp_path)
    assert system is not None and prove(system, tmp_path) > 5, drawn


@pytest.mark.parametrize(
    ("timestamp", "age"),
    [
        ("t_seconds", "(t_seconds > 0)"), ("t", "(t > 0)"), ("t_ms", "(t_ms > 0) / 1000"),
        ("t_ns", "(t_ns > 0) / 1000000000"), ("t_minutes", "(t_minutes > 0) * 60"), ("t, unit: us", "(t > 0) / 1000000"),
    ],
)  # fmt: skip
def test_a_timestamp_is_read_in_its_unit(timestamp: str, age: str, tmp_path: Path) -> None:
    assert rules(f"{{kind: stale, timestamp: {timestamp}, above: 5m}}", tmp_path) == f"max(time() - {age}) > 300"


@pytest.mark.parametrize(
    ("condition", "looks"),
    [
        ("above: 30s", "1h:15s"), ("above: 30s, for: 6h", "12h5m30s:15s"), ("above: 10m, for: 6h", "12h15m:1m"),
        ("above: 2h", "4h5m:1m"), ("above: 1d", "2d5m:4m"),
    ],
)  # fmt: skip
def test_an_age_is_looked_at_more_often_than_its_threshold(condition: str, looks: str, tmp_path: Path) -> None:
    assert f"[{looks}]" in rules(f"{{kind: stale, metric: m, {condition}}}", tmp_path)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_promtool_agrees_on_the_unit_of_a_timestamp(tmp_path: Path) -> None:
    alerts = "".join(
        f"  A{u}: {{kind: stale, timestamp: t_{u}, above: 5m, for: 1m}}\n" for u in ("ns", "minutes", "hours")
    )
    system, drawn = compiled(f"system: demo\nalerts:\n{alerts}", {}, tmp_path)
    assert system is not None and prove(system, tmp_path) > 5, drawn


def test_buckets_have_units(tmp_path: Path) -> None:
    alert = "{kind: latency, histogram: d_ms, above: %s, buckets: [100ms, 500, 1s]}"
    assert "> 900" in rules(alert % "900ms", tmp_path)
    system, drawn = compiled(f"system: demo\nalerts:\n  A: {alert % '1s'}\n", {}, tmp_path)
    assert system is None and "AK306" in drawn


@pytest.mark.parametrize(
    ("alert", "place", "message"),
    [
        ("{kind: latency, gauge: d_seconds, quantile: 0.9, above: 1s}", "quantile", "AK208]: `quantile` has no effect with `gauge`"),
        ("{kind: latency, gauge: d_seconds, buckets: [1], above: 1s}", "buckets", "AK208]: `buckets` has no effect with `gauge`"),
        ("{kind: latency, summary_metric: d_seconds, buckets: [1], above: 1s}", "buckets", "AK208]: `buckets` has no effect with `summary_metric`"),
        ("{kind: latency, histogram: d_seconds_bucket, above: 1s}", "d_seconds_bucket", "AK206]: `d_seconds_bucket` is one of the series of `d_seconds`"),
        ("{kind: burn_rate, objective: 95%, latency: {histogram: d_seconds_count, under: 1s}}", "{histogram", "AK206]: `d_seconds_count` is one of the series of `d_seconds`"),
        ("{kind: latency, histogram: d_seconds, quantile: 95, above: 1s}", "95,", "AK205]: `95` is out of range: a quantile lies between 0 and 1"),
        ("{kind: latency, histogram: d_seconds, quantile: '95', above: 1s}", "'95',", "AK205]: `95` is out of range: a quantile lies between 0 and 1"),
        ("{kind: latency, histogram: d_seconds, buckets: [1MB], above: 1s}", "[1MB]", "AK305]: `1MB` is not the bound of a bucket in s"),
        ("{kind: burn_rate, objective: 95%, ratio: {bad: b, total: t}, windows: {severity: critical, long: 20s, short: 10s, budget: 1e-6}}", "{severity", "AK312]: the window 10s is shorter than two scrapes"),
        ("{kind: drawdown, equity: e, window: 5m, for: 5m, above: 5%}", "5m, above", "AK314]: `for` is not shorter than the window"),
        ("{kind: forecast, metric: f, limit: 5, window: 50s, within: 1h}", "50s", "AK312]: the window 50s is shorter than four scrapes"),
        ("{kind: ratio, bad: b, total: t, outside: [10%, 100%]}", "100%", "AK306]: this would never fire: the value lies between 0% and 100%"),
        ("{kind: increase, counter: c_total, window: 5m, outside: [-5, 10]}", "-5", "AK306]: this would never fire: the value is never below 0"),
        ("{kind: threshold, metric: m, not_equals: {warning: 1, critical: 3}}", "3}", "AK309]: one of the levels would always fire: no value is both 1 and 3"),
        ("{kind: latency, histogram: d_seconds, buckets: [100ms, 1s], quantile: 0.5, above: 10ms}", "10ms", "AK306]: this would always fire: the value lies between 0.05 s and 1 s"),
        ("{kind: circuit_breaker, metric: m, flapping: 8, window: 2m}", "8,", "AK306]: this would never fire: scrapes show no more than 7 changes in 2m"),
        ("{kind: circuit_breaker, metric: m, flapping: 4, state: open}", "state", "AK208]: `state` has no effect with `flapping`"),
        ("{kind: circuit_breaker, metric: m, flapping: 4, open: 0}", "0}", "AK308]: two states have the same value"),
        ("{kind: stale, timestamp: t_bytes, above: 5m}", "t_bytes", "AK305]: a timestamp is a time, but `t_bytes` is in B (bytes)"),
        ("{kind: stale, timestamp: t, unit: ratio, above: 5m}", "ratio", "AK305]: a timestamp is a time, but `t` is in ratio (ratio)"),
        ("{kind: ratio, used: heap_mb, limit: limit_bytes, above: 90%}", "limit_bytes", "AK305]: `heap_mb` is in MB, `limit_bytes` in B"),
    ],
)  # fmt: skip
def test_what_is_refused(alert: str, place: str, message: str, tmp_path: Path) -> None:
    system, drawn = compiled(f"system: demo\nalerts:\n  A: {alert}\n", {}, tmp_path)
    assert system is None and message in drawn, drawn
    assert f"spec.yaml:3:{6 + alert.index(place)}: " in drawn and drawn.count("error[") == 1


@pytest.mark.parametrize(
    "text", ["summary: << hall >> is full", "labels: {where: << hall >>}", "runbook: r/<< hall >>"]
)
def test_a_variable_that_only_texts_mention_selects(text: str, tmp_path: Path) -> None:
    alert = f"{{kind: threshold, metric: q, above: 1, for_each: {{hall: [a, b]}}, {text}}}"
    assert rules(alert, tmp_path).split("\n") == ['max(q{hall="a"}) > 1', 'max(q{hall="b"}) > 1']
    other = "{kind: threshold, metric: q_<< hall >>, above: 1, for_each: {hall: [a, b]}, summary: << hall >>}"
    assert rules(other, tmp_path).split("\n") == ["max(q_a) > 1", "max(q_b) > 1"]
