"""Breaking compiled rules on purpose, to see which breakage no proof notices.

All mutants of one alert share the test group of its proof: each is a copy of the rule under a name of its own (and so
are the records that it changes), so the series are loaded once and promtool's answer tells by name which mutants were
noticed. A mutant whose rule fails to evaluate is noticed too; promtool names such rules, and the group runs again
without them. Only a mutant that could see its siblings, through `ALERTS` or a selector without a metric, runs alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from alertkit.compile.ruleset import Record, Rule, System
from alertkit.emit.promtool import AlertTest, ExpectedAlert, ExprTest, InputSeries, TestGroup, gathered, test_file
from alertkit.emit.rules import group_text
from alertkit.promql import metric_names, parse, to_text, transform
from alertkit.promql.tree import Expr, Matcher, Selector
from alertkit.promql.walk import selectors
from alertkit.prove.coverage.points import GENERATED
from alertkit.prove.derived.cases import Proof, proofs_of
from alertkit.prove.mutation.changes import Change, changes_of
from alertkit.prove.mutation.equivalent import equivalent
from alertkit.prove.running.batch import GROUP, Job, jobs_of, needs_of
from alertkit.prove.running.pool import outputs
from alertkit.source import Problems
from alertkit.toolchain import Tool, usable_cores

# Mutants in one test group: more would leave a core idle at the end, fewer would load the series too often.
MOST = 40

_ALERT = re.compile(r"^ +alertname: ?(\S+), time:", re.MULTILINE)
_EXPR = re.compile(r'^ +expr: ".*?alertname=\\"([^"\\]+)\\"', re.MULTILINE)
_ERROR = re.compile(r"rule: (\S+?), time: [^,]+, err: ")
_RENAMED = re.compile(r"M(\d+)[ac]?$")


@dataclass(slots=True)
class Mutant:
    """One change and what became of it; `state` is "noticed", "survived" or "equivalent" (`why` says why).

    `by` is what noticed it, `source` the sort of case that this is.
    """

    number: int
    system: str
    alert: str
    change: Change
    jobs: list[Job]
    state: str = ""
    why: str = ""
    by: str = ""
    source: str = ""
    wild: bool = False
    left: list[Job] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Flock:
    """Mutants that share one test group of one job."""

    job: Job
    mutants: tuple[Mutant, ...]

    @property
    def cost(self) -> float:
        return GROUP + len(self.mutants) * self.job.length / self.job.proof.grid.evaluation


def mutants_of(systems: Sequence[System], wanted: Callable[[str, str], bool], unproven: bool = False) -> list[Mutant]:
    """All mutants of the alerts that are `wanted` (system, alert), each with the proofs that might notice it.

    Alerts without generated proofs are left out unless `unproven`. A record's mutants belong to the first alert that
    reads it; the proofs of all that do may notice them.
    """
    found: list[Mutant] = []
    for system in systems:
        mutants: list[Mutant] = []
        records: dict[str, list[Mutant]] = {}
        readers: dict[int, list[Rule]] = {}
        for name, rules, read, jobs in _sources(system, unproven):
            if not wanted(system.name, name):
                continue
            for rule in rules:
                mutants += [Mutant(0, system.name, name, change, jobs) for change in changes_of(rule)]
            for record in read:
                if record.name not in records:
                    changes = changes_of(record)
                    records[record.name] = [Mutant(0, system.name, name, change, []) for change in changes]
                    mutants += records[record.name]
                for mutant in records[record.name]:
                    mutant.jobs.extend(jobs)
                    readers.setdefault(id(mutant), []).extend(rules)
        places = {record.name: record.expr for record in system.records}
        for mutant in mutants:
            mutant.left = list(mutant.jobs)
            mutant.wild = any(_wild(use.selector) for use in selectors(mutant.change.tree))
            mutant.why = equivalent(mutant.change, readers.get(id(mutant), []), places) or ""
            if mutant.why:
                mutant.state = "equivalent"
        found += mutants
    for number, mutant in enumerate(found):
        mutant.number = number
    return found


def _sources(system: System, unproven: bool) -> Iterator[tuple[str, tuple[Rule, ...], tuple[Record, ...], list[Job]]]:
    """Each alert by name with its rules, the records they read, and its proofs; of copies the first."""
    jobs: dict[str, list[Job]] = {}
    for job in jobs_of(system, proofs_of(system)):
        jobs.setdefault(job.proof.alert.name, []).append(job)
    for name, mine in jobs.items():
        yield name, mine[0].rules, mine[0].records, _cheapest_first(mine)
    records = {record.name: record for record in system.records}
    done = set(jobs)
    for alert, companion in system.with_companions() if unproven else ():
        if alert.name not in done:
            done.add(alert.name)
            rules, read, _, _ = needs_of(alert, companion, records)
            yield alert.name, rules, read, []


def _cheapest_first(jobs: list[Job]) -> list[Job]:
    """What proves that the alert fires notices most, so it goes first."""
    return sorted(jobs, key=lambda job: not any(check.firing for check in job.proof.checks))


def _wild(selector: Selector) -> bool:
    """Whether a selector could read what other alerts of the test group write."""
    if selector.name is None:
        return True
    if not selector.name.startswith("ALERTS"):
        return False
    return not any(m.label == "alertname" and m.op == "=" and m.value for m in selector.matchers)


def hunt(
    mutants: Sequence[Mutant], promtool: Tool, problems: Problems, jobs: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:  # fmt: skip
    """Run every mutant against its proofs until one notices it; fills in `state`. A tool that breaks is a problem."""
    total = len(mutants)
    while not problems:
        waiting = [mutant for mutant in mutants if not mutant.state]
        for mutant in waiting:
            if not mutant.left:
                mutant.state = "survived"
        waiting = [mutant for mutant in waiting if not mutant.state]
        progress(total - len(waiting), total)
        if not waiting:
            return
        _round(waiting, promtool, jobs or usable_cores(), problems)


def _round(waiting: Sequence[Mutant], promtool: Tool, cores: int, problems: Problems) -> None:
    """One proof more for each waiting mutant."""
    flocks = list(_flocks(waiting))
    while flocks and not problems:
        again: list[_Flock] = []
        for flock, text in _outputs(flocks, promtool, cores, problems):
            broken = _numbers(_ERROR, text)
            noticed = _numbers(_ALERT, text) | _numbers(_EXPR, text)
            if broken:
                noticed = broken
                rest = tuple(m for m in flock.mutants if m.number not in broken)
                if rest:
                    again.append(_Flock(flock.job, rest))
            elif not noticed and "FAILED:" in text:
                # An error that names no rule of ours: each alone tells which it was.
                if len(flock.mutants) > 1:
                    again += [_Flock(flock.job, (mutant,)) for mutant in flock.mutants]
                    continue
                noticed = {flock.mutants[0].number}
            for mutant in flock.mutants:
                if mutant.number in noticed:
                    mutant.state, mutant.source = "noticed", GENERATED
                    mutant.by = "error" if mutant.number in broken else flock.job.proof.group.name
                elif not broken:
                    mutant.left.remove(flock.job)
        flocks = again


def _numbers(pattern: re.Pattern[str], text: str) -> set[int]:
    names = {match.rpartition(":")[2] for match in pattern.findall(text)}
    return {int(found[1]) for name in names if (found := _RENAMED.match(name))}


def _flocks(waiting: Iterable[Mutant]) -> Iterator[_Flock]:
    tame: dict[int, list[Mutant]] = {}
    for mutant in waiting:
        if mutant.wild:
            yield _Flock(mutant.left[0], (mutant,))
        else:
            tame.setdefault(id(mutant.left[0]), []).append(mutant)
    for group in tame.values():
        parts = -(-len(group) // MOST)
        for part in range(parts):
            yield _Flock(group[0].left[0], tuple(group[part::parts]))


def _outputs(flocks: Sequence[_Flock], promtool: Tool, cores: int, problems: Problems) -> Iterator[tuple[_Flock, str]]:
    """promtool's words on each flock."""
    units = []
    for flock in flocks:
        rules, tests = files(flock.job, flock.mutants)
        units.append((("m.rules.yml", rules), ("m.test.yml", tests.replace('"{rules}"', "m.rules.yml", 1))))
    for index, text in outputs(units, [flock.cost for flock in flocks], promtool, cores, problems):
        yield flocks[index], text


