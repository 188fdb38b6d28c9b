"""A compiled rule of the five systems changed by hand: a proof of that very alert fails, and says what is wrong."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from alertkit.build import read_systems
from alertkit.compile.ruleset import Record, Rule, System
from alertkit.prove.derived.cases import Proof
from alertkit.prove.mutation.changes import changes_of
from alertkit.prove.running import runner
from alertkit.prove.running.batch import Job, jobs_of
from alertkit.prove.running.results import Result, combine
from alertkit.source import Problems
from alertkit.spec.project import read_project
from alertkit.toolchain.tools import inspect
from tests.projects import ROOT

# By system: the alert whose rule (or record) gets each change.
CHANGES = {
    "autonomous_trader": {
        "threshold": "HighLeverage", "for-doubled": "RedisDown", "grouping": "PositionTooLarge",
        "annotation": "LowLLMConfidence",
    },
    "crypto_stock": {
        "threshold": "LowDataQuality", "for-doubled": "CollectorStopped", "grouping": "SlowBars",
        "annotation": "CacheTooLarge",
    },
    "peak_trade": {
        "threshold": "HighMemoryUsage", "for-doubled": "CircuitBreakerOpen", "grouping": "PositionLimit",
        "annotation": "HighLatency",
    },
    "spark_stacker": {
        "threshold": "MarketCountCollapsed", "for-doubled": "ServiceDown", "grouping": "HighPingLatency",
        "annotation": "LowAccountBalance",
    },
    "trading_platform": {
        "threshold": "PipelinesSkipped", "for-doubled": "EmptyBatches", "grouping": "KafkaConsumerLag",
        "annotation": "PipelineFailureRate",
    },
}  # fmt: skip


# What is said of each change.
WORDS = {
    "threshold": re.compile(
        r"with the signal at .* \(.*\):\nexpected to (fire: .*; it is silent|be silent: .*; it fires)$", re.M
    ),
    "for-doubled": re.compile(r"expected to fire: .*; it is silent$", re.M),
    "grouping": re.compile(
        r"it fires, but differently:\n  label \w+: expected \".*\", got none$|expected to fire: .*; it is silent$", re.M
    ),
    "annotation": re.compile(r"  annotation summary: expected \"(.*)\", got \"\1 changed\"$", re.M),
}
Compiled = Rule | Record


def changes_by_hand(system: System) -> dict[str, tuple[str, Compiled, Compiled]]:
    """For each alert its kind of change, and the rule (or record that it reads) before and after."""
    found = {}
    for kind, name in CHANGES[system.name].items():
        (alert,) = [alert for alert in system.alerts if alert.name == name]
        texts = " ".join(rule.expr for rule in alert.rules)
        places = [*alert.rules, *(record for record in system.records if record.name in texts)]
        change = next(change for place in places for change in changes_of(place) if change.kind == kind)
        found[name] = (kind, change.before, change.after)
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_rule_fails_at_its_alert_in_the_right_words(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    monkeypatch.chdir(ROOT)
    problems = Problems()
    project = read_project(Path.cwd(), problems)
    assert project is not None
    _, systems = read_systems(project, problems)
    assert not problems
    (system,) = [system for system in systems if system.name == name]
    changes = changes_by_hand(system)

    def jobs_with_changed_files(system: System, proofs: Iterable[Proof]) -> list[Job]:
        """The proofs of the system as it is, over rule files that somebody has changed."""
        after = {id(before): after for _, before, after in changes.values()}
        return [
            replace(
                job,
                rules=tuple(after.get(id(rule), rule) for rule in job.rules),
                records=tuple(after.get(id(record), record) for record in job.records),
            )
            for job in jobs_of(system, proofs)
        ]

    monkeypatch.setattr(runner, "jobs_of", jobs_with_changed_files)
    run = runner.Run(inspect("promtool", Path(promtool), "test"), tmp_path / "keep")
    results = combine(event for event in runner.prove([system], run, problems) if isinstance(event, Result))
    assert not problems
    failed: dict[str, list[Result]] = {}
    for result in results:
        if not result.passed:
            failed.setdefault(result.alert, []).append(result)
    assert failed.keys() == changes.keys()
    lines = Path("rules_src", f"{name}.yaml").read_text(encoding="utf-8").split("\n")
    for alert, (kind, before, _) in changes.items():
        for result in failed[alert]:
            assert result.span.path == f"rules_src/{name}.yaml"
            assert lines[result.span.line - 1].strip().startswith(f"{alert}:")
        words = "\n".join(line for result in failed[alert] for line in result.details)
        assert WORDS[kind].search(words), (alert, words)
        assert isinstance(before, Record) or f'severity="{before.severity}"' in words
