"""Generated cases: from the claim of an alert to promtool test groups.

A group is a script, which knows no names, bound to the series, labels and texts of one alert.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from alertkit.compile.claim import Claim
from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.emit.promtool import AlertTest, ExpectedAlert, ExprTest, InputSeries, TestGroup
from alertkit.kinds.stimulus import Source
from alertkit.prove.decoys import DECOY, foreign_states, healthy_twin, outsiders, splits
from alertkit.prove.grid import Grid
from alertkit.prove.missing import FORGOTTEN, VANISHED, grid_of, inputs_at_rest, missing_group, missing_tests
from alertkit.prove.script import IDLE, NEWBORN, SILENT, THIN, Check, Outcome, Script, interrupted, of_one, shape_of
from alertkit.prove.stages import scripts_of
from alertkit.series import Gone, Level, Piece, notation
from alertkit.series.example import example_labels
from alertkit.spec.selector import quoted
from alertkit.template import go

GONE, ONE = Gone(), Level(1.0)


@dataclass(frozen=True, slots=True)
class Proof:
    """One promtool test group, the clock it needs, and what each of its expectations stands for."""

    alert: Alert
    grid: Grid
    group: TestGroup
    checks: tuple[Check, ...]


def proofs_of(system: System) -> list[Proof]:
    """All generated proofs of a system, in the order of its alerts."""
    copies: dict[str, list[Claim]] = {}
    for alert in system.alerts:
        if alert.claim is not None:
            copies.setdefault(alert.name, []).append(alert.claim)
    proofs = []
    for alert, companion in system.with_companions():
        if alert.claim is not None:
            others = [claim for claim in copies[alert.name] if claim is not alert.claim]
            proofs += _proofs(alert, alert.claim, companion, others)
    return proofs


def _proofs(alert: Alert, claim: Claim, companion: Alert | None, copies: Sequence[Claim]) -> list[Proof]:
    rule = companion.rules[0] if companion else None
    bound = _Bound(alert, claim, rule, copies)
    proofs = [bound.proof(script) for script in scripts_of(shape_of(claim, alert.rules, rule))]
    if rule is not None:
        proofs += [proof for case in (FORGOTTEN, VANISHED) if (proof := bound.missing(rule, case)) is not None]
    return proofs


# What promtool is to expect of one moment: alerts with their texts, or None where only their labels are known.
Expected = tuple[ExpectedAlert, ...] | None


class _Bound:
    """The names of one alert, which its scripts are bound to: series, labels and annotations."""

    def __init__(self, alert: Alert, claim: Claim, companion: Rule | None, copies: Sequence[Claim]) -> None:
        self.alert, self.claim, self.companion, self.copies = alert, claim, companion, copies
        self.rules = {rule.severity: rule for rule in alert.rules}
        self.bad, self.good = identities(claim)
        # What the scripts of an alert share: what is expected, and the names of its series.
        self._known: dict[Outcome, Expected] = {SILENT: ()}
        self._names: dict[tuple[object, ...], str] = {}

    def proof(self, script: Script) -> Proof:
        if self.good is None:
            script = of_one(script)
        alerts, exprs = self._tests(script)
        title = f"{self.alert.name} {script.name}".rstrip()
        group = TestGroup(
            title, script.grid.step, self._series(script), (*alerts, *self._missing(script)), tuple(exprs)
        )
        return Proof(self.alert, script.grid, group, script.checks)

    def _tests(self, script: Script) -> tuple[list[AlertTest], list[ExprTest]]:
        """The script's checks as tests; moments that expect the same share what they expect."""
        alerts: list[AlertTest] = []
        exprs: list[ExprTest] = []
        name, known = self.alert.name, self._known
        for check, title, outcome in script.outcomes:
            if outcome not in known:
                known[outcome] = self._expected(*outcome)
            expected = known[outcome]
            if expected is None:
                exprs.append(self._states(check, outcome, title))
            else:
                alerts.append(AlertTest(check.time, name, expected, title))
        return alerts, exprs

    def _expected(self, severities: tuple[str, ...], value: float | None, ended: bool) -> Expected:
        """The alerts of these severities; None where a text shows a value that is not known to the last digit."""
        expected = []
        for severity in severities:
            rule = self.rules[severity]
            for result in self._results(ended):
                annotations = self._annotations(rule, result, value)
                if annotations is None:
                    return None
                expected.append(ExpectedAlert(tuple(self._labels(rule, result).items()), annotations))
        return tuple(expected)

    def _results(self, ended: bool) -> list[dict[str, str]]:
        """The labels of each series that the rule's expression results in."""
        if ended:
            return [dict(labels) for labels in (self.claim.stimulus.gone or (), *self.claim.stimulus.leave)]
        return [{**dict(self.claim.fixed_labels), **self.bad}]

    def _labels(self, rule: Rule, result: dict[str, str]) -> dict[str, str]:
        labels = dict(result)
        for name, value in rule.labels:
            labels[name] = value if "{{" not in value else go.expand(value, result, 0.0) or ""
        return labels

    def _annotations(
        self, rule: Rule, labels: dict[str, str], value: float | None
    ) -> tuple[tuple[str, str], ...] | None:
        """What the annotations read at this value; None where it is not known to the last digit shown."""
        result = []
        exact = self.claim.stimulus.exact
        for name, text in rule.annotations:
            if "{{" not in text:
                result.append((name, text))
                continue
            if go.uses_value(text) and (value is None or (not exact and go.shows_raw_value(text))):
                return None
            shown = go.expand(text, labels, value if value is not None else 0.0)
            if shown is None:
                return None
            result.append((name, shown))
        return tuple(result)

    def _states(self, check: Check, outcome: Outcome, comment: str) -> ExprTest:
        """The same expectation by labels alone."""
        severities, _, ended = outcome
        name = self.alert.name
        samples = []
        for severity, result in product(severities, self._results(ended)):
            labels = {**self._labels(self.rules[severity], result), "alertname": name, "alertstate": "firing"}
            samples.append(("ALERTS" + _braces(labels), 1.0))
        selector = f'ALERTS{{alertname={quoted(name)},alertstate="firing",{DECOY}=""}}'
        return ExprTest(check.time, selector, tuple(samples), comment)

    def _missing(self, script: Script) -> tuple[AlertTest, ...]:
        """The companion: silent before its `for`, firing at it, for the identity whose data is gone."""
        rule, start = self.companion, script.gone_at
        if rule is None or start is None or self.claim.inputs == ():
            return ()
        grid = script.grid
        fires = start + grid.evaluations(rule.for_)
        labels = {**self.bad, **dict(rule.labels)}
        if not self.claim.identity:
            labels = {**self.claim.inputs[0].equalities(), **labels}
        expected = ExpectedAlert(tuple(labels.items()), rule.annotations)
        return (
            AlertTest((fires - 1) * grid.evaluation, rule.alert, (), "no-data"),
            AlertTest(fires * grid.evaluation, rule.alert, (expected,), "no-data"),
        )

    def missing(self, rule: Rule, case: str) -> Proof | None:
        """How long the companion remembers, or what it says when nothing is left."""
        claim = self.claim
        found = missing_tests(claim, rule, self.bad, self.good is None, case)
        sources = inputs_at_rest(claim)
        if found is None or not sources:
            return None
        tests, length = found
        lost = [_series_name(source, self.bad) for source in sources]
        staying = [_series_name(source, {}) for source, _ in outsiders(claim, (), self.bad)]
        if case == FORGOTTEN and self.good is not None:
            staying += [_series_name(source, self.good) for source in sources]
        lost = list(dict.fromkeys(lost))
        staying = [name for name in dict.fromkeys(staying) if name not in lost]
        title = f"{self.alert.name} {case}"
        group, checks = missing_group(title, claim, rule, tests, length, lost, staying)
        return Proof(self.alert, grid_of(rule), group, checks)

    def _at(self, script: Script) -> Callable[[float], tuple[Source, ...]]:
        """The series of a value: with the usual traffic, or with too little or none where that is the case."""
        stimulus = self.claim.stimulus
        if script.name == THIN and stimulus.thin is not None:
            return stimulus.thin
        if script.name == IDLE and stimulus.idle is not None:
            idle = stimulus.idle
            return lambda _: idle
        if script.name.startswith(NEWBORN) and stimulus.newborn is not None:
            return stimulus.newborn
        return stimulus.at

    def _series(self, script: Script) -> tuple[InputSeries, ...]:
        """Each series with what it does at each value of the script and, last, when there is no data."""
        stimulus, values = self.claim.stimulus, script.values
        ends = stimulus.gone is not None
        found: dict[str, list[Piece]] = {}
        rows: dict[tuple[object, ...], list[Piece]] = {}
        names, at = self._names, self._at(script)
        for index, value in enumerate(values):
            for source in splits(at(value), self.claim):
                key = (source.selector.metric, source.selector.matchers, source.extra)
                row = rows.get(key)
                if row is None:
                    if key not in names:
                        names[key] = _series_name(source, self.bad)
                    row = rows[key] = found.setdefault(names[key], [GONE] * (len(values) + 1))
                row[index] = source.piece
        if self.good is not None:
            for source in at(self.claim.rest):
                # Where absence is the alarm, all must be gone for it.
                pieces = [source.piece] * len(values) + [GONE if ends else source.piece]
                found.setdefault(_series_name(source, self.good), pieces)
        for source in healthy_twin(self.claim):
            found.setdefault(_series_name(source, self.bad), [source.piece] * len(values) + [GONE])
        for source in stimulus.scenery:
            last = GONE if stimulus.leave else source.piece
            found[_series_name(source, self.bad)] = [source.piece] * len(values) + [last]
        for copy in self.copies:
            # The other copies of `for_each` stay at rest, or their companions would miss them.
            names_of_copy, _ = identities(copy)
            for source in copy.stimulus.at(copy.rest):
                found.setdefault(_series_name(source, names_of_copy), [source.piece] * (len(values) + 1))
        for source, pieces in outsiders(self.claim, values, self.bad):
            found.setdefault(_series_name(source, {}), pieces)
        first = self.alert.rules[0]
        states = foreign_states(self.claim, self.alert.name, first.severity, self.alert.system, self.bad)
        for labels in states:
            found[f"ALERTS{_braces(dict(labels))}"] = [ONE] * (len(values) + 1)
        return tuple([InputSeries(name, _values(script, tuple(pieces))) for name, pieces in found.items()])


