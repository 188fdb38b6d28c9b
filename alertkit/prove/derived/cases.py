"""Generated cases: from the claim of an alert to promtool test groups.

A group is a script, which knows no names, bound to the series, labels and texts of one alert.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from alertkit.compile.claim import Claim
from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.emit.promtool import AlertTests, ExpectedAlert, ExprTest, InputSeries, Moments, TestGroup
from alertkit.kinds.stimulus import Drive, Input
from alertkit.prove.derived.decoys import DECOY, calm, foreign_states, has_room, outsiders, selects, twin
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.missing import FORGOTTEN, VANISHED, grid_of, missing_group, missing_tests, watched
from alertkit.prove.derived.names import IDLE, THIN
from alertkit.prove.derived.rows import constant, driven, idle, opposed, steady
from alertkit.prove.derived.script import (
    ALREADY,
    BURN,
    EDGE,
    ENOUGH,
    LONE,
    NEWBORN,
    SILENT,
    Check,
    Outcome,
    Script,
    of_one,
    shape_of,
)
from alertkit.prove.derived.stages import scripts_of
from alertkit.series import Level
from alertkit.series.example import example_labels
from alertkit.spec.selector import quoted
from alertkit.template import go

ONE = Level(1.0)
# What a value that is not exact may come out as.
BELOW = 1 - 1e-9


class Proof(NamedTuple):
    """One promtool test group, the clock it needs, and what each of its expectations stands for."""

    alert: Alert
    grid: Grid
    group: TestGroup
    checks: tuple[Check, ...]


def proofs_of(system: System, names: Collection[str] | None = None) -> list[Proof]:
    """All generated proofs of a system, in the order of its alerts; with `names`, of these alerts only."""
    copies: dict[str, list[Claim]] = {}
    for alert in system.alerts:
        if alert.claim is not None:
            copies.setdefault(alert.name, []).append(alert.claim)
    proofs = []
    for alert, companion in system.with_companions():
        if alert.claim is not None and (names is None or alert.name in names):
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
        self.cast = _Cast(alert, claim, copies)
        # What the scripts of an alert share: what is expected of an outcome, and of one level in it.
        self._known: dict[Outcome, Expected] = {SILENT: ()}
        self._levels: dict[tuple[str, float | None, bool], Expected] = {}

    def proof(self, script: Script) -> Proof:
        if self.good is None:
            script = of_one(script)
        alerts, exprs = self._tests(script)
        title = f"{self.alert.name} {script.name}".rstrip()
        group = TestGroup(
            title, script.grid.step, self._series(script), (*alerts, *self._missing(script)), tuple(exprs)
        )
        return Proof(self.alert, script.grid, group, script.checks)

    def _tests(self, script: Script) -> tuple[list[AlertTests], list[ExprTest]]:
        """The script's checks as tests; where the texts are not known, of the alert's states."""
        known = self._known
        for outcome in script.outcomes:
            if outcome not in known:
                known[outcome] = self._expected(*outcome)
        expectations = [known[outcome] for outcome in script.outcomes]
        unknown = frozenset([place for place, expected in enumerate(expectations) if expected is None])
        moments = moments_without(script, unknown) if unknown else script.moments
        exprs = [
            self._states(time, script.outcomes[place], title)
            for time, title, place in (script.moments.rows if unknown else ())
            if place in unknown
        ]
        alerts = AlertTests(self.alert.name, moments, tuple([expected or () for expected in expectations]))
        return [alerts] if moments.rows else [], exprs

    def _expected(self, severities: tuple[str, ...], value: float | None, ended: bool) -> Expected:
        """The alerts of these severities; None where a text shows a value that is not known to the last digit."""
        expected: list[ExpectedAlert] = []
        for severity in severities:
            key = (severity, value, ended)
            if key not in self._levels:
                self._levels[key] = self._level(self.rules[severity], value, ended)
            level = self._levels[key]
            if level is None:
                return None
            expected += level
        return tuple(expected)

    def _level(self, rule: Rule, value: float | None, ended: bool) -> Expected:
        """The same of one rule."""
        expected = []
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
            # Whole seconds are cut off, not rounded.
            if value and not exact and "humanizeDuration" in text and shown != go.expand(text, labels, value * BELOW):
                return None
            result.append((name, shown))
        return tuple(result)

    def _states(self, time: int, outcome: Outcome, comment: str) -> ExprTest:
        """The same expectation by labels alone."""
        severities, _, ended = outcome
        name = self.alert.name
        samples = []
        for severity, result in product(severities, self._results(ended)):
            labels = {**self._labels(self.rules[severity], result), "alertname": name, "alertstate": "firing"}
            samples.append(("ALERTS" + _braces(labels), 1.0))
        selector = f'ALERTS{{alertname={quoted(name)},alertstate="firing",{DECOY}=""}}'
        return ExprTest(time, selector, tuple(samples), comment)

    def _missing(self, script: Script) -> tuple[AlertTests, ...]:
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
        before, at = (fires - 1) * grid.evaluation, fires * grid.evaluation
        moments = Moments([(before, "no-data", 0), (at, "no-data", 1)])
        return (AlertTests(rule.alert, moments, ((), (expected,))),)

    def missing(self, rule: Rule, case: str) -> Proof | None:
        """How long the companion remembers, or what it says when nothing is left."""
        claim = self.claim
        found = missing_tests(claim, rule, self.bad, self.good is None, case)
        inputs = watched(claim)
        if found is None or not inputs:
            return None
        tests, length = found
        lost = [_series_name(one, self.bad) for one in inputs]
        staying = [name for name, _ in self.cast.outsiders]
        staying += [name for _, own in self.cast.copies for _, name in own]  # or their companions would fire too
        if case == FORGOTTEN and self.good is not None:
            staying += [_series_name(one, self.good) for one in inputs]
        lost = list(dict.fromkeys(lost))
        staying = [name for name in dict.fromkeys(staying) if name not in lost]
        title = f"{self.alert.name} {case}"
        group, checks = missing_group(title, claim, rule, tests, length, lost, staying)
        return Proof(self.alert, grid_of(rule), group, checks)

    def _drive(self, script: Script) -> Drive:
        """How the series follow the value: with the usual traffic, or in their cases with too little or none."""
        stimulus = self.claim.stimulus
        if script.name == IDLE and stimulus.idle is not None:
            return Drive(idle, (stimulus.idle,))
        own = {
            THIN: stimulus.thin, NEWBORN: stimulus.newborn, BURN: stimulus.scarce, EDGE: stimulus.balanced,
            ENOUGH: stimulus.enough, LONE: stimulus.lone, ALREADY: stimulus.already,
        }.get(script.name.split(" ")[0])  # fmt: skip
        return own or stimulus.drive

    def _series(self, script: Script) -> tuple[InputSeries, ...]:
        """Each series with its values over the script."""
        claim, stimulus, cast = self.claim, self.claim.stimulus, self.cast
        drive = self._drive(script)
        exact = script.name.startswith((EDGE, ENOUGH))
        found: dict[str, str] = {}
        for place, half, values in driven(script, drive, cast.split and not exact):
            found[(cast.twins if half else cast.bad)[place]] = values
        if cast.good:
            # Where absence is the alarm, all must be gone for it.
            for name, values in zip(
                cast.good, steady(script, drive, claim.rest, stimulus.gone is not None), strict=True
            ):
                found.setdefault(name, values)
        if cast.calm is not None:
            for place, values in enumerate(steady(script, stimulus.drive, cast.calm, True)):
                if stimulus.inputs[place].selector in claim.inputs:  # a guard adds up what it counts
                    found.setdefault(cast.twins[place], values)
        for name, source in zip(cast.scenery, stimulus.scenery, strict=True):
            found[name] = constant(script, source.piece, bool(stimulus.leave))
        for copy, names in cast.copies:
            # The other copies of `for_each` stay at rest, or their companions would miss them.
            rows = steady(script, copy.stimulus.drive, copy.rest, False)
            for place, name in names:
                found.setdefault(name, rows[place])
        if cast.outsiders:
            own = opposed(script, stimulus.drive, claim.boundaries, claim.rest)
            for name, place in cast.outsiders:
                if place < len(own):
                    found.setdefault(name, own[place])
                else:
                    found.setdefault(name, constant(script, stimulus.scenery[place - len(own)].piece, False))
        for name in cast.states:
            found[name] = constant(script, ONE, False)
        return tuple([InputSeries(name, values) for name, values in found.items()])


class _Cast:
    """The names of all series in an alert's proofs, each list in the order of the inputs it was made from.

    bad        the identity that the scripts move
    twins      a second series beside each of those, where there is room for one
    good       the identity that stays at rest; none where only one can exist
    calm       the value at which the twins stay; None where they do not stand by
    split      the series are added up, so the twins are their second halves
    outsiders  series that one matcher keeps out, and the place of the input or the scenery that they look like
    states     alert states of alerts that are not this one
    """

    def __init__(self, alert: Alert, claim: Claim, copies: Sequence[Claim]) -> None:
        stimulus, (bad, good) = claim.stimulus, identities(claim)
        inputs, room = stimulus.inputs, has_room(claim)
        # Halves may add up to a little more or less, and then never reach what only the edge itself is past.
        self.split = stimulus.sums and room and not any(b.past == b.comparison.value != 0 for b in claim.boundaries)
        self.calm = calm(claim) if claim.worst and room and inputs else None
        self.bad = _series_names(inputs, bad)
        self.good = [] if good is None else _series_names(inputs, good)
        twins = self.split or self.calm is not None
        self.twins = _series_names([twin(one) for one in inputs], bad) if twins else []
        self.scenery = _series_names([Input(s.selector, s.extra) for s in stimulus.scenery], bad)
        self.outsiders = [(_series_name(one, {}), place) for one, place in outsiders(claim, bad)]
        self.copies = [(copy, _own_series(copy, claim)) for copy in copies]
        states = foreign_states(claim, alert, bad)
        self.states = [f"ALERTS{_braces(dict(labels))}" for labels in states]


def _own_series(copy: Claim, claim: Claim) -> list[tuple[int, str]]:
    """The place and name of each series of another copy of `for_each`, but for its part of a total that they share.

    It can do without that, and the alert of `claim` would add it up.
    """
    inputs, stimulus = copy.stimulus.inputs, claim.stimulus
    names = enumerate(_series_names(inputs, identities(copy)[0]))
    if not stimulus.sums:
        return list(names)

    def added(one: Input) -> bool:
        labels = {**(example_labels(one.selector.matchers) or {}), **dict(one.extra)}
        return any(selects(own.selector, one.selector.metric, labels) for own in stimulus.inputs)

    missed = {*copy.inputs, *(own.selector for own in stimulus.inputs)}
    return [(place, name) for place, name in names if inputs[place].selector in missed or not added(inputs[place])]


@lru_cache(maxsize=1024)
def moments_without(script: Script, places: frozenset[int]) -> Moments:
    """The moments of a script whose outcome is none of those at `places`."""
    return Moments(row for row in script.moments.rows if row[2] not in places)


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


def _series_names(inputs: Sequence[Input], identity: dict[str, str]) -> list[str]:
    """The series of an identity, each as PromQL."""
    known: dict[object, str] = {}  # most of them differ in the metric only
    names = []
    for one in inputs:
        selector = one.selector
        key = (selector.matchers, one.extra)
        if key not in known:
            known[key] = _series_name(one, identity).removeprefix(selector.metric)
        names.append(selector.metric + known[key])
    return names


def _series_name(one: Input, identity: dict[str, str]) -> str:
    selector = one.selector
    given = (example_labels(selector.matchers) or {}) if selector.matchers else {}
    return selector.metric + _braces({**identity, **given, **dict(one.extra)})


def _braces(labels: dict[str, str]) -> str:
    return "{" + ",".join([f"{name}={quoted(labels[name])}" for name in sorted(labels)]) + "}" if labels else ""
