"""Specs for benches: any number of alerts of all kinds, about 400 bytes each, the same at every run.

Common kinds come more often than rare ones. Metrics, alerts and prose are all different; thresholds and durations
come from the few values that people use, as in real projects.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

SIZES = ("256MiB", "512MiB", "1GiB", "2GiB", "4GiB", "8GiB", "16GiB")
SHARES = ("0.5%", "1%", "2%", "5%", "10%", "20%")
TIMES = ("100ms", "250ms", "500ms", "1s", "2s", "5s")
WINDOWS = ("5m", "10m", "15m", "30m", "1h")
HOLDS = ("1m", "2m", "5m", "10m")

# One cycle of alerts, a blank line between two; `$m` begins the names of an alert's metrics.
COMMON = """
kind: threshold
metric: '${m}_memory_bytes{job="$m"}'
above: {warning: $size, critical: 32GiB}
clear: 128MiB
by: [instance]

kind: ratio
bad: ${m}_errors_total
total: ${m}_requests_total
window: $window
above: $share
by: [service, region]

kind: latency
histogram: ${m}_duration_seconds
quantile: 0.99
window: $window
above: {warning: $time, critical: 10s}
by: [handler]
min_rate: 1/s

kind: rate
counter: ${m}_events_total
window: $window
above: $count/s
by: [instance, topic]
missing: alert

kind: stale
timestamp: ${m}_last_run_timestamp_seconds
above: {warning: 20m, critical: 2h}
by: [job]
"""
RARE = """
kind: circuit_breaker
metric: ${m}_breaker_state
open: 2
half_open: 1
by: [name]

kind: drawdown
equity: ${m}_balance
window: 1h
above: $share
by: [portfolio]

kind: increase
counter: ${m}_rejects_total
window: $window
above: $count
by: [reason]

kind: stalled
counter: ${m}_processed_total
window: $window
by: [worker]
while: '${m}_up == 1'

kind: down
job: $m

kind: threshold
metric: ${m}_temperature
outside: [5, ${count}5]
over: avg
window: $window
by: [room]

kind: absent
metric: ${m}_build_info
expected: [{exchange: a}, {exchange: b}]

kind: change
metric: ${m}_open_positions
offset: 1h
direction: down
above: $share
by: [currency]

kind: forecast
metric: ${m}_avail_bytes
limit: 0
window: 6h
within: 24h
by: [instance, mountpoint]

kind: ratio
used: ${m}_connections
limit: ${m}_connections_limit
above: 90%
by: [pool]

kind: anomaly
metric: ${m}_trades
window: 1d
sigmas: 4
by: [exchange]

kind: burn_rate
objective: 99.9%
ratio: {bad: '${m}_calls_total{code=~"5.."}', total: ${m}_calls_total}
by: [service]

kind: expr
expr: sum by (queue) (${m}_queue_length) > $count * 100

kind: heartbeat
receiver: deadman
"""


def _cycle() -> list[Template]:
    common, rare = (text.strip().split("\n\n") for text in (COMMON, RARE))
    mixed = [kind for index, one in enumerate(rare) for kind in (common[index % 5], common[(index + 2) % 5], one)]
    return [Template(kind.replace("\n", "\n    ")) for kind in mixed]


KINDS = _cycle()


def alert(number: int) -> str:
    """One alert of a spec file."""
    kind = KINDS[number % len(KINDS)].substitute(
        m=f"app_{number}", count=number % 9 + 1, window=WINDOWS[number % len(WINDOWS)],
        share=SHARES[number % len(SHARES)], time=TIMES[number % len(TIMES)], size=SIZES[number % len(SIZES)],
    )  # fmt: skip
    return (
        f"  Application{number}NeedsAttention:\n    {kind}\n    for: {HOLDS[number % len(HOLDS)]}\n"
        f"    summary: \"Application {number} reads {{{{ $value | humanize }}}}\"\n"
        f"    description: >-\n      Part {number} of the system does not do what it should; its owner knows it best,"
        f" and the runbook says\n      what was found out the last time and whom to ask.\n"
    )  # fmt: skip


def write_specs(folder: Path, alerts: int, files: int) -> list[Path]:
    """Write a project's spec files into `folder/rules_src`; their paths."""
    place = folder / "rules_src"
    place.mkdir(parents=True)
    (folder / "alertkit.yaml").write_text("scrape_interval: 15s\n", encoding="utf-8")
    each = alerts // files
    paths = []
    for index in range(files):
        head = (
            f"system: system_{index:03}\nteam: team_{index % 7}\nrunbooks: https://runbooks.example.com/s{index}\n"
            "defaults: {for: 5m, severity: warning}\nalerts:\n"
        )
        paths.append(place / f"system_{index:03}.yaml")
        body = "".join(alert(number) for number in range(index * each, (index + 1) * each))
        paths[-1].write_text(head + body, encoding="utf-8")
    return paths
