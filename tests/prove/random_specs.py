"""Alerts by chance, over all kinds and with keys that seldom meet: what compiles must pass its own proofs.

`python -m tests.prove.random_specs 0 500 [KIND ...]` proves the alerts of these seeds (of some kinds), prints the specs
of those that fail with the cases, and keeps the project in which they do.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import yaml

from alertkit.compile.settings import Settings
from alertkit.compile.system import compile_system
from alertkit.kinds import Registry
from alertkit.prove.running.results import Result
from alertkit.prove.running.runner import Run, prove
from alertkit.source import Problems, load
from alertkit.toolchain.tools import Tool, find
from tests.projects import small, systems_of

FILE = 40
WINDOWS = ["31s", "1m", "2m", "5m", "7m", "10m", "15m", "1h", "90m", "6h", "1d"]
HOLDS = ["0s", "15s", "30s", "1m", "2m", "5m", "7m", "30m", "1h", "6h", "1d"]
SHARES = ["0%", "0.1%", "1%", "5%", "33%", "50%", "90%", "99.9%", "100%"]
COUNTS: list[Any] = [0, 1, 2, 5, 10, 100, 1000, 0.5, 0.001]
RATES: list[Any] = ["0/s", "1/h", "2/min", "0.5/s", "1/s", "3/s", "1000/min"]
SPANS = ["0s", "1ms", "50ms", "250ms", "1s", "10s", "1m", "1h"]
AGES = ["0s", "30s", "2m", "10m", "1h", "26h", "7d"]
TEXTS = [
    "now {{ $value }}", "now {{ $value | humanize }}", "{{ $value | humanizePercentage }} of it", "flat",
    "{{ $value | humanizeDuration }}", '{{ printf "%.2f" $value }}', "{{ humanize1024 $value }}", "at << threshold >>",
    "{{ if gt $value 5.0 }}many{{ else }}few{{ end }}",
]  # fmt: skip


def alert(seed: int) -> dict[str, Any]:
    """The keys of one alert; some of these do not go together, and such an alert is refused."""
    some = Random(seed)
    kind = some.choice(sorted(KINDS))
    metric = f"{kind}_{seed}"
    made: dict[str, Any] = {"kind": kind, **KINDS[kind](some, metric)}
    if kind != "expr" and some.random() < 0.5 and "by" not in made:
        made["by"] = some.choice([["x"], ["x", "y"], ["instance"], ["job", "instance"], ["job"], []])
    made["for"] = some.choice(HOLDS[:7] if some.random() < 0.8 else HOLDS)
    if some.random() < 0.3:
        made["missing"] = "alert"
    if some.random() < 0.15:
        made["keep_firing_for"] = some.choice(HOLDS[1:8])
    if some.random() < 0.4:
        made["summary"] = some.choice(TEXTS)
    if some.random() < 0.15:
        made["labels"] = some.choice([{"note": "of {{ $labels.x }}"}, {"tier": "gold"}, {"shown": "{{ $value }}"}])
    if some.random() < 0.15 and kind not in ("down", "expr", "heartbeat"):
        made["where"] = some.choice(['zone="z"', 'zone=~"a|b"', 'zone!="q"', 'zone!~"q.*"', 'zone=~".+"', 'zone=""'])
    if some.random() < 0.1:
        made["for_each"] = {"env": ["p", "q"]}
        made.setdefault("where", 'env="<< env >>"')
    return made | _common(Random(f"{seed} common"), made, metric)


def _common(some: Random, made: dict[str, Any], metric: str) -> dict[str, Any]:
    """Common keys that few alerts have, and matchers on the labels by which an alert is split."""
    more: dict[str, Any] = {}
    if some.random() < 0.1:
        more["severity"] = some.choice(["info", "critical"])
    if some.random() < 0.1:
        more["annotations"] = {"shown": some.choice(TEXTS), "where": "{{ range $k, $v := $labels }}{{ $k }} {{ end }}"}
    for key in ("metric", "counter", "equity", "timestamp"):
        if made.get(key) == metric and some.random() < 0.2:
            more[key] = metric + some.choice(['{x="a"}', '{x=~"a|b",y!=""}', '{x=~"(?i)[a-c]+\\\\d"}', '{x!~"x-1|y"}'])
    if "where" not in made and some.random() < 0.15:
        more["where"] = some.choice([{"x": ["a", "b"]}, {"job": "j"}, 'instance=~".+:9090"', {"replica": 1}, 'x=""'])
    if "for_each" in made and some.random() < 0.3:
        more |= some.choice([{"for_each": {"x": ["a", "b"]}, "where": 'x=~"<< x >>.?"'}, {"by": ["env", "x"]}])
    if some.random() < 0.1:
        more["unless"] = {"alert": f"Cause{metric.rpartition('_')[2]}", "pending": some.random() < 0.5}
    return more


def cause(seed: int) -> dict[str, Any] | None:
    """The alert that explains this one away, if there is one; mostly of a metric that both read."""
    some, made = Random(f"{seed} cause"), alert(seed)
    if "unless" not in made:
        return None
    shared = made.get("metric") or made.get("timestamp")
    metric = shared if shared and some.random() < 0.7 else f"cause_{seed}"
    found: dict[str, Any] = {"kind": "threshold", "metric": metric, "above": 9_000_000_000, "for": some.choice(HOLDS)}
    for key in ("by", "for_each", "where"):
        if key in made and some.random() < 0.7:
            found[key] = made[key]
    return found


def _condition(some: Random, values: list[Any], clear: bool = True) -> dict[str, Any]:
    """One condition, with one level or several."""
    name = some.choice(["above"] * 4 + ["below"] * 3 + ["at_least", "at_most", "equals", "not_equals", "outside"])
    at = sorted(some.sample(range(len(values)), 2))
    low, high = (values[place] for place in at)
    if name == "outside":
        return {name: [low, high]}
    if some.random() < 0.4:
        first, second = (high, low) if name in ("below", "at_most") else (low, high)
        return {name: {"warning": first, "critical": second}}
    found: dict[str, Any] = {name: some.choice(values)}
    if clear and some.random() < 0.2:
        found = {name: high, "clear": low} if name in ("above", "at_least") else {name: low, "clear": high}
    return found


def _threshold(some: Random, metric: str) -> dict[str, Any]:
    made = {"metric": metric, **_condition(some, COUNTS)}
    if some.random() < 0.4:
        made |= {"over": some.choice(["avg", "max", "min"]), "window": some.choice(WINDOWS)}
    if some.random() < 0.4:
        made["aggregate"] = some.choice(["max", "min", "avg", "sum"])
    return made


def _breaker(some: Random, metric: str) -> dict[str, Any]:
    made: dict[str, Any] = {"metric": metric, "open": some.choice([1, 2])}
    if some.random() < 0.5:
        made |= {"flapping": some.choice([1, 2, 4, 10]), "window": some.choice(WINDOWS)}
    elif some.random() < 0.5:
        made |= {"state": some.choice(["half_open", "not_closed"]), "half_open": 3 - int(made["open"])}
    return made


def _drawdown(some: Random, metric: str) -> dict[str, Any]:
    if some.random() < 0.2:
        return {"metric": f"{metric}_ratio", **_condition(some, SHARES)}
    return {"equity": metric, "window": some.choice(WINDOWS), **_condition(some, SHARES)}


def _latency(some: Random, metric: str) -> dict[str, Any]:
    source = some.choice(["histogram", "histogram", "native_histogram", "summary_metric", "gauge"])
    made = {source: f"{metric}_seconds", **_condition(some, SPANS)}
    if source != "gauge" and some.random() < 0.5:
        made["quantile"] = some.choice([0, 0.5, 0.9, 0.99, 0.999, 1])
    if "histogram" in source:
        made["window"] = some.choice(WINDOWS)
    if source != "gauge" and some.random() < 0.4:
        made["min_rate"] = some.choice(RATES[1:])
    if source == "histogram" and some.random() < 0.3:
        made["buckets"] = some.choice([["100ms", "1s", "10s"], [0.25], ["50ms", "250ms", "1s", "1m", "2h"]])
    return made


def _ratio(some: Random, metric: str) -> dict[str, Any]:
    one, two = some.choice([("bad", "total"), ("good", "bad"), ("good", "total"), ("used", "limit")])
    made: dict[str, Any] = {one: f"{metric}_{one}", two: f"{metric}_{two}", **_condition(some, SHARES)}
    if some.random() < 0.4:
        made |= {one: metric + '_total{code=~"5.."}', two: f"{metric}_total"}
        if two == "bad":
            made[two] = metric + '_total{code!~"5.."}'
    if one != "used":
        made["window"] = some.choice(WINDOWS)
        if some.random() < 0.3:
            made["min_events"] = some.choice([1, 10, 1000])
    return made


def _rate(some: Random, metric: str) -> dict[str, Any]:
    made = {"counter": f"{metric}_total", "window": some.choice(WINDOWS), **_condition(some, RATES)}
    return made | ({"per": some.choice(["min", "h"])} if some.random() < 0.3 else {})


def _increase(some: Random, metric: str) -> dict[str, Any]:
    made: dict[str, Any] = {"counter": f"{metric}_total", "window": some.choice(WINDOWS)}
    return made | (_condition(some, COUNTS[:7]) if some.random() < 0.7 else {})


def _stalled(some: Random, metric: str) -> dict[str, Any]:
    made: dict[str, Any] = {"counter": f"{metric}_total", "window": some.choice(WINDOWS)}
    return made | ({"while": some.choice(["on_duty == 1", "on_duty > 0"])} if some.random() < 0.5 else {})


def _stale(some: Random, metric: str) -> dict[str, Any]:
    source = some.choice([{"timestamp": f"{metric}_timestamp_seconds"}, {"metric": metric}])
    return {**source, **_condition(some, AGES)}


def _down(some: Random, metric: str) -> dict[str, Any]:
    made: dict[str, Any] = some.choice([
        {"job": metric}, {"job": [metric, f"{metric}_b"]}, {"up": f'up{{job="{metric}"}}'},
        {"up": f'up{{job=~"{metric}|{metric}_b"}}'},
    ])  # fmt: skip
    if some.random() < 0.4:
        made["share"] = some.choice(SHARES[2:])
    if some.random() < 0.4:
        made["by"] = some.choice([["job"], ["instance"], ["job", "instance"], ["region"], []])
    return made


def _absent(some: Random, metric: str) -> dict[str, Any]:
    sets = [{"expected": [{"x": "a"}, {"x": "b"}]}, {"expected": [{"x": "a", "y": "c"}]}, {}, {}]
    return {"metric": metric, **some.choice(sets)}


def _change(some: Random, metric: str) -> dict[str, Any]:
    mode = some.choice(["relative", "absolute"])
    condition = _condition(some, SHARES if mode == "relative" else COUNTS, clear=False)
    direction = some.choice(["up", "down", "both"])
    return {"metric": metric, "offset": some.choice(WINDOWS[1:]), "mode": mode, "direction": direction, **condition}


def _forecast(some: Random, metric: str) -> dict[str, Any]:
    made = {"metric": metric, "window": some.choice(WINDOWS[1:]), "within": some.choice(["10m", "4h", "1d"])}
    return made | {"limit": some.choice(COUNTS), "direction": some.choice(["up", "down"])}


def _anomaly(some: Random, metric: str) -> dict[str, Any]:
    made = {"metric": metric, "window": some.choice(WINDOWS[3:]), "sigmas": some.choice([2, 3, 4, 6])}
    if some.random() < 0.2:
        made["season"] = some.choice(["1d", "1w"])
    return made | {"direction": some.choice(["up", "down", "both"])}


def _burn_rate(some: Random, metric: str) -> dict[str, Any]:
    made: dict[str, Any] = {"objective": some.choice(["90%", "99%", "99.9%", "99.95%"])}
    if some.random() < 0.7:
        made["ratio"] = {"bad": f"{metric}_bad_total", "total": f"{metric}_total"}
    else:
        made["latency"] = {"histogram": f"{metric}_seconds", "under": "300ms"}
    if some.random() < 0.5:
        made["windows"] = [
            {"severity": "critical", "long": "30m", "short": "5m", "budget": "2%"},
            {"severity": "warning", "long": "1h", "short": "10m", "budget": "3%"},
        ][some.choice([0, 1]) :]
    return made | ({"period": "7d"} if some.random() < 0.3 else {})


KINDS: dict[str, Callable[[Random, str], dict[str, Any]]] = {
    "threshold": _threshold, "circuit_breaker": _breaker, "drawdown": _drawdown, "latency": _latency, "ratio": _ratio,
    "rate": _rate, "increase": _increase, "stalled": _stalled, "stale": _stale, "down": _down, "absent": _absent,
    "change": _change, "forecast": _forecast, "anomaly": _anomaly, "burn_rate": _burn_rate,
}  # fmt: skip


def line(seed: int) -> str:
    """The alert of a seed as YAML, and in a second line what explains it away."""
    other = cause(seed)
    text = f"Alert{seed}: {_flow(alert(seed))}"
    return text if other is None else f"{text}\n  Cause{seed}: {_flow(other)}"


def _flow(made: dict[str, Any]) -> str:
    return yaml.safe_dump(made, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True).strip()


def valid(seeds: Iterable[int]) -> dict[int, str]:
    """The alerts that compile, by their seed."""
    found = {}
    for seed in seeds:
        text = f"system: demo\nalerts:\n  {line(seed)}\n"
        document = load(text, "demo.yaml", problems := Problems())
        assert document is not None, text
        if compile_system(document, "demo.yaml", Registry(), Settings(), problems) is not None:
            found[seed] = line(seed)
    return found


def failing(folder: Path, alerts: dict[int, str], promtool: Tool) -> list[Result]:
    """The cases that fail, of alerts that are put into a project in `folder`."""
    rows = list(alerts.values())
    for start in range(0, len(rows), FILE):
        small(
            folder,
            *(row.replace("\n  ", "\n") for row in rows[start : start + FILE]),
            system=f"part_{start // FILE:03}",
            defaults="{}",
        )
    (folder / "alertkit.yaml").write_text("{}\n", encoding="utf-8")
    os.chdir(folder)
    run = Run(promtool, folder / "keep")
    events = list(prove(systems_of(folder), run, problems := Problems()))
    assert not problems, list(problems)
    return [event for event in events if isinstance(event, Result) and not event.passed]


def main(first: int, last: int, kinds: list[str]) -> None:
    promtool = find("promtool")
    assert promtool is not None
    alerts = valid(seed for seed in range(first, last) if not kinds or alert(seed)["kind"] in kinds)
    folder = Path(tempfile.mkdtemp(prefix="random-specs-"))
    failed = failing(folder, alerts, promtool)
    names = {f"{word}{seed}": text for seed, text in alerts.items() for word in ("Alert", "Cause")}
    for name in dict.fromkeys(result.alert for result in failed):
        print(names[name])
        for result in failed:
            if result.alert == name:
                print(f"  {result.id}", *result.details, sep="\n    ")
    print(f"{len(alerts)} are valid, {len({result.alert for result in failed})} of them fail: {folder}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
