"""Generated cases: from the claim of an alert to promtool test groups.

One timeline takes the signal of one identity through all cases in turn, while a second identity stays at rest; that
is one promtool test group for each alert. A kind that is disturbed by its own past gets a timeline for each case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from alertkit.compile.claim import FALLING, RISING, Boundary, Claim, between
from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.emit.promtool import AlertTest, ExpectedAlert, ExprTest, InputSeries, TestGroup
from alertkit.prove.grid import Grid, choose
from alertkit.prove.oracle import Stage, Timing, firing
from alertkit.series import Gone, Piece, notation
from alertkit.series.example import example_labels
from alertkit.spec.selector import quoted
from alertkit.template import go

CASES = ("at-rest", "just-inside", "just-past", "blip", "recovers", "identity", "no-data")

# A proof of more samples than this (a `for` of milliseconds beside a window of years) is not attempted.
MOST_SAMPLES = 5_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of a timeline with what it proves: `value` of the signal (None: no data), its case and level."""

    case: str
    severity: str
    value: float | None
    stage: Stage


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: at `time` (milliseconds), in `case` of `severity`, these severities of the alert fire."""

    alert: str
    time: int
    case: str
    severity: str
    firing: tuple[str, ...]
    value: float | None


@dataclass(frozen=True, slots=True)
class Proof:
    """One promtool test group, the clock it needs, and what each of its expectations stands for."""

    alert: Alert
    grid: Grid
    group: TestGroup
    checks: tuple[Check, ...]
    skipped: tuple[tuple[str, str], ...] = ()


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
    stimulus = claim.stimulus
    holds = [hold for rule in alert.rules for hold in (rule.for_, rule.keep_firing_for)]
    if companion:
        holds.append(companion.rules[0].for_)
    windows = [] if stimulus.isolated else [stimulus.rise, stimulus.fall]
    if stimulus.delay is not None:
        windows += [stimulus.delay(boundary.past) for boundary in claim.boundaries]
    grid = choose(holds, windows, claim.clear is not None, stimulus.window)
    plan = _Plan(alert, claim, grid, companion, copies)
    return [
        _Timeline(plan, name, steps).proof()
        for name, steps in plan.timelines()
        if sum(step.stage.length for step in steps) * grid.samples <= MOST_SAMPLES
    ]


class _Plan:
    """Chooses the stages of each case."""

    def __init__(
        self, alert: Alert, claim: Claim, grid: Grid, companion: Alert | None, copies: Sequence[Claim]
    ) -> None:
        self.alert, self.claim, self.grid, self.companion, self.copies = alert, claim, grid, companion, copies
        self.rules = {rule.severity: rule for rule in alert.rules}
        self.severities = tuple(self.rules)
        self.longest = max(grid.evaluations(rule.for_) for rule in alert.rules)

    def timelines(self) -> list[tuple[str, list[Step]]]:
        if self.claim.stimulus.always:
            return [("", [self._step("just-past", self.severities[0], 1.0, self.longest + 3)])]
        if self.claim.stimulus.isolated:
            return self._isolated()
        steps = [self._step("at-rest", "", self.claim.rest, self._way(True) + self.longest + 1)]
        edge: Boundary | None = None
        for boundary in self.claim.boundaries:
            base = self.claim.rest
            if edge is not None:
                if _further(edge, boundary):
                    base = between(edge.past, boundary.comparison.value)
                else:
                    steps.append(self._rest(edge))
            steps += self._climb(boundary, base)
            edge = boundary
        assert edge is not None
        steps.append(self._rest(edge))
        if not self.claim.stimulus.absence:
            steps.append(self._gone())
        return [("", steps)]

    def _isolated(self) -> list[tuple[str, list[Step]]]:
        prelude = self.grid.evaluations(self.claim.stimulus.prelude)
        lead = [self._step("at-rest", "", self.claim.rest, prelude)] if prelude else []
        first = self._step("at-rest", "", self.claim.rest, prelude + self.longest + 2)
        lines = [("at-rest", [first] if self.claim.stimulus.absence else [first, self._gone()])]
        for boundary in self.claim.boundaries:
            climb = self._climb(boundary, self.claim.rest)
            blip = [step for step in climb if step.case == "blip"]
            lines.append((f"{boundary.severity} just-inside", [*lead, climb[0]]))
            if blip:
                lines.append((f"{boundary.severity} blip", [*lead, *blip]))
            lines.append((f"{boundary.severity} just-past", [*lead, climb[-1], self._rest(boundary)]))
        return [(name, self._shortened(steps, len(lead))) for name, steps in lines]

    def _shortened(self, steps: list[Step], lead: int) -> list[Step]:
        """Cut what lasts longer than a value can be held."""
        longest = self.claim.stimulus.longest
        if longest is None:
            return steps
        left = longest // self.grid.evaluation
        short = steps[:lead]
        for step in steps[lead:]:
            if step.case not in ("at-rest", "no-data"):
                length = min(step.stage.length, left)
                left -= length
                step = replace(step, stage=replace(step.stage, length=length))
            if step.stage.length > 0:
                short.append(step)
        return short

    def _climb(self, boundary: Boundary, base: float) -> list[Step]:
        """just-inside, blip and back, just-past of one boundary, each reached from `base`."""
        severity, stimulus = boundary.severity, self.claim.stimulus
        hold = self.grid.evaluations(self.rules[severity].for_)
        up = boundary.comparison.op not in FALLING
        way, back = self._way(up), self._way(not up)
        if stimulus.delay is not None:
            way = self.grid.evaluations(stimulus.delay(boundary.past))
        if stimulus.isolated:
            way = max(way, self._birth())
        steps = [self._step("just-inside", severity, boundary.inside, way + hold + 2)]
        if back and not stimulus.sticky:
            # On its way a mean passes all values between: from just inside it would cross the boundary early.
            steps.append(self._step("just-inside", severity, base, back + 1))
        late = 1 if stimulus.late else 0
        blip = way + hold - late - (back if stimulus.sticky else 0)
        if hold >= 2 and blip > 0:
            steps.append(self._step("blip", severity, boundary.past, blip))
            steps.append(self._step("blip", severity, base, back + hold + 2))
        steps.append(self._step("just-past", severity, boundary.past, way + hold + 3))
        return steps

    def _birth(self) -> int:
        """Evaluations until a series that has just been born gives the signal its value."""
        return -(-(self.claim.stimulus.birth - 1) * self.grid.step // self.grid.evaluation)

    def _rest(self, boundary: Boundary) -> Step:
        up = boundary.comparison.op in FALLING
        keep = max(self.grid.evaluations(rule.keep_firing_for) for rule in self.alert.rules)
        return self._step("recovers", boundary.severity, self.claim.rest, self._way(up) + keep + self.longest + 3)

    def _gone(self) -> Step:
        patience = self.grid.evaluations(self.companion.rules[0].for_) if self.companion else 0
        return self._step("no-data", "", None, max(patience + 3, self.grid.evaluations(6 * 60_000)))

    def _way(self, up: bool) -> int:
        """Evaluations until the signal has arrived at a new value."""
        stimulus = self.claim.stimulus
        return 0 if stimulus.isolated else self.grid.evaluations(stimulus.rise if up else stimulus.fall)

    def _step(self, case: str, severity: str, value: float | None, length: int) -> Step:
        empty = (False,) * len(self.severities)
        stage = Stage(empty, empty, False, length)
        return Step(case, severity, value, stage)


def _further(edge: Boundary, boundary: Boundary) -> bool:
    """Whether `boundary` lies beyond `edge` on the same side, so that the signal can go on from there."""
    return edge.comparison.op == boundary.comparison.op and edge.comparison.op in (*RISING, *FALLING)


class _Timeline:
    """One test group: turns steps into series and the oracle's answers into expectations."""

    def __init__(self, plan: _Plan, name: str, steps: list[Step]) -> None:
        self.plan, self.alert, self.claim, self.grid = plan, plan.alert, plan.claim, plan.grid
        self.name = name
        self.steps = self._staged(steps)
        self.bad, self.good = _identities(self.claim)

    def _staged(self, steps: list[Step]) -> list[Step]:
        """Fill in what the oracle needs: conditions at each value, and how long each change takes."""
        stimulus = self.claim.stimulus
        eager = tuple(
            stimulus.eager and any(b.comparison.value == 0 for b in self.claim.boundaries if b.severity == severity)
            for severity in self.plan.severities
        )
        staged: list[Step] = []
        before: float | None = None
        for index, step in enumerate(steps):
            value = step.value
            holds = tuple(self._harmful(value, severity) for severity in self.plan.severities)
            near = tuple(self._near(value, severity) for severity in self.plan.severities)
            keeps = value is not None and self.claim.clear is not None and self.claim.clear.holds(value)
            arrival, late = self._arrival(before, value, index == 0)
            stage = Stage(holds, near, keeps, step.stage.length, arrival, late, stimulus.sticky, eager)
            staged.append(replace(step, stage=stage))
            before = value
        return staged

    def _harmful(self, value: float | None, severity: str) -> bool:
        if value is None:
            return self.claim.stimulus.gone is not None
        if self.claim.stimulus.always:
            return True
        return any(b.comparison.holds(value) for b in self.claim.boundaries if b.severity == severity)

    def _near(self, value: float | None, severity: str) -> bool:
        if value is None or self.claim.stimulus.far:
            return False
        return any(b.past == value for b in self.claim.boundaries if b.severity == severity)

    def _arrival(self, before: float | None, value: float | None, first: bool) -> tuple[int, bool]:
        """Evaluations until the signal has the value, and whether that begins only after the first of them."""
        stimulus = self.claim.stimulus
        if value is None or stimulus.always:
            return 0, False
        if stimulus.delay is not None and value != self.claim.rest:
            return self.grid.evaluations(stimulus.delay(value)), False
        if first:
            return (self.plan._birth() if stimulus.isolated else self.plan._way(True)), False
        if before is None or value == before:
            return 0, False
        way = self.grid.evaluations(stimulus.rise if value > before else stimulus.fall)
        return max(way, 1 if stimulus.late else 0), stimulus.late

    def proof(self) -> Proof:
        checks = self._checks()
        tests = [self._test(check) for check in checks]
        alerts = tuple(t for t in tests if isinstance(t, AlertTest))
        exprs = tuple(t for t in tests if isinstance(t, ExprTest))
        missing = self._missing(checks)
        title = f"{self.alert.name} {self.name}".rstrip()
        group = TestGroup(title, self.grid.step, self._series(), alerts + missing, exprs)
        return Proof(self.alert, self.grid, group, tuple(checks))

    def _checks(self) -> list[Check]:
        """Every change of state from both sides, and the end of every stage."""
        timings = tuple(
            Timing(self.grid.evaluations(r.for_), self.grid.evaluations(r.keep_firing_for)) for r in self.alert.rules
        )
        stages = tuple(step.stage for step in self.steps)
        states = firing(stages, timings, self.claim.clear is not None)
        checks = []
        for step_index, at, case in _moments(stages, tuple(s.case for s in self.steps), states):
            step = self.steps[step_index]
            fires = tuple(s for s, state in zip(self.plan.severities, states[at], strict=True) if state)
            settled = at - sum(s.length for s in stages[:step_index]) >= step.stage.arrival
            # While `keep_firing_for` alone keeps it, the annotations still read the value of before.
            kept = any(
                state and not holds and not (step.stage.keeps and level == 0)
                for level, (state, holds) in enumerate(zip(states[at], step.stage.holds, strict=True))
            )
            value = step.value if settled and not kept and not self.claim.stimulus.drifts else None
            checks.append(Check(self.alert.name, at * self.grid.evaluation, case, step.severity, fires, value))
        return checks

    def _test(self, check: Check) -> AlertTest | ExprTest:
        rules = [self.plan.rules[severity] for severity in check.firing]
        comment = f"{check.case} {check.severity}".rstrip()
        expected = []
        for rule in rules:
            labels = self._labels(rule, check.case)
            annotations = self._annotations(rule, check)
            if annotations is None:
                return self._states(check, comment)
            expected.append(ExpectedAlert(tuple(labels.items()), annotations))
        return AlertTest(check.time, check.alert, tuple(expected), comment)

    def _result_labels(self, case: str) -> dict[str, str]:
        """The labels of the series that the rule's expression results in."""
        gone = self.claim.stimulus.gone
        if case == "no-data" and gone is not None:
            return dict(gone)
        return {**dict(self.claim.fixed_labels), **self.bad}

    def _labels(self, rule: Rule, case: str) -> dict[str, str]:
        result = self._result_labels(case)
        labels = dict(result)
        for name, value in rule.labels:
            labels[name] = value if "{{" not in value else go.expand(value, result, 0.0) or ""
        return labels

    def _annotations(self, rule: Rule, check: Check) -> tuple[tuple[str, str], ...] | None:
        """What the annotations read at this moment; None where the value is not known to the last digit shown."""
        result = []
        labels = self._result_labels(check.case)
        exact = self.claim.stimulus.exact
        for name, text in rule.annotations:
            if "{{" not in text:
                result.append((name, text))
                continue
            if go.uses_value(text) and (check.value is None or (not exact and go.shows_raw_value(text))):
                return None
            shown = go.expand(text, labels, check.value if check.value is not None else 0.0)
            if shown is None:
                return None
            result.append((name, shown))
        return tuple(result)

    def _states(self, check: Check, comment: str) -> ExprTest:
        """The same expectation by labels alone."""
        samples = []
        for severity in check.firing:
            labels = {
                **self._labels(self.plan.rules[severity], check.case),
                "alertname": check.alert,
                "alertstate": "firing",
            }
            samples.append(("ALERTS" + _braces(labels), 1.0))
        selector = f'ALERTS{{alertname={quoted(check.alert)},alertstate="firing"}}'
        return ExprTest(check.time, selector, tuple(samples), comment)

    def _missing(self, checks: list[Check]) -> tuple[AlertTest, ...]:
        """The companion: silent before its `for`, firing at it, for the identity whose data is gone."""
        companion = self.plan.companion
        if companion is None or self.steps[-1].case != "no-data" or self.claim.inputs == ():
            return ()
        rule = companion.rules[0]
        start = sum(step.stage.length for step in self.steps[:-1])
        fires = start + self.grid.evaluations(rule.for_)
        labels = {**self.bad, **dict(rule.labels)}
        if not self.claim.identity:
            labels = {**self.claim.inputs[0].equalities(), **labels}
        expected = ExpectedAlert(tuple(labels.items()), rule.annotations)
        return (
            AlertTest((fires - 1) * self.grid.evaluation, companion.name, (), "no-data"),
            AlertTest(fires * self.grid.evaluation, companion.name, (expected,), "no-data"),
        )

    def _series(self) -> tuple[InputSeries, ...]:
        samples = [step.stage.length * self.grid.samples for step in self.steps]
        found: dict[str, list[Piece]] = {}
        rest = self.claim.stimulus.at(self.claim.rest)
        for index, step in enumerate(self.steps):
            sources = self.claim.stimulus.at(step.value) if step.value is not None else ()
            for source in sources:
                name = _series_name(source.selector.metric, source.selector.matchers, self.bad, source.extra)
                pieces = found.setdefault(name, [Gone()] * len(self.steps))
                pieces[index] = source.piece
        if self.good is not None:
            for source in rest:
                name = _series_name(source.selector.metric, source.selector.matchers, self.good, source.extra)
                # Where absence is the alarm, all must be gone for it.
                ends = self.claim.stimulus.gone is not None
                found.setdefault(name, [Gone() if ends and step.value is None else source.piece for step in self.steps])
        for source in self.claim.stimulus.scenery:
            name = _series_name(source.selector.metric, source.selector.matchers, self.bad, source.extra)
            found[name] = [source.piece] * len(self.steps)
        for copy in self.plan.copies:
            # The other copies of `for_each` stay at rest, or their companions would miss them.
            labels, _ = _identities(copy)
            for source in copy.stimulus.at(copy.rest):
                name = _series_name(source.selector.metric, source.selector.matchers, labels, source.extra)
                found.setdefault(name, [source.piece] * len(self.steps))
        return tuple(
            InputSeries(name, notation(list(zip(pieces, samples, strict=True)), self.grid.step))
            for name, pieces in found.items()
        )