def files(job: Job, mutants: Sequence[Mutant]) -> tuple[str, str]:
    """The rule file and the test file (which names `{rules}`) of mutants that share a job's test group."""
    records = {record.name: record for record in job.records}
    rules: list[Rule] = []
    alerts: list[AlertTest] = []
    exprs: list[ExprTest] = []
    base = job.proof
    series = list(base.group.series)
    for mutant in mutants:
        world = _World(mutant, job)
        records.update({record.name: record for record in world.records})
        rules += world.rules
        alerts += world.alerts
        exprs += world.exprs
        series += world.states
    group = TestGroup("m", base.grid.step, tuple(series), gathered(alerts), tuple(exprs))
    text = "groups:\n" + group_text("m", "", None, tuple(records.values()), tuple(rules))
    return text, test_file("", ["{rules}"], ["m"], base.grid.evaluation, [group])


class _World:
    """What one mutant needs in a shared test group: renamed rules and records, and the expectations of those."""

    def __init__(self, mutant: Mutant, job: Job) -> None:
        self._names: dict[str, str] = {}
        self.records: list[Record] = []
        self._number = mutant.number
        change = mutant.change
        if isinstance(change.before, Record):
            self._records(change, job)
            changed = [r for r in job.rules if metric_names(parse(r.expr)) & self._names.keys()]
        else:
            changed = [rule for rule in job.rules if rule is change.before]
        # A level that reads ALERTS may read those of another level.
        names = {rule.alert for rule in changed}
        whole = any("ALERTS" in rule.expr for rule in changed) or _alike(job.rules, changed)
        kept = [rule for rule in job.rules if (rule.alert in names if whole else rule in changed)]
        for index, name in enumerate(sorted(names)):
            self._names[name] = f"M{mutant.number}{'ac'[index]}"
        self.rules = [self._rule(change.after if rule is change.before else rule) for rule in kept]  # type: ignore[arg-type]
        self._tests(job.proof, kept, whole)
        self.states = self._states(job.proof) if whole else []

    def _records(self, change: Change, job: Job) -> None:
        """The changed record and all that read it, renamed."""
        for record in job.records:
            after = change.after if record is change.before else record
            assert isinstance(after, Record)
            if record is change.before or metric_names(parse(record.expr)) & self._names.keys():
                self._names[record.name] = f"{record.name}:M{self._number}"
                self.records.append(after._replace(name=self._names[record.name], expr=self._renamed(after.expr)))

    def _rule(self, rule: Rule) -> Rule:
        return rule._replace(alert=self._names[rule.alert], expr=self._renamed(rule.expr))

    def _renamed(self, text: str) -> str:
        if not any(name in text for name in self._names):
            return text
        return to_text(transform(parse(text), self._rename))

    def _rename(self, node: Expr) -> Expr:
        if not isinstance(node, Selector):
            return node
        if node.name is not None and node.name.startswith("ALERTS"):
            return replace(node, matchers=tuple(map(self._rename_matcher, node.matchers)))
        return replace(node, name=self._names.get(node.name, node.name)) if node.name else node

    def _rename_matcher(self, matcher: Matcher) -> Matcher:
        if matcher.label != "alertname":
            return matcher
        return replace(matcher, value=self._names.get(matcher.value, matcher.value))

    def _states(self, proof: Proof) -> list[InputSeries]:
        """The alert states that the test writes itself, under the new names."""
        renamed = []
        for series in proof.group.series:
            for name, other in self._names.items():
                before = f'alertname="{name}"'
                if series.series.startswith("ALERTS{") and before in series.series:
                    name_there = series.series.replace(before, f'alertname="{other}"')
                    renamed.append(series._replace(series=name_there))
        return renamed

    def _tests(self, proof: Proof, kept: list[Rule], whole: bool) -> None:
        mine = [frozenset((k, v) for k, v in rule.labels if "{{" not in v) for rule in kept]

        def expected(alert: ExpectedAlert) -> bool:
            return whole or any(labels <= set(alert.labels) for labels in mine)

        self.alerts = [
            AlertTest(test.time, self._names[test.alert], tuple(filter(expected, test.expected)))
            for test in proof.group.alert_tests
            if test.alert in self._names
        ]
        self.exprs = []
        for expr in proof.group.exprs:
            test = self._expr(expr, kept, whole)
            if test is not None:
                self.exprs.append(test)

    def _expr(self, test: ExprTest, kept: list[Rule], whole: bool) -> ExprTest | None:
        """An expectation on ALERTS, of the renamed alert and the levels that take part."""
        for name, other in self._names.items():
            before = f'alertname="{name}"'
            if before not in test.expr:
                continue
            after = f'alertname="{other}"'
            levels = [f'severity="{rule.severity}"' for rule in kept]
            samples = tuple(
                (labels.replace(before, after), value)
                for labels, value in test.samples
                if whole or any(level in labels for level in levels)
            )
            return ExprTest(test.time, test.expr.replace(before, after), samples)
        return None


def _alike(rules: Sequence[Rule], changed: Sequence[Rule]) -> bool:
    """Whether expectations cannot be told apart by the labels of the rules."""
    return any(
        rule not in changed and rule.alert == other.alert and rule.severity == other.severity
        for rule in rules
        for other in changed
    )
