"""What the cases of each alert show of it, and what no case shows.

Only cases that promtool has passed count: a generated case, an expectation of a scenario, a test of a plain file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from alertkit.compile.ruleset import Alert, System
from alertkit.emit.promtool import ExprTest, TestGroup, test_file
from alertkit.prove.coverage.branches import GROUP, Branch, Inquiry, ask, branches_of
from alertkit.prove.coverage.points import (
    ANNOTATION,
    FALSE,
    GENERATED,
    LABEL,
    SCENARIO,
    TRUE,
    WRITTEN,
    Covered,
    Tally,
)
from alertkit.prove.derived.cases import proofs_of
from alertkit.prove.plain.repository import PlainTest, Repository, asking, sliced
from alertkit.prove.running.batch import Batch, Job, jobs_of
from alertkit.prove.running.pool import Unit
from alertkit.prove.running.results import id_of
from alertkit.prove.scenarios.file import RULES, Prepared
from alertkit.prove.scenarios.run import ids_of as scenario_ids
from alertkit.prove.scenarios.statement import EXACTLY, FIRES, INACTIVE, NOTHING, NOTHING_ELSE, SILENT, Statement
from alertkit.source import Problems
from alertkit.source.yaml_nodes import field_of, scalar_of, sequence_of
from alertkit.spec.duration import parse_duration
from alertkit.toolchain import Tool, usable_cores

Key = tuple[str, str]
"""An alert by its system and its name."""

Files = Callable[[str, tuple[ExprTest, ...]], Unit]

# promtool's own evaluation interval, since it has one.
MINUTE = 60_000


def coverage_of(
    systems: Sequence[System], scenarios: Sequence[Prepared], plain: Repository, failed: Collection[str],
    wanted: Callable[[str, str], bool], promtool: Tool, jobs: int, problems: Problems,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Covered]:  # fmt: skip
    """Coverage of every alert that is `wanted` (system, name), in the order of the systems.

    `failed` are the ids of results that failed: they show nothing. A tool that breaks is a problem.
    """
    tallies = _tallies(systems, wanted)
    inquiries = [
        *_generated(systems, tallies, failed), *_scenarios(scenarios, tallies, failed), *_plain(plain, tallies, failed),
    ]  # fmt: skip
    seen = ask(inquiries, promtool, jobs or usable_cores(), problems, progress)
    for kind, found in ((TRUE, seen.true), (FALSE, seen.false)):
        for (key, branch), source in found.items():
            tallies[key].see(source, kind, branch.text)
    return [tally.covered(system) for (system, _), tally in tallies.items()]


def _tallies(systems: Sequence[System], wanted: Callable[[str, str], bool]) -> dict[Key, Tally]:
    copies: dict[Key, list[Alert]] = {}
    for system in systems:
        for alert in system.alerts:
            if wanted(system.name, alert.name):
                copies.setdefault((system.name, alert.name), []).append(alert)
    records = {system.name: system.records for system in systems}
    return {
        key: Tally(alerts, branches_of([rule for alert in alerts for rule in alert.rules], records[key[0]]))
        for key, alerts in copies.items()
    }


def _asked(keys: Iterable[Key], tallies: dict[Key, Tally]) -> list[tuple[Key, Branch]]:
    return [(key, branch) for key in dict.fromkeys(keys) for branch in tallies[key].branches]


# Generated cases


def _generated(systems: Sequence[System], tallies: dict[Key, Tally], failed: Collection[str]) -> list[Inquiry]:
    inquiries = []
    broken = {"::".join(id.split("::")[:2]) for id in failed}
    for system in systems:
        if not any(name == system.name for name, _ in tallies):
            continue
        for job in jobs_of(system, proofs_of(system)):
            keys = [key for rule in job.rules if (key := (system.name, rule.alert)) in tallies]
            _job_evidence(job, dict.fromkeys(keys), tallies, failed, broken)
            asked = _asked(keys, tallies)
            if asked and id_of(system.name, job.proof.alert.name, "", "") not in broken:
                first = min(check.time for check in job.proof.checks)
                every = job.proof.grid.evaluation
                inquiries.append(Inquiry(GENERATED, asked, every, first, job.length, _job_files(job)))
    return inquiries


def _job_evidence(
    job: Job, keys: Iterable[Key], tallies: dict[Key, Tally], failed: Collection[str], broken: Collection[str]
) -> None:
    """Count what a proof shows."""
    own = job.proof.alert.name
    cases = {c.time: id_of(job.system, own, c.severity, c.case) for c in job.proof.checks}
    whole = id_of(job.system, own, "", "") not in broken
    for key in keys:
        tally = tallies[key]
        moments: list[tuple[int, bool]] = []
        for test in job.proof.group.alert_tests:
            case = cases.get(test.time, "")
            if test.alert != key[1] or not (whole if test.alert != own else case not in failed):
                continue
            moments.append((test.time, bool(test.expected)))
            tally.cases[GENERATED].add(case if test.alert == own else test.comment)
            if test.expected:
                levels = {dict(expected.labels).get("severity", "") for expected in test.expected}
                tally.fires(GENERATED, levels, tally.parts(LABEL, levels), tally.parts(ANNOTATION, levels))
        for expr in job.proof.group.exprs:
            if f'alertname="{key[1]}"' in expr.expr and cases.get(expr.time, "") not in failed:
                moments.append((expr.time, bool(expr.samples)))
                tally.cases[GENERATED].add(cases.get(expr.time, ""))
                levels = {s for s in tally.levels if any(f'severity="{s}"' in labels for labels, _ in expr.samples)}
                if expr.samples:
                    tally.fires(GENERATED, levels, tally.parts(LABEL, levels), ())
        tally.states(GENERATED, moments)


def _job_files(job: Job) -> Files:
    def files(branches: str, exprs: tuple[ExprTest, ...]) -> Unit:
        rules, _ = Batch((job,)).files()
        group = job.proof.group
        asked = TestGroup("branches", group.interval, group.series, (), exprs)
        tests = test_file("", ["c.rules.yml"], ["batch", GROUP], job.proof.grid.evaluation, [asked])
        return [("c.rules.yml", rules + branches), ("c.test.yml", tests)]

    return files


# Scenarios


def _scenarios(prepared: Sequence[Prepared], tallies: dict[Key, Tally], failed: Collection[str]) -> list[Inquiry]:
    inquiries = []
    for one in prepared:
        system = one.scenario.system
        told: dict[Key, list[tuple[int, bool]]] = {}
        rows = zip(one.scenario.statements, one.times, scenario_ids(one), strict=True)
        held = [(statement, times, id) for statement, times, id in rows if id not in failed]
        for statement, times, id in held:
            for key in dict.fromkeys((system, alert.name) for alert in one.alerts):
                if key in tallies and _about(statement, key[1], held, times):
                    _statement(tallies[key], statement)
                    tallies[key].cases[SCENARIO].add(id)
                    if statement.state in (FIRES, EXACTLY, SILENT, INACTIVE, NOTHING, NOTHING_ELSE):
                        fires = statement.state in (FIRES, EXACTLY)
                        told.setdefault(key, []).extend((time, fires) for time in times)
        for key, states in told.items():
            tallies[key].states(SCENARIO, states)
        asked = _asked(told, tallies)
        said = [time for _, times, _ in held for time in times]
        if asked and said and len(held) == len(one.times):
            every = one.scenario.evaluation
            inquiries.append(Inquiry(SCENARIO, asked, every, min(said), max(said), _scenario_files(one)))
    return inquiries


def _about(
    statement: Statement, alert: str, held: Sequence[tuple[Statement, tuple[int, ...], str]], times: Sequence[int]
) -> bool:
    """Whether a statement says something about an alert; `nothing else fires` not about those that do."""
    if statement.state == NOTHING_ELSE:
        loud = {s.alert for s, other, _ in held if s.state in (FIRES, EXACTLY) and set(other) & set(times)}
        return alert not in loud
    return statement.state == NOTHING or statement.alert == alert


def _statement(tally: Tally, statement: Statement) -> None:
    """What a statement compares beside whether it fires."""
    if statement.state == EXACTLY:
        levels = {dict(statement.labels).get("severity", "")}
        tally.fires(SCENARIO, levels, tally.parts(LABEL, levels), tally.parts(ANNOTATION, levels))
    elif statement.state == FIRES:
        compared = {m.label: m.value for m in statement.matchers if m.op == "="}
        levels = {compared["severity"]} if "severity" in compared else set()
        tally.fires(SCENARIO, levels, compared, [name for name, _ in statement.annotations])


def _scenario_files(one: Prepared) -> Files:
    def files(branches: str, exprs: tuple[ExprTest, ...]) -> Unit:
        tests = one.asking(exprs, GROUP).replace(f'"{RULES}"', "c.rules.yml", 1)
        return [("c.rules.yml", one.rules + branches), ("c.test.yml", tests)]

    return files


# Plain promtool tests


def _plain(repository: Repository, tallies: dict[Key, Tally], failed: Collection[str]) -> list[Inquiry]:
    owners: dict[tuple[str, str], set[Key]] = {}
    for key, tally in tallies.items():
        for alert in tally.alerts:
            for rule in alert.rules:
                owners.setdefault((rule.alert, rule.expr), set()).add(key)
    inquiries = []
    for test in repository.tests:
        id = id_of(test.path.name.split(".")[0], "", "", test.title)
        if id in failed:
            continue
        loaded = {
            (rule.name, rule.expr) for rules in test.rules for group in rules.groups or () for rule in group.rules
        }
        keys = sorted({key for rule in loaded for key in owners.get(rule, ()) if key[1] in test.alerts})
        for key in keys:
            tallies[key].cases[WRITTEN].add(f"{test.path}::{test.index}")
            _plain_evidence(test, tallies[key])
        asked = _asked(keys, tallies)
        if asked and (times := _plain_times(test)):
            every = next((parse_duration(scalar_of(v)) for k, v in test.head if k.value == "evaluation_interval"), None)
            inquiries.append(Inquiry(WRITTEN, asked, every or MINUTE, min(times), max(times), _plain_files(test)))
    return inquiries


def _plain_evidence(test: PlainTest, tally: Tally) -> None:
    moments = []
    for node in sequence_of(field_of(test.node, "alert_rule_test")):
        if scalar_of(field_of(node, "alertname")) != tally.alerts[0].name:
            continue
        expected = sequence_of(field_of(node, "exp_alerts"))
        moments.append((parse_duration(scalar_of(field_of(node, "eval_time")) or "0s") or 0, bool(expected)))
        levels = {scalar_of(field_of(field_of(alert, "exp_labels"), "severity")) for alert in expected}
        if expected:
            tally.fires(WRITTEN, levels, tally.parts(LABEL, levels), tally.parts(ANNOTATION, levels))
    tally.states(WRITTEN, moments)


def _plain_times(test: PlainTest) -> list[int]:
    """The moments of its expectations of alerts."""
    nodes = sequence_of(field_of(test.node, "alert_rule_test"))
    return [parse_duration(scalar_of(field_of(node, "eval_time")) or "0s") or 0 for node in nodes]


def _plain_files(test: PlainTest) -> Files:
    def files(branches: str, exprs: tuple[ExprTest, ...]) -> Unit:
        rules = "groups:\n" + branches
        found, text = sliced(asking(test, exprs, GROUP), beside=[("branches.yml", rules)])
        return [*found, ("test.yml", text)]

    return files
