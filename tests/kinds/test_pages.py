"""Every kind's docstring is its reference page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alertkit.kinds import Registry, describe
from tests.kinds.compiled import compiled


@pytest.mark.parametrize("name", list(Registry()))
def test_every_built_in_kind_has_a_page(name: str) -> None:
    kind = Registry()[name]
    page = describe.page(kind)
    first, blank, *_ = page.split("\n")
    assert first.endswith(".") and blank == ""
    for section in ("Parameters\n", "PromQL[:,] ", "Pitfalls: ", "Example\n", "Source: "):
        assert re.search(rf"^{section}", page, re.MULTILINE), f"{name} lacks `{section.strip()}`"
    body = page.split("Parameters\n", 1)[1].split("\n\n", 1)[0]
    assert all(row.startswith("  ") for row in body.split("\n"))
    undocumented = [row.name for row in describe.parameters(kind) if not re.search(rf"\b{row.name}\b", page)]
    assert undocumented == []


@pytest.mark.parametrize(
    ("spec", "summary"),
    [
        ("{kind: threshold, metric: lag_seconds, above: 90s}", "lag_seconds is {{ $value | humanizeDuration }}"),
        ("{kind: threshold, metric: lag_ms, above: 90s}", "lag_ms is {{ $value | humanize }} ms"),
        ("{kind: threshold, metric: disk_ratio, above: 90%}", "disk_ratio is {{ $value | humanizePercentage }}"),
        ("{kind: threshold, metric: cpu, unit: '%', above: 90%}", "cpu is {{ $value | humanize }}%"),
        ("{kind: threshold, metric: memory_bytes, above: 1GB}", "memory_bytes is {{ $value | humanize }}B"),
        ("{kind: threshold, metric: queue, above: 5}", "queue is {{ $value | humanize }}"),
        ("{kind: rate, counter: out_bytes_total, above: 1MB/s}", "out_bytes_total rises by {{ $value | humanize }}B/s"),
        ("{kind: rate, counter: x_total, per: min, above: 1/min}", "x_total rises by {{ $value | humanize }}/min"),
        ("{kind: change, metric: size_mb, offset: 1h, mode: absolute, above: 5GB}",
         "size_mb changed by {{ $value | humanize }} MB against 1h ago"),
        ("{kind: latency, gauge: ping_ms, above: 1s}", "latency is {{ $value | humanize }} ms"),
    ],
)  # fmt: skip
def test_the_default_summary_says_the_unit(spec: str, summary: str, tmp_path: Path) -> None:
    system, drawn = compiled(f"system: demo\nalerts:\n  A: {spec}\n", {}, tmp_path)
    assert system is not None, drawn
    assert dict(system.alerts[0].rules[0].annotations)["summary"] == summary


@pytest.mark.parametrize("name", list(Registry()))
def test_the_example_of_a_page_compiles(name: str, tmp_path: Path) -> None:
    page = describe.page(Registry()[name])
    example = page.split("Example\n", 1)[1].split("\n\n", 1)[0]
    system, drawn = compiled(f"system: demo\nalerts:\n{example}\n", {}, tmp_path)
    assert system is not None, drawn
    assert f"kind: {name}," in example


def test_types_in_words() -> None:
    rows = {row.name: row for row in describe.parameters(Registry()["threshold"])}
    assert rows["metric"].type == "metric" and rows["metric"].default is None
    assert rows["window"].type == "duration" and rows["window"].default == "none"
    assert rows["aggregate"].type == "one of max, min, avg, sum"
    assert rows["over"].default == "last"
    assert next(row for row in describe.parameters(Registry()["rate"]) if row.name == "window").default == "5m"