@lru_cache(maxsize=16384)
def _values(script: Script, pieces: tuple[Piece, ...]) -> str:
    """One series over a whole script; alerts of one shape differ only in names, so most are asked for again."""
    timeline = [
        (interrupted(pieces[place], how) if how else pieces[place], samples) for place, samples, how in script.plan
    ]
    return notation(timeline, script.grid.step)


def has_second_identity(claim: Claim) -> bool:
    """Whether a second identity can exist, which must stay silent while the first fires."""
    return identities(claim)[1] is not None


def identities(claim: Claim) -> tuple[dict[str, str], dict[str, str] | None]:
    """Labels of the identity that goes bad, and of one that stays good (None where only one can exist)."""
    fixed: dict[str, str] = {}
    for selector in claim.inputs:
        for name, value in (example_labels(selector.matchers) or {}).items():
            if name in claim.identity:
                fixed[name] = value
    bad = {name: fixed.get(name, f"{name}-1") for name in claim.identity}
    free = [name for name in claim.identity if name not in fixed]
    if not free:
        return bad, None
    return bad, {**bad, **{name: f"{name}-2" for name in free}}


def _series_name(source: Source, identity: dict[str, str]) -> str:
    labels = {**identity, **(example_labels(source.selector.matchers) or {}), **dict(source.extra)}
    return source.selector.metric + _braces(labels)


def _braces(labels: dict[str, str]) -> str:
    return "{" + ",".join([f"{name}={quoted(labels[name])}" for name in sorted(labels)]) + "}" if labels else ""