@lru_cache(maxsize=4096)
def _moments(
    stages: tuple[Stage, ...], cases: tuple[str, ...], states: tuple[tuple[bool | None, ...], ...]
) -> tuple[tuple[int, int, str], ...]:
    """(step, evaluation, case) of every moment worth checking."""
    moments: dict[int, tuple[int, int, str]] = {}
    start = 0
    for index, stage in enumerate(stages):
        end = start + stage.length
        for at in range(start, end):
            if None in states[at]:
                continue
            changed = at > 0 and states[at] != states[at - 1]
            if changed and at - 1 >= start and None not in states[at - 1]:
                moments.setdefault(at - 1, (index, at - 1, cases[index]))
            if changed:
                moments[at] = (index, at, cases[index])
        last = end - 1
        if None not in states[last]:
            case = "identity" if cases[index] == "just-past" else cases[index]
            moments.setdefault(last, (index, last, case))
        start = end
    return tuple(moments[at] for at in sorted(moments))


def _identities(claim: Claim) -> tuple[dict[str, str], dict[str, str] | None]:
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


def _series_name(
    metric: str, matchers: tuple[object, ...], identity: dict[str, str], extra: tuple[tuple[str, str], ...]
) -> str:
    labels = {**identity, **(example_labels(matchers) or {}), **dict(extra)}  # type: ignore[arg-type]
    return metric + _braces(labels)


def _braces(labels: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={quoted(labels[name])}" for name in sorted(labels)) + "}" if labels else ""
