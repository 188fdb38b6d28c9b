"""Generated cases: from the claim of an alert to promtool test groups.

A plan, which knows no names, is bound to the series, labels and texts of one alert.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from alertkit.compile.claim import Claim
from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.emit.frames import Parts
from alertkit.emit.promtool import TestGroup
from alertkit.prove.derived.cast import cast_of, identities
from alertkit.prove.derived.expected import Expectations
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.missing import Companion
from alertkit.prove.derived.plan import of_ones, outcomes_of, plan_of
from alertkit.prove.derived.script import Check, shape_of
from alertkit.prove.derived.stages import scripts_of


class Proof(NamedTuple):
    """One promtool test group, the clock it needs, and what each of its expectations stands for."""

    alert: Alert
    grid: Grid
    group: TestGroup
    checks: tuple[Check, ...]


def proofs_of(system: System, names: Collection[str] | None = None) -> list[Proof]:
    """All generated proofs of a system, in the order of its alerts; with `names`, of these alerts only."""
    return [proof for bound in _bound(system, names) for proof in bound.proofs()]


def texts_of(system: System, names: Collection[str]) -> Iterator[tuple[str, int, dict[int, str]]]:
    """The same as text: of each alert its name, its number of expectations, and its test groups in promtool's notation
    by their evaluation interval (milliseconds)."""
    for bound in _bound(system, names):
        yield bound.alert.name, bound.plan.size, bound.texts()


def _bound(system: System, names: Collection[str] | None) -> Iterator[_Bound]:
    copies: dict[str, list[Claim]] = {}
    for alert in system.alerts:
        if alert.claim is not None:
            copies.setdefault(alert.name, []).append(alert.claim)
    records = {record.name for record in system.records}
    for alert, companion in system.with_companions():
        if alert.claim is not None and (names is None or alert.name in names):
            others = [claim for claim in copies[alert.name] if claim is not alert.claim]
            yield _Bound(alert, alert.claim, companion.rules[0] if companion else None, others, records)


class _Bound:
    """The plan of one alert, and the names that it is bound to: series, labels and texts."""

    def __init__(
        self, alert: Alert, claim: Claim, rule: Rule | None, copies: list[Claim], records: Collection[str]
    ) -> None:
        self.alert = alert
        bad, good = identities(claim)
        names, roles = cast_of(alert, claim, copies, bad, good)
        scripts = scripts_of(shape_of(claim, alert.rules, rule))
        if good is None:
            scripts = of_ones(scripts)
        texts = Expectations(alert, claim, bad, records)
        outcomes = outcomes_of(scripts)
        known = [texts.of(outcome) for outcome in outcomes]
        unknown = tuple([place for place, expected in enumerate(known) if expected is None])
        alerts, expected, companion = [alert.name], [one or () for one in known], None
        if rule is not None and claim.inputs:
            one, whole, left = texts.missing(rule, good)
            alerts.append(rule.alert)
            expected += [one, whole, left]
            companion = Companion(rule.for_, len(claim.inputs) == 1 and bool(claim.identity), one == whole)
        schemes = tuple([copy.scheme for copy in copies])
        self.plan = plan_of(scripts, roles, claim.scheme, schemes, unknown, companion)
        self.parts = Parts(alerts, names, expected, [texts.states(outcomes[place]) for place in unknown])

    def proofs(self) -> Iterator[Proof]:
        for frame, grid, checks in self.plan.framed:
            yield Proof(self.alert, grid, frame.group(self.parts), checks)

    def texts(self) -> dict[int, str]:
        return self.plan.form.filled(self.parts)


def has_second_identity(claim: Claim) -> bool:
    """Whether a second identity can exist, which must stay silent while the first fires."""
    return identities(claim)[1] is not None
