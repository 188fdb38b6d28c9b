"""Timelines whose conditions are worked out evaluation by evaluation, from what the kind says of its signal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, compress, groupby, pairwise
from typing import NamedTuple

from alertkit.compile.claim import Boundary
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.oracle import Run, Timing, follow
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
    lengths = tuple([step.length for step in steps])
    conditions = tuple([moment.conditions for moment in moments])
    return tuple([
        Check(
            at * grid.evaluation, steps[index].case, severity, tuple(compress(timings, states)),
            moments[at].value if known else None,
        )
        for index, at, states, known in _certain(lengths, conditions, tuple(timings.values()))
    ])  # fmt: skip


@lru_cache(maxsize=4096)
def _certain(
    lengths: tuple[int, ...], conditions: tuple[tuple[bool | None, ...], ...], timings: tuple[Timing, ...]
) -> tuple[tuple[int, int, tuple[bool | None, ...], bool], ...]:
    """(step, evaluation, state of each level, whether the signal is known) of every moment worth checking."""
    columns = [
        follow(tuple([Run(holds, False, len(list(run))) for holds, run in groupby(column)]), timing)
        for column, timing in zip(zip(*conditions, strict=True), timings, strict=True)
    ]
    states = list(zip(*columns, strict=True))
    ends = list(accumulate(lengths))
    wanted = {end - 1 for end in ends}
    for at, (before, after) in enumerate(pairwise(states), 1):
        if before != after:
            wanted |= {at - 1, at}
    found = []
    for at in sorted(wanted):
        if None not in states[at]:
            # What `keep_firing_for` alone keeps reads the value of before.
            kept = any(fires and not holds for fires, holds in zip(states[at], conditions[at], strict=True))
            found.append((bisect_right(ends, at), at, states[at], not kept))
    return tuple(found)


class MomentScripts:
    """Writes timelines of a shape; `grid` is that of its other cases."""

    def __init__(self, shape: Shape, grid: Grid) -> None:
        self.shape, self.scheme, self.grid = shape, shape.scheme, grid

    @property
    def _gravest(self) -> Boundary:
        return self.scheme.boundaries[-1]

    def _timings(self, grid: Grid) -> dict[str, Timing]:
        return {
            severity: Timing(grid.evaluations(hold), grid.evaluations(keep))
            for severity, hold, keep in self.shape.levels
        }

    def _holds(self, value: float) -> tuple[bool, ...]:
        return tuple(
            any(b.comparison.holds(value) for b in self.scheme.boundaries if b.severity == severity)
            for severity, _, _ in self.shape.levels
        )

    def _script(
        self, name: str, grid: Grid, severity: str, rows: Sequence[tuple[str, float | None, str, Sequence[Moment]]]
    ) -> Script:
        """From (case, value, how it is interrupted, what comes of it) of each stage."""
        steps = [Step(case, severity, value, len(moments), how) for case, value, how, moments in rows if moments]
        moments = [moment for *_, part in rows for moment in part]
        checks = checks_of(steps, moments, self._timings(grid), grid, severity)
        return Script(name, grid, tuple(steps), checks, False)

    def _silence(self, length: int) -> list[Moment]:
        return [Moment((False,) * len(self.shape.levels))] * length
