"""Routing: answers a second in process, against one amtool process each; a whole `route --check`.

`python -m bench.routing` prints the figures.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from alertkit.compile.route_tree import compile_routing
from alertkit.compile.routing import Routable, Routing
from alertkit.emit.alertmanager import alertmanager_yaml
from alertkit.routing.answer import Oracle
from alertkit.routing.check import check
from alertkit.routing.situations import situations
from alertkit.source import Problems, Span, load
from alertkit.spec.routing import Loaded, load_routing
from alertkit.toolchain import find

TEAMS, SYSTEMS, ALERTS, AMTOOL_CALLS = 250, 100, 10_000, 20


def routing_file() -> Loaded:
    """1,000 routes: each of 250 teams with one for critical alerts to two receivers, and one by a regex."""
    rows = ["receivers:"]
    rows += [f'  r{i}: {{slack: {{channel: "#r{i}", webhook_file: /s/slack}}}}' for i in range(50)]
    rows += ["default: r0", "routes:"]
    for i in range(TEAMS):
        rows += [
            f"  - match: {{team: t{i}}}", f"    to: r{i % 50}", "    routes:",
            f"      - {{match: {{severity: critical}}, to: [r{(i + 1) % 50}, r{(i + 2) % 50}]}}",
            f"      - {{match: {{job: '=~ api-.*|web-{i}.+'}}, to: r{i % 49}}}",
        ]  # fmt: skip
    problems = Problems()
    document = load("\n".join(rows), "routing.yaml", problems)
    loaded = document and load_routing(document, problems)
    assert loaded, problems
    return loaded


def alerts() -> list[Routable]:
    def level(index: int, severity: str) -> dict[str, str]:
        return {
            "alertname": f"A{index}", "severity": severity,
            "team": f"t{index % TEAMS}", "system": f"s{index % SYSTEMS}",
        }  # fmt: skip

    return [
        Routable(f"A{i}", f"s{i % SYSTEMS}", (level(i, "warning"), level(i, "critical")), ("job",), Span("x", i + 1, 1))
        for i in range(ALERTS)
    ]


def seconds(action: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def amtool_seconds(routing: Routing, sets: list[dict[str, str]]) -> float | None:
    """Seconds of one `amtool config routes test` process; None when there is no amtool."""
    amtool = find("amtool")
    if amtool is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "alertmanager.yml"
        config.write_text(alertmanager_yaml(routing), encoding="utf-8")
        begin = time.perf_counter()
        for labels in sets:
            words = [f"{name}={value}" for name, value in labels.items()]
            subprocess.run(
                [amtool.path, "config", "routes", "test", f"--config.file={config}", *words],
                check=True,
                capture_output=True,
            )
        return (time.perf_counter() - begin) / len(sets)


def figures() -> list[tuple[str, str]]:
    """What was measured, and its figure."""
    loaded, routables = routing_file(), alerts()
    problems = Problems()
    plain = compile_routing([loaded], (), problems)
    routing = compile_routing([loaded], routables, problems)
    assert plain and routing, problems
    oracle, levels = Oracle(routing), situations(routables)
    sets = [{**level.labels, "job": f"web-{index % 300}x"} for index, level in enumerate(levels)]
    answers = len(sets) / seconds(lambda: [oracle.router.receivers(labels) for labels in sets])
    each = amtool_seconds(plain, sets[:: len(sets) // AMTOOL_CALLS])
    count = f"{len(oracle.router.nodes) - 1:,} routes"
    checked = seconds(lambda: check(oracle, levels, [loaded]))
    return [
        (f"route answers, in process, {count}", f"{answers:,.0f}/s"),
        ("route answers, one amtool each", f"{1 / each:,.0f}/s ({answers * each:,.0f} times slower)" if each else "-"),
        (f"route --check, {count} x {len(levels):,} levels", f"{checked:.2f} s"),
        ("compiling that routing", f"{seconds(lambda: compile_routing([loaded], routables, Problems())):.2f} s"),
        ("writing its alertmanager.yml", f"{seconds(lambda: alertmanager_yaml(routing)):.2f} s"),
    ]  # fmt: skip


if __name__ == "__main__":
    for what, figure in figures():
        print(f"{what:60} {figure}")
