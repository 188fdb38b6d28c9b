"""Specs that are right must not fail their own proofs: durations, windows and directions that do not go well together.

Each was once told wrong: a mean that crosses its threshold evaluations before its window is full, histories sparser
than `for`, guards that count a healthy neighbour, forecasts held for longer than a line stays on its side, shares of
targets of several jobs, companions of all that goes with the data.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from alertkit.prove.running import results
from alertkit.prove.running.runner import Run, Skipped, prove
from alertkit.source import Problems
from alertkit.toolchain.tools import inspect
from tests.projects import small, systems_of
from tests.servers import versions

ALERTS = (
    "Odd: {kind: anomaly, metric: trades, window: 1d, sigmas: 4, by: [x], for: 1m}",
    "OddGone: {kind: anomaly, metric: sales, window: 1d, sigmas: 3, by: [x], missing: alert, for: 2m}",
    "OddUp: {kind: anomaly, metric: fills, window: 6h, sigmas: 3, direction: up, for: 30s}",
    "Good: {kind: ratio, good: good_total, total: all_total, window: 1h, below: 99%, by: [x], for: 1m}",
    "Slow: {kind: latency, summary_metric: s_seconds, quantile: 0.99, above: 1s, window: 5m, min_rate: 1/s, for: 1m}",
    "Idle: {kind: rate, counter: done_total, below: 1/s, window: 5m, for: 30s, missing: alert, by: [x]}",
    "Old: {kind: stale, metric: feed, above: 10m, for: 1h, by: [x]}",
    "Full: {kind: forecast, metric: disk_free_bytes, limit: 0, window: 6h, within: 24h, by: [x], for: 1h}",
    "Hot: {kind: forecast, metric: heat, limit: 100, direction: up, window: 1h, within: 4h, for: 1h}",
    "Fell: {kind: change, metric: balance, offset: 1h, direction: up, below: -10%, for: 1m, by: [x]}",
    "Listed: {kind: ratio, bad: 'l_total{code=~\"5..\"}', total: 'l_total{code=~\"2..|5..\"}', above: 5%, for: 1m}",
    "Named: {kind: ratio, bad: 'n_total{a=\"200\"}', total: 'n_total{a=~\"200|500\"}', above: 5%, for: 1m}",
    "All: {kind: ratio, bad: 'a_total{code=~\"5..\"}', total: a_total, at_least: 100%, for: 1m}",
    "Enough: {kind: ratio, bad: b_total, total: c_total, equals: 100%, min_events: 10, for: 1m}",
    "Quiet: {kind: increase, counter: q_total, equals: 0, for: 1m}",
    "Silent: {kind: increase, counter: u_total, at_most: 0, for: 1m}",
    "Odds: {kind: increase, counter: o_total, outside: [2, 10], for: 1m}",
    "Little: {kind: change, metric: little, offset: 1h, above: 0.12%, for: 1m}",
    "Later: {kind: change, metric: later_seconds, offset: 1h, mode: absolute, above: 100ms, for: 1m}",
    'Web: {kind: down, up: \'up{job="a", instance=~"web-.*"}\', share: 10%, for: 1m}',
    'Pair: {kind: down, up: \'up{job="c", instance=~"x|y"}\', share: 10%, for: 1m}',
    "Whole: {kind: down, job: [a, b], share: 100%, by: [code, service], for: 0s}",
    "Half: {kind: down, job: [a, b], share: 50%, by: [], missing: alert, for: 1m}",
    "Both: {kind: down, job: [a, b], share: 50%, by: [instance, target], for: 1m}",
    "Zone: {kind: down, job: x.y, by: [region], missing: alert, where: 'zone=\"z\"', for: 0s}",
    "Each: {kind: down, job: [a, b], missing: alert, for: 1m}",
    "Every: {kind: down, up: up, share: 10%, by: [instance], missing: alert, for: 1m}",
    "Shared: {kind: ratio, bad: 's_total{e=\"<< e >>\"}', total: s_total, above: 5%, for_each: {e: [p, q]}, for: 1m}",
    "Part: {kind: ratio, used: 'pods{phase=\"Failed\"}', limit: pods, below: {info: 5%, warning: 0.5%}, for: 1m}",
    "Filled: {kind: ratio, used: 'w_bytes{a=\"b\"}', limit: w_bytes, equals: 100%, for: 3h, missing: alert, by: [x]}",
    "Parts: {kind: ratio, used: 'parts{e=\"<< e >>\"}', limit: parts, above: 33%, for_each: {e: [p, q]}, for: 1m}",
    'Prod: {kind: ratio, bad: \'prod_total{c=~"5..", env="prod"}\', total: prod_total, above: 5%, by: [c], for: 1m}',
    "Two: {kind: ratio, bad: 'bad_total{c=~\"5..\"}', total: 'two_total{c=~\"2..|5..\"}', above: 5%, by: [c], for: 1m}",
    "Band: {kind: latency, histogram: h_seconds, outside: [100ms, 2s], for: 1m}",
    "Rare: {kind: burn_rate, objective: 99.999%, ratio: {good: g_total, total: t_total}, for: 1m,"
    " windows: [{severity: warning, long: 1h, short: 5m, budget: 1%}]}",
    "Mode: {kind: threshold, metric: mode, equals: {warning: 1, critical: 2}, for: 1m}",
    "Top: {kind: latency, histogram: top_seconds, buckets: [0.1, 0.3], equals: 300ms, for: 1m}",
    "Few: {kind: latency, histogram: few_seconds, buckets: [0.1, 0.3], not_equals: 300ms, for: 0s, min_rate: 3/s}",
    "Tenth: {kind: change, metric: tenth_seconds, offset: 1h, mode: absolute, equals: 100ms, for: 1m}",
    "Moved: {kind: change, metric: moved, offset: 1h, mode: absolute, not_equals: 0, for: 1m}",
    "Flaps: {kind: circuit_breaker, metric: flaps, flapping: 7, window: 2m, for: 1m}",
    "Often: {kind: circuit_breaker, metric: often, flapping: 20, for: 1m}",
    "Long: {kind: latency, histogram: long_seconds, quantile: 0.5, above: {warning: 1s, critical: 1h}, for: 1m}",
    "Slack: {kind: rate, counter: slack_total, below: 1/s, for: 70m, missing: alert, by: [x]}",
    "Lag: {kind: threshold, metric: lag, above: 1, for: 3h, missing: alert, by: [x]}",
    "Now: {kind: stale, timestamp: now_seconds, above: 0, for: 1m}",
    "Again: {kind: stale, timestamp: again_seconds, above: 10m, clear: 5m, for: 1m}",
    "Day: {kind: stale, metric: day, above: 86401s, for: 0s}",
    "Uneven: {kind: increase, counter: uneven_total, window: 31s, for: 1h, by: [x]}",
    "Mean: {kind: threshold, metric: mean, over: avg, window: 1d, above: 100, for: 5m}",
    "Wide: {kind: rate, counter: wide_total, window: 12h, above: 5, for: 1m, keep_firing_for: 30m}",
    "Noted: {kind: rate, counter: noted_total, at_most: 0, window: 5m, by: [x], missing: alert, for: 1m,"
    ' labels: {note: "of {{ $labels.x }}", only: "{{ $labels.x }}", empty: ""}}',
    "Sinks: {kind: rate, counter: sinks_total, below: {warning: 3/s, critical: 1/h}, for: 31s, keep_firing_for: 1m}",
    "Brief: {kind: increase, counter: brief_total, window: 31s, for: 0s, keep_firing_for: 2m}",
    "Filling: {kind: rate, counter: filling_total, window: 90m, at_most: {warning: 3/s, critical: 2/min}, by: [x],"
    " for: 0s, keep_firing_for: 30m}",
    "Kept: {kind: threshold, metric: kept, over: max, window: 31s, above: 5, clear: 4, for: 1h}",
    "Apart: {kind: increase, counter: apart_total, above: {warning: 0, critical: 2}, window: 10m, for: 7m}",
    "Adjoining: {kind: rate, counter: adjoining_total, above: {warning: 1000/s, critical: 1001/s}, for: 1m}",
    "Any: {kind: rate, counter: any_total, window: 15m, above: 0/s, per: min, for: 1m}",
    "Ahead: {kind: increase, counter: ahead_total, window: 2m, at_most: 1000, by: [x], for: 30s, keep_firing_for: 30m}",
    "Afterwards: {kind: rate, counter: afterwards_total, window: 7m, below: 2/min, for: 1m}",
    "Alone: {kind: burn_rate, objective: 99.9%, latency: {histogram: alone_seconds, under: 300ms}, for: 2m,"
    " windows: [{severity: critical, long: 30m, short: 5m, budget: 2%},"
    " {severity: warning, long: 1h, short: 10m, budget: 3%}]}",
    "AllOrNone: {kind: ratio, good: aon_total, total: aon_all_total, equals: {warning: 0%, critical: 100%},"
    " window: 10m, min_events: 10, for: 1m}",
    "Amid: {kind: latency, histogram: amid_seconds, buckets: [1, 60, 7200], quantile: 0.99,"
    " below: {warning: 1h, critical: 1s}, for: 5m, summary: '{{ printf \"%.2f\" $value }}'}",
    "Around: {kind: increase, counter: around_total, window: 1h, above: {warning: 1, critical: 5}, for: 2m,"
    " summary: '{{ printf \"%.2f\" $value }}'}",
    "Here: {kind: increase, counter: here_total, window: 1h, above: {warning: 1, critical: 5}, for: 2m, by: [x],"
    ' summary: \'{{ if eq $labels.x "x-1" }}{{ printf "%.2f" $value }}{{ end }}\'}',
    "CFlaps: {kind: circuit_breaker, metric: c_flaps, flapping: 2, window: 2m, for: 15s,"
    " summary: '{{ humanize1024 $value }}'}",
    "CShare: {kind: down, job: [c_one, c_two], share: 90%, missing: alert, for: 1m}",
    "CPicked: {kind: down, up: 'up{job=~\"c_three|c_four\"}', where: 'job!=\"c_three\"', by: [region], share: 20%}",
    "CRepeated: {kind: down, job: c_five, where: 'job=~\".+\"', for: 1m}",
    'CSaid: {kind: absent, metric: \'c_said{a="x",a=~".+"}\', for: 1m}',
    "CZoneless: {kind: threshold, metric: c_zoneless, where: 'zone=\"\"', by: [zone, x], above: 1, missing: alert}",
    "CFolded: {kind: threshold, metric: 'c_folded{a=~\"(?i)abc\"}', above: 1, for: 1m}",
    "CListed: {kind: rate, counter: c_listed_total, above: {warning: 1, critical: 2}, by: [x], for: 1m,"
    ' summary: "{{ $labels }}", labels: {count: "{{ len $labels }}"}}',
    "CEmpty: {kind: down, job: c_empty, for: 1m, summary: '{{ $value }}', labels: {of: '{{ $labels.instance }}'}}",
    'CLonger: {kind: threshold, metric: c_longer, where: \'a=~"x.*",a!="x",b=~"x.*",b=~".*y"\', above: 1, by: [a, b]}',
    "CHuge: {kind: stalled, counter: c_huge_total, window: 2m, while: c_gate == 1e308, for: 1m}",
    "BLeast: {kind: threshold, metric: least, over: min, equals: 5, window: 10m, for: 30s, keep_firing_for: 2m}",
    "BWeek: {kind: stale, timestamp: week_seconds, at_most: 2m, clear: 7d, for: 7m}",
    "BAges: {kind: stale, metric: ages, above: {warning: 30s, critical: 1m}, for: 5m}",
    "BShort: {kind: anomaly, metric: short, window: 5m, sigmas: 4, for: 5m}",
    "BTiny: {kind: anomaly, metric: tiny, window: 1m, sigmas: 4, for: 1m}",
    "BDeep: {kind: drawdown, equity: deep, window: 1d, above: {warning: 5%, critical: 33%}, for: 6h}",
    "BSlight: {kind: drawdown, equity: slight, window: 1d, above: {warning: 0%, critical: 0.1%}, for: 2m}",
    "BLasts: {kind: threshold, metric: lasts, above: 5, for: 1d, by: [x], missing: alert, keep_firing_for: 15s}",
    "BDays: {kind: threshold, metric: days, above: 5, for: 5d, by: [x], missing: alert}",
)
# What cannot be proven is said, with the reason.
UNPROVEN = {
    "Apace: {kind: rate, counter: apace_total, window: 1m, above: 1/s, by: [x], for: 1d, missing: alert}":
        "it looks back too far beside its `for`: promtool does not load as many samples as a proof would need",
    "Flat: {kind: change, metric: users, offset: 1h, direction: up, below: 10%, for: 1m}":
        "kind `change` has no stimulus for what fires while nothing changes",
    "Half: {kind: anomaly, metric: orders, window: 6h, sigmas: 0.5, for: 1m}":
        "kind `anomaly` has no stimulus for so few sigmas: what is usual is now and then that far from its mean",
    "Peak: {kind: drawdown, equity: worth, window: 1h, below: 10%, for: 1m}":
        "kind `drawdown` has no stimulus for what fires at the peak itself",
    "Dense: {kind: increase, counter: hits_total, above: 100, window: 30d, for: 30s}":
        "it looks back too far beside its `for`: promtool does not load as many samples as a proof would need",
    "Unseen: {kind: stale, metric: unseen, above: 30d, for: 1h}":
        "kind `stale` has no stimulus for so long an age of a metric: promtool does not load as many samples",
    "BSeen: {kind: stale, metric: seen, below: 30s, for: 1m}":
        "kind `stale` has no stimulus for what fires while the metric is there",
    "BMemory: {kind: rate, counter: memory_total, window: 31s, above: 5, for: 1d, by: [x], missing: alert}":
        "it looks back too far beside its `for`: promtool does not load as many samples as a proof would need",
    "Ancient: {kind: stale, timestamp: ancient_seconds, above: 90d, for: 1m}":
        "it looks back so far that its `for` is proven at evaluations too far apart for anything shorter",
    "Month: {kind: change, metric: month, offset: 10d, above: 50%, for: 5m}":
        "it looks back so far that its `for` is proven at evaluations too far apart for anything shorter",
    "CGreek: {kind: threshold, metric: 'c_greek{a=~\"\\\\p{Greek}+\"}', above: 1, for: 1m}":
        'no labels were found that `c_greek{a=~"\\\\p{Greek}+"}` selects',
    "CApart: {kind: ratio, bad: 'c_a_total{x=~\"[4-5]..\"}', total: 'c_b_total{x=~\"[2-3]..\"}', by: [x], above: 5%}":
        "no `x` was found that all its selectors select",
    "COwn: {kind: threshold, metric: ALERTS, above: 10, aggregate: sum, for: 1m}":
        "it reads `ALERTS` of its own, which no series can stand for",
    "CSelf: {kind: stalled, counter: c_self_total, while: c_self_total > 0, for: 1m}":
        "kind `stalled` has no stimulus for a gate that its own counter holds",
}  # fmt: skip


@pytest.mark.parametrize("promtool", versions("promtool"))
def test_proofs_of_valid_specs_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promtool: Path) -> None:
    monkeypatch.chdir(small(tmp_path, *ALERTS))
    problems = Problems()
    run = Run(inspect("promtool", promtool, "test"), tmp_path / "keep")
    found = [event for event in prove(systems_of(tmp_path), run, problems) if isinstance(event, results.Result)]
    assert not problems
    assert {result.alert for result in found} == {alert.partition(":")[0] for alert in ALERTS}
    assert [result.id for result in found if not result.passed] == []
    assert {result.case for result in found if result.alert == "Good"} >= {"just-past", "recovers"}


@pytest.mark.parametrize("promtool", versions("promtool"))
def test_an_age_is_looked_at_once_a_scrape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promtool: Path) -> None:
    """However much more often rules are evaluated: a last sample is seen late, though not as an older one."""
    monkeypatch.chdir(
        small(tmp_path, *(f"Age{i}: {{kind: stale, metric: f{i}, above: {i}m, for: 1m}}" for i in (3, 10)))
    )
    (tmp_path / "alertkit.yaml").write_text("scrape_interval: 1m\n", encoding="utf-8")
    problems = Problems()
    run = Run(inspect("promtool", promtool, "test"), tmp_path / "keep")
    found = [event for event in prove(systems_of(tmp_path), run, problems) if isinstance(event, results.Result)]
    assert not problems
    assert [result.id for result in found if not result.passed] == []
    assert {(result.alert, result.case) for result in found} >= {("Age3", "just-past"), ("Age10", "recovers")}


@pytest.mark.parametrize("promtool", versions("promtool")[:1])
def test_what_cannot_be_proven_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promtool: Path) -> None:
    monkeypatch.chdir(small(tmp_path, *UNPROVEN))
    problems = Problems()
    events = list(prove(systems_of(tmp_path), Run(inspect("promtool", promtool, "test"), tmp_path / "keep"), problems))
    assert not problems
    assert all(event.passed for event in events if isinstance(event, results.Result))
    said = {(event.alert, event.reason) for event in events if isinstance(event, Skipped)}
    assert {(alert.partition(":")[0], reason) for alert, reason in UNPROVEN.items()} <= said
