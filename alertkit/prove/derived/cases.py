"""Generated cases: from the claim of an alert to promtool test groups.

A plan, which knows no names, is bound to the series, labels and texts of one alert.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from alertkit.compile.claim import Claim
from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.emit.frames import Parts
from alertkit.emit.promtool import TestGroup, test_groups
from alertkit.prove.derived.cast import cast_of, identities, series_name
from alertkit.prove.derived.expected import Expectations
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.missing import FORGOTTEN, VANISHED, grid_of, missing_group, missing_tests, watched
from alertkit.prove.derived.plan import moves_of, of_ones, outcomes_of, plan_of
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
        yield bound.alert.name, bound.size(), bound.texts()


def _bound(system: System, names: Collection[str] | None) -> Iterator[_Bound]:
    copies: dict[str, list[Claim]] = {}
    for alert in system.alerts:
        if alert.claim is not None:
            copies.setdefault(alert.name, []).append(alert.claim)
    for alert, companion in system.with_companions():
        if alert.claim is not None and (names is None or alert.name in names):
            others = [claim for claim in copies[alert.name] if claim is not alert.claim]
            yield _Bound(alert, alert.claim, companion.rules[0] if companion else None, others)


class _Bound:
    """The plan of one alert, and the names that it is bound to: series, labels and annotations."""

    def __init__(self, alert: Alert, claim: Claim, companion: Rule | None, copies: list[Claim]) -> None:
        self.alert, self.claim = alert, claim
        self.bad, self.good = identities(claim)
        self.cast = cast_of(alert, claim, copies, self.bad, self.good)
        scripts = scripts_of(shape_of(claim, alert.rules, companion))
        if self.good is None:
            scripts = of_ones(scripts)
        texts = Expectations(alert, claim, self.bad)
        outcomes = outcomes_of(scripts)
        expected = [texts.of(outcome) for outcome in outcomes]
        unknown = tuple([place for place, known in enumerate(expected) if known is None])
        told = companion if claim.inputs else None
        self.plan = plan_of(
            scripts, self.cast.roles, moves_of(claim, copies), unknown, told.for_ if told is not None else None
        )
        self.parts = Parts(
            (alert.name,) if told is None else (alert.name, told.alert),
            self.cast.names,
            [known or () for known in expected] + ([] if told is None else [texts.missing(told)]),
            [texts.states(outcomes[place]) for place in unknown],
        )
        self.gone = [] if companion is None else self._gone(companion)

    def proofs(self) -> Iterator[Proof]:
        for script, frame in zip(self.plan.scripts, self.plan.frames, strict=True):
            yield Proof(self.alert, script.grid, frame.group(self.parts), script.checks)
        yield from self.gone

    def size(self) -> int:
        """The number of expectations."""
        return self.plan.checks + sum(len(proof.checks) for proof in self.gone)

    def texts(self) -> dict[int, str]:
        texts = {interval: form.filled(self.parts) for interval, form in self.plan.forms.items()}
        for proof in self.gone:
            interval = proof.grid.evaluation
            texts[interval] = texts.get(interval, "") + test_groups([proof.group])
        return texts

    def _gone(self, companion: Rule) -> list[Proof]:
        """How long the companion remembers, and what it says when nothing is left."""
        proofs = [self._missing(companion, case) for case in (FORGOTTEN, VANISHED)]
        return [proof for proof in proofs if proof is not None]

    def _missing(self, rule: Rule, case: str) -> Proof | None:
        claim = self.claim
        found = missing_tests(claim, rule, self.bad, self.good is None, case)
        inputs = watched(claim)
        if found is None or not inputs:
            return None
        tests, length = found
        lost = [series_name(one, self.bad) for one in inputs]
        staying = [*self.cast.outsiders(), *self.cast.copies()]  # copies stay, or their companions would fire too
        if case == FORGOTTEN and self.good is not None:
            staying += [series_name(one, self.good) for one in inputs]
        lost = list(dict.fromkeys(lost))
        staying = [name for name in dict.fromkeys(staying) if name not in lost]
        title = f"{self.alert.name} {case}"
        group, checks = missing_group(title, claim, rule, tests, length, lost, staying)
        return Proof(self.alert, grid_of(rule), group, checks)


def has_second_identity(claim: Claim) -> bool:
    """Whether a second identity can exist, which must stay silent while the first fires."""
    return identities(claim)[1] is not None
