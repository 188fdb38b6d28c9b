"""`alertkit test --mutate` on a project: what is noticed, what survives, what is equivalent, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alertkit.build import read_systems
from alertkit.compile.ruleset import System
from alertkit.prove.batch import Job
from alertkit.prove.mutate import Mutant, hunt, mutants_of
from alertkit.report.mutation import CATCHES
from alertkit.source import Problems
from alertkit.spec.project import read_project
from alertkit.toolchain import Tool, find
from tests.projects import small

# All kinds of mistakes can be made in these.
ALERTS = (
    """\
Hot:
  kind: threshold
  metric: temperature
  where: {site: north}
  by: [room]
  above: {warning: 30, critical: 40}
  clear: 25
  keep_firing_for: 10m
  summary: "{{ $labels.room }} is hot"
""",
    "Errors: {kind: ratio, bad: errors_total, total: requests_total, window: 10m, above: 5%, min_events: 10}",
    "Swing: {kind: threshold, metric: pressure, over: max, window: 10m, above: 9, by: [room]}",
)


def promtool() -> Tool:
    tool = find("promtool")
    if tool is None:
        pytest.skip("promtool is not installed")
    return tool


def systems_of(folder: Path) -> list[System]:
    problems = Problems()
    project = read_project(folder, problems)
    assert project is not None
    _, systems = read_systems(project, problems)
    assert not problems
    return systems


def hunted(mutants: list[Mutant]) -> list[Mutant]:
    problems = Problems()
    hunt(mutants, promtool(), problems)
    assert not problems
    assert {mutant.state for mutant in mutants} <= {"noticed", "survived", "equivalent"}
    return mutants


def by_kind(mutants: list[Mutant], state: str) -> set[str]:
    return {mutant.change.kind for mutant in mutants if mutant.state == state}


def test_each_kind_of_mistake_is_noticed_by_whole_proofs_and_survives_poor_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small(tmp_path, *ALERTS))
    systems = systems_of(tmp_path)
    whole = hunted(mutants_of(systems, lambda system, alert: True))
    assert by_kind(whole, "noticed") == set(CATCHES)
    poor = mutants_of(systems, lambda system, alert: True)
    for mutant in poor:
        mutant.left = [_only_without_data(job) for job in mutant.jobs]
    assert by_kind(hunted(poor), "survived") == set(CATCHES)


def _only_without_data(job: Job) -> Job:
    """The job with a proof that looks only once, when all data has ended: most rules are silent then."""
    group = job.proof.group
    last = max(test.time for test in group.alerts)
    alerts = tuple(test for test in group.alerts if test.time == last)
    return replace(job, proof=replace(job.proof, group=replace(group, alerts=alerts, exprs=())))
