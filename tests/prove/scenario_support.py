"""A small project whose scenarios are read and run as `alertkit test` does it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import yaml

from alertkit.build import read_systems
from alertkit.build.scenarios import Scenarios, read_project_scenarios
from alertkit.build.systems import Systems
from alertkit.prove.running.results import Result
from alertkit.prove.running.runner import Run
from alertkit.source import Problems
from alertkit.source.problem import PLAIN, draw_all, forget_files
from alertkit.spec.project import read_project
from alertkit.toolchain import find

SPEC = """\
system: demo
team: ops
alerts:
  BreakerOpen:
    kind: circuit_breaker
    metric: breaker_state
    open: 1
    by: [name]
    for: 2m
    severity: critical
    summary: Breaker of {{ $labels.name }} is open
  HighLatency:
    kind: latency
    histogram: request_duration_seconds
    quantile: 0.95
    window: 5m
    by: [job]
    above: {warning: 1s, critical: 3s}
    for: 2m
    summary: "{{ $labels.job }} needs {{ $value | humanizeDuration }}"
  Errors:
    kind: rate
    counter: errors_total
    where: {env: prod}
    window: 5m
    above: 10/s
    for: 90s
    severity: warning
    summary: "{{ $value | humanize }} errors a second"
  LastTick:
    kind: stale
    timestamp: last_tick_timestamp_seconds
    by: [feed]
    above: 2m
    for: 0s
    severity: warning
    summary: No tick of {{ $labels.feed }}
"""

ROUTING = """\
receivers:
  chat: {slack: {channel: "#ops", webhook_file: /etc/alertmanager/slack}}
  pager: {pagerduty: {routing_key_file: /etc/alertmanager/key}}
default: chat
routes:
  - {match: {severity: critical}, to: [pager]}
"""

HEAD = "system: demo\nscenarios:\n  one:\n"


def versions() -> list[str]:
    """The folders of all promtools: the one on PATH, and those of ALERTKIT_TEST_VERSIONS."""
    folders = [f for f in os.environ.get("ALERTKIT_TEST_VERSIONS", "").split(":") if f]
    found = [shutil.which("promtool"), *(shutil.which("promtool", path=folder) for folder in folders)]
    return [str(Path(path).parent) for path in found if path]


def load(
    folder: Path, scenario: str, spec: str = SPEC, files: dict[str, str] | None = None
) -> tuple[Scenarios, Problems]:
    """A project with one file of scenarios, read; `scenario` is a whole file or the body of one scenario."""
    text = scenario if scenario.startswith(("system:", "rule_files:")) else HEAD + indented(scenario)
    texts = {
        "rules_src/demo.yaml": spec, "alertmanager/routing.yaml": ROUTING, "promtool_tests/demo.yaml": text,
        **(files or {}),
    }  # fmt: skip
    for name, content in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    forget_files()
    problems = Problems()
    project = read_project(folder, problems)
    assert project is not None
    inputs, systems = read_systems(project, problems)
    assert not problems, draw_all(problems)
    return read_project_scenarios(project, inputs, Systems.of(systems), problems), problems


def indented(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in text.rstrip("\n").split("\n"))


def said(problems: Problems) -> str:
    """All problems as they are drawn."""
    return draw_all(problems, PLAIN) + "\n" if problems else ""


def prove(scenarios: Scenarios, folder: Path) -> list[Result]:
    """All results, with the promtool that is found first."""
    tool = find("promtool")
    assert tool is not None
    problems = Problems()
    events = list(scenarios.prove(Run(tool, folder / "keep"), problems))
    assert not problems, said(problems)
    return [event for event in events if isinstance(event, Result)]


def told(results: list[Result]) -> str:
    """Results as text: a line for each, with its place, and what went wrong below."""
    rows = []
    for result in results:
        rows.append(f"{'ok  ' if result.passed else 'FAIL'} {result.span.line}:{result.span.column} {result.case}")
        rows += [f"       {line}" for line in result.details]
    return "\n".join(rows) + "\n"


def table(path: Path) -> list[dict[str, str]]:
    """The cases of a file: a list of mappings of texts."""
    return list(yaml.safe_load(path.read_text(encoding="utf-8")))
