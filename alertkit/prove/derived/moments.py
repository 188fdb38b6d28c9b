"""Timelines whose conditions are worked out evaluation by evaluation, from what the kind says of its signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from alertkit.compile.claim import Boundary
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.oracle import Run, Stage, Timing, follow
from alertkit.prove.derived.script import Check, Script, Shape, Step

# Timelines of more evaluations are not attempted; only durations that no rule has need them.
MOST_EVALUATIONS = 50_000


class Moment(NamedTuple):
    """One evaluation: for each severity whether its condition holds (None: open), and the value if it is known."""

    conditions: tuple[bool | None, ...]
    value: float | None = None


def checks_of(
    steps: Sequence[Step], moments: Sequence[Moment], timings: Mapping[str, Timing], grid: Grid, severity: str
) -> tuple[Check, ...]:
    """Every change of state from both sides, and the end of every stage, wherever all is certain."""
    columns = {
        name: follow(_runs(moment.conditions[index] for moment in moments), timing)
        for index, (name, timing) in enumerate(timings.items())
    }
    cases: list[str] = []
    wanted: set[int] = set()
    for step in steps:
        cases += [step.case] * step.stage.length
        wanted.add(len(cases) - 1)
    for at in range(1, len(cases)):
        if any(column[at] != column[at - 1] for column in columns.values()):
            wanted |= {at - 1, at}
    checks = []
    for at in sorted(wanted):
        states = {name: column[at] for name, column in columns.items()}
        if None in states.values():
            continue
        # What `keep_firing_for` alone keeps reads the value of before.
        kept = any(fires and not holds for fires, holds in zip(states.values(), moments[at].conditions, strict=True))
        fires = tuple(name for name, state in states.items() if state)
        value = None if kept else moments[at].value
        checks.append(Check(at * grid.evaluation, cases[at], severity, fires, value))
    return tuple(checks)


def _runs(conditions: Iterable[bool | None]) -> tuple[Run, ...]:
    return tuple(Run(holds, False, len(list(run))) for holds, run in groupby(conditions))


class Timelines:
    """Writes timelines of a shape; `grid` is that of its other cases."""

    def __init__(self, shape: Shape, grid: Grid) -> None:
        self.shape, self.grid = shape, grid

    @property
    def _gravest(self) -> Boundary:
        return self.shape.boundaries[-1]

    def _timings(self, grid: Grid) -> dict[str, Timing]:
        return {
            severity: Timing(grid.evaluations(hold), grid.evaluations(keep))
            for severity, hold, keep in self.shape.levels
        }

    def _holds(self, value: float) -> tuple[bool, ...]:
        return tuple(
            any(b.comparison.holds(value) for b in self.shape.boundaries if b.severity == severity)
            for severity, _, _ in self.shape.levels
        )

    def _script(
        self, name: str, grid: Grid, severity: str, rows: Sequence[tuple[str, float | None, str, Sequence[Moment]]]
    ) -> Script:
        """From (case, value, how it is interrupted, what comes of it) of each stage."""
        nothing = (False,) * len(self.shape.levels)
        steps = [
            Step(case, severity, value, Stage(nothing, nothing, False, len(moments)), how)
            for case, value, how, moments in rows
            if moments
        ]
        moments = [moment for *_, part in rows for moment in part]
        checks = checks_of(steps, moments, self._timings(grid), grid, severity)
        return Script(name, grid, tuple(steps), checks, False)

    def _silence(self, length: int) -> list[Moment]:
        return [Moment((False,) * len(self.shape.levels))] * length
