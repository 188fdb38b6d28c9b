"""The scenarios that the repository ships: they pass with every promtool, and notice when a spec is changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from alertkit.build import compile_project, read_systems
from alertkit.build.scenarios import Scenarios, read_project_scenarios
from alertkit.build.systems import Systems
from alertkit.prove.plain.files import prove_plain
from alertkit.prove.plain.folder import plain_files
from alertkit.prove.running.results import Result
from alertkit.prove.running.runner import Run
from alertkit.prove.scenarios.statement import FIRES, INACTIVE, SILENT
from alertkit.source import Problems
from alertkit.source.problem import forget_files
from alertkit.spec.project import Project, read_project
from alertkit.toolchain import Tool, find
from tests.projects import ROOT, shipped
from tests.prove.scenario_support import said, versions

SYSTEMS = ("autonomous_trader", "crypto_stock", "peak_trade", "spark_stacker", "trading_platform")
needs_promtool = pytest.mark.skipif(not versions(), reason="no promtool on PATH")
each_version = pytest.mark.parametrize("folder", versions())


def read(folder: Path) -> tuple[Project, Scenarios]:
    forget_files()
    problems = Problems()
    project = read_project(folder, problems)
    assert project is not None
    inputs, systems = read_systems(project, problems)
    scenarios = read_project_scenarios(project, inputs, Systems.of(systems), problems)
    assert not problems, said(problems)
    return project, scenarios


def promtool() -> Tool:
    tool = find("promtool")
    assert tool is not None
    return tool


def failures(scenarios: Scenarios, folder: Path) -> list[Result]:
    problems = Problems()
    events = list(scenarios.prove(Run(promtool(), folder / "keep"), problems))
    assert not problems, said(problems)
    results = [event for event in events if isinstance(event, Result)]
    assert len(results) > 200
    return [result for result in results if not result.passed]


def test_every_system_tells_three_incidents_with_alerts_that_stay_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    _, scenarios = read(ROOT)
    by_system = {name: [one for one in scenarios.prepared if one.scenario.system == name] for name in SYSTEMS}
    assert sum(map(len, by_system.values())) == len(scenarios.prepared)
    for prepared in by_system.values():
        assert len(prepared) >= 3
        for one in prepared:
            states = [statement.state for statement in one.scenario.statements]
            assert len(one.scenario.lines) >= 3 and len(one.alerts) >= 3
            assert FIRES in states and (INACTIVE in states or SILENT in states)


@needs_promtool
@each_version
def test_they_pass(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("ALERTKIT_TOOLS", folder)
    _, scenarios = read(ROOT)
    assert [result.details for result in failures(scenarios, tmp_path)] == []


CHANGES = [
    ("peak_trade", "by: [name]\n    for: 1m", "by: [name]\n    for: 3m", "CircuitBreakerOpen"),
    ("crypto_stock", "above: 10/s\n    for: 5m", "above: 10/s\n    for: 1m", "HighErrorRate"),
    ("spark_stacker", "warning: 500ms", "warning: 430ms", "HighPingLatency"),
    ("trading_platform", "warning: 10%, critical: 25%", "warning: 35%, critical: 40%", "PipelineFailureRate"),
    ("autonomous_trader", "keep_firing_for: 10m", "keep_firing_for: 30m", "RiskLimitBreached"),
]


@needs_promtool
def test_they_notice_a_changed_spec_at_the_right_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shipped(tmp_path))
    for system, before, after, _ in CHANGES:
        path = tmp_path / "rules_src" / f"{system}.yaml"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
    _, scenarios = read(tmp_path)
    failed = failures(scenarios, tmp_path)
    for system, _, _, alert in CHANGES:
        mine = [result for result in failed if result.system == system]
        assert any(f" {alert}" in result.case for result in mine), (system, [result.case for result in mine])
        for result in mine:
            line = Path(result.span.path).read_text(encoding="utf-8").split("\n")[result.span.line - 1]
            said = result.case.partition(": ")[2].partition("{")[0].split(" ")[0]
            assert said in line and result.details


# Changes of different alerts, and what they break: those of one group are made together.
PINNED = {
    "later or sooner": [
        ("warning: 2000MB", "warning: 2100MB", "memory usage exceeds 2000 MB for 5 minutes"),
        ("above: {warning: 1s,", "above: {warning: 1500ms,", "p95 latency exceeds 1 second for 5 minutes"),
        ("below: 50%\n    for: 10m", "below: 50%\n    for: 5m", "cache hit rate is below 50% for 10 minutes"),
        ("equals: 0\n    for: 2m", "equals: 0\n    for: 1m", "a health check fails for more than 2 minutes"),
        ("by: [name]\n    for: 1m", "by: [name]\n    for: 3m", "a circuit breaker is open for more than 1 minute"),
    ],
    "at less": [
        ("warning: 2000MB", "warning: 1900MB", "memory usage of 2000 MB is fine"),
        ("above: {warning: 1s,", "above: {warning: 800ms,", "p95 latency of 0.9 seconds is fine"),
        ("below: 50%", "below: 55%", "a cache hit rate of 51% is fine"),
    ],
}


def pinned(folder: Path, changes: Iterable[tuple[str, str]] = ()) -> list[Result]:
    """What fails of Peak Trade's plain promtool file once its spec reads otherwise: texts before and after."""
    for path in shipped(folder).joinpath("rules_src").glob("*.yaml"):
        if path.stem != "peak_trade":
            path.unlink()
            continue
        text = path.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after, 1)
        path.write_text(text, encoding="utf-8")
    forget_files()
    problems = Problems()
    project = read_project(folder, problems)
    assert project is not None
    assert compile_project(project, problems, write=True) is not None, said(problems)
    events = list(prove_plain(plain_files(project.tests), Run(promtool(), folder / "keep"), problems))
    results = [event for event in events if isinstance(event, Result)]
    assert len(results) == 8
    return [result for result in results if not result.passed]


@needs_promtool
@each_version
def test_the_stated_thresholds_hold(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALERTKIT_TOOLS", folder)
    assert pinned(tmp_path) == []


@needs_promtool
@pytest.mark.parametrize("which", PINNED)
def test_the_stated_thresholds_are_pinned(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed = pinned(tmp_path, [change[:2] for change in PINNED[which]])
    assert {result.case for result in failed} >= {title for _, _, title in PINNED[which]}
    for result in failed:
        line = Path(result.span.path).read_text(encoding="utf-8").split("\n")[result.span.line - 1]
        assert "eval_time" in line or "expr" in line
